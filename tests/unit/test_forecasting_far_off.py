"""Single steps far off all others, by hand."""

import numpy as np
import pytest

from core.forecasting.far_off import far_off, limited


def test_a_step_far_off_counts_as_three_usual_deviations():
    """Example: around 100, half of the months 4 or more off: 2,000 counts as 100 + 3 * 1.4826 * 4 = 117.79."""
    y = np.array([96.0, 104.0, 100.0, 100.0] * 6 + [2000.0])
    assert far_off(y, "month").tolist() == [24]
    counted, places = limited(y, "month")
    assert places.tolist() == [24]
    assert counted[:24].tolist() == y[:24].tolist()
    assert counted[24] == pytest.approx(117.79, abs=0.01)


def test_where_a_year_before_lies_another_both_count_in_full():
    y = np.full(30, 100.0)
    y[[10, 22]] = 900
    assert far_off(y, "month").tolist() == [10, 22]
    counted, places = limited(y, "month")
    assert counted.tolist() == y.tolist()
    assert not len(places)
    y[10] = 400
    assert limited(y, "month")[0][22] == pytest.approx(100), "less than half as far off says nothing"


@pytest.mark.parametrize("y", [[], [0.0] * 20, [5.0] * 20, [1.0, 2.0, 90.0]])
def test_where_nothing_is_far_off_nothing_changes(y):
    counted, places = limited(np.array(y), "month")
    assert counted.tolist() == y
    assert not len(places)
