"""What if: levers laid on the cached arrays of a fit. No lever fits anything again.

Source: docs/methods/scenarios.md; the letters below are its.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from core.forecasting.calendar import event_shares
from core.forecasting.flow import carried, remaining
from core.forecasting.levers import NEUTRAL, Levers
from core.forecasting.steps import STEPS_A_YEAR, Frequency, ends

if TYPE_CHECKING:
    from core.forecasting.flow import Flow
    from core.forecasting.result import Fit
    from core.forecasting.transform import Floats

RECENT: Final[dict[Frequency, int]] = {"day": 28, "week": 13, "month": 6}
"""Steps whose mean slope is the trend's latest."""
DAMPED: Final = 0.9


@dataclass(frozen=True, eq=False)
class ScenarioResult:
    """frame: a row a future step: ds datetime64, yhat, lo, hi float64 in the series' unit."""

    frame: pd.DataFrame
    levers: Levers

    @property
    def total(self) -> float:
        """The sum over the horizon."""
        return float(self.frame["yhat"].sum())


def apply(fit: Fit, levers: Levers | None = None, flow: Flow | None = None) -> ScenarioResult:
    """Lay `levers` on a fit; neutral levers give the base itself, bit for bit.

    `flow` says how deals carry the forecast, and from which day on levers act; without one they
    act from the first step on, and all that is ahead counts as new business.
    """
    levers = levers or NEUTRAL
    middle = _middle(fit, levers)
    ends_of_band = (middle, middle - fit.below, middle + fit.above)
    yhat, low, high = laid(fit, np.stack([fit.value(z) for z in ends_of_band]), levers, flow)
    return ScenarioResult(pd.DataFrame({"ds": fit.future, "yhat": yhat, "lo": low, "hi": high}), levers)


def expected(fit: Fit, levers: Levers | None = None, flow: Flow | None = None) -> Floats:
    """Return the middle of `apply` alone, shape (horizon,)."""
    levers = levers or NEUTRAL
    return laid(fit, fit.value(_middle(fit, levers)), levers, flow)


def laid(fit: Fit, values: Floats, levers: Levers, flow: Flow | None = None) -> Floats:
    """Return values of the future steps, shape (any, horizon), with all levers but the season's and the trend's."""
    found = values * multiplier(fit, levers, flow)
    if levers.moves_pipeline:
        if flow is None:
            found = found * (levers.wins * (1 + levers.leads))
        else:
            found = found @ carried(fit.future, fit.frequency, flow, levers).T
    if levers.capacity is not None:
        found = np.minimum(found, levers.capacity * months_in(fit.future, fit.frequency))
    return np.asarray(found)


def multiplier(fit: Fit, levers: Levers, flow: Flow | None = None) -> Floats:
    """Return what each future step is multiplied by: growth, value, people and events."""
    ahead = np.arange(1, fit.horizon + 1)
    years = ahead / STEPS_A_YEAR[fit.frequency]
    factor = (1 + levers.growth) ** years
    factor = factor * (1 + levers.average_deal) * (1 + levers.price)
    factor = factor * (1 + levers.headcount * _ramp(years * 12, levers))
    factor = 1 + remaining(fit.future, fit.frequency, flow.start if flow else None) * (factor - 1)
    for event in levers.events:
        share = next(iter(event_shares(fit.future, fit.frequency, [event]).values()))
        factor = factor * (1 + (event.uplift or 0.0) * share)
    return np.asarray(factor)


def months_in(future: pd.DatetimeIndex, frequency: Frequency) -> Floats:
    """Return how much of a month each step is: its days over those of the month in which it begins."""
    days = (ends(future, frequency) - future).days.to_numpy()
    return np.asarray(days / future.days_in_month.to_numpy(), dtype="float64")


def sample_paths(fit: Fit, levers: Levers | None = None, flow: Flow | None = None) -> Floats:
    """Return 400 ways it could go, shape (400, horizon), in the unit of the series."""
    levers = levers or NEUTRAL
    return laid(fit, fit.value(_middle(fit, levers) + fit.noise), levers, flow)


def chance_to_reach(fit: Fit, quota: float, levers: Levers | None = None, flow: Flow | None = None) -> float:
    """Return the share of paths whose sum over the horizon is at least `quota`."""
    return float((sample_paths(fit, levers, flow).sum(axis=1) >= quota).mean())


def _middle(fit: Fit, levers: Levers) -> Floats:
    """The forecast on the modelled scale with the season scaled and the trend's latest turn weighed anew."""
    known = len(fit.y)
    middle = fit.parts.total[known:] + levers.seasonality * fit.parts.seasonal[known:]
    if levers.flexibility:
        middle = middle + levers.flexibility * turn(fit)
    return np.asarray(middle)


def turn(fit: Fit) -> Floats:
    """Return what the trend's latest slope adds to each future step over the whole history's, on the modelled scale."""
    trend, recent = fit.parts.trend[: len(fit.y)], RECENT[fit.frequency]
    if len(trend) < 2 * recent:
        return np.zeros(fit.horizon)
    latest = (trend[-1] - trend[-1 - recent]) / recent
    whole = (trend[-1] - trend[0]) / (len(trend) - 1)
    return np.asarray((latest - whole) * np.cumsum(DAMPED ** np.arange(1, fit.horizon + 1)))


def _ramp(months: Floats, levers: Levers) -> Floats:
    """The share of full output that a change of headcount has after so many months."""
    if levers.headcount <= 0 or levers.ramp_months == 0:
        return np.ones(len(months))
    return np.minimum(months, levers.ramp_months) / levers.ramp_months
