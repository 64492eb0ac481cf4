"""Each step of the process, now against before or a group against the rest. Columns: docs/queries.md."""

from __future__ import annotations

from itertools import pairwise
from math import nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.access.actions import Action
from core.analytics import funnel_steps as statements
from core.analytics.as_of import AsOf
from core.analytics.bottleneck import Side, step_tests, worth
from core.analytics.dimensions import Dimension
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.funnel import in_use
from core.analytics.funnel import steps as stages_known
from core.analytics.funnel_steps import Arrived
from core.analytics.rates import rate, wilson
from core.domain.periods import Period, add_months
from core.gate import query
from core.queries.overview import HUNDREDTHS, chosen_pipeline
from core.queries.standpoint import looked_at

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.bottleneck import StepTest
    from core.analytics.funnel_steps import Compared
    from core.db.work import Work

DEFAULT_DAYS = 30

STEP_COLUMNS = (
    "stage_key", "stage", "next_stage", "entered", "went_on", "rate", "entered_before", "went_on_before",
    "rate_before", "value_rate", "value_rate_before", "difference", "low", "high", "p_value", "p_adjusted", "is_change",
    "detectable", "deals_a_quarter", "value_a_quarter", "value_beyond", "start", "end", "start_before", "end_before",
)  # fmt: skip
TREND_COLUMNS = (
    "month", "start", "end", "stage_key", "stage", "next_stage", "entered", "went_on", "rate", "low", "high",
)  # fmt: skip


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def step_changes(
    work: Work,
    *,
    period: Period,
    filters: Filters = NO_FILTERS,
    days: int = DEFAULT_DAYS,
    by: Dimension | None = None,
    key: str = "",
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return each step's conversion within `days` days of arriving: this period against the one before, tested.

    With `by` and `key`: that group against all others, in the same days.
    """
    mirror = work.mirror
    facts, today = looked_at(work, as_of)
    steps = _steps(work, filters, days, today)
    compared = statements.compared_periods(period, work.calendar.before(period), days=days, today=today)
    if by is None:
        arrivals = statements.by_period(facts, steps, compared)
    else:
        compared = statements.Compared(compared.now, compared.now)
        arrivals = statements.by_group(facts, steps, compared.now, by=by, key=key)
    sides, shown = _counted(work, steps, statements.alike(*map(mirror.columns, arrivals)))
    tests = step_tests([
        (_side(sides, statements.NOW, stage.position), _side(sides, statements.BEFORE, stage.position))
        for stage, _next in shown
    ])  # fmt: skip
    told = [
        _step_row(stage, following, test, sides, compared)
        for (stage, following), test in zip(shown, tests, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(told, columns=list(STEP_COLUMNS))


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def step_trend(
    work: Work,
    *,
    period: Period,
    filters: Filters = NO_FILTERS,
    days: int = DEFAULT_DAYS,
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return each step's conversion within `days` days, by the month in which the deals arrived."""
    mirror = work.mirror
    facts, today = looked_at(work, as_of)
    steps = _steps(work, filters, days, today)
    found, shown = _counted(work, steps, mirror.rows(statements.by_month(facts, steps, period)))
    named = {stage.position: (stage, following) for stage, following in shown}
    rows = []
    for (month, position), row in found.items():
        stage, following = named[position]
        low, high = wilson(row.went_on, row.entered)
        rows.append({
            "month": month, "start": max(month, period.start), "end": min(add_months(month, 1), period.end),
            "stage_key": stage.stage_key, "stage": stage.stage, "next_stage": following,
            "entered": row.entered, "went_on": row.went_on, "rate": rate(row.went_on, row.entered),
            "low": low, "high": high,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(TREND_COLUMNS))


def _steps(work: Work, filters: Filters, days: int, today: date) -> statements.Steps:
    return statements.Steps(chosen_pipeline(work.mirror, filters), filters, max(1, days), today)


_Sides = dict[tuple[Any, int], Arrived]


def _counted(work: Work, steps: statements.Steps, rows: list[Any]) -> tuple[_Sides, list[tuple[Any, str]]]:
    """Return what arrived by side and position, and the open stages in order with the name of the one that follows."""
    mirror = work.mirror
    stages = mirror.rows(stages_known(mirror.facts, pipeline_id=steps.pipeline_id))
    found = statements.counted(rows, [stage.position for stage in stages if stage.kind == "open"])
    shown = in_use(stages, {position for _side, position in found})
    return found, [(stage, after.stage) for stage, after in pairwise(shown) if stage.kind == "open"]


def _side(sides: _Sides, side: int, position: int) -> Side:
    row = sides.get((side, position))
    return Side(0, 0) if row is None else Side(row.entered, row.went_on)


def _step_row(stage: Any, following: str, test: StepTest, sides: _Sides, compared: Compared) -> dict[str, Any]:
    by_side = {side: row for side in (statements.NOW, statements.BEFORE) if (row := sides.get((side, stage.position)))}
    decided, won = (sum(getattr(row, name) for row in by_side.values()) for name in ("decided", "won_value"))
    beyond = rate(won, decided) / HUNDREDTHS
    found = worth(test, days=compared.now.days, value_beyond=beyond)
    by_value = {side: rate(row.went_on_value, row.entered_value) for side, row in by_side.items()}
    return {
        "stage_key": stage.stage_key, "stage": stage.stage, "next_stage": following,
        "entered": test.now.entered, "went_on": test.now.went_on, "rate": test.now.rate,
        "entered_before": test.before.entered, "went_on_before": test.before.went_on, "rate_before": test.before.rate,
        "value_rate": by_value.get(statements.NOW, nan), "value_rate_before": by_value.get(statements.BEFORE, nan),
        "difference": test.difference, "low": test.interval.low, "high": test.interval.high,
        "p_value": test.p_value, "p_adjusted": test.p_adjusted, "is_change": test.is_change,
        "detectable": test.detectable, "deals_a_quarter": found.deals, "value_a_quarter": found.value,
        "value_beyond": beyond, "start": compared.now.start, "end": compared.now.end,
        "start_before": compared.before.start, "end_before": compared.before.end,
    }  # fmt: skip
