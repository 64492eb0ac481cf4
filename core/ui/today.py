"""The parts of the Today page: attainment, deals that need somebody, what changed."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.access.actions import Action
from core.access.policy import Role
from core.i18n import (
    N_,
    _,
    _n,
    format_instant,
    format_money,
    format_rate,
)
from core.queries.activities import due_activities
from core.queries.customers import customer_gaps
from core.queries.deals import DealFilter, deals_page
from core.queries.today_numbers import (
    attainment_now,
    changes_since,
    events_since,
    six_numbers,
)
from core.ui.activities import draw_due
from core.ui.cards import Card, draw_cards
from core.ui.empty import nothing_yet
from core.ui.page import plain
from core.ui.routes import go, page

if TYPE_CHECKING:
    from core.ui.page import View

SPANS = {"month": N_("This month"), "quarter": N_("This quarter"), "year": N_("This year")}
SIX_NAMES = {
    "booked": N_("Booked"),
    "attainment": N_("Attainment"),
    "win_rate": N_("Win rate"),
    "won_count": N_("Won deals"),
    "average_deal": N_("Average deal"),
    "cycle_days": N_("Sales cycle"),
}
CHANGES = {
    "created": (N_("New"), "add_circle"),
    "advanced": (N_("Moved on"), "arrow_forward"),
    "won": (N_("Won"), "emoji_events"),
    "lost": (N_("Lost"), "cancel"),
    "slipped": (N_("Put off"), "event_repeat"),
}


def draw_quick_buttons(view: View) -> None:
    """Draw the two buttons that a seller uses most."""
    with st.container(horizontal=True, width=440, key="quick"):
        if view.may(Action.DEAL_LOG) and st.button(
            _("Log a deal"), type="primary", icon=":material/add_circle:", width="stretch", key="quick-deal"
        ):
            go("log_deal")
        if view.may(Action.ACTIVITY_LOG) and st.button(
            _("Log a visit"), icon=":material/pin_drop:", width="stretch", key="quick-visit"
        ):
            go("log_activity", kind="visit")


def is_empty(view: View) -> bool:
    """Say whether there is no deal at all in the reader's scope."""
    return view.ask(deals_page, wanted=DealFilter(), size=1).total == 0


def draw_welcome(view: View) -> None:
    """Say what to do first where there is nothing yet."""
    told = (
        _("No deals yet. Log the first one, and this page will show what needs you.")
        if view.may(Action.DEAL_LOG)
        else _("No deals yet. As soon as the first ones are logged or imported, the numbers stand here.")
    )
    nothing_yet(view, told, icon="waving_hand", log=False)


def draw_attainment(view: View) -> None:
    """Draw booked against quota for month, quarter and year, beside the time that is over."""
    rows = view.ask(attainment_now)
    with st.grid(3, min_column_width=240, gap="small", key="attainment"):
        for row in rows.to_dict("records"):
            with st.container(border=True, gap="xsmall", height="stretch", key=f"attainment-{row['row']}"):
                _attainment_card(view, row)


def _attainment_card(view: View, row: dict[Any, Any]) -> None:
    booked = format_money(row["booked"], view.currency, compact=True)
    st.caption(_(SPANS[row["row"]]))
    if math.isnan(row["attainment"]):
        st.markdown(f"### {plain(booked)}")
        st.caption(_("No quota is set for this time."))
        return
    ahead = row["attainment"] >= row["elapsed_rate"]
    quota = format_money(row["quota"], view.currency, compact=True)
    st.markdown(f"### {plain(format_rate(row['attainment'], 0))}")
    st.progress(
        min(max(row["attainment"], 0.0), 1.0),
        text=plain(_("{booked} of {quota}", booked=booked, quota=quota)),
    )
    said = _("{rate} of the time is over", rate=format_rate(row["elapsed_rate"], 0))
    word = _("ahead") if ahead else _("behind")
    st.markdown(f":{'green' if ahead else 'orange'}[{plain(word)}] · :gray[{plain(said)}]")


def draw_six(view: View) -> None:
    """Draw six numbers of the quarter, each against the one before and last year's."""
    cards = [
        Card(
            key=row["name"],
            title=_(SIX_NAMES[row["name"]]),
            unit=row["unit"],
            value=row["value"],
            previous=row["previous"],
            year_before=row["year_before"],
            better=row["better"],
        )
        for row in view.ask(six_numbers).to_dict("records")
    ]
    st.subheader(_("This quarter so far"), anchor=False)
    draw_cards(view, cards, key="six")


def draw_due_activities(view: View) -> None:
    """Draw what is due within a week: one's own for a rep, the team's otherwise."""
    own = view.actor.rep_id is not None and view.actor.role is Role.REP
    rows = view.ask(due_activities, until=view.today + timedelta(days=7), own=own, limit=15)
    st.subheader(_("Due activities"), anchor=False)
    names = {
        row.activity.id: " · ".join(part for part in (row.deal or row.customer, "" if own else row.rep) if part)
        for row in rows
    }
    draw_due(
        view,
        [row.activity for row in rows],
        empty=_("Nothing is due in the next seven days."),
        names=names,
        key="today-due",
    )


def draw_changes(view: View) -> None:
    """Draw what changed since yesterday morning: counts and sums, and the latest events on demand."""
    since = view.today - timedelta(days=1)
    st.subheader(_("Since yesterday"), anchor=False)
    rows = view.ask(changes_since, since=since).to_dict("records")
    with st.grid(5, min_column_width=130, gap="small", key="changes"):
        for row in rows:
            name, icon = CHANGES[row["kind"]]
            st.metric(
                _(name),
                str(row["count"]),
                delta=format_money(row["value"], view.currency, compact=True),
                delta_arrow="off",
                delta_color="off",
                border=True,
                height="stretch",
                icon=f":material/{icon}:",
            )
    if not any(row["count"] for row in rows):
        return
    with st.expander(_("What happened"), key="changes-list"):
        for event in view.ask(events_since, since=since, limit=20).to_dict("records"):
            name, icon = CHANGES[event["kind"]]
            with st.container(gap="xxsmall"):
                st.page_link(
                    page("deal").file,
                    label=plain(f"{_(name)}: {event['name']}"),
                    icon=f":material/{icon}:",
                    query_params={"id": str(event["deal_id"])},
                )
                amount = format_money(event["amount"], view.currency, compact=True)
                parts = (
                    event["customer"],
                    event["owner"],
                    amount,
                    format_instant(event["occurred_at"], view.zone),
                )
                st.caption(plain(" · ".join(part for part in parts if part)))


def draw_quality(view: View) -> None:
    """Draw hints about the data for sales operations, each opening what it counts."""
    st.subheader(_("Data quality"), anchor=False)
    gaps = view.ask(customer_gaps)
    nobody, nowhere = gaps["owner"], gaps["territory"]
    hints = (
        (nobody, _n("{n} customer has no owner", "{n} customers have no owner", nobody)),
        (nowhere, _n("{n} customer has no territory", "{n} customers have no territory", nowhere)),
    )
    shown = [text for count, text in hints if count]
    if not shown:
        st.caption(_("No gaps found."))
    for text in shown:
        st.page_link(page("customers").file, label=plain(text), icon=":material/rule:")
