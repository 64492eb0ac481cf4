"""Overview: the company's numbers in a period, and where they come from."""

from __future__ import annotations

from datetime import date
from functools import partial
from math import isnan, nan
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import streamlit as st

from core.analytics.selection import Selection
from core.charts.bars import ranked_bars
from core.charts.pipeline import by_stage
from core.charts.trend import booked_by_month
from core.domain.periods import Period, add_months
from core.i18n import _, _n, format_money, format_number, format_rate
from core.queries.choices import first_deal_on, newest_deal_on
from core.queries.expected import coverage_needed, expected_weeks
from core.queries.overview import booked_by_month as months_booked
from core.queries.overview import breakdown, overview_kpis, pipeline_by_stage
from core.queries.pipeline import pipeline_as_of
from core.queries.plans import plan_by_month
from core.queries.why import booked_why
from core.reports.tables import Column, records
from core.ui.as_of import dated_filters
from core.ui.cards import Card, draw_cards
from core.ui.drill import STANDING, chart, columns_open, numbers, opening, team_note
from core.ui.empty import nothing_yet
from core.ui.filters import FILTER_NAMES, address, write_address
from core.ui.screens import overview_customers, overview_expected
from core.ui.screens.overview_why import draw_why
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from core.analytics.as_of import AsOf
    from core.analytics.dimensions import Dimension
    from core.analytics.filters import Filters
    from core.ui.drill import Behind
    from core.ui.page import View

_PARTS = tuple(name for name in FILTER_NAMES if name != "rep")
"""What booked value is told by: all that it can be filtered by but people, whom the Leaderboard ranks."""

_BARS_SHOWN = 12
_PART_CELLS = {
    "booked": "booked", "won_count": "won", "lost_count": "lost", "win_rate": "decided", "average_deal": "won",
    "open_count": "open", "open_value": "open", "attainment": "booked",
}  # fmt: skip
_MONTH_CELLS = {"booked": "booked", "won": "won", "previous": "booked", "lost": "lost", "win_rate": "decided"}
"""The deals behind the columns of the tables of parts and of months."""


def draw(view: View) -> None:
    """Draw the page."""
    as_of, period, filters = dated_filters(view)
    is_running = (as_of.on if as_of else view.today) in period
    _begin(view, period, filters, as_of, to_date=is_running)
    kpis = view.ask(overview_kpis, period=period, filters=filters, to_date=is_running, as_of=as_of)
    rows = {str(row["row"]): row for row in records(kpis)}
    if view.ask(newest_deal_on) is None:
        told = _("There are no deals yet. Log the first one, or import your company's deals.")
        nothing_yet(view, told)
        return
    needed, beside = needed_coverage(view, filters, as_of), comparable(view, period)
    shown = cards(period, filters, rows, view.currency, beside, as_of=as_of, needed=needed)
    draw_cards(view, shown, key="overview")
    if is_running and any(beside):
        st.caption(_("Earlier periods are counted up to the same day, so that the comparison is fair."))
    _trend(view, period, filters, as_of)
    if beside.previous:
        draw_why(view, period, filters, to_date=is_running, as_of=as_of)
    overview_expected.draw(view, filters, as_of)
    left, right = st.columns(2)
    with left:
        _pipeline(view, filters, as_of)
    with right:
        _breakdown(view, period, filters, as_of)
    overview_customers.draw(view, period, filters, as_of)


def _begin(view: View, period: Period, filters: Filters, as_of: AsOf | None, *, to_date: bool) -> None:
    """Have what the page's sections ask answered while those above them are drawn, what takes longest first."""
    view.ahead(expected_weeks, filters=filters, as_of=as_of)
    if comparable(view, period).previous:
        view.ahead(booked_why, period=period, filters=filters, to_date=to_date, as_of=as_of)
    view.ahead(months_booked, period=months_shown(period), filters=filters, as_of=as_of)
    view.ahead(coverage_needed, filters=filters, as_of=as_of)
    if as_of:
        view.ahead(pipeline_as_of, as_of=as_of, filters=filters)
    else:
        view.ahead(pipeline_by_stage, filters=filters)
    view.ahead(breakdown, period=period, by=cast("Dimension", _parts_by(view)), filters=filters, as_of=as_of)


def needed_coverage(view: View, filters: Filters, as_of: AsOf | None) -> float:
    """Return the coverage that the win rate of the last twelve months asks for, NaN where that is not known."""
    return float(view.ask(coverage_needed, filters=filters, as_of=as_of)["needed"].iloc[0])


class Comparable(NamedTuple):
    """Whether there is something to compare a period with: the one before it, and the one a year earlier."""

    previous: bool
    year_before: bool


