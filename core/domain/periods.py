"""Half-open periods of days and the company's fiscal calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


@dataclass(frozen=True, order=True)
class Period:
    """The days from `start` up to, not including, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            message = f"a period cannot end ({self.end}) before it starts ({self.start})"
            raise ValueError(message)

    @property
    def days(self) -> int:
        """The number of days inside."""
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        """The last day inside; the day before the start of an empty period."""
        return self.end - timedelta(days=1)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def instants(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the period's two ends as UTC instants, days being those of `zone`."""
        return day_start(self.start, zone), day_start(self.end, zone)

    def elapsed_rate(self, today: date) -> float:
        """Return the share of the days that are over on the morning after `today`."""
        if self.days == 0:
            return 1.0
        over = (min(max(today + timedelta(days=1), self.start), self.end) - self.start).days
        return over / self.days

    def months(self) -> list[date]:
        """Return the first day of each month that the period touches."""
        months, month = [], self.start.replace(day=1)
        while month < self.end:
            months.append(month)
            month = add_months(month, 1)
        return months


class Preset(StrEnum):
    """Named periods, relative to a day."""

    THIS_MONTH = "this-month"
    LAST_MONTH = "last-month"
    THIS_QUARTER = "this-quarter"
    LAST_QUARTER = "last-quarter"
    THIS_YEAR = "this-year"
    LAST_YEAR = "last-year"
    LAST_12_MONTHS = "last-12-months"
    ALL = "all"


@dataclass(frozen=True)
class FiscalCalendar:
    """A year that begins on the first day of `first_month`; year N is the one it ends in.

    A calendar that begins in January names its year by that January.
    """

    first_month: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.first_month <= 12:
            message = f"no month has the number {self.first_month}"
            raise ValueError(message)

    def year_of(self, day: date) -> int:
        """Return the fiscal year that `day` lies in."""
        return day.year + (1 if self.first_month > 1 and day.month >= self.first_month else 0)

    def year(self, number: int) -> Period:
        """Return the days of the fiscal year `number`."""
        start = date(number - (1 if self.first_month > 1 else 0), self.first_month, 1)
        return Period(start, add_months(start, 12))

    def quarter_of(self, day: date) -> tuple[int, int]:
        """Return the fiscal year and quarter (1 to 4) that `day` lies in."""
        return self.year_of(day), (day.month - self.first_month) % 12 // 3 + 1

    def quarter(self, year: int, number: int) -> Period:
        """Return the days of quarter `number` (1 to 4) of the fiscal year."""
        start = add_months(self.year(year).start, 3 * (number - 1))
        return Period(start, add_months(start, 3))

    def preset(self, preset: Preset, *, today: date, since: date | None = None) -> Period:
        """Return the period that `preset` names on `today`; ALL starts at `since`."""
        month = today.replace(day=1)
        this_quarter = self.quarter(*self.quarter_of(today))
        this_year = self.year(self.year_of(today))
        periods = {
            Preset.THIS_MONTH: Period(month, add_months(month, 1)),
            Preset.LAST_MONTH: Period(add_months(month, -1), month),
            Preset.THIS_QUARTER: this_quarter,
            Preset.LAST_QUARTER: Period(add_months(this_quarter.start, -3), this_quarter.start),
            Preset.THIS_YEAR: this_year,
            Preset.LAST_YEAR: Period(add_months(this_year.start, -12), this_year.start),
            Preset.LAST_12_MONTHS: Period(add_months(month, -11), add_months(month, 1)),
            Preset.ALL: Period(min(since or this_year.start, today), today + timedelta(days=1)),
        }
        return periods[preset]

    def before(self, period: Period) -> Period:
        """Return the period of the same length that ends where `period` starts.

        Whole months go back by months, so that a quarter is compared with a quarter.
        """
        if period.start.day == 1 and period.end.day == 1:
            count = (period.end.year - period.start.year) * 12 + period.end.month - period.start.month
            return Period(add_months(period.start, -count), period.start)
        return Period(period.start - timedelta(days=period.days), period.start)

    def year_before(self, period: Period) -> Period:
        """Return the same days one year earlier."""
        return Period(add_months(period.start, -12), add_months(period.end, -12))


def add_months(day: date, count: int) -> date:
    """Return `day` moved by `count` months, kept inside the month it lands in."""
    index = day.year * 12 + day.month - 1 + count
    year, month = divmod(index, 12)
    month += 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (following - timedelta(days=1)).day))


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which `day` begins in `zone`."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the day that `instant` falls on in `zone`."""
    return instant.astimezone(zone).date()
