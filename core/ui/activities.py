"""Activities on a page: due ones with one-click done, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import streamlit as st

from core.access.actions import Action
from core.i18n import _, format_date, format_relative_day
from core.queries.reference import word_list
from core.services.activities import (
    complete_activity,
    delete_activity,
    reopen_activity,
    reschedule_activity,
    restore_activity,
)
from core.ui.forms import attempt
from core.ui.page import plain
from core.ui.routes import page
from core.ui.selling import KIND_ICONS, KIND_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Activity
    from core.ui.page import View

_UNDO = "luopan_undo_activity"


def draw_due(
    view: View, due: Sequence[Activity], *, empty: str, names: dict[int, str] | None = None, key: str = "due"
) -> None:
    """Draw due activities with *done*, *move* and *delete*; `names` adds a line by activity number."""
    _draw_undo(view, key)
    if not due:
        st.caption(plain(empty))
    for activity in due:
        with st.container(border=True, gap="xxsmall", key=f"{key}-{activity.id}"):
            _draw(view, activity, (names or {}).get(activity.id, ""), key)


def _draw(view: View, activity: Activity, name: str, key: str) -> None:
    late = activity.due_on is not None and activity.due_on < view.today
    when = f"{format_date(activity.due_on)} · {format_relative_day(activity.due_on, view.today)}"
    title = view.ask(word_list)(activity.subject) or _(KIND_NAMES[activity.kind])
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(width="stretch", gap="xxsmall"):
            st.markdown(f":material/{KIND_ICONS[activity.kind]}: **{plain(title)}**")
            if late:
                st.markdown(f":small[:red[{plain(when)}]]")
            else:
                st.caption(plain(when))
        if view.may(Action.ACTIVITY_LOG):
            _buttons(view, activity, key)
    if name:
        page_name, number = ("deal", activity.deal_id) if activity.deal_id else ("customer", activity.customer_id)
        st.page_link(page(page_name).file, label=plain(name), query_params={"id": str(number)})
    if activity.note:
        st.text(activity.note)


def _buttons(view: View, activity: Activity, key: str) -> None:
    common: dict[str, Any] = {"activity_id": activity.id, "version": activity.version}
    with st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center"):
        if st.button(_("Done"), icon=":material/check:", key=f"{key}-done-{activity.id}"):
            done = attempt(view, complete_activity, **common)
            if done is not None:
                st.session_state[_UNDO] = {
                    "at": key,
                    "id": done.id,
                    "version": done.version,
                    "snapshot": None,
                }
                st.rerun()
        with st.popover(
            "",
            icon=":material/more_vert:",
            type="tertiary",
            key=f"{key}-more-{activity.id}",
            help=_("Move or delete"),
        ):
            day = st.date_input(
                _("Move to"),
                value=max(activity.due_on or view.today, view.today),
                min_value=view.today,
                format="YYYY-MM-DD",
                key=f"{key}-day-{activity.id}",
            )
            if st.button(_("Move"), key=f"{key}-move-{activity.id}"):
                moved = attempt(view, reschedule_activity, due_on=day, **common)
                if moved is not None:
                    st.rerun()
            if st.button(_("Delete"), icon=":material/delete:", type="tertiary", key=f"{key}-delete-{activity.id}"):
                snapshot = attempt(view, delete_activity, **common)
                if snapshot is not None:
                    st.session_state[_UNDO] = {"at": key, "snapshot": snapshot, "key": uuid4().hex}
                    st.rerun()


def _draw_undo(view: View, key: str) -> None:
    undo = st.session_state.get(_UNDO)
    if not undo or undo["at"] != key:
        return
    deleted = undo["snapshot"] is not None
    with st.container(horizontal=True, vertical_alignment="center", key=f"{key}-undo"):
        st.markdown(f":green[:material/check_circle: {plain(_('Deleted.') if deleted else _('Done.'))}]")
        if st.button(_("Undo"), icon=":material/undo:", type="tertiary", key=f"{key}-undo-button"):
            st.session_state.pop(_UNDO)
            if deleted:
                attempt(view, restore_activity, key=undo["key"], snapshot=undo["snapshot"])
            else:
                attempt(view, reopen_activity, activity_id=undo["id"], version=undo["version"])
            st.rerun()
