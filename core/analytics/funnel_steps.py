"""Each step of the process by the deals that arrived there: how many went on in the days that all were given.

Source: docs/methods/bottleneck.md. Deals arrive at a stage when they get to it, or beyond it, for the first time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Date, and_, case, cast, func, literal_column, or_, select

from core.analytics.dimensions import Dimension, has_key
from core.analytics.filters import Filters, deal_conditions
from core.analytics.stage_measures import DAY_SECONDS, arrives, between, followed
from core.domain.periods import Period

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts, Statement

NOW: Final = "now"
BEFORE: Final = "before"


@dataclass(frozen=True)
class Steps:
    """Which arrivals are meant: of one process, under filters, each followed for `days` days by `today`."""

    pipeline_id: int
    filters: Filters
    days: int
    today: date


@dataclass(frozen=True)
class Compared:
    """Two periods of arrivals, of the same length where the later one is not over yet."""

    now: Period
    before: Period


def compared_periods(period: Period, earlier: Period, *, days: int, today: date) -> Compared:
    """Return the days of `period` whose arrivals have been followed for `days` days, and as many of `earlier`.

    A period that can be followed to its end is compared with the whole of the earlier one.
    """
    last = max(period.start, min(period.end, today - timedelta(days=days)))
    mature = Period(period.start, last)
    if mature == period:
        return Compared(period, earlier)
    return Compared(mature, Period(earlier.start, min(earlier.end, earlier.start + timedelta(days=mature.days))))


def by_period(facts: Facts, steps: Steps, compared: Compared) -> Statement:
    """Return the arrivals of two periods: `side` ("now", "before") and the columns of `_counted`."""
    spans = facts.spans.c
    now, before = between(spans.entered_on, compared.now), between(spans.entered_on, compared.before)
    return _counted(facts, steps, _sides(now), or_(now, before))


def by_group(facts: Facts, steps: Steps, period: Period, *, by: Dimension, key: str) -> Statement:
    """Return the arrivals of one group ("now") and of all others ("before") in the same days."""
    has = func.coalesce(has_key(facts, by, key), False)
    return _counted(facts, steps, _sides(has), between(facts.spans.c.entered_on, period))


def by_month(facts: Facts, steps: Steps, period: Period) -> Statement:
    """Return the arrivals of each month (`side`: its first day) that lie in the period and were followed."""
    entered = facts.spans.c.entered_on
    month = cast(func.date_trunc(literal_column("'month'"), entered), Date)
    return _counted(facts, steps, month, between(entered, period))


def _sides(now: ColumnElement[bool]) -> ColumnElement[str]:
    return case((now, literal_column(f"'{NOW}'")), else_=literal_column(f"'{BEFORE}'"))


def _counted(facts: Facts, steps: Steps, side: ColumnElement[Any], when: ColumnElement[bool]) -> Statement:
    """Return a row per side and open stage that anybody arrived at.

    Columns: side, position; entered, went_on (deals) and their values in hundredths; of those who went on: decided
    (deals that are won or lost by now) and won_value.
    """
    deals, spans, stages = facts.deals.c, facts.spans.c, facts.stages.c
    soon = func.coalesce(spans.advance_seconds <= steps.days * DAY_SECONDS, False)
    keys = [side.label("side"), spans.furthest_before, spans.furthest, soon.label("soon"), deals.state]
    arrived = (
        select(
            *keys,
            func.count().label("count"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
        )
        .select_from(facts.spans.join(facts.deals, deals.id == spans.deal_id))
        .where(
            deals.pipeline_id == steps.pipeline_id,
            spans.furthest_before < spans.furthest,
            followed(spans, days=steps.days, today=steps.today),
            when,
            *deal_conditions(facts, steps.filters),
        )
        .group_by(*(literal_column(str(place + 1)) for place in range(len(keys))))
        .subquery("arrived")
    )
    a = arrived.c
    went = or_(a.furthest > stages.position, a.soon)

    def summed(column: ColumnElement[int], condition: ColumnElement[bool] | None = None) -> ColumnElement[int]:
        whole = func.sum(column)
        return func.coalesce(cast(whole if condition is None else whole.filter(condition), BigInteger), 0)

    return (
        select(
            a.side,
            stages.position,
            summed(a.count).label("entered"),
            summed(a.count, went).label("went_on"),
            summed(a.value).label("entered_value"),
            summed(a.value, went).label("went_on_value"),
            summed(a.count, and_(went, a.state != "open")).label("decided"),
            summed(a.value, and_(went, a.state == "won")).label("won_value"),
        )
        .select_from(arrived.join(facts.stages, and_(stages.pipeline_id == steps.pipeline_id, arrives(a, stages))))
        .where(stages.kind == "open")
        .group_by(a.side, stages.position)
        .order_by(a.side, stages.position)
    )
