"""Money adds up: to the cent, whatever it is split or converted by."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.money import allocate, convert, from_minor, to_minor

LAWS = settings(deadline=None, max_examples=100)

MINOR = st.integers(-(10**17), 10**17)
WEIGHTS = st.lists(st.integers(0, 10**12), max_size=20)
AMOUNTS = st.decimals(Decimal(-(10**12)), Decimal(10**12), places=4)


@LAWS
@given(MINOR)
def test_hundredths_come_back_as_they_were(minor: int) -> None:
    assert to_minor(from_minor(minor)) == minor


@LAWS
@given(AMOUNTS)
def test_an_amount_is_rounded_to_the_nearest_hundredth(amount: Decimal) -> None:
    assert abs(from_minor(to_minor(amount)) - amount) <= Decimal("0.005")


def test_half_a_hundredth_is_rounded_up() -> None:
    assert to_minor(Decimal("0.005")) == 1
    assert to_minor(Decimal("2.675")) == 268
    assert to_minor(Decimal("-0.005")) == -1
    assert to_minor(Decimal("99999999999999.99")) == 9_999_999_999_999_999


@LAWS
@given(MINOR, WEIGHTS)
def test_the_parts_add_up_to_the_whole(total: int, weights: list[int]) -> None:
    parts = allocate(total, weights)
    assert len(parts) == len(weights)
    assert sum(parts) == (total if weights else 0)


@LAWS
@given(st.integers(0, 10**15), WEIGHTS)
def test_no_part_is_a_hundredth_or_more_from_its_share(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    if whole:
        for part, weight in zip(allocate(total, weights), weights, strict=True):
            assert abs(part * whole - total * weight) < whole


@LAWS
@given(st.integers(0, 10**15), WEIGHTS)
def test_what_weighs_nothing_gets_nothing(total: int, weights: list[int]) -> None:
    if sum(weights):
        assert all(part == 0 for part, weight in zip(allocate(total, weights), weights, strict=True) if weight == 0)


@LAWS
@given(st.integers(0, 10**15), WEIGHTS)
def test_who_weighs_more_gets_no_less(total: int, weights: list[int]) -> None:
    ordered = sorted(weights)
    parts = allocate(total, ordered)
    assert all(light <= heavy + 1 for light, heavy in pairwise(parts))


def test_the_hundredths_left_over_go_to_the_largest_remainders_the_earlier_first() -> None:
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(10, [0, 0]) == [5, 5]
    assert allocate(11, [0, 0]) == [6, 5]
    assert allocate(100, [2, 3, 6]) == [18, 27, 55]
    assert allocate(5, []) == []
    assert sum(allocate(-7, [1, 2])) == -7


@LAWS
@given(AMOUNTS)
def test_at_a_rate_of_one_an_amount_is_itself_to_the_cent(amount: Decimal) -> None:
    assert to_minor(convert(amount, rate=Decimal(1))) == to_minor(amount)


def test_a_foreign_amount_by_hand() -> None:
    assert convert(Decimal("1234.56"), rate=Decimal("7.1234")) == Decimal("8794.26")
    assert convert(Decimal("0.01"), rate=Decimal("0.5")) == Decimal("0.01")
