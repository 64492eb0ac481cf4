"""Scenarios in totals: by month or quarter, against the base and the quota."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.forecasting.levers import Levers
from core.forecasting.scenarios import expected, sample_paths
from core.forecasting.steps import ends
from core.forecasting.transform import Floats

if TYPE_CHECKING:
    from core.forecasting.flow import Flow
    from core.forecasting.result import Fit

BASE = "base"
Booked = Callable[[date, date], float]
"""What was booked from a day until before another, in the series' unit, as far as it is known."""


def compare(
    fit: Fit,
    scenarios: Mapping[str, Levers],
    *,
    by: Literal["month", "quarter"],
    quota: Mapping[date, float] | None = None,
    year_starts_in: int = 1,
    flow: Flow | None = None,
    booked: Booked | None = None,
) -> pd.DataFrame:
    """Return totals by month or fiscal quarter for the base and each scenario.

    `quota`: by the first day of a month, in the series' unit; `year_starts_in`: the fiscal
    year's first month. A step over a border is shared by its days; what was booked earlier in
    the first period counts: by `booked` to the day, where it is known, else as the steps of the history have it.

    Columns: scenario str ("base" first), starts_on datetime64, total, lo, hi (80 %),
    difference (to the base), quota, gap (total - quota), chance (share of 400 paths that
    reach the quota; NaN without one) float64.
    """
    starts, known, shares = _periods(fit, by, year_starts_in)
    if booked is not None:
        months = 3 if by == "quarter" else 1
        stops = (starts + pd.DateOffset(months=months)).date
        known = np.array([landed(fit, booked, *days) for days in zip(starts.date, stops, strict=True)])
        if fit.near is not None:
            known -= shares[:, 0] * fit.near.booked[0]
    owed = _quotas(starts, by, quota or {})
    base = known + shares @ expected(fit)
    tables = []
    for name, levers in {BASE: Levers(), **scenarios}.items():
        total = known + shares @ expected(fit, levers, flow)
        paths = known + sample_paths(fit, levers, flow) @ shares.T
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


def landed(fit: Fit, booked: Booked, start: date, end: date) -> float:
    """Return what was booked in [start, end) of what is no forecast: to the day also in the step under way."""
    first = fit.future[0].date()
    until = ends(fit.future[:1], fit.frequency)[0].date() if fit.near is not None else first
    return booked(start, min(end, until))


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
