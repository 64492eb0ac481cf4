"""The simpler methods: for short, flat and sparse series, and to be beaten by the better ones."""

from __future__ import annotations

import numpy as np

from core.forecasting.result import Components
from core.forecasting.smoothing import damped_holt
from core.forecasting.steps import STEPS_A_YEAR, Frequency
from core.forecasting.transform import Floats


def mean_of_last_year(z: Floats, horizon: int, frequency: Frequency) -> Components:
    """The mean of the last year, or of what there is; by weekday for four weeks of days."""
    year = z[-round(STEPS_A_YEAR[frequency]) :]
    middle = float(year.mean())
    trend = np.full(len(z) + horizon, middle)
    if frequency != "day" or len(z) < 28:
        return Components.of(trend)
    weekday = np.arange(len(z) + horizon) % 7
    seen = weekday[len(z) - len(year) : len(z)]
    profile = np.array([year[seen == day].mean() - middle for day in range(7)])
    return Components.of(trend, profile[weekday])


def seasonal_naive(z: Floats, horizon: int, season: int) -> Components:
    """Each step as it was one season before (`season` steps, no more than there are)."""
    pattern = z[-season:]
    middle = float(pattern.mean())
    places = (np.arange(len(z) + horizon) - len(z)) % season
    return Components.of(np.full(len(places), middle), pattern[places] - middle)


def smoothing(z: Floats, horizon: int) -> Components:
    """A damped trend without a season; the history shows one-step-ahead forecasts."""
    smoothed = damped_holt(z, horizon)
    return Components.of(np.concatenate([z[:1], z[1:] - smoothed.errors, smoothed.forecast]))


def naive_forecast(y: Floats, horizon: int, season: int) -> Floats:
    """Seasonal naive in the unit of the series, repeating the last season; last value if short."""
    if len(y) < season:
        return np.full(horizon, y[-1])
    return np.asarray(y[-season:][np.arange(horizon) % season])


def naive_scale(y: Floats, season: int) -> float:
    """The in-sample mean absolute error of seasonal naive, the divisor of MASE; NaN if unknown."""
    lag = season if len(y) > season else 1
    if len(y) <= lag:
        return float("nan")
    error = float(np.mean(np.abs(y[lag:] - y[:-lag])))
    return error if error > 0 else float("nan")
