"""Who sold how much: a row for each rep or team, and their ranks.

Credit goes to whoever owned the deal when it was won. Source: docs/methods/credit.md, docs/methods/rank.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
from sqlalchemy import (
    Integer,
    case,
    literal_column,
    or_,
)

from core.analytics.filters import Filters
from core.analytics.selection import inside
from core.analytics.team_parts import TeamPart
from core.domain.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement

Measure = Literal[
    "booked", "attainment", "win_rate", "won_count", "average_deal", "cycle_days", "activities", "margin", "margin_rate"
]  # fmt: skip
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
LEAST_FIRST: Final = frozenset({"cycle_days"})
OF_COSTS: Final = frozenset({"margin", "margin_rate"})
"""Measures for those alone who may see what things cost. Source: docs/methods/margin.md."""
By = Literal["rep", "team"]


@dataclass(frozen=True)
class Contest:
    """What is compared: people or teams, in a period, under filters, rates from `minimum_decided` deals on.

    `parts`: the teams, each with its subtree, where teams are compared. `splits`: money counts for everybody who is
    credited with a part of a deal, else for whoever owned the deal when it was won. `before`: another period that is
    asked for in the same breath; the two do not overlap.
    """

    period: Period
    by: By
    filters: Filters
    minimum_decided: int
    today: date
    parts: tuple[TeamPart, ...] = ()
    splits: bool = False
    before: Period | None = None

    @property
    def periods(self) -> tuple[Period, ...]:
        """The period, and the one before where it is asked for; the place of each is what `place` says of a row."""
        return (self.period,) if self.before is None else (self.period, self.before)

    @property
    def hull(self) -> Period:
        """From the first day of them all to the last."""
        return hull(self.periods)

    def within(self, day: ColumnElement[date], history: Period | None = None) -> ColumnElement[bool]:
        """Return whether a day lies in one of the periods, or a further one; one range where they follow each other."""
        found: list[Period] = []
        for each in sorted([*self.periods, *([history] if history else [])], key=lambda period: period.start):
            follows = bool(found) and each.start <= found[-1].end
            found.append(hull((found.pop(), each)) if follows else each)
        return or_(*(inside(day, each) for each in found))

    def place(self, day: ColumnElement[date]) -> ColumnElement[int]:
        """Return the place of the period in which a day lies that lies in one of them."""
        if self.before is None:
            return literal_column("0", Integer)
        return case((inside(day, self.period), literal_column("0", Integer)), else_=literal_column("1", Integer))

    def grouped(self, whose: ColumnElement[Any], place: ColumnElement[int]) -> tuple[ColumnElement[Any], ...]:
        """Return what sums are grouped by: whose they are, and the place where there are several periods."""
        return (whose,) if self.before is None else (whose, place)


def hull(periods: Iterable[Period]) -> Period:
    """Return the period from the first day of some to the last."""
    known = [*periods]
    return Period(min(each.start for each in known), max(each.end for each in known))


def ranks(values: dict[str, float], *, least_first: bool = False) -> dict[str, int]:
    """Return each key's rank: how many have a better value, plus one.

    Keys without a value (NaN) have none, and nobody has one where the best value is nought.
    """
    places = ranks_of(np.array([*values.values()], np.float64), least_first=least_first)
    return {key: place for key, place in zip(values, places.tolist(), strict=True) if place}


def ranks_of(values: NDArray[np.float64], *, least_first: bool = False) -> NDArray[np.int64]:
    """Return the rank of each value, 0 for none."""
    signed = values if least_first else -values
    there = ~np.isnan(signed)
    ordered = np.sort(signed[there])
    places = np.zeros(values.shape, np.int64)
    if ordered.size and (least_first or ordered[0] != 0):
        places[there] = np.searchsorted(ordered, signed[there]) + 1
    return places


def most_improved(now: dict[str, float], before: dict[str, float], *, least_first: bool = False) -> str | None:
    """Return the key whose value improved most against the period before; None where none did.

    Where that period holds nothing at all, there is nothing to improve on.
    """
    values, earlier = np.array([*now.values()], np.float64), np.array([*before.values()], np.float64)
    matched = np.array([before.get(key, nan) for key in now], np.float64)
    best = greatest_gain(values, matched, least_first=least_first) if holds_something(earlier) else None
    return None if best is None else [*now][best]


def holds_something(values: NDArray[np.float64]) -> bool:
    """Say whether a period's values are any, and not all nought."""
    return bool(np.any((values != 0) & ~np.isnan(values)))


def greatest_gain(
    values: NDArray[np.float64], earlier: NDArray[np.float64], *, least_first: bool = False
) -> int | None:  # fmt: skip
    """Return the first place where a value improved most on the one earlier (NaN: none); None where none did."""
    gains = np.nan_to_num((earlier - values) if least_first else (values - earlier), nan=0.0)
    best = int(np.argmax(gains)) if gains.size else 0
    return best if gains.size and gains[best] > 0 else None
