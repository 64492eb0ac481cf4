"""What can be done with a deal on its page: each a panel that opens under the buttons."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.access.actions import Action
from core.domain.stages import StageKind
from core.errors import EditedMeanwhile
from core.i18n import N_, _
from core.services.deal_moves import (
    advance_deal,
    lose_deal,
    reassign_deal,
    reopen_deal,
    undo_hand_over,
    undo_last_move,
)
from core.ui.drafts import offer_kept
from core.ui.forms import Form, attempt, names_of
from core.ui.page import plain
from core.ui.routes import go

if TYPE_CHECKING:
    from core.queries.deals import DealRecord
    from core.queries.reference import FormChoices
    from core.ui.page import View

_PANEL = "deal.panel"
_MOVED = "deal.moved"
_UNDOING: dict[Any, Any] = {advance_deal: undo_last_move, lose_deal: undo_last_move, reassign_deal: undo_hand_over}
"""What takes back what was just done, for as long as nobody changed the deal since."""


def open_panel(name: str | None) -> None:
    """Open a panel, or none."""
    st.session_state[_PANEL] = name


def opened_panel(record: DealRecord) -> str | None:
    """Return the panel that is open for this deal; another deal's closes."""
    if st.session_state.get("deal.of") != record.deal.id:
        st.session_state["deal.of"] = record.deal.id
        st.session_state[_PANEL] = None
    return cast("str | None", st.session_state.get(_PANEL))


def draw_buttons(view: View, record: DealRecord) -> None:
    """Draw what the reader may do with the deal."""
    still_open = record.deal.state is StageKind.OPEN
    offered: list[tuple[str, str, str, bool]] = [
        ("edit", _("Edit"), "edit", view.may(Action.DEAL_EDIT)),
        ("lose", _("Mark as lost"), "cancel", still_open and view.may(Action.DEAL_ADVANCE)),
        ("reopen", _("Reopen"), "lock_open", not still_open and view.may(Action.DEAL_ADVANCE)),
        ("reassign", _("Hand over"), "person", view.may(Action.DEAL_REASSIGN)),
        ("split", _("Split credit"), "group", record.deal.state is not StageKind.LOST and view.may(Action.DEAL_EDIT)),
    ]
    with st.container(horizontal=True, gap="small", key="deal-actions"):
        if view.may(Action.ACTIVITY_LOG) and st.button(
            _("Log an activity"), icon=":material/edit_calendar:", type="primary", key="deal-activity"
        ):
            go("log_activity", deal=record.deal.id)
        for name, label, icon, allowed in offered:
            if allowed:
                st.button(label, icon=f":material/{icon}:", on_click=open_panel, args=(name,), key=f"deal-{name}")


def draw_stages(view: View, record: DealRecord, choices: FormChoices) -> None:
    """Draw the process as pills; another stage asks for its day and moves the deal there."""
    deal = record.deal
    kinds = (StageKind.OPEN, StageKind.WON) if deal.state is StageKind.OPEN else (deal.state,)
    stages = names_of(choices.stages_of(deal.pipeline_id, *kinds))
    stages.setdefault(deal.stage_id, record.stage)
    fixed = not (record.may_edit and view.may(Action.DEAL_ADVANCE)) or len(stages) == 1
    chosen = st.pills(
        _("Stage"),
        list(stages),
        default=deal.stage_id,
        required=True,
        format_func=lambda number: plain(stages[number]),
        key=f"stage-{deal.id}-{deal.version}",
        disabled=fixed,
        label_visibility="collapsed" if fixed else "visible",
    )
    _say_moved(view, record)
    if chosen == deal.stage_id:
        return
    form = Form(view, f"move_deal_{deal.id}", {"effective_on": view.today, "move_note": ""}, drafted=False)
    with st.container(border=True, key="move-panel"):
        st.markdown(plain(_("From “{before}” to “{after}”", before=record.stage, after=stages[chosen])))
        with st.container(horizontal=True, vertical_alignment="top"):
            with st.container(width=180, gap="xxsmall"):
                form.day("effective_on", _("Happened on"), max_value=view.today)
            with st.container(width=340, gap="xxsmall"):
                form.text("move_note", _("Note"), max_chars=1000)
        form.show_refusal()
        if st.button(_("Move the deal"), type="primary", icon=":material/check:", key="move-deal"):
            _send_and_close(
                form,
                advance_deal,
                deal_id=deal.id,
                to_stage_id=chosen,
                version=deal.version,
                effective_on=form["effective_on"],
                note=form["move_note"] or "",
                _said=_("The deal is in “{stage}” now.", stage=stages[chosen]),
            )


def offer_drafts(view: View, record: DealRecord) -> None:
    """Offer what was typed into the deal's closed panels and never saved."""
    number, opened = record.deal.id, opened_panel(record)
    closed = {}
    if opened != "edit":
        closed[f"edit_deal_{number}"] = (
            N_("You began editing this deal on {when} and did not save it."),
            partial(open_panel, "edit"),
        )
    if opened != "lose" and record.deal.state is StageKind.OPEN:
        closed[f"lose_deal_{number}"] = (
            N_("You began marking this deal as lost on {when} and did not finish."),
            partial(open_panel, "lose"),
        )
    offer_kept(view, closed)


