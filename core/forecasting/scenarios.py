"""What if: levers laid on the cached arrays of a fit. No lever fits anything again.

Source: docs/methods/scenarios.md; the letters below are its.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SalesError
from core.forecasting.calendar import Event, event_shares
from core.forecasting.result import Fit
from core.forecasting.steps import STEPS_A_YEAR, ends
from core.forecasting.transform import Floats
from core.i18n import N_

BASE = "base"


class LeverOutOfRange(SalesError):
    """A lever stands where its formula has no meaning."""

    text = N_("The lever {lever} must lie between {least} and {most}.")


@dataclass(frozen=True)
class Levers:
    """Changes against the base; every default is neutral. 0.1 is ten percent more.

    growth: a year, compounding from the first step; win_rate, average_deal: of the rate and
    the value themselves; headcount: of the people who sell, hires reaching full output in a
    straight line over `ramp_months`, leavers gone at once; seasonality: of the seasonal
    swing's size (-1 is flat); events: planned ones with a stated uplift.
    """

    growth: float = 0.0
    win_rate: float = 0.0
    average_deal: float = 0.0
    headcount: float = 0.0
    ramp_months: float = 6.0
    seasonality: float = 0.0
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        """Raise LeverOutOfRange where a formula would have no meaning."""
        for lever, least, most in (
            ("growth", -0.95, 10.0),
            ("win_rate", -1.0, 10.0),
            ("average_deal", -1.0, 10.0),
            ("headcount", -1.0, 10.0),
            ("ramp_months", 0.0, 60.0),
            ("seasonality", -1.0, 3.0),
        ):
            if not least <= getattr(self, lever) <= most:
                raise LeverOutOfRange(lever=lever, least=least, most=most)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as a saved scenario keeps them."""
        return {**vars(self), "events": [event.to_dict() for event in self.events]}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Levers:
        """The inverse of `to_dict`; levers that were not kept are neutral."""
        known = {field.name: kept[field.name] for field in fields(cls) if field.name in kept}
        return cls(**{**known, "events": tuple(map(Event.from_dict, kept.get("events", ())))})


@dataclass(frozen=True, eq=False)
class ScenarioResult:
    """frame: a row a future step: ds datetime64, yhat, lo, hi float64 in the series' unit."""

    frame: pd.DataFrame
    levers: Levers

    @property
    def total(self) -> float:
        """The sum over the horizon."""
        return float(self.frame["yhat"].sum())


def apply(fit: Fit, levers: Levers | None = None) -> ScenarioResult:
    """Lay `levers` on a fit; neutral levers give the base itself, bit for bit."""
    levers = levers or Levers()
    middle = _middle(fit, levers)
    factor = multiplier(fit, levers)
    frame = pd.DataFrame(
        {
            "ds": fit.future,
            "yhat": fit.value(middle) * factor,
            "lo": fit.value(middle - fit.below) * factor,
            "hi": fit.value(middle + fit.above) * factor,
        }
    )
    return ScenarioResult(frame, levers)


def multiplier(fit: Fit, levers: Levers) -> Floats:
    """Return what each future step is multiplied by (equations 1 to 4 and 6)."""
    ahead = np.arange(1, fit.horizon + 1)
    years = ahead / STEPS_A_YEAR[fit.frequency]
    factor = (1 + levers.growth) ** years
    factor = factor * (1 + levers.win_rate) * (1 + levers.average_deal)
    factor = factor * (1 + levers.headcount * _ramp(years * 12, levers))
    for event in levers.events:
        share = next(iter(event_shares(fit.future, fit.frequency, [event]).values()))
        factor = factor * (1 + (event.uplift or 0.0) * share)
    return np.asarray(factor)


