"""Each step of the process by the deals that arrived there: how many went on in the days that all were given.

Source: docs/methods/bottleneck.md. Deals arrive at a stage when they get to it, or beyond it, for the first time.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Date, Integer, and_, case, cast, func, literal_column, or_, select

from core.analytics.dimensions import Dimension, has_key
from core.analytics.filters import Filters, stays_counted
from core.analytics.stage_measures import DAY_SECONDS, between, followed
from core.domain.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts, Statement

NOW: Final = 1
BEFORE: Final = 0
SOON: Final = 1
DECIDED: Final = 2
WON: Final = 4


@dataclass(frozen=True)
class Steps:
    """Which arrivals are meant: of one process, under filters, each followed for `days` days by `today`."""

    pipeline_id: int
    filters: Filters
    days: int
    today: date


@dataclass
class Arrived:
    """The deals that arrived at a stage, and their values in hundredths; decided and won ones of those that went on."""

    entered: int = 0
    went_on: int = 0
    entered_value: int = 0
    went_on_value: int = 0
    decided: int = 0
    won_value: int = 0

    def add(self, count: int, value: int, how: int) -> None:
        """Count deals of one kind."""
        self.entered += count
        self.entered_value += value
        if how & SOON:
            self.went_on += count
            self.went_on_value += value
            self.decided += count if how & DECIDED else 0
            self.won_value += value if how & WON else 0


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
    """Return the arrivals of two periods: `side` (0 before, 1 now) and the other columns that `counted` takes."""
    entered = facts.spans.c.entered_on
    now, before = between(entered, compared.now), between(entered, compared.before)
    whole = Period(min(compared.now.start, compared.before.start), max(compared.now.end, compared.before.end))
    return _arrived(facts, steps, _chosen(now), and_(between(entered, whole), or_(now, before)))


def by_group(facts: Facts, steps: Steps, period: Period, *, by: Dimension, key: str) -> Statement:
    """Return the arrivals of one group (`side` 1) and of all others (0) in the same days."""
    has = func.coalesce(has_key(facts, by, key), False)
    return _arrived(facts, steps, _chosen(has), between(facts.spans.c.entered_on, period))


def by_month(facts: Facts, steps: Steps, period: Period) -> Statement:
    """Return the arrivals of each month (`side`: its first day) that lie in the period and were followed; no values."""
    entered = facts.spans.c.entered_on
    month = cast(func.date_trunc(literal_column("'month'"), entered), Date)
    return _arrived(facts, steps, month, between(entered, period), with_deals=False)


def _chosen(condition: ColumnElement[bool], *, chosen: int = 1) -> ColumnElement[int]:
    """Return a number where a condition holds and 0 where not: DuckDB groups by small numbers fastest by far."""
    return case((condition, literal_column(str(chosen), Integer)), else_=literal_column("0", Integer))


def _arrived(
    facts: Facts, steps: Steps, side: ColumnElement[Any], when: ColumnElement[bool], *, with_deals: bool = True
) -> Statement:
    """Return a row per side, `furthest_before`, `furthest` (positions) and `how` they arrived: `count` of deals.

    how: whether they got further `SOON`; with `value` (hundredths), also what became of the deals.
    """
    deals, spans = facts.deals.c, facts.spans.c
    rows, counts = stays_counted(
        facts, facts.spans, pipeline_id=steps.pipeline_id, filters=steps.filters, with_deals=with_deals
    )
    how = _chosen(spans.advance_seconds <= steps.days * DAY_SECONDS, chosen=SOON)
    sums = [func.count().label("count")]
    if with_deals:
        how += _chosen(deals.state != "open", chosen=DECIDED) + _chosen(deals.state == "won", chosen=WON)
        sums.append(cast(func.sum(deals.amount), BigInteger).label("value"))
    keys = [side.label("side"), spans.furthest_before, spans.furthest, how.label("how")]
    return (
        select(*keys, *sums)
        .select_from(rows)
        .where(
            spans.furthest_before < spans.furthest,
            followed(spans, days=steps.days, today=steps.today),
            when,
            *counts,
        )
        .group_by(*(literal_column(str(place + 1)) for place in range(len(keys))))
    )


def counted(rows: Iterable[Any], positions: Iterable[int]) -> dict[tuple[Any, int], Arrived]:
    """Return what arrived of each side at each of the positions, in the order of the two; of rows of the above."""
    found: dict[tuple[Any, int], Arrived] = {}
    known = sorted(positions)
    for row in rows:
        for position in known[bisect_right(known, row.furthest_before) : bisect_right(known, row.furthest)]:
            here = found.setdefault((row.side, position), Arrived())
            here.add(row.count, getattr(row, "value", 0), row.how | (SOON if row.furthest > position else 0))
    return dict(sorted(found.items()))
