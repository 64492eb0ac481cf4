"""Funnel, the cohort: deals opened in the period, followed to today or for so many days each."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.access.actions import Action
from core.analytics.selection import Selection
from core.charts.bars import grouped_bars
from core.charts.funnel import cohort_funnel
from core.charts.funnel_months import cohort_months
from core.domain.periods import Period, add_months
from core.i18n import _, _n, format_date, format_number, format_rate
from core.queries import funnel as questions
from core.queries.drill import selection_total
from core.reports.tables import Column
from core.ui.drill import chart, columns_open, deals_button, numbers
from core.ui.filters import address, write_address
from core.ui.page import plain
from core.ui.screens.funnel_cells import PIECES, StageCell, stage_measure
from core.ui.screens.funnel_state import BY_NAMES, choice, days_chosen, days_said
from core.ui.screens.funnel_words import joined
from core.ui.way_back import follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from core.analytics.dimensions import Dimension
    from core.ui.page import View
    from core.ui.screens.funnel_state import Asked

_GROUPS_SHOWN = questions.MOST_GROUPS
_STATES = ("won", "lost", "open")
_MONTH_CELLS = {
    "entered": "created", "value": "created", "won": "cohort_won", "won_value": "cohort_won", "lost": "cohort_lost",
    "open": "cohort_open", "decided_rate": "created", "won_rate": "created",
}  # fmt: skip
"""The deals behind the columns of the table of months."""


def draw(view: View, asked: Asked) -> None:
    """Draw the part."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        days = days_chosen(view, "followed", default=0, label=_("Follow each deal"), to_now=True)
        by = choice(view, "by", list(BY_NAMES), label=_("Side by side"), said=lambda code: _(BY_NAMES[code]))
    stages = view.ask(questions.cohort_funnel, period=asked.period, filters=asked.filters, days=days, as_of=asked.as_of)
    _mode(view, asked, stages, days)
    if not int(stages["reached"].iloc[0]):
        st.info(
            _("No deal was opened in this period. Choose a longer period, or log the first deal.")
            if not days
            else _("No deal of this period has been followed for {days} yet.", days=days_said(days)),
            icon=":material/inbox:",
        )
        return
    if by:
        _compare(view, asked, days, by)
    else:
        _whole(view, asked, stages, days)
    _ripeness(view, asked)


def _mode(view: View, asked: Asked, stages: pd.DataFrame, days: int) -> None:
    entered, won = int(stages["reached"].iloc[0]), int(stages["reached"].iloc[-1])
    if entered:
        st.markdown(f"**{plain(_said(entered, won, int(stages['still_open'].sum()), days))}**")
    told = (
        _("Cohort: the deals opened in the period, each followed for {days}.", days=days_said(days))
        if days
        else _("Cohort: the deals opened in the period, followed to {day}.", day=format_date(asked.as_of.on))
        if asked.as_of
        else _("Cohort: the deals opened in the period, followed to today.")
    )
    st.caption(plain(joined(told, _worst(stages))))
    with st.container(horizontal=True, gap="small"):
        first = stages.iloc[0]
        measure = f"reached_within:{first['stage_key']}:{days}" if days else "created"
        if entered:
            deals_button(
                view, asked.selection(measure, asked.period),
                label=_n("{n} deal", "{n} deals", entered, n=format_number(entered)),
                key="funnel-created",
            )  # fmt: skip
        if days and not view.large:
            _young(view, asked, days)


def _worst(stages: pd.DataFrame) -> str:
    losing = stages.iloc[:-1]
    shares = losing["lost_here"] / losing["reached"].where(losing["reached"] > 0)
    if not (shares.notna().any() and float(shares.max()) > 0):
        return ""
    worst = losing.iloc[int(shares.argmax())]
    rate = format_rate(shares.max())
    return _("Most fall out at {stage}: {rate} of those who reached it.", stage=worst["stage"], rate=rate)


