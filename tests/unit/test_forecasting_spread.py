"""Bands of series with few past forecasts are drawn towards those of like series."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecasting.backtest import Origin, band
from core.forecasting.fit import fit_series
from core.forecasting.series import prepare
from core.forecasting.spread import (
    PUBLIC,
    Spread,
    company_spread,
    ratio_of,
    relative_misses,
    suggested_width,
)


def test_the_worked_example():
    """Own width 4 from one past forecast, suggested 10, R 0.9, kappa 1: half of each logarithm, 6."""
    drawn = Spread(0.9, 1.0).drawn(np.array([4.0]), np.array([1.0]), np.array([10.0]))
    assert drawn == pytest.approx([6.0])
    nearly = Spread(0.9, 1.0).drawn(np.array([4.0]), np.array([3.0]), np.array([10.0]))
    assert nearly == pytest.approx([4.0**0.9 * 9.0**0.1])


def test_without_past_forecasts_like_series_alone_set_the_width():
    drawn = Spread(0.9, 1.0).drawn(np.zeros(2), np.zeros(2), np.array([10.0, 20.0]))
    assert drawn == pytest.approx([9.0, 18.0])


def test_a_series_without_any_error_in_the_sample_keeps_its_own_width():
    drawn = Spread(0.9, 1.0).drawn(np.array([4.0, 0.0]), np.array([1.0, 1.0]), np.zeros(2))
    assert drawn.tolist() == [4.0, 0.0]


@settings(deadline=None, max_examples=60)
@given(
    own=st.floats(0.01, 100), suggested=st.floats(0.01, 100), count=st.floats(0.5, 6), more=st.floats(0.1, 5),
    weight=st.floats(0.1, 5),
)  # fmt: skip
def test_more_past_forecasts_leave_more_of_the_own_width(own, suggested, count, more, weight):
    own = max(own, 0.01 * suggested)
    spread = Spread(1.0, weight)
    few, many = (
        float(spread.drawn(np.array([own]), np.array([n]), np.array([suggested]))[0]) for n in (count, count + more)
    )
    assert min(own, suggested) * (1 - 1e-9) <= few <= max(own, suggested) * (1 + 1e-9)
    assert abs(np.log(many / own)) <= abs(np.log(few / own)) + 1e-9


def test_the_wider_the_like_series_the_wider_the_band():
    origins = [Origin(40, np.zeros(3), np.full(3, 0.2))]
    widths = [band(origins, np.full(40, 0.1), horizon=3, spread=Spread(r, 1.0)).width for r in (0.5, 1.0, 2.0)]
    assert (widths[0] < widths[1]).all()
    assert (widths[1] < widths[2]).all()


def test_what_eight_of_ten_errors_stay_within_counts_every_series_the_same():
    long, short = np.full(100, 1.0), np.array([3.0])
    assert ratio_of([long]) == 1.0
    assert ratio_of([long, short]) == 3.0
    assert ratio_of([long, long, long, long, short]) == 1.0
    assert np.isnan(ratio_of([]))
    assert np.isnan(ratio_of([np.empty(0)]))


def test_a_company_of_many_series_speaks_for_itself():
    assert company_spread([], "month") == PUBLIC["month"]
    few = company_spread([np.full(5, 2.0)], "month")
    many = company_spread([np.full(5, 2.0)] * 990, "month")
    assert PUBLIC["month"].ratio < few.ratio < many.ratio < 2.0
    assert many.ratio == pytest.approx(2.0, rel=0.01)
    assert many.weight == pytest.approx(0.99 * 2.0 + 0.01)
    ten = company_spread([np.full(5, 2.0)] * 10, "month")
    assert ten.ratio == pytest.approx(np.sqrt(2.0 * PUBLIC["month"].ratio))


@pytest.fixture(scope="module")
def prepared():
    months = np.arange(36)
    noise = np.random.default_rng(4).normal(0, 0.1, 36)
    y = 1e6 * np.exp(0.01 * months + 0.2 * np.sin(2 * np.pi * months / 12) + noise)
    days = pd.date_range("2023-01-01", periods=36, freq="MS").date
    return prepare(pd.DataFrame({"on": days, "value": y}), frequency="month", today=date(2026, 1, 5))


def test_a_fits_past_errors_are_told_over_what_its_sample_suggests(prepared):
    fit = fit_series(prepared, horizon=6)
    misses = relative_misses(fit)
    frame = fit.backtest.frame
    assert len(misses) == len(frame)
    row = frame.iloc[-1]
    in_sample = fit.transform.forward(fit.y) - fit.parts.total[:36]
    error = abs(fit.transform.forward(np.array([row["actual"]])) - fit.transform.forward(np.array([row["forecast"]])))
    known = int(np.flatnonzero(fit.steps == row["origin"])[0]) + 1
    less = np.sqrt((1 + 10 / 36) / (1 + 10 / known))
    assert misses[-1] == pytest.approx(float(error[0]) * less / suggested_width(in_sample, 6)[int(row["step"]) - 1])
    assert not len(relative_misses(replace(fit, backtest=None)))


def test_the_companys_own_series_widen_or_narrow_a_fits_band(prepared):
    narrow, usual, wide = (
        fit_series(prepared, horizon=6, spread=spread) for spread in (Spread(0.3, 2.0), None, Spread(3.0, 2.0))
    )
    assert (narrow.below < usual.below).all()
    assert (usual.below < wide.below).all()
    assert narrow.parts.total.tolist() == wide.parts.total.tolist()
