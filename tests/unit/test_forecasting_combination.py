"""What the combination is made of: members, their weights, and the calendar that enters."""

import numpy as np
import pandas as pd
import pytest

from core.forecasting.backtest import Origin, band
from core.forecasting.calendar import festival_shares
from core.forecasting.combination import POWER, blended, corrected, learned_weights
from core.forecasting.library import library_forecasts
from core.forecasting.relevance import explains
from core.forecasting.result import Components


def test_a_member_twice_as_far_off_counts_half_and_of_months_a_quarter():
    y = np.full(12, 10.0)
    members = {"ets": np.array([11.0, 9.0]), "theta": np.array([12.0, 8.0]), "holt_adjusted": np.array([12.0, 12.0])}
    origin = Origin(10, np.array([10.0, 10.0]), np.zeros(2), members)
    weights = learned_weights([origin], y, lambda z: z)
    assert weights == pytest.approx({"ets": 2.0, "theta": 1.0, "holt_adjusted": 1.0})
    assert blended(members, weights) == pytest.approx([(22 + 12 + 12) / 4, (18 + 8 + 12) / 4])
    squared = learned_weights([origin], y, lambda z: z, power=POWER["month"])
    assert squared == pytest.approx({"ets": 4.0, "theta": 1.0, "holt_adjusted": 1.0})
    assert learned_weights([], y, lambda z: z) == {}


def test_prophets_own_path_counts_half():
    assert blended({"prophet": np.array([4.0]), "ets": np.array([1.0])}) == pytest.approx([2.0])


def test_the_level_leads_the_components_to_the_forecast_and_leaves_the_history_alone():
    parts = Components.of(np.arange(6.0), np.tile([1.0, -1.0], 3))
    moved = corrected(parts, np.array([7.0, 7.0]))
    assert moved.total.tolist() == [*parts.total[:4], 7.0, 7.0]
    assert moved.level[:4].tolist() == [0.0] * 4


@pytest.mark.parametrize("share", [0.0, 0.3, 1.5])
def test_the_season_of_the_components_is_that_of_the_forecast(share):
    """A combination that keeps only a share of Prophet's season, on another level, has that share as its season."""
    season = np.tile(np.sin(np.arange(12) * np.pi / 6), 4)
    parts = Components.of(np.linspace(0.0, 1.0, 48), season)
    ahead = np.arange(1, 13)
    smooth = parts.trend[36:] + 0.2 + 0.01 * ahead - 0.1 * 0.9**ahead
    moved = corrected(parts, smooth + share * season[36:])
    assert moved.total[36:] == pytest.approx(smooth + share * season[36:])
    assert moved.seasonal[36:] == pytest.approx(share * season[36:], abs=1e-9)
    assert moved.total[:36].tolist() == parts.total[:36].tolist()


@pytest.mark.parametrize("y", [np.zeros(30), np.full(30, 5.0), np.array([1.0, 2.0]), np.r_[np.zeros(29), 1.0]])
def test_the_library_never_raises_and_answers_numbers_or_nothing(y):
    for ahead in library_forecasts(y, 4, "month", ("ets", "theta", "stl_ets")).values():
        assert ahead.shape == (4,)
        assert np.isfinite(ahead).all()


@pytest.mark.parametrize("seed", range(5))
def test_the_festival_enters_only_where_it_tells_something(seed):
    steps = pd.date_range("2019-01-01", periods=60, freq="MS")
    shares = list(festival_shares(steps, "month").values())
    noise = np.random.default_rng(seed).normal(0, 0.03, 60)
    season = 0.2 * np.sin(np.arange(60) * np.pi / 6)
    assert explains(season + noise - shares[1], shares, "month")
    assert not explains(np.roll(season + noise, 1), [np.zeros(60)], "month")


def test_noise_seldom_lets_the_festival_in():
    steps = pd.date_range("2019-01-01", periods=60, freq="MS")
    shares = list(festival_shares(steps, "month").values())
    random = np.random.default_rng(8)
    assert sum(explains(random.normal(0, 1, 60), shares, "month") for _series in range(200)) <= 8


def test_later_past_forecasts_count_more_for_the_band():
    far = Origin(40, np.zeros(3), np.full(3, 9.0))
    near = [Origin(40 + k, np.zeros(3), np.full(3, 1.0)) for k in (1, 2, 3, 4)]
    calm = band([far, *near], np.array([0.1]), horizon=1).width[0]
    wild = band([*near, far], np.array([0.1]), horizon=1).width[0]
    assert calm < wild
