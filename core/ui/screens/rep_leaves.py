"""The days on which a rep was on leave, on the rep's page; kept by their managers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import streamlit as st

from core.access.actions import Action
from core.errors import SalesError
from core.i18n import _, format_date
from core.queries.leaves import leaves_of
from core.reports.tables import Column
from core.services.leaves import record_leave, take_back_leave
from core.ui import session
from core.ui.administration import Fields, tell
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from core.ui.page import View


def draw(view: View, rep_id: int) -> None:
    """Draw the section; nothing where no leave is kept and the reader keeps none."""
    if view.query is not None:
        return
    kept = view.ask(leaves_of, rep_id=rep_id)
    may = view.may(Action.LEAVE_EDIT)
    if kept.empty and not may:
        return
    st.subheader(_("Leave"), anchor=False)
    st.caption(_("The quota of these days is not asked for where quotas go by the days worked."))
    if kept.empty:
        st.text(_("No leave is kept."))
    else:
        columns = [
            Column("from_on", _("First day"), "date"),
            Column("until_on", _("Last day"), "date"),
            Column("days", _("Days of leave"), "count"),
            Column("note", _("Note")),
        ]
        table(view, kept, columns, name="leaves")
    if may:
        with st.container(horizontal=True):
            if st.button(_("Add leave"), icon=":material/add:", key="leave-add"):
                _add(view, rep_id)
            if not kept.empty and st.button(_("Take back a leave"), icon=":material/delete:", key="leave-remove"):
                _remove(view, kept.to_dict("records"))


def _add(view: View, rep_id: int) -> None:
    key = st.session_state.setdefault("leave-key", uuid4().hex)

    @session.dialog(_("Add leave"))
    def opened() -> None:
        fields = Fields(view, f"leave-{key}")
        first = fields.day("from_on", _("First day"), view.today)
        last = fields.day("until_on", _("Last day"), view.today + timedelta(days=4))
        note = fields.text("note", _("Note"), max_chars=200)
        if fields.sent(_("Save"), icon=":material/save:"):
            done = fields.do(record_leave, key=key, rep_id=rep_id, from_on=first, until_on=last, note=note)
            if done is not None:
                st.session_state.pop("leave-key")
                tell(_("The leave is kept."))
                st.rerun()

    opened()


def _remove(view: View, rows: list[Any]) -> None:
    said = {row["id"]: f"{format_date(row['from_on'])} – {format_date(row['until_on'])}" for row in rows}

    @session.dialog(_("Take back a leave"))
    def opened() -> None:
        number = st.selectbox(_("Leave"), list(said), format_func=said.__getitem__, key="leave-which")
        if st.button(_("Take back"), type="primary", key="leave-gone"):
            row = next(row for row in rows if row["id"] == number)
            try:
                view.do(take_back_leave, leave_id=int(row["id"]), version=int(row["version"]))
            except SalesError as error:
                st.error(plain(error.message()), icon=":material/block:")
                return
            tell(_("The leave is taken back."))
            st.rerun()

    opened()
