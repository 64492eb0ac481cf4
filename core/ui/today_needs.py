"""The deals on Today that need somebody: how many and why, the latest of them, and the long dead in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.access.actions import Action
from core.access.policy import Role
from core.i18n import _, _n, format_days, format_money, format_number, format_relative_day
from core.queries.today_numbers import attention_counts, deals_needing_attention
from core.ui.deal_list import need_name
from core.ui.page import plain
from core.ui.routes import go, page

if TYPE_CHECKING:
    from core.ui.page import View

_SHOWN = 6
_ICONS = {"overdue": "event_busy", "idle": "notifications_paused", "slow": "timer"}


def draw_needing(view: View) -> None:
    """Draw how many deals need somebody and why, the latest of them, and one line for the long dead."""
    st.subheader(
        _("Deals that need you") if view.actor.role is Role.REP else _("Deals that need attention"),
        anchor=False,
    )
    counts = {row["need"]: row for row in view.ask(attention_counts).to_dict("records")}
    count = int(counts["attention"]["count"])
    if not count:
        st.caption(
            _("Nothing else is overdue, idle or slow.")
            if counts["dead"]["count"]
            else _("Nothing is overdue, idle or slow. Well done.")
        )
    if count > _SHOWN:
        _draw_reasons(view, counts)
    if count:
        for row in view.ask(deals_needing_attention, limit=_SHOWN).to_dict("records"):
            _draw_deal(view, row)
    if count > _SHOWN:
        st.page_link(
            page("deals").file,
            label=plain(_("Show all {n}", n=format_number(count))),
            icon=":material/list:",
            query_params={"state": "open", "need": "attention", "sort": "expected", "down": "1"},
        )
    _draw_long_dead(view, counts["dead"])


def _draw_reasons(view: View, counts: dict[Any, dict[Any, Any]]) -> None:
    """Say why and how many, each line leading to exactly those deals."""
    with st.container(gap="xxsmall", key="need-counts"):
        for need in ("overdue", "idle", "slow"):
            row = counts[need]
            if row["count"]:
                st.page_link(
                    page("deals").file,
                    label=plain(_("{label}: {value}", label=need_name(need), value=_worth(view, row))),
                    icon=f":material/{_ICONS[need]}:",
                    query_params={"state": "open", "need": need, "sort": "expected", "down": "1"},
                )
        st.caption(_("A deal can stand under several reasons. Those that came up last are shown first."))


def _worth(view: View, row: dict[Any, Any]) -> str:
    count = int(row["count"])
    amount = format_money(row["value"], view.currency, compact=True)
    return _n("{n} deal, {amount}", "{n} deals, {amount}", count, n=format_number(count), amount=amount)


def _draw_long_dead(view: View, row: dict[Any, Any]) -> None:
    """Fold the deals that are far past their day into one line, with the way to go through them."""
    if not row["count"]:
        return
    with st.container(
        border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="long-dead"
    ):
        with st.container(width="stretch", gap="xxsmall"):
            st.markdown(f":material/hourglass_disabled: {plain(need_name('dead'))}")
            st.caption(plain(_worth(view, row)))
        if view.may(Action.DEAL_EDIT):
            if st.button(_("Go through them"), icon=":material/checklist:", key="go-old-deals"):
                go("old_deals")
        elif st.button(_("Show deals"), icon=":material/list:", key="show-old-deals"):
            go("deals", state="open", need="dead")


def _draw_deal(view: View, row: dict[Any, Any]) -> None:
    """Draw one deal with its reasons and the way on."""
    with st.container(border=True, gap="xxsmall", key=f"needs-{row['deal_id']}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.page_link(
                page("deal").file,
                label=f"**{plain(row['name'])}**",
                query_params={"id": str(row["deal_id"])},
            )
            st.markdown(plain(format_money(row["amount"], view.currency, compact=True)))
        customer = "" if row["name"].startswith(row["customer"]) else row["customer"]
        who = (customer, row["stage"], "" if view.actor.role is Role.REP else row["owner"])
        st.caption(plain(" · ".join(part for part in who if part)))
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            for text, color in _reasons(view, row):
                st.badge(plain(text), color=color)  # type: ignore[arg-type]
            if view.may(Action.ACTIVITY_LOG) and st.button(
                _("Log an activity"),
                type="tertiary",
                icon=":material/edit_calendar:",
                key=f"act-{row['deal_id']}",
            ):
                go("log_activity", deal=row["deal_id"])


def _reasons(view: View, row: dict[Any, Any]) -> list[tuple[str, str]]:
    found = []
    if row["overdue"]:
        found.append(
            (
                _("expected close was {day}", day=format_relative_day(row["expected_close_on"], view.today)),
                "red",
            )
        )
    if row["idle"]:
        found.append((_("no activity for {days}", days=format_days(row["days_idle"])), "orange"))
    if row["slow"]:
        days, expected = format_days(row["days_in_stage"]), format_days(row["expected_days"])
        found.append((_("{days} in the stage, expected {expected}", days=days, expected=expected), "violet"))
    return found