def draw_panel(view: View, record: DealRecord, choices: FormChoices) -> None:
    """Draw the panel that is open, if one is: lose, reopen or hand over (editing has its own)."""
    panels = {"lose": _lose, "reopen": _reopen, "reassign": _reassign}
    name = opened_panel(record)
    if name in panels and record.may_edit:
        with st.container(border=True, key=f"panel-{name}"):
            panels[name](view, record, choices)


def _lose(view: View, record: DealRecord, choices: FormChoices) -> None:
    defaults = {
        "lost_reason_id": None,
        "competitor": record.deal.competitor,
        "effective_on": view.today,
        "note": "",
    }
    form = Form(view, f"lose_deal_{record.deal.id}", defaults)
    form.offer_draft()
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.container(width=240, gap="xxsmall"):
            form.choose("lost_reason_id", _("Why was it lost?"), names_of(choices.lost_reasons), optional=True)
        with st.container(width=240, gap="xxsmall"):
            form.text("competitor", _("Competitor"), max_chars=120)
        with st.container(width=180, gap="xxsmall"):
            form.day("effective_on", _("Happened on"), max_value=view.today)
    form.area("note", _("Note"), max_chars=1000)
    form.show_refusal()
    form.keep_draft()
    if _confirmed(_("Mark as lost"), form):
        _send_and_close(
            form,
            lose_deal,
            deal_id=record.deal.id,
            version=record.deal.version,
            lost_reason_id=form["lost_reason_id"],
            competitor=form["competitor"] or "",
            note=form["note"] or "",
            effective_on=form["effective_on"],
            _said=_("The deal is marked as lost."),
        )


def _reopen(view: View, record: DealRecord, choices: FormChoices) -> None:
    stages = names_of(choices.stages_of(record.deal.pipeline_id, StageKind.OPEN))
    form = Form(
        view,
        f"reopen_deal_{record.deal.id}",
        {"stage_id": next(iter(stages), None), "note": ""},
        drafted=False,
    )
    if record.deal.state is StageKind.WON:
        st.warning(_("This deal is won. Reopening it takes it out of what was booked, until it is won again."))
    form.choose("stage_id", _("Reopen in"), stages)
    form.text("note", _("Note"), max_chars=1000)
    form.show_refusal()
    if _confirmed(_("Reopen"), form):
        _send_and_close(
            form,
            reopen_deal,
            deal_id=record.deal.id,
            to_stage_id=form["stage_id"],
            version=record.deal.version,
            note=form["note"] or "",
            _said=_("The deal is open again."),
        )


def _reassign(view: View, record: DealRecord, choices: FormChoices) -> None:
    reps = {number: name for number, name in names_of(choices.reps).items() if number != record.deal.owner_id}
    form = Form(view, f"reassign_deal_{record.deal.id}", {"owner_id": None}, drafted=False)
    form.choose("owner_id", _("Hand over to"), reps, optional=True)
    form.show_refusal()
    if _confirmed(_("Hand over"), form, disabled=form["owner_id"] is None):
        _send_and_close(
            form,
            reassign_deal,
            deal_id=record.deal.id,
            version=record.deal.version,
            owner_id=form["owner_id"],
            _said=_("The deal is with {name} now.", name=reps[form["owner_id"]]),
        )


def _confirmed(label: str, form: Form, *, disabled: bool = False) -> bool:
    with st.container(horizontal=True):
        pressed = st.button(label, type="primary", key="panel-confirm", disabled=disabled)
        st.button(_("Cancel"), on_click=_cancel, args=(form,), key="panel-cancel")
    return pressed


def _cancel(form: Form) -> None:
    form.forget()
    open_panel(None)


def _send_and_close(form: Form, command: Any, *, _said: str, **params: Any) -> None:
    try:
        deal = form.send(command, **params)
    except EditedMeanwhile as error:
        form.refuse(error)
        st.session_state[_MOVED] = None
        deal = None
        st.toast(plain(_("Somebody else has just changed this. It is shown as it stands now; please try again.")))
    if deal is not None:
        st.session_state[_MOVED] = {
            "deal_id": deal.id,
            "version": deal.version,
            "said": _said,
            "undo": _UNDOING.get(command),
        }
        open_panel(None)
    st.rerun()


def say_saved(deal_id: int, version: int, said: str) -> None:
    """Keep, for the next run, what was just saved on the deal's page."""
    st.session_state[_MOVED] = {"deal_id": deal_id, "version": version, "said": said, "undo": None}


def _say_moved(view: View, record: DealRecord) -> None:
    moved = st.session_state.get(_MOVED)
    if not moved or (moved["deal_id"], moved["version"]) != (record.deal.id, record.deal.version):
        return
    with st.container(horizontal=True, vertical_alignment="center", key="moved"):
        st.markdown(f":green[:material/check_circle: {plain(moved['said'])}]")
        if moved["undo"] and st.button(_("Undo"), icon=":material/undo:", type="tertiary", key="undo-move"):
            st.session_state[_MOVED] = None
            undone = attempt(view, moved["undo"], deal_id=record.deal.id, version=record.deal.version)
            if undone is not None:
                say_saved(undone.id, undone.version, _("Undone. The history keeps both steps."))
                st.rerun()
