"""Which lever matters most and how far one must go; the examples are those of docs/methods/scenarios.md."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecasting.levers import Levers
from core.forecasting.scenarios import apply, expected, sample_paths
from core.forecasting.what_matters import SOUGHT, at, seek, tornado
from tests.unit.test_forecasting_scenarios import flat, flows, levers, made, two_weeks


def test_the_most_telling_lever_stands_first():
    """Example: two weeks of 100; 10 % more wins give 20, more leads 4 + 8, a shorter cycle what it brings forward."""
    fit, flow = two_weeks()
    table = tornado(fit, Levers(), flow).set_index("lever")
    assert table.loc["win_rate", ["less", "more"]].tolist() == pytest.approx([-20, 20])
    assert table.loc["leads", ["less", "more"]].tolist() == pytest.approx([-12, 12])
    assert table.loc["cycle", "less"] > 0 > table.loc["cycle", "more"]
    assert table.loc["seasonality", "swing"] == 0
    assert table["swing"].is_monotonic_decreasing
    assert "capacity" not in table.index


def test_a_capacity_joins_the_tornado_where_one_is_set():
    """A month at 100 held to 80: a tenth more holds 88."""
    table = tornado(flat(horizon=1), Levers(capacity=80.0)).set_index("lever")
    assert table.loc["capacity", ["less", "more"]].tolist() == pytest.approx([-8, 8])
    assert table.loc["win_rate", "more"] == 0


def test_a_goal_is_met_by_the_least_change():
    """Example: 12 months of 100 and a quota of 1,320 need a win rate 10 % higher."""
    found = seek(flat(), Levers(), "win_rate", 1_320, between=(-0.5, 0.5))
    assert found.value == pytest.approx(0.10, abs=1e-5)
    assert found.reached >= 1_320


def test_a_goal_out_of_reach_says_how_far_one_comes():
    """Example: at +50 % it is 1,800; 2,000 is not to be had so."""
    found = seek(flat(), Levers(), "win_rate", 2_000, between=(-0.5, 0.5))
    assert found.value is None
    assert found.end == 0.5
    assert found.reached == pytest.approx(1_800)


def test_a_goal_that_is_met_anyway_is_met_at_the_sliders_far_end():
    assert seek(flat(), Levers(), "win_rate", 300, between=(-0.5, 0.5)).value == -0.5


@settings(deadline=None, max_examples=60)
@given(levers, flows(date(2027, 1, 1)), st.sampled_from(SOUGHT), st.floats(0.2, 3), st.booleans())
def test_what_is_found_reaches_the_goal_and_less_does_not(chosen, flow, lever, share, likely):
    fit = made()
    chosen = at(chosen, "capacity", None)
    goal = apply(fit, chosen, flow).total * share
    between = (-0.5, 0.5)
    found = seek(fit, chosen, lever, goal, flow, between=between, likely=likely)

    def reached(value: float) -> float:
        moved = at(chosen, lever, value)
        if likely:
            return float(np.quantile(sample_paths(fit, moved, flow).sum(axis=1), 0.2))
        return float(expected(fit, moved, flow).sum())

    if found.value is None:
        assert found.reached == reached(found.end) < goal
        return
    assert found.reached == reached(found.value) >= goal
    less = found.value + (0.001 if lever == "cycle" else -0.001)
    if between[0] <= less <= between[1]:
        assert reached(less) <= goal * (1 + 1e-9) + 1e-9
