"""The season of weekly bookings, learned from what was known at a past day: months, quarter ends, Spring Festival.

Source: docs/methods/forecast-pipeline.md, "Season".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from core.forecasting.calendar import festival_shares

if TYPE_CHECKING:
    from core.forecasting.transform import Floats

LAMBDA: Final = 4.0
"""Weeks wholly in a month, without any swing, that are added to each month's own."""
YEAR: Final = 52
BOUNDS: Final = (0.2, 4.0)


def calendar_columns(until: np.ndarray) -> Floats:
    """Return what the calendar says of the 7 days up to each day number of `until`, shape (weeks, 18).

    Shares of the days in each month of the year, in each month of a quarter, and before, during and after the Spring
    Festival.
    """
    days = (until[:, None] - np.arange(6, -1, -1)[None, :]).astype("datetime64[D]")
    month = days.astype("datetime64[M]").astype("int64") % 12
    of_year = (month[:, :, None] == np.arange(12)).mean(axis=1)
    of_quarter = (month[:, :, None] % 3 == np.arange(3)).mean(axis=1)
    steps = pd.DatetimeIndex(days[:, 0].astype("datetime64[s]"))
    ends = (days + np.timedelta64(7, "D")).astype("datetime64[M]") != days.astype("datetime64[M]")
    closing = np.column_stack([ends.mean(axis=1), (ends & (month % 3 == 2)).mean(axis=1)])
    festival = np.column_stack(list(festival_shares(steps, "week").values()))
    return np.asarray(np.column_stack([of_year, of_quarter, closing, festival]))


def season_index(booked: Floats, columns: Floats) -> Floats:
    """Return each week's size against the usual, 1 where nothing is known, of all weeks in `columns`.

    booked: of the first weeks, those that are known; the others are ahead. A ridge on the weeks over their year's mean:
    a month seen for y years moves by y / (y + LAMBDA / 4.3) of what it showed.
    """
    known = len(booked)
    if known < YEAR or not booked.any():
        return np.ones(len(columns))
    usual = _year_mean(booked)
    swing = np.where(usual > 0, booked / np.maximum(usual, 1e-9), 1.0) - 1
    middle = columns[:known].mean(axis=0)
    design = columns[:known] - middle
    gram = design.T @ design + LAMBDA * np.eye(columns.shape[1])
    effect = np.linalg.solve(gram, design.T @ swing)
    index: Floats = np.clip(1 + (columns - middle) @ effect, *BOUNDS)
    return index


def _year_mean(booked: Floats) -> Floats:
    """The mean of the 52 weeks around each week, of fewer at the ends but never less than 52."""
    sums = np.concatenate([[0.0], np.cumsum(booked)])
    first = np.clip(np.arange(len(booked)) - YEAR // 2, 0, len(booked) - YEAR)
    return np.asarray((sums[first + YEAR] - sums[first]) / YEAR)
