"""Volume, mix and price add up to the change, whatever the parts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as some

from core.analytics.why import Effects, Part, effects, movers

amounts = some.integers(0, 10**12)


@some.composite
def some_parts(draw):
    found = []
    for number in range(draw(some.integers(0, 6))):
        before, after = draw(some.integers(0, 40)), draw(some.integers(0, 40))
        found.append(
            Part(str(number), "", before, draw(amounts) if before else 0, after, draw(amounts) if after else 0)
        )
    return found


@settings(deadline=None)
@given(some_parts())
def test_the_effects_add_up_to_the_cent(parts):
    taken = effects(parts)
    assert taken.volume + taken.mix + taken.price == sum(part.change for part in parts)


@settings(deadline=None)
@given(some_parts())
def test_with_one_part_there_is_no_mix(parts):
    for part in parts:
        if part.count_before:
            assert abs(effects([part]).mix) <= 1, "but for a rounded cent"


def test_as_many_deals_of_the_same_sizes_elsewhere_are_mix_alone():
    assert effects([Part("a", "", 2, 200, 1, 100), Part("b", "", 2, 100, 3, 150)]) == Effects(0, -50, 0)


def test_the_parts_that_moved_most_come_first_and_still_ones_never():
    parts = [Part("a", "", 1, 10, 1, 10), Part("b", "", 1, 10, 1, 5), Part("c", "", 1, 10, 2, 40)]
    assert [part.key for part in movers(parts)] == ["c", "b"]
