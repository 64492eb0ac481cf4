"""What the calendar of China and the company's own events say about each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

import holidays
import numpy as np
import pandas as pd

from core.forecasting.steps import Frequency, ends, overlap_share
from core.forecasting.transform import Floats

FESTIVAL = "Chinese New Year (Spring Festival)"
BEFORE, DURING, AFTER = 14, 7, 14
"""Days before the eve, from the eve on, and after that."""

SUBSTITUTE = "Day off (substituted"


@dataclass(frozen=True)
class Event:
    """A promotion, a fair, a launch: `name` on the days [starts_on, ends_on).

    Events of one name share one effect, learned from those in the history. Where the company
    expects more or has seen none yet, `uplift` states the effect (0.2 is 20 % more a day).
    """

    name: str
    starts_on: date
    ends_on: date
    uplift: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "starts_on": self.starts_on.isoformat(),
            "ends_on": self.ends_on.isoformat(),
            "uplift": self.uplift,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Event:
        """The inverse of `to_dict`."""
        start, end = date.fromisoformat(kept["starts_on"]), date.fromisoformat(kept["ends_on"])
        return cls(kept["name"], start, end, kept["uplift"])


@cache
def spring_festival(year: int) -> date | None:
    """Return the first day of the lunar year, None beyond the tables (1901-2099)."""
    for day, name in sorted(_public_holidays(year).items()):
        if name.startswith(FESTIVAL) and "observed" not in name and day.month <= 2:
            return day
    return None


def festival_shares(steps: pd.DatetimeIndex, frequency: Frequency) -> dict[str, Floats]:
    """Return the share of each step's days before, during and after the Spring Festival."""
    stops = ends(steps, frequency)
    shares = {name: np.zeros(len(steps)) for name in ("before", "during", "after")}
    for year in range(steps[0].year, stops[-1].year + 1):
        first = spring_festival(year)
        if first is None:
            continue
        eve = first - timedelta(days=1)
        over = eve + timedelta(days=DURING)
        shares["before"] += overlap_share(steps, stops, eve - timedelta(days=BEFORE), eve)
        shares["during"] += overlap_share(steps, stops, eve, over)
        shares["after"] += overlap_share(steps, stops, over, over + timedelta(days=AFTER))
    return shares


def holiday_shares(steps: pd.DatetimeIndex, frequency: Frequency) -> dict[str, Floats]:
    """Return the share of each step's days that are a public holiday, one entry a holiday.

    The Spring Festival is left to `festival_shares`; substitute days off, which the calendar
    names by date, are one entry, and observed days count to their holiday.
    """
    starts = steps.to_numpy().astype("datetime64[D]")
    stops = ends(steps, frequency).to_numpy().astype("datetime64[D]")
    shares: dict[str, Floats] = {}
    for year in range(steps[0].year, steps[-1].year + 1):
        for day, name in _public_holidays(year).items():
            key = _family(name)
            place = int(np.searchsorted(starts, np.datetime64(day, "D"), side="right")) - 1
            if key is None or place < 0 or np.datetime64(day, "D") >= stops[place]:
                continue
            length = (stops[place] - starts[place]).astype(int)
            shares.setdefault(key, np.zeros(len(steps)))[place] += 1 / length
    return shares


def event_shares(steps: pd.DatetimeIndex, frequency: Frequency, events: Sequence[Event]) -> dict[str, Floats]:
    """Return the share of each step's days in the events of each name, at most 1."""
    stops = ends(steps, frequency)
    shares: dict[str, Floats] = {}
    for event in events:
        share = overlap_share(steps, stops, event.starts_on, event.ends_on)
        known = shares.get(event.name)
        shares[event.name] = share if known is None else np.minimum(known + share, 1.0)
    return shares


@cache
def _public_holidays(year: int) -> dict[date, str]:
    return dict(holidays.country_holidays("CN", years=[year], language="en_US").items())


_FAMILIES: Final = (
    "New Year's Day",
    "Tomb-Sweeping Day",
    "Labor Day",
    "Dragon Boat Festival",
    "Mid-Autumn Festival",
    "National Day",
)


def _family(name: str) -> str | None:
    """The holiday that a calendar entry belongs to."""
    if "Chinese New Year" in name:
        return None
    if name.startswith(SUBSTITUTE):
        return "substitute"
    return next((family for family in _FAMILIES if family in name), None)
