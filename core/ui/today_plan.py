"""The plan on Today: what one is to book and what is booked, in the month, the quarter and the year."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from core.access.actions import Action
from core.domain.periods import add_months
from core.i18n import _, format_money, format_month, format_rate
from core.queries.plans import plan_now
from core.ui.page import plain
from core.ui.routes import page
from core.ui.today import SPANS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from core.ui.page import View


def draw_plan(view: View) -> None:
    """Draw the plan in force beside what was booked; nothing where no month has one."""
    rows = [row for row in view.ask(plan_now).to_dict("records") if not math.isnan(row["plan"])]
    if not rows:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(_("Against the sales plan"), anchor=False)
        if view.may(Action.PLAN_VIEW):
            st.page_link(page("plan").file, label=_("Sales plan"), icon=":material/assignment:")
    with st.grid(3, min_column_width=240, gap="small", key="plan-now"):
        for row in rows:
            with st.container(border=True, gap="xsmall", height="stretch", key=f"plan-{row['row']}"):
                booked, plan = (format_money(row[name], view.currency, compact=True) for name in ("booked", "plan"))
                st.caption(plain(_span_words(row)))
                rate = row["booked"] / row["plan"] if row["plan"] else math.nan
                st.markdown(f"### {plain(booked if math.isnan(rate) else format_rate(rate, 0))}")
                st.progress(
                    0.0 if math.isnan(rate) else min(max(rate, 0.0), 1.0),
                    text=plain(_("{booked} of {plan} planned", booked=booked, plan=plan)),
                )
                if row["team"]:
                    st.caption(plain(_whose(view, row)))
                if row["due"] > 0:
                    due = format_money(row["due"], view.currency, compact=True)
                    ahead = row["booked"] >= row["due"]
                    word = _("ahead") if ahead else _("behind")
                    said = _("{amount} due by today", amount=due)
                    st.markdown(f":{'green' if ahead else 'orange'}[{plain(word)}] · :gray[{plain(said)}]")


def _whose(view: View, row: Mapping[Any, Any]) -> str:
    """Say for which months a team's own plan counts, and what the company's gives the same people in them."""
    share = "" if math.isnan(row["company"]) else format_money(row["company"], view.currency, compact=True)
    if (row["own_start"], row["own_end"]) == (row["start"], row["end"]):
        if not share:
            return _("Plan of {team}", team=row["team"])
        return _("Plan of {team}; of the company's plan {share}", team=row["team"], share=share)
    first, last = row["own_start"], add_months(row["own_end"], -1)
    months = format_month(first)
    if last > first:
        months = _("{start} to {end}", start=months, end=format_month(last))
    own = format_money(row["own"], view.currency, compact=True)
    if not share:
        return _("{months} by the plan of {team}, {own}; the other months by the company's", months=months,
                 team=row["team"], own=own)  # fmt: skip
    return _("{months} by the plan of {team}, {own}, where the company's has {share}; the other months by the "
             "company's", months=months, team=row["team"], own=own, share=share)  # fmt: skip


def _span_words(row: Mapping[Any, Any]) -> str:
    """Name the span, and the months of it that have a plan."""
    first, last = row["start"], add_months(row["end"], -1)
    if row["row"] == "month" or first == last:
        return f"{_(SPANS[row['row']])} · {format_month(first)}"
    months = _("{start} to {end}", start=format_month(first), end=format_month(last))
    return f"{_(SPANS[row['row']])} · {months}"
