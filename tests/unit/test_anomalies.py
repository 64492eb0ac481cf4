"""The expected range of a week: the promised rate of false alarms, and falls that are found; simulated."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.anomalies import (
    FALSE_ALARMS,
    LEAST_DECIDED,
    LEAST_WEEKS,
    LEVEL_WEEKS,
    MOST_WEEKS,
    amounts_expected,
    rates_expected,
)
from core.settings import PROJECT_ROOT

COMPANIES = 400
WEEKS = MOST_WEEKS


def _counts(dice: np.random.Generator) -> np.ndarray:
    return dice.poisson(30, WEEKS).astype(float)


def _seasonal(dice: np.random.Generator) -> np.ndarray:
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(WEEKS) / 52)
    return dice.poisson(30 * season).astype(float)


def _growing(dice: np.random.Generator) -> np.ndarray:
    return dice.poisson(20 * 1.2 ** (np.arange(WEEKS) / 52)).astype(float)


def _money(dice: np.random.Generator) -> np.ndarray:
    return np.array([dice.lognormal(10, 1, deals).sum() for deals in dice.poisson(8, WEEKS)])


@pytest.mark.parametrize("draw", [_counts, _seasonal, _growing, _money])
def test_where_nothing_changed_false_alarms_stay_at_the_promised_rate(draw) -> None:
    dice = np.random.default_rng(20_260_715)
    alarms = [amounts_expected(draw(dice))[-1].unusual for _company in range(COMPANIES)]
    assert np.mean(alarms) <= FALSE_ALARMS + 2.6 * np.sqrt(FALSE_ALARMS * (1 - FALSE_ALARMS) / COMPANIES)


def test_false_alarms_are_not_bought_by_never_alarming() -> None:
    dice = np.random.default_rng(7)
    alarms = [week.unusual for _c in range(60) for week in amounts_expected(_counts(dice)) if week.known]
    assert 0.4 * FALSE_ALARMS <= np.mean(alarms) <= 1.5 * FALSE_ALARMS


def test_a_week_of_fewer_than_half_the_deals_is_found_four_times_in_five() -> None:
    dice = np.random.default_rng(3)
    found = 0
    for _company in range(200):
        values = _counts(dice)
        values[-1] = dice.poisson(12)
        found += amounts_expected(values)[-1].unusual
    assert found >= 160, "12 instead of 30"


def test_win_rates_alarm_as_promised_and_a_fall_to_a_third_is_found() -> None:
    dice = np.random.default_rng(5)
    alarms, found = [], 0
    for _company in range(200):
        decided = dice.poisson(25, WEEKS)
        won = dice.binomial(decided, 0.4)
        alarms.append(rates_expected(won.tolist(), decided.tolist())[-1].unusual)
        decided[-1], won[-1] = 40, dice.binomial(40, 0.1)
        found += rates_expected(won.tolist(), decided.tolist())[-1].unusual
    assert np.mean(alarms) <= FALSE_ALARMS + 2.6 * np.sqrt(FALSE_ALARMS * (1 - FALSE_ALARMS) / 200)
    assert found >= 180


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e9), max_size=90))
def test_a_range_rests_on_enough_weeks_and_never_on_later_ones(values) -> None:
    whole = amounts_expected(values)
    assert not any(week.known for week in whole[: LEVEL_WEEKS + LEAST_WEEKS])
    assert all(0 <= week.low <= week.expected <= week.high for week in whole if week.known)
    cut = amounts_expected(values[:70])
    assert [repr(week) for week in cut] == [repr(week) for week in whole[:70]]


def test_holiday_weeks_are_not_judged_and_do_not_widen_the_range() -> None:
    dice = np.random.default_rng(9)
    values = _counts(dice)
    free = set(range(6, WEEKS, 52)) | set(range(40, WEEKS, 52))
    values[sorted(free)] = 0
    judged = amounts_expected(values, free)
    assert not any(judged[place].known for place in free)
    assert judged[-1].low > amounts_expected(values)[-1].low


def test_weeks_with_few_decisions_are_not_judged() -> None:
    weeks = rates_expected([2] * 99 + [0], [5] * 99 + [LEAST_DECIDED - 1])
    assert not weeks[-1].known
    assert not weeks[-1].unusual


def test_the_worked_example_comes_out() -> None:
    text = (PROJECT_ROOT / "docs/methods/expected-range.md").read_text(encoding="utf-8")
    known = {"amounts_expected": amounts_expected, "rates_expected": rates_expected}
    example = doctest.DocTestParser().get_doctest(text, known, "expected-range", None, 0)
    said: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert outcome.attempted > 1
    assert outcome.failed == 0, "".join(said)
