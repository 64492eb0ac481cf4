"""Single steps far off all others: which they are, and how far they may lead a forecast.

Source: docs/methods/forecast.md, "The series".
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.forecasting.steps import SEASON, Frequency
from core.forecasting.transform import Floats

DEVIATIONS, MEDIANS = 6, 5
"""How many robust deviations, and medians of all values, a step lies off the median around it."""
MOST: Final = 3
LEAST_STEPS: Final = 8
COUNTED: Final = 3.0
"""Robust deviations off the median around it that such a step counts as in a forecast."""
YEAR: Final[dict[Frequency, int]] = {"day": 365, "week": 52, "month": 12}
ABOUT: Final[dict[Frequency, int]] = {"day": 21, "week": 3, "month": 1}
"""Steps on either side of a year before and after in which a step as far off makes both a season."""


def far_off(y: Floats, frequency: Frequency) -> NDArray[np.int64]:
    """Return the places of the steps that lie far off all others, three at most, in order."""
    if len(y) < LEAST_STEPS:
        return np.zeros(0, dtype=np.int64)
    off, spread, _around = _off(y, frequency)
    level = float(np.median(np.abs(y[y != 0]))) if y.any() else 0.0
    far = (off > DEVIATIONS * spread) & (off > MEDIANS * level) & (level > 0)
    ranked = [place for place in np.argsort(-off) if far[place]]
    return np.sort(np.array(ranked[:MOST], dtype=np.int64))


def limited(y: Floats, frequency: Frequency) -> tuple[Floats, NDArray[np.int64]]:
    """Return what a forecast is made from, and the places where that is less far off than what was.

    A step far off counts as three robust deviations off the median around it, unless about a year before or after one
    lies at least half as far off: then it may be the season's.
    """
    places = far_off(y, frequency)
    if not len(places):
        return y, places
    off, spread, around = _off(y, frequency)
    year, about = YEAR[frequency], ABOUT[frequency]
    alone = []
    for place in places:
        others = [off[max(at - about, 0) : at + about + 1] for at in _years_from(int(place), len(y), year)]
        if not any((other >= off[place] / 2).any() for other in others):
            alone.append(int(place))
    counted = y.copy()
    counted[alone] = around[alone] + np.sign(y[alone] - around[alone]) * COUNTED * spread
    return counted, np.array(alone, dtype=np.int64)


def _years_from(place: int, count: int, year: int) -> list[int]:
    return [at for at in range(place % year, count, year) if at != place]


def _off(y: Floats, frequency: Frequency) -> tuple[Floats, float, Floats]:
    """How far each step lies off the median around it, the usual such distance, and those medians."""
    rolling = pd.Series(y).rolling(2 * SEASON[frequency] + 1, center=True, min_periods=4)
    around = rolling.median().to_numpy(dtype="float64")
    off = np.abs(y - around)
    return off, 1.4826 * float(np.median(off)), around
