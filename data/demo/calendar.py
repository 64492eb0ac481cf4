"""The company's working days as arrays: weights of days, business hours, quarter ends, texts.

Instants are whole seconds since 1970 in UTC; days are numbered since 1970 in the company's zone,
whose distance from UTC is taken as that of the last day (China has kept +8 h since 1991).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.domain.periods import add_months
from data.demo.columns import Pairs, Words
from data.demo.parameters import TrueParameters
from data.demo.reference import SPRING_FESTIVALS

Seconds = NDArray[np.int64]
Days = NDArray[np.int64]
Texts = NDArray[Any]

DAY = 86_400
_EPOCH = date(1970, 1, 1)
_MARGIN = 900
_OPENS, _HOURS = 9 * 3600, int(9.5 * 3600)


def number(day: date) -> int:
    """Return how many days `day` lies after 1970-01-01."""
    return (day - _EPOCH).days


def day_numbered(count: int) -> date:
    """Return the day that lies `count` days after 1970-01-01."""
    return _EPOCH + timedelta(days=count)


@dataclass(frozen=True)
class Calendar:
    """The days from `start` to `until`, both included, in `zone`."""

    start: date
    until: date
    zone: ZoneInfo
    true: TrueParameters

    @classmethod
    def of(cls, until: date, zone: ZoneInfo, true: TrueParameters) -> Calendar:
        """Return the calendar of the `true.months` months before the month of `until`, and that month."""
        return cls(add_months(until.replace(day=1), -true.months), until, zone, true)

    @cached_property
    def first(self) -> int:
        """The number of the first day."""
        return number(self.start)

    @cached_property
    def earliest(self) -> int:
        """The number of the day before which nothing happened."""
        return self.first - self.true.earlier_days - 60

    @cached_property
    def last(self) -> int:
        """The number of the last day."""
        return number(self.until)

    @cached_property
    def offset(self) -> int:
        """Seconds that the zone is ahead of UTC."""
        ahead = datetime(self.until.year, self.until.month, self.until.day, 12, tzinfo=self.zone).utcoffset()
        return int(ahead.total_seconds()) if ahead else 0

    @cached_property
    def end(self) -> int:
        """The last second of business on the last day."""
        return self.at(self.last, _OPENS + _HOURS)

    def at(self, day: int, second: int) -> int:
        """Return the instant `second` seconds into `day`."""
        return day * DAY + second - self.offset

    def day_of(self, instants: Seconds) -> Days:
        """Return the days that instants fall on."""
        return (instants + self.offset) // DAY

    @cached_property
    def _days(self) -> list[date]:
        return [day_numbered(count) for count in range(self.earliest, self.last + _MARGIN)]

    @cached_property
    def weights(self) -> NDArray[np.float64]:
        """How many deals begin on each day of the history, up to a factor."""
        return self._weights(0, self.last - self.first + 1)

    @cached_property
    def earlier_weights(self) -> NDArray[np.float64]:
        """The same for the `earlier_days` before the history."""
        return self._weights(-self.true.earlier_days, 0)

    def _weights(self, begin: int, end: int) -> NDArray[np.float64]:
        true, found = self.true, []
        for index in range(begin, end):
            day = self.start + timedelta(days=index)
            weight = (1.0 + true.yearly_growth_rate) ** (index / 365.25) * true.month_weights[day.month - 1]
            weight *= true.weekend_weight if day.weekday() >= 5 else 1.0
            low, high = true.spring_festival_days
            if any(low <= (day - festival).days < high for festival in SPRING_FESTIVALS):
                weight *= true.spring_festival_weight
            if day.month == 10 and day.day <= 7:
                weight *= true.national_day_weight
            found.append(weight)
        return np.array(found)

    @cached_property
    def _shift(self) -> NDArray[np.int64]:
        """How many days each day's business moves: off weekends and the public holidays."""
        found = []
        for day in self._days:
            moved = day
            while True:
                since = [(moved - festival).days for festival in SPRING_FESTIVALS]
                if festive := [days for days in since if -1 <= days < 7]:
                    moved += timedelta(days=7 - festive[0] + day.day % 4)
                elif moved.weekday() == 5 and moved >= day and (moved - day).days == 0:
                    moved -= timedelta(days=1)
                elif moved.weekday() >= 5:
                    moved += timedelta(days=7 - moved.weekday())
                else:
                    break
            found.append((moved - day).days)
        return np.array(found)

    @cached_property
    def _quarter_ends(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        since, yearly = [], []
        for day in self._days:
            quarter = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
            since.append((day - quarter).days)
            yearly.append(quarter.month == 1)
        return np.array(since), np.array(yearly)

    def business(self, rng: np.random.Generator, instants: Seconds, after: Seconds) -> Seconds:
        """Move instants into business hours near them, and behind `after`."""
        days = np.minimum(self.day_of(instants), self.last + _MARGIN - 60)
        days = days + self._shift[days - self.earliest]
        moved = days * DAY + _OPENS + rng.integers(_HOURS, size=len(days)) - self.offset
        beyond = instants > self.end
        moved = np.where(beyond, np.maximum(instants, moved), moved)
        return np.where(moved > after, moved, after + rng.integers(600, 7200, size=len(days)))

    def pulled(self, rng: np.random.Generator, instants: Seconds, after: Seconds) -> Seconds:
        """Pull closings of a quarter's first days into the quarter before, where they began there."""
        days = np.minimum(self.day_of(instants), self.last + _MARGIN - 60)
        since, yearly = (values[days - self.earliest] for values in self._quarter_ends)
        rate = np.where(yearly, self.true.year_end_pull_rate, self.true.quarter_end_pull_rate)
        wanted = (since < self.true.pull_window_days) & (rng.random(len(days)) < rate)
        earlier = (days - since - 1 - rng.integers(0, 7, size=len(days))) * DAY + _OPENS - self.offset
        possible = wanted & (earlier > after)
        moved = self.business(rng, earlier, after)
        return np.where(possible & (self._month_before(moved, days, since)), moved, instants)

    def _month_before(self, moved: Seconds, days: Days, since: Days) -> NDArray[np.bool_]:
        return self.day_of(moved) < days - since

    @cached_property
    def days(self) -> Words:
        """The kind of a column of days, by number."""
        return Words([day.isoformat() for day in self._days], start=self.earliest)

    @cached_property
    def instants(self) -> Pairs:
        """The kind of a column of instants: UTC, to the microsecond."""
        return Pairs(self.days, Words(self._second_texts.tolist()))

    @cached_property
    def _day_texts(self) -> Texts:
        return np.array([day.isoformat() for day in self._days])

    def day_texts(self, days: Days) -> list[str]:
        """Return days as ISO texts."""
        found: list[str] = self._day_texts[days - self.earliest].tolist()
        return found

    @cached_property
    def _second_texts(self) -> Texts:
        return np.array([f" {s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}.000000" for s in range(DAY)])

    def instant_texts(self, instants: Seconds) -> list[str]:
        """Return instants as the tables keep them: UTC, to the microsecond."""
        days, seconds = np.divmod(instants, DAY)
        both = np.empty(len(instants), dtype=[("day", "U10"), ("second", "U16")])
        both["day"] = self._day_texts[days - self.earliest]
        both["second"] = self._second_texts[seconds]
        found: list[str] = both.view("U26").tolist()
        return found


def instant(seconds: int) -> datetime:
    """Return the aware UTC instant."""
    return datetime.fromtimestamp(int(seconds), tz=UTC)
