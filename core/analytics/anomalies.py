"""Whether a week lies within what is to be expected of it, by the weeks before. Pure functions.

Source: docs/methods/expected-range.md. Every week is expected by the same rule from what came before it, and how far
past weeks were from theirs says how far is ordinary (split conformal prediction).
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil, isnan, nan, sqrt
from statistics import median
from typing import Final

FALSE_ALARMS: Final = 0.02
"""How often a week in which nothing changed is called unusual, for each figure: about once a year."""

LEVEL_WEEKS: Final = 13
"""How many weeks before one say its level."""

YEAR_WEEKS: Final = 52
MOST_WEEKS: Final = 156
LEAST_WEEKS: Final = ceil(1 / FALSE_ALARMS) - 1
"""Past weeks with an expectation below which no range is given."""

LEAST_DECIDED: Final = 5
_LEAST_RATE_SCALE: Final = 1e-9


@dataclass(frozen=True)
class Week:
    """One week: what was, what was expected and the range of it; NaN where nothing can be expected."""

    value: float
    expected: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is a range."""
        return not isnan(self.low)

    @property
    def unusual(self) -> bool:
        """Whether the week lies outside its range."""
        return self.known and not isnan(self.value) and not self.low <= self.value <= self.high


def amounts_expected(values: Sequence[float], holidays: Collection[int] = ()) -> list[Week]:
    """Return each week of a series of counts or sums (eq. 1 to 3); ranges from `LEAST_WEEKS` known scores on.

    holidays: the places of weeks that are not judged, and by which no other is.
    """
    roots = [sqrt(max(value, 0.0)) for value in values]
    levels = [_level(roots, place) for place in range(len(roots))]
    expected = [_seasoned(roots, levels, place) for place in range(len(roots))]
    scores = [
        nan if place in holidays else root - one for place, (root, one) in enumerate(zip(roots, expected, strict=True))
    ]
    weeks = []
    past: list[float] = []
    for place, value in enumerate(values):
        width, middle = _width(past), expected[place]
        _remember(past, scores[place])
        if isnan(width) or isnan(middle) or place in holidays:
            weeks.append(Week(value, nan, nan, nan))
            continue
        expected_value, low, high = (max(0.0, end) ** 2 for end in (middle, middle - width, middle + width))
        weeks.append(Week(value, expected_value, low, high))
    return weeks


def rates_expected(won: Sequence[int], decided: Sequence[int]) -> list[Week]:
    """Return each week's win rate (eq. 4); weeks with fewer than `LEAST_DECIDED` decided deals have no value."""
    found: list[Week] = []
    past: list[float] = []
    for place, (ours, whole) in enumerate(zip(won, decided, strict=True)):
        before = slice(max(0, place - 2 * LEVEL_WEEKS), place)
        all_decided = sum(decided[before])
        pooled = sum(won[before]) / all_decided if place >= LEVEL_WEEKS and all_decided else nan
        enough = whole >= LEAST_DECIDED
        value = ours / whole if enough else nan
        scale = max(sqrt(pooled * (1 - pooled) / whole), _LEAST_RATE_SCALE) if enough else nan
        width = _width(past) * scale
        if isnan(width) or isnan(pooled):
            found.append(Week(value, nan, nan, nan))
        else:
            found.append(Week(value, pooled, max(0.0, pooled - width), min(1.0, pooled + width)))
        _remember(past, (value - pooled) / scale)
    return found


def _level(roots: Sequence[float], place: int) -> float:
    return median(roots[place - LEVEL_WEEKS : place]) if place >= LEVEL_WEEKS else nan


def _seasoned(roots: Sequence[float], levels: Sequence[float], place: int) -> float:
    """Return the level, moved half as far as the same weeks of earlier years lay from theirs."""
    ago = []
    for back in range(YEAR_WEEKS, place + 1, YEAR_WEEKS):
        near = [w for w in range(place - back - 1, place - back + 2) if 0 <= w < place and not isnan(levels[w])]
        if near:
            ago.append(median(roots[w] - levels[w] for w in near))
    return levels[place] + (median(ago) / 2 if ago else 0.0)


def _remember(past: list[float], score: float) -> None:
    """Put a week's distance from its expectation into its place among those before it, nearest first."""
    if not isnan(score):
        insort(past, abs(score))


def _width(past: Sequence[float]) -> float:
    """Return how far from its expectation a week may lie: the conformal quantile of the past distances."""
    rank = ceil((len(past) + 1) * (1 - FALSE_ALARMS))
    return past[rank - 1] if 0 < rank <= len(past) else nan
