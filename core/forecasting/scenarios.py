"""What if: levers laid on the cached arrays of a fit. No lever fits anything again.

Source: docs/methods/scenarios.md; the letters below are its.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from core.forecasting.calendar import event_shares
from core.forecasting.flow import carried, remaining
from core.forecasting.levers import NEUTRAL, Levers
from core.forecasting.steps import STEPS_A_YEAR, Frequency, ends

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    ends_of_band = np.stack([np.zeros(fit.horizon), -fit.below, fit.above])
    yhat, low, high = laid(fit, _values(fit, ends_of_band, levers, flow), levers, flow)
    return ScenarioResult(pd.DataFrame({"ds": fit.future, "yhat": yhat, "lo": low, "hi": high}), levers)


def expected(fit: Fit, levers: Levers | None = None, flow: Flow | None = None) -> Floats:
    """Return the middle of `apply` alone, shape (horizon,)."""
    levers = levers or NEUTRAL
    return laid(fit, _values(fit, np.zeros(fit.horizon), levers, flow), levers, flow)


def laid(fit: Fit, values: Floats, levers: Levers, flow: Flow | None = None) -> Floats:
    """Return values of the future steps, shape (any, horizon), with all levers but the season's and the trend's.

    What is booked in a step under way stays: levers act on the rest alone, as if the whole step went on like it.
    """
    if levers.neutral:
        return values
    found = values * multiplier(fit, levers, flow)
    booked = _booked(fit, flow)
    kept: Floats = np.zeros(values.shape[:-1])
    if flow is not None and booked is not None:
        left = float(remaining(fit.future[:1], fit.frequency, flow.start)[0])
        rest = np.maximum(values[..., 0] - booked[0], 0.0)
        to_come = rest * float(_pace(fit, levers)[0]) * (1 + (float(_events(fit, levers)[0]) - 1) / left)
        found[..., 0] = to_come / left
        kept = values[..., 0] - rest - (1 - left) / left * to_come
    if levers.moves_pipeline:
        if flow is None:
            found = found * (levers.wins * (1 + levers.leads))
        else:
            found = found @ carried(fit.future, fit.frequency, flow, levers).T
    found[..., 0] += kept
    if levers.capacity is not None:
        most = levers.capacity * months_in(fit.future, fit.frequency)
        found = np.minimum(found, most if booked is None else np.maximum(most, booked))
    return np.asarray(found)


def _booked(fit: Fit, flow: Flow | None) -> Floats | None:
    """What each future step has already, the one under way alone has any; None where that is unknown."""
    return None if fit.near is None or flow is None else fit.near.booked


def multiplier(fit: Fit, levers: Levers, flow: Flow | None = None) -> Floats:
    """Return what each future step is multiplied by: growth, value, people and events."""
    left = remaining(fit.future, fit.frequency, flow.start if flow else None)
    return np.asarray((1 + left * (_pace(fit, levers) - 1)) * _events(fit, levers))


def _pace(fit: Fit, levers: Levers) -> Floats:
    """What growth, value and people multiply each day of a step by."""
    ahead = np.arange(1, fit.horizon + 1)
    years = ahead / STEPS_A_YEAR[fit.frequency]
    factor = (1 + levers.growth) ** years
    factor = factor * (1 + levers.average_deal) * (1 + levers.price)
    return np.asarray(factor * (1 + levers.headcount * _ramp(years * 12, levers)))


def _events(fit: Fit, levers: Levers) -> Floats:
    """What planned events multiply each step by."""
    factor = np.ones(fit.horizon)
    for event in levers.events:
        share = next(iter(event_shares(fit.future, fit.frequency, [event]).values()))
        factor = factor * (1 + (event.uplift or 0.0) * share)
    return np.asarray(factor)


def months_in(future: pd.DatetimeIndex, frequency: Frequency) -> Floats:
    """Return how much of a month each step is: its days over those of the month in which it begins."""
    days = (ends(future, frequency) - future).days.to_numpy()
    return np.asarray(days / future.days_in_month.to_numpy(), dtype="float64")


def sample_paths(fit: Fit, levers: Levers | None = None, flow: Flow | None = None) -> Floats:
    """Return 400 ways it could go, shape (400, horizon), in the unit of the series; their mean is the forecast.

    On a logarithm errors up are larger than errors down: the paths of each step are scaled to the middle, so that bands
    of totals lie about the total, whatever steps it is made of.
    """
    levers = levers or NEUTRAL
    paths = laid(fit, _values(fit, fit.noise, levers, flow), levers, flow)
    middle, mean = expected(fit, levers, flow), paths.mean(axis=0)
    booked = _booked(fit, flow)
    if booked is not None:
        middle, mean = middle - booked, mean - booked
    scale = np.divide(middle, mean, out=np.ones(fit.horizon), where=(mean > 0) & (middle >= 0))
    scale = np.minimum(scale, 1.0)
    return np.asarray(paths * scale if booked is None else paths * scale + booked * (1 - scale))


def chance_to_reach(fit: Fit, quota: float, levers: Levers | None = None, flow: Flow | None = None) -> float:
    """Return the share of paths whose sum over the horizon is at least `quota`."""
    return float((sample_paths(fit, levers, flow).sum(axis=1) >= quota).mean())


def _values(fit: Fit, beside: NDArray[np.floating[Any]], levers: Levers, flow: Flow | None) -> Floats:
    """The forecast with the season scaled and the trend's latest turn weighed anew, in the unit of the series.

    beside: how far from the middle on the modelled scale, shape (any, horizon). Of a step under way only the days that
    are left move.
    """
    known = len(fit.y)
    total = fit.parts.total[known:]
    middle = total + levers.seasonality * fit.parts.seasonal[known:]
    if levers.flexibility:
        middle = middle + levers.flexibility * turn(fit)
    found = np.asarray(fit.value(middle + beside))
    if levers.seasonality or levers.flexibility:
        left = remaining(fit.future, fit.frequency, flow.start if flow else None)
        begun = left < 1
        base = fit.value((total + beside)[..., begun])
        part = left[begun]
        if (booked := _booked(fit, flow)) is not None:
            part = np.clip((base - booked[begun]) / np.where(base > 0, base, 1.0), 0.0, 1.0)
        found[..., begun] = base + part * (found[..., begun] - base)
    return found


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
