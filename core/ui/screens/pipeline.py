"""Pipeline: what is open on any day, what changed between two days, and how it grew over two years."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.analytics.as_of import AsOf
from core.analytics.selection import Selection
from core.charts.pipeline import by_stage
from core.charts.progress import changes, weekly
from core.domain.periods import add_months
from core.i18n import N_, _, _n, format_date, format_number
from core.queries.choices import newest_deal_on
from core.queries.pipeline import (
    default_process,
    pipeline_as_of,
    pipeline_changes,
    pipeline_standing,
    pipeline_trend,
)
from core.reports.tables import Column
from core.ui.as_of import as_of_control, chosen_as_of, said_as_of
from core.ui.cards import Card, draw_cards
from core.ui.drill import COUNTED, STANDING, chart, columns_open, deals_button, numbers, opening
from core.ui.drill_words import BAR_NAMES, MOVED_NAMES
from core.ui.empty import nothing_yet
from core.ui.filters import address, analysis_filters, write_address
from core.ui.page import plain
from core.ui.screens.pipeline_health import begin_health, draw_health
from core.ui.sharing import share_button
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from core.analytics.filters import Filters
    from core.domain.periods import Period
    from core.ui.page import View

SINCE_NAMES: dict[str, str] = {
    "week": N_("A week before"),
    "month": N_("A month before"),
    "quarter": N_("Three months before"),
    "year": N_("A year before"),
    "own": N_("Own day …"),
}
_DEFAULT = "month"
_MONTHS = {"month": -1, "quarter": -3, "year": -12}


def draw(view: View) -> None:
    """Draw the page."""

    def beside(of: View) -> None:
        as_of_control(of)
        share_button(of)

    end = chosen_as_of(view) or AsOf(view.today)
    period, filters = analysis_filters(view, beside=beside, on=end.on)
    if view.ask(newest_deal_on) is None:
        nothing_yet(view, _("There are no deals yet. Log the first one, or import your company's deals."))
        return
    said_as_of(view)
    if filters.pipeline_id is None:
        filters = replace(filters, pipeline_id=view.ask(default_process))
    since, closing = _compared(view, end, period)
    view.ahead(pipeline_trend, as_of=end, filters=filters)
    view.ahead(pipeline_changes, since=since, as_of=end, closing=closing, filters=filters)
    begin_health(view, filters, end)
    standing = view.ask(pipeline_standing, period=period, as_of=end, since=since, filters=filters)
    rows = cast("list[dict[str, Any]]", standing.to_dict("records"))
    draw_cards(view, _cards(period, filters, end, rows[0], rows[-1]), key="pipeline")
    st.caption(_("Compared with the end of {day}.", day=format_date(since)))
    left, right = st.columns([3, 2])
    with left:
        _changes(view, filters, since, end, closing)
    with right:
        _stages(view, filters, end)
    _trend(view, filters, end)
    draw_health(view, filters, end)


def since_of(code: str, end: date) -> date:
    """Return the day that a choice of `SINCE_NAMES` or an ISO day names, at the latest the day before `end`."""
    if code in _MONTHS:
        return add_months(end, _MONTHS[code])
    try:
        return min(date.fromisoformat(code), end - timedelta(days=1))
    except ValueError:
        return end - timedelta(days=7) if code == "week" else add_months(end, _MONTHS[_DEFAULT])


def _compared(view: View, end: AsOf, period: Period) -> tuple[date, Period | None]:
    params = address(view)
    code = (params.get("since") or [_DEFAULT])[0]
    due = "1" in params.get("due", [])
    since = since_of(code, end.on)
    if view.query is not None:
        return since, period if due else None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="pipeline-compare"):
        codes = list(SINCE_NAMES)
        named = code if code in codes else "own"
        picked = st.selectbox(
            _("Compared with"), codes, index=codes.index(named), key=follow("pipeline-since", named),
            format_func=lambda name: _(SINCE_NAMES[name]), width=220,
        )  # fmt: skip
        if picked == "own":
            day = st.date_input(
                _("The end of"), value=since, max_value=end.on - timedelta(days=1), format="YYYY-MM-DD", width=160,
                key=follow("pipeline-since-day", since),
            )  # fmt: skip
            since = day
        else:
            since = since_of(picked, end.on)
        due = st.toggle(
            _("Only deals due in the period"), value=due, key=follow("pipeline-due", due),
            help=_("Deals that were expected to close between {start} and {end}. Put off beyond it, they slip out.",
                   start=format_date(period.start), end=format_date(period.last_day)),
        )  # fmt: skip
    said = None if picked == _DEFAULT else since.isoformat() if picked == "own" else picked
    write_address(since=said, due="1" if due else None)
    return since, period if due else None


def _cards(period: Period, filters: Filters, end: AsOf, now: dict[str, Any], before: dict[str, Any]) -> list[Card]:
    def card(key: str, title: str, unit: Any, measure: str, count: str | None, **more: Any) -> Card:
        said = _("Show deals")
        if count is not None:
            said = _n("{n} deal", "{n} deals", int(now[count]), n=format_number(now[count]))
        selection = Selection(measure, period, filters, as_of=end)
        return Card(key, title, unit, now[key], before[key], selection=selection, label=said, **more)

    return [
        card("pipeline", _("Pipeline"), "money", "open", "open_count",
             help=_("Value of the deals that were open at the end of the day.")),
        card("weighted_pipeline", _("Weighted pipeline"), "money", "weighted", "open_count",
             help=_("Open value times the probability of each deal's stage.")),
        card("closing_value", _("Due in the period"), "money", "closing", None,
             help=_("Open value that was expected to close in the period.")),
        card("overdue_value", _("Past expected close"), "money", "overdue", "overdue_count", better="less",
             help=_("Open value whose expected close had passed by that day.")),
        card("booked", _("Booked"), "money", "booked", "won_count",
             help=_("Value of the deals won in the period, up to the day.")),
    ]  # fmt: skip


def _changes(view: View, filters: Filters, since: date, end: AsOf, closing: Period | None) -> None:
    found = view.ask(pipeline_changes, since=since, as_of=end, closing=closing, filters=filters)
    named = found.assign(name=[_((BAR_NAMES | MOVED_NAMES)[kind]) for kind in found["kind"]])
    shown = named[named["adds_up"] & ((named["count"] > 0) | named["kind"].isin(["start", "end"]))]

    def selection(kind: str) -> Selection:
        return Selection(f"change:{kind}", closing, filters, as_of=end, since=since)

    choose = opening(BAR_NAMES, selection)
    figure = changes(
        shown[["kind", "name", "count", "value"]], dark=view.dark, large=view.large, currency=view.currency,
        subtitle=_("From the end of {start} to the end of {end}", start=format_date(since), end=format_date(end.on)),
    )  # fmt: skip
    chart(view, figure, key="pipeline-changes", alt=_("What changed in the pipeline"), choose=choose)
    _moved(view, named, selection)
    columns = [
        Column("name", _("Change")),
        Column("count", _("Deals"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
        Column("share", _("Of the start"), "rate"),
    ]
    behind = columns_open({**COUNTED, "share": ""}, lambda _measure, row: selection(str(row["kind"])))
    numbers(view, named, columns, name="pipeline-changes", behind=behind)


def _moved(view: View, named: pd.DataFrame, selection: Any) -> None:
    moved = named[~named["adds_up"] & (named["count"] > 0)]
    if moved.empty:
        return
    st.caption(_("Of the deals that were open on both days, without a change of value:"))
    with st.container(horizontal=True, gap="small", key="pipeline-moved"):
        for row in cast("list[dict[str, Any]]", moved.to_dict("records")):
            label = f"{row['name']} {format_number(row['count'])}"
            if view.large:
                st.text(label)
            else:
                deals_button(view, selection(row["kind"]), label=label, key=f"pipeline-{row['kind']}")


def _stages(view: View, filters: Filters, end: AsOf) -> None:
    stages = view.ask(pipeline_as_of, as_of=end, filters=filters)

    def deals(key: str, measure: str = "stage") -> Selection:
        return Selection(f"{measure}:{key}", None, filters, as_of=end)

    choose = opening(set(stages["stage_key"]), deals)
    figure = by_stage(
        stages, dark=view.dark, large=view.large, currency=view.currency,
        subtitle=_("At the end of {day}", day=format_date(end.on)) if end.on < view.today else None,
    )  # fmt: skip
    chart(view, figure, key="pipeline-stages", alt=_("Pipeline by stage"), choose=choose)
    columns = [
        Column("stage", _("Stage")),
        Column("count", _("Deals"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
        Column("probability", _("Probability"), "rate"),
        Column("weighted", _("Weighted"), "money", currency=view.currency),
        Column("overdue_count", _("Past expected close"), "count"),
    ]
    behind = columns_open(STANDING, lambda measure, row: deals(str(row["stage_key"]), measure))
    numbers(view, stages, columns, name="pipeline-stages", behind=behind)


def _trend(view: View, filters: Filters, end: AsOf) -> None:
    weeks = view.ask(pipeline_trend, as_of=end, filters=filters)
    keys = set(weeks["stage_key"])

    def choose(data: Sequence[Any]) -> Selection | None:
        if len(data) < 2 or str(data[0]) not in keys:
            return None
        try:
            day = date.fromisoformat(str(data[1]))
        except ValueError:
            return None
        return Selection(f"stage:{data[0]}", None, filters, as_of=AsOf(day, end.known))

    figure = weekly(
        weeks, dark=view.dark, large=view.large, currency=view.currency,
        subtitle=_("Value of the open deals by stage, over two years"),
    )  # fmt: skip
    chart(view, figure, key="pipeline-trend", alt=_("Pipeline at each week's end"), choose=choose)
    columns = [
        Column("week_on", _("Week's last day"), "date"),
        Column("stage", _("Stage")),
        Column("count", _("Deals"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
    ]
    behind = columns_open(COUNTED, lambda _measure, row: choose([row["stage_key"], str(row["week_on"])[:10]]))
    numbers(view, weeks.iloc[::-1], columns, name="pipeline-trend", behind=behind)
    if view.query is None:
        st.caption(plain(_("Each deal counts for who had it on that day; its other marks are today's.")))
