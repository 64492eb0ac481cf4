"""Prophet combined with exponential smoothing and Theta, as a correction on Prophet's components.

Source: docs/methods/forecast.md, "Members".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

import numpy as np

from core.forecasting.library import Model, library_forecasts
from core.forecasting.result import Components, Member
from core.forecasting.smoothing import damped_holt, theta
from core.forecasting.steps import Frequency
from core.forecasting.transform import Floats, Transform

if TYPE_CHECKING:
    from core.forecasting.backtest import Origin

LEVEL_WEIGHT, LEVEL_DECAY = 0.4, 0.98
DAMPED: Final = 0.9
LEAST_TO_PART: Final = 8
"""Steps from which on a correction of the season can be told from one of the level."""
WEIGHTS: Final[dict[Member, float]] = {"prophet": 0.5}
"""Of the members that do not count one."""

POWER: Final[dict[Frequency, float]] = {"month": 2.0, "week": 1.0, "day": 1.0}
"""How steeply weights fall with past errors."""

PLAIN: Final[dict[Frequency, tuple[Model, ...]]] = {
    "month": ("ets", "theta"),
    "week": ("ets", "theta", "theta_season"),
    "day": ("ets", "theta"),
}
SCALED: Final[dict[Frequency, tuple[Model, ...]]] = {
    "month": ("ets", "theta", "stl_ets", "stl_theta"),
    "week": ("ets", "theta"),
    "day": ("ets", "theta", "stl_ets", "stl_theta"),
}
"""The library's models of the series itself, and of its logarithm."""

Members = dict[Member, Floats]


def own_members(z: Floats, parts: Components) -> Members:
    """Forecasts on the modelled scale that rest on Prophet's season and calendar.

    prophet: its trend, corrected by the last residuals; theta_adjusted and holt_adjusted: the
    series without season and calendar, continued by Theta and by damped Holt.
    """
    count = len(z)
    horizon = len(parts.trend) - count
    swing = parts.seasonal + parts.holidays + parts.events
    adjusted = z - swing[:count]
    residuals = (adjusted - parts.trend[:count])[::-1]
    weights = LEVEL_WEIGHT * (1 - LEVEL_WEIGHT) ** np.arange(count)
    correction = float((residuals * weights).sum() / weights.sum())
    ahead = swing[count:]
    return {
        "prophet": ahead + parts.trend[count:] + correction * LEVEL_DECAY ** np.arange(1, horizon + 1),
        "theta_adjusted": ahead + theta(adjusted, horizon).forecast,
        "holt_adjusted": ahead + damped_holt(adjusted, horizon).forecast,
    }


def library_members(z: Floats, parts: Components, transform: Transform, frequency: Frequency) -> Members:
    """Forecasts of the library's models on the modelled scale.

    Effects of holidays and events, which they do not know, are taken out of the history first
    and laid on the forecast.
    """
    count = len(z)
    horizon = len(parts.trend) - count
    known = parts.holidays + parts.events
    clean = z - known[:count]
    scaled = transform.kind != "plain"
    found: Members = {}
    for model, ahead in library_forecasts(clean, horizon, frequency, SCALED[frequency]).items():
        found[_named(model, scaled=scaled)] = ahead + known[count:]
    if not scaled:
        return found
    y = transform.inverse(clean)
    least, most = float(y[y > 0].min()) / 5, 5 * float(y.max())
    for model, ahead in library_forecasts(y, horizon, frequency, PLAIN[frequency]).items():
        found[_named(model, scaled=False)] = transform.forward(np.clip(ahead, least, most)) + known[count:]
    return found


def learned_weights(
    origins: Sequence[Origin], y: Floats, value: Callable[[Floats], Floats], *, power: float = 1.0
) -> dict[Member, float]:
    """Weights that fall with a member's past error: (the median of all errors / its own) to the `power`.

    Errors are sums over the origins in the unit of the series, which `value` leads back to, as far as `y` is known.
    Members that one origin lacks have none. Source: Bates & Granger (1969).
    """
    errors: dict[Member, float] = {}
    everywhere = set.intersection(*(set(origin.members) for origin in origins)) if origins else set()
    for member in sorted(everywhere):
        errors[member] = 0.0
        for origin in origins:
            actual = y[origin.known :][: len(origin.forecast)]
            errors[member] += float(np.abs(value(origin.members[member])[: len(actual)] - actual).sum())
    middle = float(np.median(list(errors.values()))) if errors else 0.0
    if not middle > 0:
        return {}
    return {member: (middle / max(error, middle / 20)) ** power for member, error in errors.items()}


def blended(members: Members, learned: Mapping[Member, float] | None = None) -> Floats:
    """The weighted mean of the members on the modelled scale."""
    learned = learned or {}
    weights = [WEIGHTS.get(name, 1.0) * learned.get(name, 1.0) for name in members]
    return np.asarray(np.average(list(members.values()), axis=0, weights=weights))


def corrected(parts: Components, forecast: Floats) -> Components:
    """Return the components with a season and a level, in the steps ahead, that lead to `forecast`.

    What the forecast has beyond Prophet's parts is parted: what goes up and down is season, what runs smoothly is
    level, so that `seasonal` is the season of the forecast shown. Source: docs/methods/forecast.md, "Members".
    """
    count = len(parts.trend) - len(forecast)
    level, seasonal = np.zeros(len(parts.trend)), parts.seasonal.copy()
    beyond = forecast - replace(parts, level=level).total[count:]
    level[count:] = _smooth(beyond, seasonal[count:])
    seasonal[count:] += beyond - level[count:]
    return replace(parts, seasonal=seasonal, level=level)


def _smooth(beyond: Floats, season: Floats) -> Floats:
    """The part of `beyond` on a straight line and a fading curve, fitted beside the season; all where nothing tells."""
    horizon = len(beyond)
    if horizon < LEAST_TO_PART or np.ptp(season) == 0:
        return beyond
    ahead = np.arange(1.0, horizon + 1)
    columns = np.column_stack([np.ones(horizon), ahead / horizon, DAMPED**ahead, season / np.ptp(season)])
    found = np.linalg.lstsq(columns, beyond, rcond=None)[0]
    return np.asarray(columns[:, :3] @ found[:3])


def _named(model: Model, *, scaled: bool) -> Member:
    name = f"{model}_log" if scaled else model
    return next(member for member in get_args(Member) if member == name)
