"""What the Forecast page says in words, given its numbers."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from core.forecasting.backtest import score
from core.forecasting.fit import fit_series
from core.forecasting.result import Backtest, Fit
from core.forecasting.scenarios import apply
from core.forecasting.series import PreparedSeries
from core.forecasting.steps import steps_from
from core.ui.page import View
from core.ui.screens.forecast_near import Ending, ending_words
from core.ui.screens.forecast_trust import trust_words
from core.ui.screens.forecast_words import season_words

VIEW = cast("View", SimpleNamespace(currency="CNY"))


def ending(total: float, lo: float, hi: float) -> Ending:
    return Ending("quarter", "Q4 2026", total, lo, hi, 2e6, 0.71, 0.0, 0.0, 0.0, 0.0)


def test_a_band_that_lies_evenly_is_told_as_plus_or_minus_and_a_lopsided_one_by_its_ends():
    told = ending_words(VIEW, ending(1.0e6, 0.9e6, 1.12e6))
    assert told == "Q4 2026 lands at ¥1M ± ¥110K; 71% likely to reach the quota"
    told = ending_words(VIEW, ending(1.22e6, 1.06e6, 1.67e6))
    assert told == "Q4 2026 lands at ¥1.22M (between ¥1.06M and ¥1.67M, 80%); 71% likely to reach the quota"


@pytest.fixture(scope="module")
def fit() -> Fit:
    months = steps_from(pd.Timestamp("2025-01-01").date(), 10, "month")
    points = pd.DataFrame({"ds": months, "y": np.arange(10) * 10.0 + 100})
    return fit_series(PreparedSeries("month", points, ()), horizon=6, origins=2)


def test_the_strongest_and_the_weakest_step_are_those_of_the_forecast_that_is_drawn(fit):
    steps = apply(fit).frame["yhat"]
    best, worst = steps.idxmax(), steps.idxmin()
    (told,) = season_words(fit)
    assert f"{fit.future[best]:%b %Y}, {steps[best] / steps.mean() - 1:.0%} above" in told
    assert f"{fit.future[worst]:%b %Y}, {1 - steps[worst] / steps.mean():.0%} below" in told


def past(forecast: float, naive: float, ets: float) -> Backtest:
    rows: list[Any] = [
        (pd.Timestamp(origin), step, forecast, naive, ets, 100.0, 50.0, 150.0)
        for origin in ("2025-05-01", "2025-06-01")
        for step in (1, 2, 3)
    ]
    frame = pd.DataFrame(rows, columns=["origin", "step", "forecast", "naive", "ets", "actual", "lo", "hi"])
    frame["ds"] = frame["origin"] + pd.to_timedelta(31 * frame["step"], unit="D")
    return Backtest(frame, score(frame, scale=10.0), 10.0)


def test_where_a_simpler_method_did_better_the_page_says_so_and_why_it_was_not_taken(fit):
    combined = replace(fit, method="combination")
    sentence = "A simpler method did better on these 2 past forecasts"
    assert sentence in trust_words(combined, past(140, 120, 160))
    assert sentence in trust_words(combined, past(140, 150, 130))
    assert sentence not in trust_words(combined, past(110, 120, 130))
    assert sentence not in trust_words(replace(fit, method="seasonal_naive"), past(120, 110, 105))
