"""What stands in an address opens the same view again; what cannot be read is left out."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.domain.periods import FiscalCalendar, Period, Preset
from core.ui.filters import read_period

LAWS = settings(deadline=None, max_examples=100)
TODAY = date(2026, 7, 15)
SINCE = date(2024, 2, 3)
NUMBERS = st.sets(st.integers(1, 10**8), max_size=4).map(lambda found: tuple(sorted(found)))
SEGMENTS = st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), max_size=3)
FILTERS = st.builds(
    Filters, team_ids=NUMBERS, territory_ids=NUMBERS, product_ids=NUMBERS, channel_ids=NUMBERS, rep_ids=NUMBERS,
    segments=SEGMENTS.map(lambda found: tuple(sorted(found))), pipeline_id=st.none() | st.integers(1, 10**8),
)  # fmt: skip
DAYS = st.dates(date(1970, 1, 1), date(2089, 1, 1))
PERIODS = st.tuples(DAYS, st.integers(0, 4000)).map(lambda p: Period(p[0], p[0] + timedelta(days=p[1])))
CALENDARS = st.integers(1, 12).map(FiscalCalendar)
WORDS = st.text(max_size=12)


def _read(calendar: FiscalCalendar = FiscalCalendar(), **params: str) -> Period:  # noqa: B008 - frozen
    given_params = {name.strip("_"): [value] for name, value in params.items()}
    return read_period(given_params, calendar=calendar, today=TODAY, since=SINCE, default=Preset.THIS_QUARTER)


@LAWS
@given(FILTERS)
def test_filters_come_back_from_an_address_as_they_were(filters: Filters) -> None:
    params = filters.to_params()
    assert Filters.from_params(params) == filters
    assert Filters.from_params(parse_qs(urlencode(params, doseq=True), keep_blank_values=True)) == filters
    assert all(params.values()), "what is empty is not written"


@LAWS
@given(FILTERS, PERIODS, st.sampled_from(["booked", "lost", "created", "reached:5", "lost_at:5:2", "lost_at:5"]))
def test_a_selection_comes_back_as_it_was(filters: Filters, period: Period, measure: str) -> None:
    for selection in (
        Selection(measure, period, filters),
        Selection(measure, period, filters, "team", "12"),
        Selection(measure, period, filters, "segment", "none"),
    ):
        assert Selection.from_params(selection.to_params()) == selection


@LAWS
@given(st.dictionaries(st.sampled_from(["team", "rep", "product", "segment", "pipeline", "x"]), st.lists(WORDS)))
def test_filters_of_whatever_somebody_typed_never_fail(params: dict[str, list[str]]) -> None:
    found = Filters.from_params(params)
    assert Filters.from_params(found.to_params()) == found


@LAWS
@given(st.dictionaries(st.sampled_from(["measure", "from", "to", "by", "key", "team"]), WORDS))
def test_a_selection_of_whatever_somebody_typed_is_known_or_none(params: dict[str, str]) -> None:
    found = Selection.from_params(params)
    assert found is None or found.is_known


@pytest.mark.parametrize("preset", list(Preset))
def test_a_preset_in_the_address_is_that_period_today(preset: Preset) -> None:
    expected = FiscalCalendar().preset(preset, today=TODAY, since=SINCE)
    assert _read(period=str(preset)) == expected


@LAWS
@given(CALENDARS, st.integers(1971, 2100), st.integers(1, 4))
def test_a_quarter_in_the_address_is_the_fiscal_one(calendar: FiscalCalendar, year: int, number: int) -> None:
    assert _read(calendar, period=f"{year}Q{number}") == calendar.quarter(year, number)


@LAWS
@given(PERIODS)
def test_own_dates_come_back_as_they_were(period: Period) -> None:
    assert _read(from_=period.start.isoformat(), to=period.end.isoformat()) == period


@pytest.mark.parametrize(
    "params",
    [
        {}, {"period": ""}, {"period": "2026Q5"}, {"period": "Q3"}, {"period": "²026Q3"}, {"period": "99999999Q1"},
        {"period": "1900Q1"}, {"from_": "1901-01-01", "to": "2999-12-31"},
        {"period": "this-decade"}, {"from_": "2026-07-01"}, {"to": "2026-07-01"},
        {"from_": "2026-08-01", "to": "2026-07-01"}, {"from_": "2026-02-30", "to": "2026-03-01"},
        {"from_": "0001-01-01", "to": "0002-01-01"}, {"from_": "2026-01-01", "to": "9999-12-31"},
        {"from_": "yesterday", "to": "today"}, {"period": "<script>", "from_": "'; drop table deal"},
    ],
)  # fmt: skip
def test_an_address_that_names_no_period_opens_the_usual_one(params: dict[str, str]) -> None:
    assert _read(**params) == Period(date(2026, 7, 1), date(2026, 10, 1))


@LAWS
@given(CALENDARS, WORDS, WORDS, WORDS)
def test_every_address_opens_some_period_that_can_be_compared(
    calendar: FiscalCalendar, period: str, start: str, end: str
) -> None:
    found = _read(calendar, period=period, from_=start, to=end)
    assert calendar.before(found).end == found.start
    assert calendar.year_before(found).start < found.start


def test_of_a_preset_and_dates_the_preset_is_taken() -> None:
    assert _read(period="last-month", from_="2020-01-01", to="2020-02-01") == Period(date(2026, 6, 1), date(2026, 7, 1))