def comparable(view: View, period: Period) -> Comparable:
    """Return what a period can be compared with: where the company had deals then.

    A period of more than a year is not compared with itself a year earlier, most of which is the same; a year is
    compared with the one before it once. What is still to come is compared with nothing.
    """
    since = view.ask(first_deal_on)
    if since is None or period.start > view.today:
        return Comparable(previous=False, year_before=False)
    before, shorter = view.calendar.before(period), add_months(period.start, 12) > period.end
    return Comparable(before.end > since, shorter and add_months(period.end, -12) > since)


def cards(
    period: Period, filters: Filters, rows: dict[str, dict[str, Any]], currency: str, beside: Comparable, *,
    as_of: AsOf | None = None, needed: float = nan,
) -> list[Card]:  # fmt: skip
    """Return the page's nine cards; `needed` is the coverage that the win rate asks for."""
    now, before, year = rows["current"], rows["previous"], rows["year_before"]

    def card(key: str, title: str, unit: Any, measure: str | None, **more: Any) -> Card:
        selection = Selection(measure, period, filters, as_of=as_of) if measure else None
        if selection is not None and "label" not in more:
            count = int(now[more.pop("count")])
            more["label"] = _n("{n} deal", "{n} deals", count, n=format_number(count))
        more.pop("count", None)
        compared = more.pop("compared", True)
        return Card(
            key, title, unit, now[key], before[key] if compared and beside.previous else None,
            year[key] if compared and beside.year_before else None, selection=selection, **more,
        )  # fmt: skip

    interval = _(
        "95% interval {low} to {high}", low=format_rate(now["win_rate_low"]), high=format_rate(now["win_rate_high"])
    )
    quota = format_money(now["quota"], currency, compact=True)
    overdue = int(now["overdue_count"])
    return [
        card("booked", _("Booked"), "money", "booked", count="won_count",
             help=_("Value of the deals won in the period, net of tax, by the day on which they were closed.")),
        card("attainment", _("Attainment"), "rate", "booked", count="won_count", compared=False,
             note=_("Quota {amount}", amount=quota) if now["quota"] == now["quota"] else "",
             help=_("Booked divided by quota. Shown where the filters go by team or rep alone.")),
        card("won_count", _("Won deals"), "count", "won", count="won_count"),
        card("win_rate", _("Win rate"), "rate", "decided", count="decided_count",
             note=interval if now["decided_count"] else "",
             help=_("Won deals divided by won and lost deals, by the day on which they were closed.")),
        card("average_deal", _("Average deal"), "money", "won", count="won_count",
             help=_("Booked divided by the number of won deals.")),
        card("cycle_days", _("Sales cycle"), "days", "won", count="won_count", better="less",
             help=_("Median days from opening to winning, won deals only.")),
        card("pipeline", _("Pipeline"), "money", "open", count="open_count", compared=False,
             note=_n("{n} past its expected close", "{n} past their expected close", overdue),
             help=_("Value of all deals that are open.")),
        card("weighted_pipeline", _("Weighted pipeline"), "money", "weighted", count="open_count", compared=False,
             help=_("Open value times the probability of each deal's stage.")),
        card("coverage", _("Coverage"), "times", "closing", compared=False, label=_("Show deals"),
             note="" if isnan(needed) else
             _("Needed at the win rate of the last 12 months: {needed}×", needed=format_number(needed, 1)),
             help=_("Open value expected to close in the period, divided by what is still missing to the quota.")),
    ]  # fmt: skip


def months_shown(period: Period) -> Period:
    """Return the months that a trend shows of a period: of one or two months the year up to its end."""
    return period if len(period.months()) > 2 else Period(add_months(period.end.replace(day=1), -11), period.end)


def _trend(view: View, period: Period, filters: Filters, as_of: AsOf | None) -> None:
    shown = months_shown(period)
    months = view.ask(months_booked, period=shown, filters=filters, as_of=as_of)
    plan = view.ask(plan_by_month, period=shown, filters=filters)
    if len(plan):
        months = months.merge(plan, on="month", how="left")

    figure = booked_by_month(months, dark=view.dark, large=view.large, currency=view.currency)
    choose = partial(booked_in, filters=filters, as_of=as_of)
    chart(view, figure, key="overview-trend", alt=_("Booked by month"), choose=choose)
    columns = [
        Column("month", _("Month"), "month"),
        Column("booked", _("Booked"), "money", currency=view.currency),
        Column("won", _("Won deals"), "count"),
        Column("quota", _("Quota"), "money", currency=view.currency),
        Column("previous", _("Same month last year"), "money", currency=view.currency),
        *([Column("plan", _("Plan"), "money", currency=view.currency)] if len(plan) else []),
        *([Column("company", _("Of the company's plan"), "money", currency=view.currency)]
          if len(plan) and plan["company"].notna().any() else []),
    ]  # fmt: skip
    numbers(view, months, columns, name="overview-months", behind=month_cells(filters, as_of))


