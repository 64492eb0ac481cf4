"""The gate of the open deals, weighed against what full fits really said in the past, wherever they did.

Source: docs/methods/forecast-pipeline.md, "Weights and gate".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from core.forecasting.near_term import gates
from core.forecasting.pipeline import WEEKS
from core.forecasting.steps import ends

if TYPE_CHECKING:
    from core.forecasting.near_term import NearTerm
    from core.forecasting.result import Fit
    from core.forecasting.transform import Floats

WEEK: Final = 7


def gauged(near: NearTerm | None, fit: Fit) -> NearTerm | None:
    """Return the near term with the fit's own past forecasts for the series, and the weights that follow from them.

    On days from which the fit has none, or no longer one as new as a fit of that day would have been, the level with
    its season goes on standing in. The same near term where the fit looked at no past forecasts.
    """
    if near is None or fit.backtest is None:
        return near
    origins = np.sort(near.weeks["origin"].unique())
    shape = (len(origins), WEEKS)
    last = int(np.datetime64(near.last, "D").astype("int64"))
    said = said_by(fit, last - WEEK * (origins[-1] - origins))
    said[-1] = np.nan
    if np.isnan(said).all():
        return near
    told = near.weeks.sort_values(["origin", "week"], kind="stable", ignore_index=True)
    series, opened, new, actual = (
        told[name].to_numpy(dtype="float64").reshape(shape) for name in ("series", "open", "new_share", "actual")
    )
    series = np.where(np.isnan(said), series, said)
    weight = gates(opened + new * series, series, actual)
    weeks = told.assign(series=series.ravel(), weight=weight.ravel())
    return replace(near, weeks=weeks, flow=replace(near.flow, weights=weight[-1]))


def said_by(fit: Fit, days: np.ndarray) -> Floats:
    """Return what a fit's past forecasts said of the weeks after each day number, NaN where they did not.

    Shape (days, WEEKS). A forecast speaks from the day on which its last step known was complete until its first step
    ahead is: then a newer one would have been made. A step's value is spread evenly over its days.
    """
    found = np.full((len(days), WEEKS), np.nan)
    if fit.backtest is None:
        return found
    for begun, part in fit.backtest.frame.groupby("origin", sort=True):
        known_until = _numbers(ends(pd.DatetimeIndex([begun]), fit.frequency))[0]
        stops = _numbers(ends(pd.DatetimeIndex(part["ds"]), fit.frequency))
        edges = np.concatenate([[known_until], stops])
        daily = np.repeat(part["forecast"].to_numpy(dtype="float64") / np.diff(edges), np.diff(edges))
        sums = np.concatenate([[0.0], np.cumsum(daily)])
        for place in np.flatnonzero((days + 1 >= known_until) & (days + 1 < stops[0])):
            after = int(days[place]) + 1 - known_until + WEEK * np.arange(WEEKS + 1)
            reached = int((after < len(sums)).sum())
            found[place, : reached - 1] = np.diff(sums[after[:reached]])
    return found


def _numbers(days: pd.DatetimeIndex) -> np.ndarray:
    return days.to_numpy().astype("datetime64[D]").astype("int64")