def _said(entered: int, won: int, still: int, days: int) -> str:
    told = {
        "n": format_number(entered), "won": format_number(won), "rate": format_rate(won / entered),
        "still": format_number(still),
    }  # fmt: skip
    if days:
        return _n(
            "Of {n} deal followed for {days}: won by then {won} ({rate}), still open then {still}.",
            "Of {n} deals followed for {days}: won by then {won} ({rate}), still open then {still}.",
            entered, days=days_said(days), **told,
        )  # fmt: skip
    return _n(
        "Of {n} deal opened in this period: won so far {won} ({rate}), still open {still}.",
        "Of {n} deals opened in this period: won so far {won} ({rate}), still open {still}.",
        entered, **told,
    )  # fmt: skip


def _young(view: View, asked: Asked, days: int) -> None:
    """Offer the deals that are too young for the window, which the cohort leaves out."""
    if not view.may(Action.DEAL_VIEW):
        return
    selection = asked.selection(f"young:{days}", asked.period)
    young = int(view.ask(selection_total, selection=selection)["count"].iloc[0])
    if young:
        deals_button(
            view, selection, label=_("{n} too young, left out", n=format_number(young)),
            key="funnel-young",
        )  # fmt: skip


def _whole(view: View, asked: Asked, stages: pd.DataFrame, days: int) -> None:
    before = view.calendar.before(asked.period)
    previous = view.ask(questions.cohort_funnel, period=before, filters=asked.filters, days=days, as_of=asked.as_of)
    keys = set(stages["stage_key"].astype(str))

    def choose(data: Sequence[Any]) -> Selection | None:
        if len(data) < 2 or str(data[0]) not in keys:
            return None
        key, piece = str(data[0]), str(data[1])
        period = before if piece == "previous" else asked.period
        return asked.selection(stage_measure(PIECES.get(piece, "reached"), key, days), period)

    figure = cohort_funnel(stages, dark=view.dark, large=view.large, previous=previous, currency=view.currency)
    chart(view, figure, key="funnel-cohort", alt=_("Cohort funnel"), choose=choose)
    shown = stages.merge(
        previous[["stage_key", "reached", "rate_from_previous"]].rename(
            columns={"reached": "reached_before", "rate_from_previous": "rate_before"}
        ),
        on="stage_key",
        how="left",
    )
    more = [
        Column("low", _("At least (95%)"), "rate"),
        Column("high", _("At most (95%)"), "rate"),
        Column("value_rate_from_previous", _("From the stage before, by value"), "rate"),
        Column("value_rate_from_start", _("From the start, by value"), "rate"),
        Column("reached_before", _("Reached, period before"), "count"),
        Column("rate_before", _("From the stage before, period before"), "rate"),
    ]

    def behind(row: dict[Any, Any], column: str) -> Selection | None:
        earlier = column.endswith("_before")
        cell = StageCell(str(row["stage_key"]), column.removesuffix("_before"), days)
        measure = cell.measure(previous if earlier else stages)
        return asked.selection(measure, before if earlier else asked.period) if measure else None

    numbers(view, shown, [*_stage_columns(view), *more], name="funnel-cohort", behind=behind)
    _open_by_stage(view, asked, stages, days)


def _open_by_stage(view: View, asked: Asked, stages: pd.DataFrame, days: int) -> None:
    if view.large:
        return
    with st.container(horizontal=True, gap="small"):
        for row in stages.itertuples():
            if int(cast("Any", row.lost_here)):
                name = str(row.stage)
                deals_button(
                    view,
                    asked.selection(stage_measure("lost_at", row.stage_key, days), asked.period),
                    label=_("{stage}: {n} lost", stage=name, n=format_number(cast("Any", row.lost_here))),
                    key=f"funnel-lost-{row.stage_key}",
                )


