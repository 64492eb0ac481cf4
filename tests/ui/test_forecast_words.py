"""What the Forecast page says in words, given its numbers."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from core.charts.forecast import told_apart
from core.charts.forecast_landing import landing_chart
from core.forecasting.backtest import score
from core.forecasting.fit import fit_series
from core.forecasting.result import Backtest, Fit
from core.forecasting.scenarios import apply
from core.forecasting.series import PreparedSeries
from core.forecasting.steps import steps_from
from core.i18n import speaking
from core.ui.page import View
from core.ui.screens.forecast_matters import telling
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


def test_single_days_are_not_named_as_strongest_and_weakest():
    days = steps_from(pd.Timestamp("2026-05-01").date(), 60, "day")
    points = pd.DataFrame({"ds": days, "y": np.arange(60) * 5.0 % 35 + 100})
    assert season_words(fit_series(PreparedSeries("day", points, ()), horizon=6, origins=2)) == []


def test_a_lever_that_moves_next_to_nothing_has_no_bar_and_is_named_below():
    """Example: 649 beside 9.29M is less than a pixel; 0 everywhere has no bar either."""
    frame = pd.DataFrame({"lever": ["leads", "cycle", "flexibility"], "swing": [9.29e6, 5e4, 649.0]})
    shown, idle = telling(frame)
    assert (shown["lever"].tolist(), idle) == (["leads", "cycle"], ["flexibility"])
    assert telling(frame.assign(swing=0.0))[0].empty


def test_names_that_are_cut_alike_keep_their_ends():
    names = ["Best case of the year", "Best case of the year (2)", "Hire"]
    assert told_apart(names, 14) == ["Best case…year", "Best case… (2)", "Hire"]
    assert told_apart(["Best case of the year", "Hire"], 14) == ["Best case of…", "Hire"]


def test_the_landing_charts_title_stands_in_one_line():
    frame = pd.DataFrame([["Nov 2026", 1e6, 2e5, 3e5, 2e6]], columns=["name", "booked", "open", "new", "quota"])
    for language in ("en", "zh"):
        with speaking(language):
            assert "<br>" not in landing_chart(frame, dark=False).layout.title.text


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
