"""The product-limit estimator: how long something lasts where part of it has not ended yet.

Source: E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations", Journal of the American
Statistical Association 53 (1958), 457-481. docs/methods/time-in-stage.md, eq. 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Survival:
    """The share that lasts beyond each time at which one ended; times ascend, shares fall."""

    times: NDArray[np.float64]
    surviving: NDArray[np.float64]
    at_risk: NDArray[np.int64]

    def quantile(self, rate: float) -> float:
        """Return the first time by which at least `rate` of all ended; NaN where that is not reached yet."""
        reached = np.flatnonzero(self.surviving <= 1.0 - rate + _ROUNDING)
        return float(self.times[reached[0]]) if len(reached) else nan

    def beyond(self, time: float) -> float:
        """Return the share that lasts longer than `time`."""
        place = int(np.searchsorted(self.times, time, side="right"))
        return float(self.surviving[place - 1]) if place else 1.0


def product_limit(times: ArrayLike, ended: ArrayLike, lasting: ArrayLike) -> Survival:
    """Return the survival of what `ended` (counts) at `times`, or was still `lasting` (counts) when last seen then.

    Times may repeat, in any order, in any unit. What was last seen at the instant at which another ended was at risk
    then. Raises ValueError where the three differ in length or a count is below nought.
    """
    at = np.asarray(times, dtype=np.float64)
    deaths, censored = (np.asarray(counts, dtype=np.int64) for counts in (ended, lasting))
    if not at.shape == deaths.shape == censored.shape or at.ndim != 1:
        raise ValueError("times and counts differ in length")
    if len(at) and min(int(deaths.min()), int(censored.min())) < 0:
        raise ValueError("a count lies below nought")
    moments, place = np.unique(at, return_inverse=True)
    d = np.bincount(place, weights=deaths, minlength=len(moments)).astype(np.int64)
    gone = d + np.bincount(place, weights=censored, minlength=len(moments)).astype(np.int64)
    at_risk = gone[::-1].cumsum()[::-1]
    which = d > 0
    surviving = np.cumprod(1.0 - d[which] / at_risk[which])
    return Survival(moments[which], surviving, at_risk[which])