def compare(
    fit: Fit,
    scenarios: Mapping[str, Levers],
    *,
    by: Literal["month", "quarter"],
    quota: Mapping[date, float] | None = None,
    year_starts_in: int = 1,
) -> pd.DataFrame:
    """Return totals by month or fiscal quarter for the base and each scenario.

    `quota`: by the first day of a month, in the series' unit; `year_starts_in`: the fiscal
    year's first month. A step over a border is shared by its days; what was booked earlier in
    the first period counts.

    Columns: scenario str ("base" first), starts_on datetime64, total, lo, hi (80 %),
    difference (to the base), quota, gap (total - quota), chance (share of 400 paths that
    reach the quota; NaN without one) float64.
    """
    starts, known, shares = _periods(fit, by, year_starts_in)
    owed = _quotas(starts, by, quota or {})
    base = known + shares @ apply(fit).frame["yhat"].to_numpy(dtype="float64")
    tables = []
    for name, levers in {BASE: Levers(), **scenarios}.items():
        total = known + shares @ apply(fit, levers).frame["yhat"].to_numpy(dtype="float64")
        paths = known + sample_paths(fit, levers) @ shares.T
        low, high = np.quantile(paths, (0.1, 0.9), axis=0)
        reached = (paths >= owed).mean(axis=0)
        tables.append(
            pd.DataFrame(
                {
                    "scenario": name,
                    "starts_on": starts,
                    "total": total,
                    "lo": np.minimum(low, total),
                    "hi": np.maximum(high, total),
                    "difference": total - base,
                    "quota": owed,
                    "gap": total - owed,
                    "chance": np.where(np.isnan(owed), np.nan, reached),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def sample_paths(fit: Fit, levers: Levers | None = None) -> Floats:
    """Return 400 ways it could go, shape (400, horizon), in the unit of the series."""
    levers = levers or Levers()
    return fit.value(_middle(fit, levers) + fit.noise) * multiplier(fit, levers)


def chance_to_reach(fit: Fit, quota: float, levers: Levers | None = None) -> float:
    """Return the share of paths whose sum over the horizon is at least `quota`."""
    return float((sample_paths(fit, levers).sum(axis=1) >= quota).mean())


def _middle(fit: Fit, levers: Levers) -> Floats:
    """The forecast on the modelled scale with the season scaled (equation 5)."""
    known = len(fit.y)
    return np.asarray(fit.parts.total[known:] + levers.seasonality * fit.parts.seasonal[known:])


def _ramp(months: Floats, levers: Levers) -> Floats:
    """The share of full output that a change of headcount has after so many months."""
    if levers.headcount <= 0 or levers.ramp_months == 0:
        return np.ones(len(months))
    return np.minimum(months, levers.ramp_months) / levers.ramp_months


def _periods(
    fit: Fit, by: Literal["month", "quarter"], year_starts_in: int
) -> tuple[pd.DatetimeIndex, Floats, NDArray[np.float64]]:
    """Starts of the periods that hold a future step, what is known of them, step shares."""
    months = 3 if by == "quarter" else 1
    stops = ends(fit.steps, fit.frequency)
    first = fit.future[0].replace(day=1)
    first = first - pd.DateOffset(months=(first.month - year_starts_in) % months)
    edges = pd.date_range(first, stops[-1] - pd.Timedelta(days=1), freq=f"{months}MS")
    bounds = _days(edges.append(pd.DatetimeIndex([edges[-1] + pd.DateOffset(months=months)])))
    begin, stop = _days(fit.steps), _days(stops)
    overlap = np.minimum(stop, bounds[1:, None]) - np.maximum(begin, bounds[:-1, None])
    shares = np.maximum(overlap, 0) / (stop - begin)
    known = len(fit.y)
    return edges, shares[:, :known] @ fit.y, shares[:, known:]


def _days(stamps: pd.Index[pd.Timestamp]) -> NDArray[np.int64]:
    return stamps.to_numpy().astype("datetime64[D]").astype("int64")


def _quotas(starts: pd.DatetimeIndex, by: Literal["month", "quarter"], quota: Mapping[date, float]) -> Floats:
    """The sum of the months' quotas in each period, NaN where one month has none."""
    months = 3 if by == "quarter" else 1
    owed = [[quota.get((start + pd.DateOffset(months=k)).date(), np.nan) for k in range(months)] for start in starts]
    return np.asarray(np.array(owed, dtype="float64").sum(axis=1))
