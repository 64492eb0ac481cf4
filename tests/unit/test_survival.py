"""The product-limit estimator: equal to statsmodels', and lawful."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.survival import product_limit

STAYS = st.lists(st.tuples(st.integers(0, 30), st.booleans()), min_size=1, max_size=60)


def survival(stays):
    return product_limit([t for t, _over in stays], [int(o) for _t, o in stays], [int(not o) for _t, o in stays])


@settings(deadline=None, max_examples=60)
@given(stays=STAYS)
def test_it_is_the_survival_that_statsmodels_finds(stays):
    from statsmodels.duration.survfunc import SurvfuncRight

    theirs = SurvfuncRight([t + 1 for t, _over in stays], [int(over) for _t, over in stays])
    ours = survival([(t + 1, over) for t, over in stays])
    kept = theirs.n_events > 0
    assert ours.times.tolist() == theirs.surv_times[kept].tolist()
    assert ours.surviving == pytest.approx(theirs.surv_prob[kept])
    assert ours.at_risk.tolist() == theirs.n_risk[kept].tolist()


@settings(deadline=None, max_examples=60)
@given(stays=STAYS)
def test_without_censoring_it_is_the_share_that_lasts_longer(stays):
    ours = survival([(t, True) for t, _over in stays])
    for time in range(31):
        assert ours.beyond(time) == pytest.approx(np.mean([t > time for t, _over in stays]))
    for share in (0.5, 0.9):
        first = min(t for t, _o in stays if np.mean([u <= t for u, _p in stays]) >= share - 1e-9)
        assert ours.quantile(share) == first


@settings(deadline=None, max_examples=60)
@given(stays=STAYS, extra=st.integers(1, 20))
def test_who_was_still_there_at_the_end_makes_no_stay_shorter(stays, extra):
    plain, longer = survival(stays), survival([*stays, *[(31, False)] * extra])
    assert all(longer.beyond(t) >= plain.beyond(t) - 1e-12 for t in range(31))
    median, later = plain.quantile(0.5), longer.quantile(0.5)
    assert isnan(later) or later >= median


def test_a_median_that_nobody_reached_is_not_made_up():
    young = product_limit([3, 10, 10, 10], [1, 0, 0, 0], [0, 1, 1, 1])
    assert young.beyond(5) == 0.75
    assert isnan(young.quantile(0.5))
    assert isnan(product_limit([], [], []).quantile(0.5))


def test_counts_are_worth_as_many_rows():
    many = product_limit([2, 5, 9], [3, 0, 2], [0, 4, 1])
    rows = survival([(2, True)] * 3 + [(5, False)] * 4 + [(9, True)] * 2 + [(9, False)])
    assert many.surviving.tolist() == rows.surviving.tolist() == pytest.approx([0.7, 0.7 / 3])


@pytest.mark.parametrize("bad", [([1, 2], [1], [0]), ([1.0], [-1], [0])])
def test_what_is_no_table_of_stays_is_refused(bad):
    with pytest.raises(ValueError, match=r"differ|nought"):
        product_limit(*bad)
