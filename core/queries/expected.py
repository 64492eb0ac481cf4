"""What is to be expected of a week, and of the pipeline. What the columns mean: docs/queries.md."""

from __future__ import annotations

from datetime import date, timedelta
from math import nan
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from core.access.actions import Action
from core.analytics import weekly
from core.analytics.anomalies import MOST_WEEKS, Week, amounts_expected, rates_expected
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.rates import rate
from core.domain.periods import Period, add_months
from core.gate import query
from core.queries.overview import HUNDREDTHS
from core.queries.standpoint import looked_at

if TYPE_CHECKING:
    from core.db.work import Work

FIGURES: Final = ("booked", "opened", "win_rate")
COLUMNS = ("figure", "week", "value", "expected", "low", "high", "unusual")
_WEEK = timedelta(days=7)


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def expected_weeks(
    work: Work, *, filters: Filters = NO_FILTERS, weeks: int = 26, as_of: AsOf | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return booked, new deals and win rate of the last whole weeks, with the range that was to be expected."""
    mirror = work.mirror
    facts, today = looked_at(work, as_of)
    end = today - timedelta(days=today.weekday())
    period = Period(end - MOST_WEEKS * _WEEK, end)
    asked: dict[str, Any] = {"period": period, "filters": filters, "today": today}
    decided = {row.week: row for row in mirror.rows(weekly.decided_by_week(facts, **asked))}
    opened = {row.week: row.opened for row in mirror.rows(weekly.opened_by_week(facts, **asked))}
    if not decided:
        return pd.DataFrame([], columns=list(COLUMNS))
    first = min(decided)
    mondays = [first + number * _WEEK for number in range((end - first).days // 7)]
    lines = [decided.get(week) for week in mondays]
    idle = {place for place, week in enumerate(mondays) if _is_holiday_week(week)}
    series = {
        "booked": amounts_expected([line.booked / HUNDREDTHS if line else 0.0 for line in lines], idle),
        "opened": amounts_expected([float(opened.get(week, 0)) for week in mondays], idle),
        "win_rate": rates_expected(
            [line.won if line else 0 for line in lines], [line.decided if line else 0 for line in lines]
        ),
    }
    rows = [
        _row(figure, week, found)
        for figure in FIGURES
        for week, found in list(zip(mondays, series[figure], strict=True))[-weeks:]
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _is_holiday_week(monday: date) -> bool:
    """Say whether a week touches the days around the Spring Festival, or National Day's."""
    from core.forecasting.calendar import spring_festival

    first = spring_festival(monday.year)
    national = date(monday.year, 10, 1)
    free = [(national, national + _WEEK)]
    if first is not None:
        free.append((first - timedelta(days=7), first + timedelta(days=10)))
    return any(monday < end and start < monday + _WEEK for start, end in free)


def _row(figure: str, week: Any, found: Week) -> tuple[Any, ...]:
    return figure, week, found.value, found.expected, found.low, found.high, found.unusual


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def coverage_needed(work: Work, *, filters: Filters = NO_FILTERS, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return one row: the win rate by value of the last twelve months, and the coverage that it asks for."""
    facts, today = looked_at(work, as_of)
    period = Period(add_months(today, -12), today + timedelta(days=1))
    found = work.mirror.rows(weekly.decided_values(facts, period=period, filters=filters, today=today))[0]
    by_value = rate(found.booked, found.booked + found.lost_value)
    needed = nan if not by_value else rate(1.0, by_value)
    return pd.DataFrame(
        [(period.start, period.end, found.booked / HUNDREDTHS, found.lost_value / HUNDREDTHS, by_value, needed)],
        columns=["start", "end", "won_value", "lost_value", "win_rate_by_value", "needed"],
    )
