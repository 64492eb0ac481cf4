"""Last week's booked value, new deals and win rate, against what was to be expected of it."""

from __future__ import annotations

from datetime import date, timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core.analytics.anomalies import FALSE_ALARMS, LEAST_WEEKS, LEVEL_WEEKS
from core.analytics.selection import Selection
from core.charts.expected import expected_weeks as drawn
from core.domain.periods import Period
from core.i18n import N_, _, format_money, format_number, format_rate
from core.queries.expected import FIGURES, expected_weeks
from core.reports.tables import Column, records
from core.ui.drill import chart, deals_button, numbers
from core.ui.folds import fold
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from core.analytics.as_of import AsOf
    from core.analytics.filters import Filters
    from core.ui.page import View

Unit = Literal["money", "count", "rate"]
NAMES: dict[str, tuple[str, Unit, str]] = {
    "booked": (N_("Booked"), "money", "booked"),
    "opened": (N_("New deals"), "count", "created"),
    "win_rate": (N_("Win rate"), "rate", "decided"),
}
"""Name, unit and the measure of the deals behind each figure."""


def draw(view: View, filters: Filters, as_of: AsOf | None) -> None:
    """Draw the section; nothing before there is a whole week."""
    weeks = view.ask(expected_weeks, filters=filters, as_of=as_of)
    if weeks.empty:
        return
    by_figure = {str(row["figure"]): row for row in records(weeks)}  # the last week of each stays
    last = {name: by_figure[name] for name in FIGURES}
    st.subheader(_("Last week against what was to be expected"), anchor=False)
    if not any(row["low"] == row["low"] for row in last.values()):
        st.caption(
            _("A range rests on {n} whole weeks of history; there are not as many yet.", n=LEAST_WEEKS + LEVEL_WEEKS)
        )
        return
    for name, row in last.items():
        _line(view, name, row, filters, as_of)
    odd, judged = int(weeks["unusual"].sum()), int((weeks["low"].notna() & weeks["value"].notna()).sum())
    st.caption(
        _("Of {judged} figures of the last {weeks} weeks {odd} lay outside their range; where nothing changes, chance "
          "alone puts one in {rate} there.", judged=format_number(judged), weeks=format_number(weeks["week"].nunique()),
          odd=format_number(odd), rate=format_number(1 / FALSE_ALARMS))
    )  # fmt: skip
    unfolded = fold(view, _("The weeks before"), name="weeks-before", icon=":material/show_chart:")
    if unfolded is not None:
        with unfolded:
            _charts(view, weeks, filters, as_of)


def _said(view: View, value: float, unit: Unit) -> str:
    if unit == "money":
        return format_money(value, view.currency, compact=True)
    return format_rate(value) if unit == "rate" else format_number(round(value, 1))


def _line(view: View, name: str, row: dict[str, Any], filters: Filters, as_of: AsOf | None) -> None:
    title, unit, measure = NAMES[name]
    week = Period(row["week"], row["week"] + timedelta(days=7))
    if row["value"] != row["value"] or row["low"] != row["low"]:
        told, mark = (
            _("{name}: this week is not judged (holidays, or too little to judge by).", name=_(title)),
            ":gray[:material/remove:]",
        )
    else:
        values = {key: _said(view, row[key], unit) for key in ("value", "expected", "low", "high")}
        if row["unusual"]:
            told = (
                _("{name}: {value}, more than the {low} to {high} to be expected (about {expected}).",
                  name=_(title), **values)
                if row["value"] > row["high"]
                else _("{name}: {value}, less than the {low} to {high} to be expected (about {expected}).",
                       name=_(title), **values)
            )  # fmt: skip
            mark = ":orange[:material/priority_high:]"
        else:
            told = _("{name}: {value}, within the {low} to {high} to be expected.", name=_(title), **values)
            mark = ":green[:material/check:]"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"expected-{name}"):
        st.markdown(f"{mark} **{plain(told)}**" if row["unusual"] else f"{mark} {plain(told)}", width="content")
        deals_button(
            view, Selection(measure, week, filters, as_of=as_of), label=_("Show deals"), key=f"expected-{name}-deals",
        )  # fmt: skip


def _charts(view: View, weeks: pd.DataFrame, filters: Filters, as_of: AsOf | None) -> None:
    for column, name in zip(st.columns(len(FIGURES)), FIGURES, strict=True):
        title, unit, measure = NAMES[name]
        known = {day.isoformat() for day in weeks["week"]}

        def choose(data: Sequence[Any], measure: str = measure, known: set[str] = known) -> Selection | None:
            if not data or str(data[0]) not in known:
                return None
            monday = date.fromisoformat(str(data[0]))
            week = Period(monday, monday + timedelta(days=7))
            return Selection(measure, week, filters, as_of=as_of)

        with column:
            part = weeks[weeks["figure"] == name].reset_index(drop=True)
            figure = drawn(
                part, unit=unit, title=_(title), dark=view.dark, large=view.large, currency=view.currency
            )  # fmt: skip
            chart(view, figure, key=f"expected-{name}-chart", alt=_(title), choose=choose)
    shown = weeks.assign(
        name=[_(NAMES[name][0]) for name in weeks["figure"]],
        **{f"{key}_said": [_said(view, value, NAMES[name][1]) if not isnan(value) else "–"
                           for name, value in zip(weeks["figure"], weeks[key], strict=True)]
           for key in ("value", "expected", "low", "high")},
        verdict=[_("Outside") if odd else "" for odd in weeks["unusual"]],
    )  # fmt: skip
    columns = [
        Column("week", _("Week of"), "date"), Column("name", _("Figure")), Column("value_said", _("Value"), "written"),
        Column("expected_said", _("Expected"), "written"), Column("low_said", _("At least"), "written"),
        Column("high_said", _("At most"), "written"),
        Column("verdict", _("Range")),
    ]  # fmt: skip

    def behind(row: dict[Any, Any], column: str) -> Selection | None:
        week = Period(row["week"], row["week"] + timedelta(days=7))
        measure = NAMES[str(row["figure"])][2]
        return Selection(measure, week, filters, as_of=as_of) if column == "value_said" else None

    numbers(view, shown, columns, name="expected-weeks", behind=behind)