def _compare(view: View, asked: Asked, days: int, by: str) -> None:
    dimension = cast("Dimension", by)
    groups = view.ask(
        questions.funnel_compare, period=asked.period, by=dimension, filters=asked.filters, days=days,
        as_of=asked.as_of,
    )  # fmt: skip
    if groups.empty:
        st.info(_("There is nothing to compare in this period."), icon=":material/inbox:")
        return
    groups = groups.assign(group=groups["group"].where(groups["group"] != "", _("None")))
    names = {str(key): str(name) for key, name in zip(groups["group_key"], groups["group"], strict=True)}
    wanted = _groups(view, names)
    if wanted:
        groups = groups[groups["group_key"].isin(wanted)].reset_index(drop=True)
    bars = groups.assign(value=groups["rate_from_start"].fillna(1.0))
    title = _("Share of the cohort that reached each stage, by {dimension}", dimension=_(BY_NAMES[by]).lower())
    stages = set(groups["stage_key"].astype(str))

    def choose(data: Sequence[Any]) -> Selection | None:
        if len(data) < 2 or str(data[0]) not in stages or str(data[1]) not in names:
            return None
        measure = stage_measure("reached", data[0], days)
        return asked.selection(measure, asked.period, dimension, str(data[1]))

    figure = grouped_bars(bars, unit="rate", title=title, dark=view.dark, large=view.large)
    chart(view, figure, key=f"funnel-by-{by}", alt=title, choose=choose)
    if len(names) >= _GROUPS_SHOWN and not wanted:
        st.caption(_("The {n} largest groups are shown.", n=_GROUPS_SHOWN))
    columns = [
        Column("group", _(BY_NAMES[by])), *_stage_columns(view),
        Column("low", _("At least (95%)"), "rate"), Column("high", _("At most (95%)"), "rate"),
    ]  # fmt: skip

    def behind(row: dict[Any, Any], column: str) -> Selection | None:
        measure = StageCell(str(row["stage_key"]), column, days).measure(groups)
        return asked.selection(measure, asked.period, dimension, str(row["group_key"])) if measure else None

    numbers(view, groups, columns, name=f"funnel-by-{by}", behind=behind)


def _groups(view: View, names: dict[str, str]) -> list[str]:
    """Offer which groups stand side by side; none chosen is all of them."""
    known = [key for key in address(view).get("group", []) if key in names]
    if view.query is not None or len(names) < 3:
        return known
    picked = st.multiselect(
        _("Groups"), list(names), default=known, format_func=names.__getitem__, key=follow("funnel-groups", known),
        placeholder=_("All of them; choose two to see them alone"), select_all=False, width=520,
    )  # fmt: skip
    write_address(group=picked)
    return picked


def _ripeness(view: View, asked: Asked) -> None:
    """Show what has become of each month's cohort: the young ones are mostly open."""
    months = view.ask(questions.cohorts_by_month, period=asked.period, filters=asked.filters, as_of=asked.as_of)
    if len(months) < 2:
        return

    def choose(data: Sequence[Any]) -> Selection | None:
        if len(data) < 2 or str(data[1]) not in _STATES:
            return None
        return asked.selection(f"cohort_{data[1]}", month_of(asked.period, str(data[0])))

    figure = cohort_months(months, dark=view.dark, large=view.large)
    chart(view, figure, key="funnel-months", alt=_("How ripe each month's cohort is"), choose=choose)
    columns = [
        Column("month", _("Month"), "month"),
        Column("entered", _("New deals"), "count"),
        Column("won", _("Won"), "count"),
        Column("lost", _("Lost"), "count"),
        Column("open", _("Still open"), "count"),
        Column("decided_rate", _("Decided"), "rate"),
        Column("won_rate", _("Won of all"), "rate"),
        Column("value", _("Value"), "money", currency=view.currency),
        Column("won_value", _("Won value"), "money", currency=view.currency),
    ]
    behind = columns_open(
        _MONTH_CELLS,
        lambda measure, row: asked.selection(measure, month_of(asked.period, str(row["month"]))),
    )
    numbers(view, months, columns, name="funnel-months", behind=behind)


def month_of(period: Period, text: str) -> Period:
    """Return the days of a month, named by its first day in ISO form, that lie in the period."""
    first = date.fromisoformat(text[:10])
    return Period(max(first, period.start), min(add_months(first, 1), period.end))


def _stage_columns(view: View) -> list[Column]:
    return [
        Column("stage", _("Stage")),
        Column("reached", _("Reached"), "count"),
        Column("value", _("Value"), "money", currency=view.currency),
        Column("rate_from_previous", _("From the stage before"), "rate"),
        Column("rate_from_start", _("From the start"), "rate"),
        Column("still_open", _("Still open here"), "count"),
        Column("lost_here", _("Lost here"), "count"),
    ]
