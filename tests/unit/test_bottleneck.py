"""Changes of a step are found at the promised rate, and where nothing changed few are named: simulated, seeded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import isnan, sqrt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.analytics.bottleneck import (
    FAMILY_RATE,
    LEAST,
    POWER,
    Side,
    detectable,
    fisher,
    holm,
    newcombe,
    p_value,
    step_tests,
    worth,
)
from data.demo.calendar import DAY, Calendar
from data.demo.cast import make_cast
from data.demo.histories import live, openings
from data.demo.parameters import LOST, OPEN_STAGES, WON, TrueParameters

SIDES = st.integers(1, 40).flatmap(lambda n: st.integers(0, n).map(lambda x: Side(n, x)))


def test_the_interval_is_newcombes():
    """The worked examples of the paper, method 10: 56/70 against 48/80, 9/10 against 3/10, 10/10 against 0/20."""
    assert newcombe(Side(70, 56), Side(80, 48)) == pytest.approx((0.0524, 0.3339), abs=1e-4)
    assert newcombe(Side(10, 9), Side(10, 3)) == pytest.approx((0.1705, 0.8090), abs=1e-4)
    assert newcombe(Side(10, 10), Side(20, 0)) == pytest.approx((0.6791, 1.0), abs=1e-4)


@settings(deadline=None, max_examples=80)
@given(now=SIDES, before=SIDES)
def test_fishers_p_value_is_scipys_and_the_sides_are_equal(now, before):
    from scipy.stats import fisher_exact

    table = [[s.went_on, s.entered - s.went_on] for s in (now, before)]
    ours = fisher(now.went_on, now.entered, before.went_on, before.entered)
    assert ours == pytest.approx(fisher_exact(table).pvalue, abs=1e-9)
    assert p_value(now, before) == pytest.approx(p_value(before, now))
    low, high = newcombe(now, before)
    assert low - 1e-9 <= now.rate - before.rate <= high + 1e-9
    assert newcombe(before, now) == pytest.approx((-high, -low))


def test_the_score_test_is_the_chi_square_of_the_table():
    from scipy.stats import chi2_contingency

    table = [[96, 104], [124, 76]]
    assert p_value(Side(200, 96), Side(200, 124)) == pytest.approx(chi2_contingency(table, correction=False).pvalue)


def test_holms_correction_is_statsmodels():
    from statsmodels.stats.multitest import multipletests

    found = [0.01, 0.04, 0.03, 0.005, 0.6]
    assert holm(found) == pytest.approx(multipletests(found, method="holm")[1].tolist())
    assert holm([float("nan"), 0.03]) == [pytest.approx(float("nan"), nan_ok=True), 0.03]


def test_a_handful_is_not_compared():
    (test,) = step_tests([(Side(LEAST - 1, 0), Side(100, 90))])
    assert test.too_few
    assert not test.is_change
    assert isnan(test.detectable)


def test_what_a_fall_is_worth():
    """200 arrivals in 91.3125 days, 14 points fewer: 28 deals a quarter; at 5,000 won a deal that goes on: 140,000."""
    (test,) = step_tests([(Side(200, 96), Side(200, 124))])
    assert test.is_change
    found = worth(test, days=91, value_beyond=5_000)
    assert found.deals == pytest.approx(-28 * 91.3125 / 91)
    assert found.value == pytest.approx(found.deals * 5_000)


ARRIVED = (400, 310, 240, 180, 120)
RATES = (0.8, 0.62, 0.77, 0.7, 0.55)


def _runs(rng, count, now_rates, scale=1.0):
    """Yield the tests of `count` simulated pages: five steps, each side binomial."""
    sizes = [max(1, round(n * scale)) for n in ARRIVED]
    nows = np.array([rng.binomial(n, r, count) for n, r in zip(sizes, now_rates, strict=True)]).T
    befores = np.array([rng.binomial(n, r, count) for n, r in zip(sizes, RATES, strict=True)]).T
    for now, before in zip(nows.tolist(), befores.tolist(), strict=True):
        yield step_tests([(Side(n, a), Side(n, b)) for n, a, b in zip(sizes, now, before, strict=True)])


@pytest.mark.parametrize("scale", [0.1, 0.3, 1.0])
def test_where_nothing_changed_one_page_in_twenty_at_most_names_a_change(scale):
    """The family-wise rate, from pages with a dozen deals a step (exact tests) to those with hundreds."""
    count = 2_000
    alarms = sum(any(t.is_change for t in tests) for tests in _runs(np.random.default_rng(5), count, RATES, scale))
    margin = 3 * sqrt(FAMILY_RATE * (1 - FAMILY_RATE) / count)
    assert alarms / count <= FAMILY_RATE + margin


@pytest.mark.parametrize("step", range(5))
def test_a_planted_fall_of_the_detectable_size_is_found_as_often_as_promised(step):
    count = 600
    fall = detectable(ARRIVED[step], ARRIVED[step], RATES[step], tests=5)
    rates = [rate - (fall if place == step else 0) for place, rate in enumerate(RATES)]
    found = sum(tests[step].is_change for tests in _runs(np.random.default_rng(6), count, rates))
    assert found / count >= POWER - 3 * sqrt(POWER * (1 - POWER) / count)
    assert 0.05 < fall < 0.3


def test_a_fall_too_small_to_be_found_is_said_to_be_so():
    assert isnan(detectable(12, 12, 0.2, tests=5)), "even a fall to nought would be missed"
    few, many = (detectable(n, n, 0.6, tests=5) for n in (100, 1_000))
    assert 0.05 < many < few < 0.4


TRUE = TrueParameters(months=12, earlier_days=0, planted_effect=0.0)
UNTIL = date(2026, 6, 30)
FOLLOWED = 45


def _arrivals(seed, planted):
    """Return now and before of each step of a demo company, the last half year against the one before.

    `planted`: the change of the logit of going on from the third stage in the later half.
    """
    rng = np.random.default_rng(seed)
    halves = []
    for effect in (0.0, planted):
        rates = list(TRUE.advance_rates)
        rates[2] = 1 / (1 + np.exp(-(np.log(rates[2] / (1 - rates[2])) + effect)))
        true = replace(TRUE, advance_rates=tuple(rates))
        calendar = Calendar.of(UNTIL, ZoneInfo("Asia/Shanghai"), true)
        cast = make_cast(rng, calendar, reps=40, customers=1500)
        moves = live(rng, calendar, cast, openings(rng, calendar, 1_200)).moves
        halves.append(_steps(moves, calendar.end))
    return [(now, before) for before, now in zip(*halves, strict=True)]


def _steps(moves, end):
    """Count who arrived at each stage at least `FOLLOWED` days before the end, and who went on in that time."""
    never = np.iinfo(np.int64).max
    first = np.full((moves.deal.max() + 1, WON + 2), never)
    for stage in range(WON + 1):
        which = (moves.after >= stage) & (moves.after != LOST)
        np.minimum.at(first[:, stage], moves.deal[which], moves.at[which])
    sides = []
    for stage in range(len(OPEN_STAGES)):
        came = first[:, stage] < end - FOLLOWED * DAY
        went = came & (first[:, stage + 1] != never)
        went[went] = first[went, stage + 1] <= first[went, stage] + FOLLOWED * DAY
        sides.append(Side(int(came.sum()), int(went.sum())))
    return sides


def test_a_change_planted_in_the_demo_company_is_found_and_elsewhere_hardly_any():
    """Twelve companies with the change, twelve without: histories with skips, returns, reopenings, forgotten stays."""
    found = false = alarms = 0
    for seed in range(12):
        planted = step_tests(_arrivals(seed, -1.0))
        promised = abs(planted[2].difference) >= planted[2].detectable
        assert promised, "the planted change is as large as the promise is about"
        found += planted[2].is_change and planted[2].difference < 0
        false += any(test.is_change for place, test in enumerate(planted) if place != 2)
        alarms += any(test.is_change for test in step_tests(_arrivals(1_000 + seed, 0.0)))
    assert found >= 10, "four in five are promised"
    assert alarms <= 3, "one in twenty is promised: more than three of twelve happen once in 500 runs"
    assert false <= 3
