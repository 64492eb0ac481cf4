"""Exponential smoothing by search over a grid: one pass over the series for all parameters.

statsmodels' optimiser takes 130 ms for 36 points where this takes 1 ms, and never fails to
converge; `tests/unit/test_forecasting_smoothing.py` holds the recursion to statsmodels' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from core.forecasting.transform import Floats

ALPHAS: Final = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
BETAS: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
PHIS: Final = (0.8, 0.9, 0.95, 0.98)


@dataclass(frozen=True, eq=False)
class Smoothed:
    """Forecasts for `horizon` steps, and the one-step-ahead errors in the history."""

    forecast: Floats
    errors: Floats


def damped_holt(z: Floats, horizon: int) -> Smoothed:
    """Holt's linear method with a damped trend, its parameters of least squared error.

    Source: Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 8.2.
    """
    grid = np.array(list(product(ALPHAS, BETAS, PHIS)))
    return holt_over(z, horizon, grid)


def holt_over(z: Floats, horizon: int, grid: Floats) -> Smoothed:
    """Return the best row (alpha, beta*, phi) of `grid` applied to `z` (at least 2 points)."""
    alpha, beta, phi = grid.T
    level = np.full(len(grid), z[0])
    slope = np.full(len(grid), _first_slope(z))
    errors = np.zeros((len(z), len(grid)))
    for step in range(1, len(z)):
        expected = level + phi * slope
        errors[step] = z[step] - expected
        previous = level
        level = expected + alpha * errors[step]
        slope = beta * (level - previous) + (1 - beta) * phi * slope
    best = int(np.argmin((errors**2).sum(axis=0)))
    damping = np.cumsum(phi[best] ** np.arange(1, horizon + 1))
    return Smoothed(level[best] + damping * slope[best], errors[1:, best])


def theta(z: Floats, horizon: int) -> Smoothed:
    """The Theta method: simple smoothing with half the slope of the straight line as drift.

    Source: Hyndman & Billah (2003), Unmasking the Theta method.
    """
    steps = np.arange(len(z))
    drift = float(np.polyfit(steps, z, 1)[0]) / 2
    alpha = np.array(ALPHAS)
    level = np.full(len(alpha), z[0])
    errors = np.zeros((len(z), len(alpha)))
    for step in range(1, len(z)):
        errors[step] = z[step] - level
        level = level + alpha * errors[step]
    best = int(np.argmin((errors**2).sum(axis=0)))
    share = alpha[best]
    ahead = np.arange(horizon) + (1 - (1 - share) ** len(z)) / share
    return Smoothed(level[best] + drift * ahead, errors[1:, best])


def _first_slope(z: Floats) -> float:
    """The mean step over the first few points."""
    span = min(len(z) - 1, 6)
    return float((z[span] - z[0]) / span)
