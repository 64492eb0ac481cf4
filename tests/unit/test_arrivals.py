"""Rows that two statements gave are put together by number."""

from __future__ import annotations

import numpy as np
import pytest

from core.analytics.flow_ways import Flow
from core.analytics.funnel_steps import BEFORE, DECIDED, NOW, SOON, WON, Alike, alike
from core.analytics.numbers import is_among, places_among

NOTHING = np.zeros(0, np.int64)


@pytest.mark.parametrize("most", [9, 2_000_000, 2**31 - 1, 2**40])
def test_numbers_are_found_in_any_order_and_strangers_are_not(most):
    known = np.array([most, 3, 7])
    assert places_among(known, np.array([7, most, 4, 3, most - 1])).tolist() == [2, 0, -1, 1, -1]
    assert places_among(known, NOTHING).tolist() == []


def test_among_nothing_nothing_is_found():
    assert places_among(NOTHING, np.array([0, 1, 2**31])).tolist() == [-1, -1, -1]


@pytest.mark.parametrize("most", [9, 2_000_000, 2**40])
def test_numbers_are_looked_for_among_known_ones_that_may_be_told_twice(most):
    known = np.array([most, 3, 3, 7, most])
    asked = np.array([7, most, 4, 3, most - 1, -1])
    assert is_among(asked, known).tolist() == np.isin(asked, known).tolist() == [True, True, False, True, False, False]
    assert not is_among(asked, NOTHING).any()
    assert is_among(NOTHING, known).size == 0


def test_arrivals_are_counted_by_side_and_of_known_deals_alone():
    went, stood = 1_024 * 1 + 3, 1_024 * 1 + 2
    arrived = {"deal_id": np.array([8, 9, 8, 5]), "kind": np.array([went, went, stood, went]) * 16}
    arrived["kind"] += np.array([SOON + 8, SOON + 8, 0, SOON])
    deals = {"id": np.array([9, 8]), "value": np.array([2**60, 5]), "kind": np.array([DECIDED + WON, DECIDED + WON])}
    assert alike(arrived, deals) == [
        Alike(BEFORE, 1, 2, DECIDED + WON, 1, 5),
        Alike(NOW, 1, 3, SOON + DECIDED + WON, 2, 2**60 + 5),
    ]


def test_where_nobody_arrived_nothing_is_counted():
    arrived = {"deal_id": NOTHING, "kind": NOTHING}
    assert alike(arrived, {"id": NOTHING, "value": NOTHING, "kind": NOTHING}) == []
    flow = Flow([(0, 1)], {"deal_id": NOTHING, "from_id": NOTHING, "to_id": NOTHING}, {"id": NOTHING, "value": NOTHING})
    assert flow.of([(0, 1)]) == (0, 0, 0)
