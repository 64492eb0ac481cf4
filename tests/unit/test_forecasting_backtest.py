"""Past forecasts and their scores; the example is that of docs/methods/forecast.md."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecasting.backtest import _conformal, _never_shrinking, band, cutoffs, roll, score
from core.forecasting.baselines import mean_of_last_year, naive_forecast, naive_scale, seasonal_naive


def test_the_scores_of_the_worked_example():
    frame = pd.DataFrame(
        {
            "origin": pd.to_datetime(["2026-08-01", "2026-08-01"]),
            "actual": [100.0, 200.0],
            "forecast": [110.0, 180.0],
            "lo": [90.0, 170.0],
            "hi": [130.0, 190.0],
            "naive": [150.0, 150.0],
        }
    )
    scores = score(frame, scale=50.0)
    assert scores.wape == pytest.approx(0.10)
    assert scores.bias == pytest.approx(-1 / 30)
    assert scores.mase == pytest.approx(0.3)
    assert scores.coverage == 0.5
    assert scores.naive_wape == pytest.approx(1 / 3)
    assert scores.naive_mase == pytest.approx(1.0)
    assert scores.origins == 1


def test_the_width_is_the_conformal_quantile():
    assert _conformal(np.arange(1.0, 10.0)) == 8.0
    assert _conformal(np.array([3.0])) == 3.0


@settings(deadline=None, max_examples=60)
@given(count=st.integers(1, 80), horizon=st.integers(1, 30), least=st.integers(1, 30), origins=st.integers(0, 6))
def test_a_past_forecast_knows_only_what_came_before(count, horizon, least, origins):
    z = np.arange(float(count))
    asked = []

    def last_known(known: int, ahead: int) -> np.ndarray:
        asked.append((known, ahead))
        return np.full(ahead, z[known - 1])

    made = roll(z, last_known, cutoffs(count, horizon=horizon, least=least, origins=origins))
    assert len(made) == len(asked) <= origins
    for origin, (known, ahead) in zip(made, asked, strict=True):
        assert least <= known < count
        assert known + ahead <= count
        assert ahead <= horizon
        assert origin.errors.tolist() == list(range(1, ahead + 1))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.integers(1, 40))
def test_a_band_never_narrows_with_distance(errors, horizon):
    width = band([], np.array(errors), horizon=horizon).width
    assert (width >= 0).all()
    assert (np.diff(width) >= 0).all()


def test_one_steps_bad_luck_is_shared_with_its_neighbours_and_not_carried_on():
    assert _never_shrinking(np.array([1.0, 4.0, 1.0, 4.0])).tolist() == pytest.approx([1, 2, 2, 4])
    assert _never_shrinking(np.array([0.0, 2.0, 1.0])).tolist() == [0, 2, 2], "no logarithm of a sure thing"


def test_seasonal_naive_repeats_the_last_season():
    z = np.array([1.0, 2, 3, 4, 5, 6, 7])
    assert seasonal_naive(z, 5, 3).total[7:].tolist() == pytest.approx([5, 6, 7, 5, 6])
    assert naive_forecast(z, 5, 3).tolist() == [5, 6, 7, 5, 6]
    assert naive_forecast(z[:2], 3, 12).tolist() == [2, 2, 2]


def test_the_divisor_of_mase_is_unknown_where_nothing_ever_changed():
    assert naive_scale(np.array([1.0, 2, 3, 5]), 2) == pytest.approx(2.5)
    assert np.isnan(naive_scale(np.ones(20), 2))
    assert np.isnan(naive_scale(np.array([1.0]), 12))


def test_the_mean_of_days_keeps_the_weekday():
    week = np.array([5.0, 5, 5, 5, 5, 0, 0])
    forecast = mean_of_last_year(np.tile(week, 8), 14, "day").total[56:]
    assert forecast.tolist() == pytest.approx(np.tile(week, 2).tolist())


def test_the_mean_of_months_is_that_of_the_last_twelve():
    z = np.array([99.0] * 12 + [3.0] * 12)
    assert mean_of_last_year(z, 2, "month").total[24:].tolist() == [3.0, 3.0]
