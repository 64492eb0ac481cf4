"""The company's days of very many instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, cast
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from core.db.mirror_runs import Numbers

_DAY: Final = 86_400_000_000
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Days:
    """The days of a time zone."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._known: dict[int, int] = {}

    def of(self, instants: Numbers) -> Numbers:
        """Return the days since 1970 on which instants (microseconds since 1970, UTC) fall.

        The distance from UTC is looked up once a UTC day, and once an instant where it changes within that day.
        """
        if not len(instants):
            return instants
        days = _utc_days(instants)
        first, last = int(days.min()), int(days.max())
        dense = last - first < len(days)
        numbers = np.arange(first, last + 2) if dense else np.unique(np.concatenate([days, days + 1]))
        ahead = np.array([self._ahead_on(int(day)) for day in numbers])
        if (ahead == ahead[0]).all():
            return _utc_days(instants + ahead[0])
        place = days - first if dense else np.searchsorted(numbers, days)
        found = _utc_days(instants + ahead[place])
        changing = np.flatnonzero(ahead[place] != ahead[place + 1])
        if len(changing):
            found[changing] = [(each + self._ahead(each)) // _DAY for each in instants[changing].tolist()]
        return found

    def _ahead_on(self, day: int) -> int:
        if day not in self._known:
            self._known[day] = self._ahead(day * _DAY)
        return self._known[day]

    def _ahead(self, instant: int) -> int:
        offset = (_FIRST + timedelta(microseconds=instant)).astimezone(self._zone).utcoffset() or timedelta()
        return offset // timedelta(microseconds=1)


@cache
def days_in(zone: str) -> Days:
    """Return the days of a time zone, with what was looked up of them before."""
    return Days(zone)


def _utc_days(instants: Numbers) -> Numbers:
    days = pa.array(instants).view(pa.timestamp("us")).cast(pa.date32(), safe=False)
    return cast("Numbers", days.view(pa.int32()).to_numpy().astype(np.int64))
