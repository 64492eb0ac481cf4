"""Each step of the process by the deals that arrived there: how many went on in the days that all were given.

Source: docs/methods/bottleneck.md. Deals arrive at a stage when they get to it, or beyond it, for the first time.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from sqlalchemy import Date, Integer, case, cast, func, literal_column, or_, select

from core.analytics.dimensions import Dimension, has_key
from core.analytics.filters import Filters, deal_conditions, stays_counted
from core.analytics.numbers import places_among
from core.analytics.stage_measures import DAY_SECONDS, between, followed
from core.domain.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts, Statement

NOW: Final = 1
BEFORE: Final = 0
SOON: Final = 1
DECIDED: Final = 2
WON: Final = 4
_CHOSEN: Final = 8
"""Of the side that is `NOW`."""
_FLAGS: Final = 16
"""More than all flags together."""
_PLACES: Final = 1_024
"""Far more than a process has stages."""


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


class Arrivals(NamedTuple):
    """Two statements that `alike` puts together: who arrived where and went on how soon, and what became of them.

    arrived: `deal_id`, and what kind of arrival it is: `_PLACES` × furthest_before + furthest (positions), times
    `_FLAGS`, and `SOON` where it got further in time. deals: `id`, `value` (hundredths) and what that adds to the kind:
    `DECIDED`, `WON`. Either of the two may add `_CHOSEN`.
    """

    arrived: Statement
    deals: Statement


class Alike(NamedTuple):
    """The arrivals of a side that are alike in everything: how many, and the value of their deals in hundredths."""

    side: int
    furthest_before: int
    furthest: int
    how: int
    deals: int
    value: int


def by_period(facts: Facts, steps: Steps, compared: Compared) -> Arrivals:
    """Return the arrivals of two periods (`side` 0 before, 1 now), the first of which neither begins nor ends later."""
    now, before, entered = compared.now, compared.before, facts.spans.c.entered_on
    within = (entered >= before.start, entered < now.end, or_(entered < before.end, entered >= now.start))
    arrived = _arrived(facts, steps, _flag(entered >= now.start, _CHOSEN), *within)
    return Arrivals(arrived, _arriving(facts, steps, _number(0), since=before.start))


def by_group(facts: Facts, steps: Steps, period: Period, *, by: Dimension, key: str) -> Arrivals:
    """Return the arrivals of one group (`side` 1) and of all others (0) in the same days."""
    side = _flag(func.coalesce(has_key(facts, by, key), False), _CHOSEN)
    arrived = _arrived(facts, steps, _number(0), between(facts.spans.c.entered_on, period))
    return Arrivals(arrived, _arriving(facts, steps, side, since=period.start))


def by_month(facts: Facts, steps: Steps, period: Period) -> Statement:
    """Return how many arrived in each month (`side`: its first day) of the period, alike ones in a row.

    The columns are those of `Alike`, without values.
    """
    spans = facts.spans.c
    rows, counts = stays_counted(facts, facts.spans, pipeline_id=steps.pipeline_id, filters=steps.filters)
    month = cast(func.date_trunc(literal_column("'month'"), spans.entered_on), Date)
    keys = [month.label("side"), spans.furthest_before, spans.furthest, _soon(facts, steps).label("how")]
    return (
        select(*keys, func.count().label("deals"), _number(0).label("value"))
        .select_from(rows)
        .where(*_in_time(facts, steps), between(spans.entered_on, period), *counts)
        .group_by(*(literal_column(str(place + 1)) for place in range(len(keys))))
    )


def _arrived(facts: Facts, steps: Steps, side: ColumnElement[int], *within: ColumnElement[bool]) -> Statement:
    spans = facts.spans.c
    places = cast(spans.furthest_before, Integer) * _number(_PLACES) + spans.furthest
    kind = places * _number(_FLAGS) + _soon(facts, steps) + side
    return select(spans.deal_id, kind.label("kind")).where(
        spans.pipeline_id == steps.pipeline_id, *_in_time(facts, steps), *within
    )


def _arriving(facts: Facts, steps: Steps, side: ColumnElement[int], *, since: date) -> Statement:
    deals = facts.deals.c
    kind = _flag(deals.state != "open", DECIDED) + _flag(deals.state == "won", WON) + side
    return select(deals.id, deals.amount.label("value"), kind.label("kind")).where(
        deals.pipeline_id == steps.pipeline_id, facts.moved_since(since), *deal_conditions(facts, steps.filters)
    )


def _in_time(facts: Facts, steps: Steps) -> tuple[ColumnElement[bool], ...]:
    """Return what a stay must be to be an arrival that was followed long enough."""
    spans = facts.spans.c
    return spans.furthest_before < spans.furthest, followed(spans, days=steps.days, today=steps.today)


def _soon(facts: Facts, steps: Steps) -> ColumnElement[int]:
    return _flag(facts.spans.c.advance_seconds <= steps.days * DAY_SECONDS, SOON)


def _flag(condition: ColumnElement[bool], flag: int) -> ColumnElement[int]:
    """Return a number where a condition holds and 0 where not: DuckDB groups by small numbers fastest by far."""
    return case((condition, _number(flag)), else_=_number(0))


def _number(value: int) -> ColumnElement[int]:
    return literal_column(str(value), Integer)


def alike(arrived: Mapping[str, NDArray[Any]], deals: Mapping[str, NDArray[Any]]) -> list[Alike]:
    """Return the arrivals (columns of the two statements of `Arrivals`), those alike in one; of known deals alone."""
    at = places_among(deals["id"], arrived["deal_id"])
    known = at >= 0
    at = at[known]
    kind = arrived["kind"][known].astype(np.intp) + deals["kind"][at]
    counts = np.bincount(kind)
    values = np.zeros(counts.shape, np.int64)
    np.add.at(values, kind, deals["value"][at])
    return [_alike(each, int(counts[each]), int(values[each])) for each in np.flatnonzero(counts).tolist()]


def _alike(kind: int, count: int, value: int) -> Alike:
    places, flags = divmod(kind, _FLAGS)
    before, furthest = divmod(places, _PLACES)
    return Alike(NOW if flags & _CHOSEN else BEFORE, before, furthest, flags & ~_CHOSEN, count, value)


def counted(rows: Iterable[Any], positions: Iterable[int]) -> dict[tuple[Any, int], Arrived]:
    """Return what arrived of each side at each of the positions, in the order of the two; rows: like `Alike`."""
    found: dict[tuple[Any, int], Arrived] = {}
    known = sorted(positions)
    for row in rows:
        for position in known[bisect_right(known, row.furthest_before) : bisect_right(known, row.furthest)]:
            here = found.setdefault((row.side, position), Arrived())
            here.add(row.deals, row.value, row.how | (SOON if row.furthest > position else 0))
    return dict(sorted(found.items()))
