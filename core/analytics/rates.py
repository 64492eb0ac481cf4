"""Rates and what their samples allow to be said. Source: docs/methods/win-rate.md."""

from __future__ import annotations

from math import nan, sqrt
from typing import NamedTuple

Z_95 = 1.959963984540054


class Interval(NamedTuple):
    """The ends of an interval, in [0, 1]; NaN where nothing was seen."""

    low: float
    high: float


def rate(part: float, whole: float) -> float:
    """Return part ÷ whole, NaN where the whole is zero or missing."""
    return part / whole if whole else nan


def wilson(successes: int, trials: int, *, z: float = Z_95) -> Interval:
    """Return Wilson's score interval of a proportion (docs/methods/win-rate.md, eq. 2)."""
    if trials == 0:
        return Interval(nan, nan)
    share, square = successes / trials, z * z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    half = z * sqrt(share * (1 - share) / trials + square / (4 * trials * trials)) / (1 + square / trials)
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def coverage(closing: float, *, quota: float, booked: float) -> float:
    """Return what is open and due in the period ÷ what is still owed; NaN without a quota or once it is met."""
    return rate(closing, max(quota - booked, 0.0))
