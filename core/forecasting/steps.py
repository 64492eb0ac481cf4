"""The steps of a series: days, weeks from Monday, and months."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Frequency = Literal["day", "week", "month"]
Days = NDArray[np.datetime64]

PANDAS: Final[dict[Frequency, str]] = {"day": "D", "week": "W-MON", "month": "MS"}
SEASON: Final[dict[Frequency, int]] = {"day": 7, "week": 52, "month": 12}
STEPS_A_YEAR: Final[dict[Frequency, float]] = {
    "day": 365.25,
    "week": 365.25 / 7,
    "month": 12.0,
}


def step_start(day: date, frequency: Frequency) -> date:
    """Return the first day of the step that contains `day`."""
    if frequency == "month":
        return day.replace(day=1)
    if frequency == "week":
        return day - timedelta(days=day.weekday())
    return day


def steps_from(first: date, count: int, frequency: Frequency) -> pd.DatetimeIndex:
    """Return `count` step starts from `first`, which is one itself."""
    return pd.date_range(pd.Timestamp(first), periods=count, freq=PANDAS[frequency]).as_unit("ns")


def ends(starts: pd.DatetimeIndex, frequency: Frequency) -> pd.DatetimeIndex:
    """Return the first day after each step."""
    if frequency == "month":
        return starts + pd.DateOffset(months=1)
    return starts + pd.Timedelta(days=7 if frequency == "week" else 1)


def overlap_share(starts: pd.DatetimeIndex, stops: pd.DatetimeIndex, first: date, last: date) -> NDArray[np.float64]:
    """Return the share of each step's days that lie in [first, last)."""
    from_, to = np.datetime64(first, "D"), np.datetime64(last, "D")
    begin = starts.to_numpy().astype("datetime64[D]")
    stop = stops.to_numpy().astype("datetime64[D]")
    days = (np.minimum(stop, to) - np.maximum(begin, from_)).astype("int64")
    shares: NDArray[np.float64] = np.maximum(days, 0) / (stop - begin).astype("int64")
    return shares
