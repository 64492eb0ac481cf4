"""A plan's months are spread over people to the cent; the examples are those of docs/methods/plan.md."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.plans import capacity, counting, level_of, line_of, present_share, spread

JULY = date(2026, 7, 1)


def test_a_hundred_in_three_equal_parts_gives_the_first_the_cent_that_is_over():
    assert spread(Decimal(100), [1, 1, 1]) == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]


def test_parts_go_by_what_was_booked_and_evenly_where_nobody_booked_anything():
    assert spread(Decimal(1_000), [300_00, 100_00]) == [Decimal(750), Decimal(250)]
    assert spread(Decimal(1_000), [0, 0]) == [Decimal(500), Decimal(500)]


@settings(deadline=None, max_examples=200)
@given(
    st.decimals(0, 10**9, places=2, allow_nan=False),
    st.lists(st.floats(0, 1e9), min_size=1, max_size=40),
)
def test_the_parts_add_up_to_the_cent_and_none_is_below_zero(amount, weights):
    parts = spread(amount, weights)
    assert sum(parts) == amount
    assert all(part >= 0 for part in parts)


def test_somebody_who_joins_in_the_middle_is_there_for_the_rest_of_the_month():
    assert present_share(JULY, joined_on=date(2026, 7, 17), left_on=None) == pytest.approx(15 / 31)
    assert present_share(JULY, joined_on=None, left_on=date(2026, 7, 1)) == 0
    assert present_share(JULY, joined_on=date(2026, 8, 1), left_on=None) == 0


def test_new_people_count_by_their_ramp():
    """Joined on 1 May, ramp 6 months: at the middle of July 76 days are gone, 76 / 30.44 / 6 = 0.416."""
    assert capacity(JULY, joined_on=date(2026, 5, 1), left_on=None, ramp_months=6) == pytest.approx(0.416, abs=0.0005)
    assert capacity(JULY, joined_on=date(2020, 5, 1), left_on=None, ramp_months=6) == 1
    assert capacity(JULY, joined_on=None, left_on=None, ramp_months=6) == 1
    assert capacity(JULY, joined_on=date(2026, 7, 1), left_on=None, ramp_months=0) == 1


@settings(deadline=None, max_examples=100)
@given(st.dates(date(2025, 1, 1), date(2026, 8, 15)), st.floats(0, 24))
def test_capacity_never_exceeds_a_whole_person_and_never_falls_from_month_to_month(joined_on, ramp):
    months = [date(2026, month, 1) for month in range(1, 13)]
    found = [capacity(month, joined_on=joined_on, left_on=None, ramp_months=ramp) for month in months]
    assert all(0 <= value <= 1 for value in found)
    assert found == sorted(found)


HEAD, EAST, EAST_ONE, WEST = 1, 2, 3, 4
ABOVE = {HEAD: None, EAST: HEAD, EAST_ONE: EAST, WEST: HEAD}


def test_the_level_looked_at_is_the_lowest_team_that_holds_everybody():
    assert line_of(EAST_ONE, ABOVE) == [EAST_ONE, EAST, HEAD]
    assert level_of([EAST_ONE], ABOVE) == EAST_ONE
    assert level_of([EAST, EAST_ONE], ABOVE) == EAST
    assert level_of([EAST_ONE, WEST], ABOVE) == HEAD
    assert level_of([EAST, None], ABOVE) is None
    assert level_of([], ABOVE) is None


def test_the_nearest_plan_above_counts_month_by_month():
    """The east's own plan of July counts for the east and below; in August the company's does, as for everybody."""
    august = date(2026, 8, 1)
    in_force = {None: {JULY: 10, august: 10}, EAST: {JULY: 20}}
    assert counting(EAST, in_force, ABOVE) == {JULY: 20, august: 10}
    assert counting(EAST_ONE, in_force, ABOVE) == {JULY: 20, august: 10}
    assert counting(WEST, in_force, ABOVE) == {JULY: 10, august: 10}
    assert counting(HEAD, in_force, ABOVE) == counting(None, in_force, ABOVE) == {JULY: 10, august: 10}
    assert counting(None, {EAST: {JULY: 20}}, ABOVE) == {}
