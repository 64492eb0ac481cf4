"""Which lever matters most and how far one must go; the examples are those of docs/methods/scenarios.md."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.periods import Period, add_months
from core.forecasting.levers import BOUNDS, Levers
from core.forecasting.scenarios import apply, expected, sample_paths
from core.forecasting.what_matters import SOUGHT, Counted, alike, at, seek, tornado
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


def test_a_quarter_counts_what_is_booked_in_it_and_says_so_where_no_value_reaches_the_goal():
    """Example: 100 booked in the quarter's first month, 100 a month ahead: 330 need +15 %, 3,000 no win rate brings."""
    fit = flat()
    first = fit.steps[len(fit.y) - 1].date()
    quarter = Counted.within(fit, Period(first, add_months(first, 3)))
    assert quarter.known == pytest.approx(100)
    found = seek(fit, Levers(), "win_rate", 330, between=(-0.5, 0.5), counted=quarter)
    assert found.value == pytest.approx(0.15, abs=1e-5)
    assert found.reached == pytest.approx(330, abs=1e-3)
    never = seek(fit, Levers(), "win_rate", 3_000, between=BOUNDS["win_rate"], counted=quarter)
    assert never.value is None
    assert never.reached == pytest.approx(2_300)


def test_a_cycle_is_sought_only_for_a_period_that_has_begun():
    """A shorter cycle brings a later month's bookings forward, out of that month."""
    fit = flat()
    ahead = fit.future[0].date()
    assert "cycle" in Counted.whole(fit).sought
    assert "cycle" in Counted.within(fit, Period(ahead, add_months(ahead, 2))).sought
    later = Period(add_months(ahead, 3), add_months(ahead, 6))
    assert Counted.within(fit, later).sought == tuple(lever for lever in SOUGHT if lever != "cycle")


def test_levers_that_multiply_all_that_is_to_come_are_said_to_be_alike():
    """Win rate, average deal and price without elasticity; with one the price stands apart; held at 1 the wins do."""
    flow = None
    assert set(alike(tornado(flat(), Levers(), flow))) == {"win_rate", "average_deal", "price", "leads"}
    fit, flow = two_weeks()
    assert set(alike(tornado(fit, Levers(), flow))) == {"win_rate", "average_deal", "price"}
    assert set(alike(tornado(fit, Levers(elasticity=-1.5), flow))) == {"win_rate", "average_deal"}
    assert set(alike(tornado(fit, Levers(), flow, step=0.5))) == {"average_deal", "price"}
    assert alike(tornado(flat(horizon=1), Levers(capacity=0.0))) == ()


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
        assert found.reached < goal
        assert found.reached == pytest.approx(reached(found.end), rel=1e-12)
        return
    assert found.reached >= goal
    assert found.reached == pytest.approx(reached(found.value), rel=1e-12)
    less = found.value + (0.001 if lever == "cycle" else -0.001)
    if between[0] <= less <= between[1]:
        assert reached(less) <= goal * (1 + 1e-9) + 1e-9
