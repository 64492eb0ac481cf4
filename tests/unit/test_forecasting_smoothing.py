"""Our smoothing against statsmodels' own recursion."""

import numpy as np
import pytest
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import Holt

from core.forecasting.smoothing import ALPHAS, _first_slope, damped_holt, holt_over, theta

RANDOM = np.random.default_rng(4)
WALK = 10 + np.cumsum(RANDOM.normal(0.1, 1, 48))


@pytest.mark.parametrize(("alpha", "beta", "phi"), [(0.3, 0.1, 0.9), (0.8, 0.4, 0.98), (0.05, 0.0, 0.8)])
def test_the_damped_recursion_is_statsmodels_own(alpha, beta, phi):
    ours = holt_over(WALK, 12, np.array([[alpha, beta, phi]]))
    slope = _first_slope(WALK)
    theirs = Holt(
        WALK[1:],
        damped_trend=True,
        initialization_method="known",
        initial_level=WALK[0],
        initial_trend=slope,
    ).fit(smoothing_level=alpha, smoothing_trend=beta, damping_trend=phi, optimized=False)
    assert ours.forecast == pytest.approx(theirs.forecast(12))


def test_no_parameters_on_the_grid_do_better():
    best = damped_holt(WALK, 3)
    for alpha in ALPHAS:
        other = holt_over(WALK, 3, np.array([[alpha, 0.05, 0.9]]))
        assert (best.errors**2).sum() <= (other.errors**2).sum() + 1e-12


def test_theta_is_close_to_statsmodels_own():
    ours = theta(WALK, 12).forecast
    theirs = ThetaModel(WALK, period=1, deseasonalize=False).fit(use_mle=False).forecast(12)
    assert ours == pytest.approx(theirs.to_numpy(), rel=0.03)


def test_a_straight_line_goes_on_and_then_bends():
    line = np.arange(30.0)
    forecast = damped_holt(line, 10).forecast
    steps = np.diff(forecast)
    assert forecast[0] == pytest.approx(30, abs=0.6)
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()
