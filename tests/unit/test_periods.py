"""Half-open periods and fiscal calendars: laws that hold for every day and every first month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.periods import FiscalCalendar, Period, Preset, add_months, day_of, day_start

LAWS = settings(deadline=None, max_examples=80)

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
CALENDARS = st.integers(1, 12).map(FiscalCalendar)
PERIODS = st.tuples(DAYS, st.integers(0, 800)).map(lambda p: Period(p[0], p[0] + timedelta(days=p[1])))
ZONES = st.sampled_from(["Asia/Shanghai", "UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"]).map(ZoneInfo)
DAY = timedelta(days=1)


@LAWS
@given(CALENDARS, DAYS)
def test_the_quarters_tile_the_year_and_the_years_tile_time(calendar: FiscalCalendar, day: date) -> None:
    year = calendar.year_of(day)
    whole = calendar.year(year)
    assert day in whole
    quarters = [calendar.quarter(year, number) for number in (1, 2, 3, 4)]
    assert quarters[0].start == whole.start
    assert quarters[3].end == whole.end == calendar.year(year + 1).start
    assert all(one.end == following.start for one, following in pairwise(quarters))
    assert sum(quarter.days for quarter in quarters) == whole.days
    assert all(len(quarter.months()) == 3 for quarter in quarters)


@LAWS
@given(CALENDARS, DAYS)
def test_a_day_lies_in_the_quarter_that_is_named_for_it_and_in_no_other(calendar: FiscalCalendar, day: date) -> None:
    year, number = calendar.quarter_of(day)
    holding = [(y, n) for y in (year - 1, year, year + 1) for n in (1, 2, 3, 4) if day in calendar.quarter(y, n)]
    assert holding == [(year, number)]
    assert calendar.year(year).start.month == calendar.first_month


@LAWS
@given(CALENDARS, DAYS)
def test_a_fiscal_year_is_named_for_the_year_in_which_it_ends(calendar: FiscalCalendar, day: date) -> None:
    year = calendar.year_of(day)
    assert calendar.year(year).last_day.year == year
    assert FiscalCalendar().year(year) == Period(date(year, 1, 1), date(year + 1, 1, 1))


@LAWS
@given(CALENDARS, PERIODS)
def test_the_period_before_ends_where_this_one_starts(calendar: FiscalCalendar, period: Period) -> None:
    before = calendar.before(period)
    assert before.end == period.start
    if period.start.day == 1 and period.end.day == 1:
        assert len(before.months()) == len(period.months())
    else:
        assert before.days == period.days


@LAWS
@given(CALENDARS, DAYS)
def test_a_quarter_is_compared_with_the_quarter_before_and_with_last_years(calendar: FiscalCalendar, day: date) -> None:
    year, number = calendar.quarter_of(day)
    quarter = calendar.quarter(year, number)
    last = (year, number - 1) if number > 1 else (year - 1, 4)
    assert calendar.before(quarter) == calendar.quarter(*last)
    assert calendar.year_before(quarter) == calendar.quarter(year - 1, number)


@LAWS
@given(CALENDARS, DAYS, st.none() | DAYS)
def test_presets_hold_today_or_end_where_the_running_one_starts(
    calendar: FiscalCalendar, today: date, since: date | None
) -> None:
    found = {preset: calendar.preset(preset, today=today, since=since) for preset in Preset}
    for running in ("this-month", "this-quarter", "this-year", "last-12-months", "all"):
        assert today in found[Preset(running)]
    for span in ("month", "quarter", "year"):
        assert found[Preset(f"last-{span}")] == calendar.before(found[Preset(f"this-{span}")])
    assert len(found[Preset.LAST_12_MONTHS].months()) == 12
    assert found[Preset.ALL].last_day == today
    assert since is None or since >= today or found[Preset.ALL].start == since


@LAWS
@given(PERIODS, DAYS)
def test_the_share_of_time_that_is_over_grows_from_nothing_to_all(period: Period, today: date) -> None:
    over = period.elapsed_rate(today)
    assert 0 <= over <= 1
    assert over <= period.elapsed_rate(today + DAY)
    if period.days:
        assert period.elapsed_rate(period.start - DAY) == 0
        assert period.elapsed_rate(period.last_day) == 1
        assert period.elapsed_rate(period.start) == pytest.approx(1 / period.days)


def test_a_period_holds_its_first_day_and_not_its_end() -> None:
    july = Period(date(2026, 7, 1), date(2026, 8, 1))
    assert (date(2026, 7, 1) in july, date(2026, 7, 31) in july) == (True, True)
    assert (date(2026, 6, 30) in july, date(2026, 8, 1) in july) == (False, False)
    assert (july.days, july.last_day) == (31, date(2026, 7, 31))
    assert july.elapsed_rate(date(2026, 7, 15)) == pytest.approx(15 / 31)


def test_a_period_does_not_end_before_it_starts_and_may_be_empty() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        Period(date(2026, 7, 2), date(2026, 7, 1))
    empty = Period(date(2026, 7, 1), date(2026, 7, 1))
    assert (empty.days, empty.months(), empty.elapsed_rate(date(2026, 7, 1))) == (0, [], 1.0)


@pytest.mark.parametrize("first_month", [0, 13, -1])
def test_a_calendar_begins_in_one_of_twelve_months(first_month: int) -> None:
    with pytest.raises(ValueError, match="no month"):
        FiscalCalendar(first_month)


def test_a_year_from_april_by_hand() -> None:
    april = FiscalCalendar(4)
    assert april.year(2027) == Period(date(2026, 4, 1), date(2027, 4, 1))
    assert april.quarter_of(date(2026, 3, 31)) == (2026, 4)
    assert april.quarter_of(date(2026, 4, 1)) == (2027, 1)
    assert april.quarter(2027, 4) == Period(date(2027, 1, 1), date(2027, 4, 1))


@LAWS
@given(DAYS, st.integers(-60, 60))
def test_months_are_added_within_the_month_they_land_in(day: date, count: int) -> None:
    moved = add_months(day, count)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == count
    assert moved.day == day.day or (moved + DAY).day == 1
    assert add_months(day.replace(day=1), count).day == 1


def test_the_end_of_january_moves_to_the_end_of_february() -> None:
    assert add_months(date(2024, 1, 31), 1) == date(2024, 2, 29)
    assert add_months(date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert add_months(date(2024, 2, 29), 12) == date(2025, 2, 28)


@LAWS
@given(DAYS, ZONES)
def test_a_day_begins_at_its_first_instant_in_the_companys_zone(day: date, zone: ZoneInfo) -> None:
    start = day_start(day, zone)
    assert start.tzinfo is UTC
    assert day_of(start, zone) == day
    assert day_of(start - timedelta(microseconds=1), zone) == day - DAY


@LAWS
@given(PERIODS, ZONES)
def test_a_periods_instants_meet_those_of_the_next(period: Period, zone: ZoneInfo) -> None:
    start, end = period.instants(zone)
    assert start <= end
    assert Period(period.end, period.end + DAY).instants(zone)[0] == end


def test_the_evening_in_greenwich_is_tomorrow_in_shanghai() -> None:
    shanghai = ZoneInfo("Asia/Shanghai")
    assert day_of(datetime(2026, 6, 30, 16, tzinfo=UTC), shanghai) == date(2026, 7, 1)
    assert day_start(date(2026, 7, 1), shanghai) == datetime(2026, 6, 30, 16, tzinfo=UTC)