def _pipeline(view: View, filters: Filters, as_of: AsOf | None) -> None:
    stages = (
        view.ask(pipeline_as_of, as_of=as_of, filters=filters)
        if as_of
        else view.ask(pipeline_by_stage, filters=filters)
    )

    def standing(key: str, measure: str = "stage") -> Selection:
        return Selection(f"{measure}:{key}", None, filters, as_of=as_of)

    choose = opening(set(stages["stage_key"]), standing)
    figure = by_stage(stages, dark=view.dark, large=view.large, currency=view.currency)
    chart(view, figure, key="overview-pipeline", alt=_("Pipeline by stage"), choose=choose)
    columns = [
        Column("stage", _("Stage")),
        Column("count", _("Deals"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
        Column("probability", _("Probability"), "rate"),
        Column("weighted", _("Weighted"), "money", currency=view.currency),
        Column("overdue_count", _("Past expected close"), "count"),
    ]
    behind = columns_open(STANDING, lambda measure, row: standing(str(row["stage_key"]), measure))
    numbers(view, stages, columns, name="overview-stages", behind=behind)


def _parts_by(view: View) -> str:
    """Return by what the page's address breaks booked value down."""
    by = (address(view).get("by") or ["team"])[0]
    return by if by in _PARTS else "team"


def _breakdown(view: View, period: Period, filters: Filters, as_of: AsOf | None) -> None:
    by = _parts_by(view)
    if view.query is None:
        by = st.segmented_control(
            _("Booked by"), _PARTS, default=by, format_func=lambda code: _(FILTER_NAMES[code]),
            key=follow("overview-by", by), required=True, wrap=True,
        ) or by  # fmt: skip
        write_address(by=None if by == "team" else by)
    parts = view.ask(breakdown, period=period, by=cast("Dimension", by), filters=filters, as_of=as_of)
    parts = parts.assign(name=parts["name"].where(parts["name"] != "", _("None")))

    def part(key: str, measure: str = "booked") -> Selection:
        return Selection(measure, period, filters, cast("Dimension", by), key, as_of=as_of)

    bars = _largest(parts)
    title = _("Booked by {dimension}", dimension=_(FILTER_NAMES[by]).lower())
    figure = ranked_bars(bars, unit="money", title=title, dark=view.dark, large=view.large, currency=view.currency)
    chart(view, figure, key=f"overview-{by}", alt=title, choose=opening(set(parts["key"]), part))
    team_note(by)
    columns = [
        Column("name", _(FILTER_NAMES[by])),
        Column("booked", _("Booked"), "money", currency=view.currency),
        Column("won_count", _("Won deals"), "count"),
        Column("lost_count", _("Lost deals"), "count"),
        Column("win_rate", _("Win rate"), "rate"),
        Column("average_deal", _("Average deal"), "money", currency=view.currency),
        Column("open_count", _("Open deals"), "count"),
        Column("open_value", _("Pipeline"), "money", currency=view.currency),
        *([Column("quota", _("Quota"), "money", currency=view.currency), Column("attainment", _("Attainment"), "rate")]
          if by == "team" else []),
    ]  # fmt: skip
    cells = columns_open(_PART_CELLS, lambda measure, row: part(str(row["key"]), measure))
    numbers(view, parts, columns, name=f"overview-{by}", behind=cells)


def _largest(parts: pd.DataFrame) -> pd.DataFrame:
    bars = parts[["key", "name", "booked"]].rename(columns={"booked": "value"})
    return bars[bars["value"] > 0].head(_BARS_SHOWN)


def month_cells(filters: Filters, as_of: AsOf | None) -> Behind:
    """Return what opens the cells of a table of months, the same month of the year before among them."""

    def make(measure: str, row: dict[Any, Any], back: int) -> Selection:
        first = add_months(row["month"], back)
        return Selection(measure, Period(first, add_months(first, 1)), filters, as_of=as_of)

    def behind(row: dict[Any, Any], column: str) -> Selection | None:
        return make(_MONTH_CELLS[column], row, -12 if column == "previous" else 0) if column in _MONTH_CELLS else None

    return behind


def booked_in(data: Sequence[Any], *, filters: Filters, as_of: AsOf | None) -> Selection | None:
    """Return what was booked in the month of a mark of `booked_by_month`, None for a mark that is no month's."""
    try:
        month = date.fromisoformat(str(data[0])[:10]) if data else None
    except ValueError:
        return None
    return Selection("booked", Period(month, add_months(month, 1)), filters, as_of=as_of) if month else None
