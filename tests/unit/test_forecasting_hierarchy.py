"""Forecasts of a whole and its parts add up, and what is known well moves least."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecasting.hierarchy import Equation, ReconcilingFailed, reconciled, reconciled_apart


def test_a_gap_is_shared_by_the_squared_errors():
    """The worked example of docs/methods/all-series.md."""
    base = np.array([[100.0], [30.0], [50.0]])
    made = reconciled(base, np.array([10.0, 10.0, 20.0]), [Equation(0, (1, 2))])
    assert made[:, 0] == pytest.approx([100 - 20 / 6, 30 + 20 / 6, 50 + 80 / 6])


def test_what_adds_up_already_stays_as_it_is():
    base = np.array([[100.0, 80.0], [40.0, 50.0], [60.0, 30.0]])
    assert reconciled(base, np.array([5.0, 1.0, 9.0]), [Equation(0, (1, 2))]) == pytest.approx(base)


def test_without_an_equation_nothing_moves():
    base = np.array([[3.0], [4.0]])
    assert np.array_equal(reconciled(base, np.array([1.0, 1.0]), []), base)


def test_a_part_that_would_fall_below_zero_stands_at_zero_and_the_others_take_it():
    base = np.array([[50.0], [70.0], [1.0]])
    made = reconciled(base, np.array([1.0, 10.0, 10.0]), [Equation(0, (1, 2))])[:, 0]
    assert made[2] == 0
    assert made[0] == pytest.approx(made[1])
    assert 50 < made[0] < 51


def test_a_series_known_for_certain_does_not_move():
    made = reconciled(np.array([[90.0], [40.0], [0.0]]), np.array([10.0, 10.0, 0.0]), [Equation(0, (1, 2))])[:, 0]
    assert made[2] == pytest.approx(0, abs=1e-3)
    assert made[0] == pytest.approx(made[1], abs=1e-3) == pytest.approx(65)


def test_parts_of_several_kinds_add_up_to_one_whole():
    """Teams in a tree, and products, of the same company."""
    equations = [Equation(0, (1, 2)), Equation(1, (3, 4)), Equation(0, (5, 6, 7))]
    base = np.array([[100.0], [55.0], [50.0], [20.0], [30.0], [10.0], [70.0], [15.0]])
    made = reconciled(base, np.full(8, 4.0), equations)[:, 0]
    for equation in equations:
        assert made[equation.whole] == pytest.approx(made[list(equation.parts)].sum())


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 5), st.booleans())
def test_every_equation_holds_and_nothing_falls_below_zero(seed, products, steps, some_certain):
    random = np.random.default_rng(seed)
    count = 1 + 2 + 2 + products
    equations = [
        Equation(0, (1, 2)),
        Equation(1, (3, 4)),
        Equation(0, tuple(range(5, 5 + products))),
    ]
    base = random.gamma(0.5, 1e6, (count, steps))
    spread = random.gamma(1.0, 1e5, count) * (random.random(count) > 0.3 if some_certain else 1.0)
    made = reconciled(base, spread, equations)
    assert made.min() >= 0
    for equation in equations:
        assert made[equation.whole] == pytest.approx(made[list(equation.parts)].sum(axis=0), rel=1e-6, abs=1e-2)


def test_a_process_of_its_own_gives_the_same_numbers():
    random = np.random.default_rng(1)
    base, spread = random.gamma(2, 1e5, (4, 3)), random.gamma(2, 1e3, 4)
    equations = [Equation(0, (1, 2, 3))]
    assert np.array_equal(reconciled_apart(base, spread, equations), reconciled(base, spread, equations))


def test_a_process_that_fails_says_why():
    with pytest.raises(ReconcilingFailed, match="IndexError"):
        reconciled_apart(np.ones((2, 1)), np.ones(2), [Equation(0, (7,))])
