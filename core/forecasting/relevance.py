"""Whether calendar columns explain anything in a series: an F test beside trend and season.

Source: docs/methods/forecast.md, "Calendar of China".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from core.forecasting.steps import STEPS_A_YEAR, Frequency
from core.forecasting.transform import Floats

ORDER: Final[dict[Frequency, int]] = {"month": 5, "week": 10, "day": 10}
LIKELY = 0.01
RANK = 1e-11
"""Directions that vary less than this share of the most varying one's square are none."""


def explains(z: Floats, columns: Sequence[Floats], frequency: Frequency) -> bool:
    """Say whether `columns` (over the steps of `z`) together explain what trend and season do not.

    The trend has a knot a year, the season the yearly Fourier terms of Prophet's, days have
    weekdays. True where chance alone would explain as much in less than 1 of 100 series.
    """
    if not columns:
        return False
    base = _trend_and_season(len(z), frequency)
    more = np.column_stack([base, *columns])
    without, rank = _unexplained(base, z)
    with_columns, rank_more = _unexplained(more, z)
    free, added = len(z) - rank_more, rank_more - rank
    if free < 2 or added < 1:
        return False
    if with_columns <= 1e-12 * max(float(z.var()) * len(z), 1e-300):
        return without > 2 * with_columns and without > 1e-12 * float(z.var()) * len(z)
    from scipy.stats import f

    ratio = (without - with_columns) / added / (with_columns / free)
    return float(f.sf(ratio, added, free)) < LIKELY


def _trend_and_season(count: int, frequency: Frequency) -> Floats:
    steps = np.arange(count, dtype="float64")
    year = STEPS_A_YEAR[frequency]
    columns = [np.ones(count), steps / count]
    columns += [np.maximum(steps - knot, 0.0) / count for knot in np.arange(year, count - year / 2, year)]
    if count >= 2 * year:
        for order in range(1, ORDER[frequency] + 1):
            angle = 2 * np.pi * order * steps / year
            columns += [np.sin(angle), np.cos(angle)]
    if frequency == "day":
        columns += [(steps % 7 == day).astype("float64") for day in range(6)]
    return np.column_stack(columns)


def _unexplained(design: Floats, z: Floats) -> tuple[float, int]:
    """The sum of squares that a least-squares fit leaves, and the design's rank.

    By the eigenvectors of the columns' products, each column of length 1: a tenth of the work of a decomposition of
    the design itself, and as good for columns that are shares and waves.
    """
    length = np.sqrt((design**2).sum(axis=0))
    columns = design[:, length > 0] / length[length > 0]
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > values[-1] * RANK
    along = vectors[:, kept]
    left = z - columns @ (along @ ((along.T @ (columns.T @ z)) / values[kept]))
    return float((left**2).sum()), int(kept.sum())
