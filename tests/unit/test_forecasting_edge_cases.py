"""Odd histories, from the rows through to the forecast: a number that makes sense, soon, and never a traceback."""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from core.forecasting.fit import fit_series
from core.forecasting.prophet_model import warm
from core.forecasting.result import Fit, NotEnoughHistory
from core.forecasting.scenarios import apply, sample_paths
from core.forecasting.series import PreparedSeries, prepare
from core.forecasting.steps import PANDAS

TODAY = date(2026, 11, 22)
ENDS = {"day": "2026-11-21", "week": "2026-11-09", "month": "2026-10-01"}
AHEAD = {"day": 30, "week": 13, "month": 12}
FREQUENCIES = ["day", "week", "month"]
SECONDS = 2.0


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """A worker has Prophet at hand before it is asked; its import is not the series' doing."""
    warm()
    fit_series(PreparedSeries("month", _rows([1.0, 2.0] * 15, "month").rename(columns={"on": "ds", "value": "y"}), ()),
               horizon=1, depth="first")  # fmt: skip


def _rows(values, frequency: str) -> pd.DataFrame:
    steps = pd.date_range(end=ENDS[frequency], periods=len(values), freq=PANDAS[frequency])
    return pd.DataFrame({"on": steps, "value": list(values)})


def forecast(rows: pd.DataFrame, frequency: str) -> tuple[PreparedSeries, Fit, pd.DataFrame]:
    """Prepare, fit at once, and lay it out as the page does; at most two seconds of this process."""
    began = time.process_time()
    prepared = prepare(rows, frequency=frequency, today=TODAY)  # type: ignore[arg-type]
    fit = fit_series(prepared, horizon=AHEAD[frequency], depth="first")
    frame = apply(fit).frame
    paths = sample_paths(fit)
    assert time.process_time() - began < SECONDS
    for name in ("yhat", "lo", "hi"):
        assert np.isfinite(frame[name]).all(), name
    assert np.isfinite(paths).all()
    assert (frame["lo"] <= frame["yhat"]).all()
    assert (frame["yhat"] <= frame["hi"]).all()
    assert str(fit.reason)
    assert fit.future[0] == prepared.points["ds"].iloc[-1] + pd.tseries.frequencies.to_offset(PANDAS[frequency])  # type: ignore[index]
    return prepared, fit, frame


def codes(prepared: PreparedSeries) -> set[str]:
    return {issue.code for issue in prepared.issues}


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_no_point_is_refused_by_a_sentence(frequency):
    prepared = prepare(_rows([], frequency), frequency=frequency, today=TODAY)
    assert codes(prepared) == {"empty"}
    with pytest.raises(NotEnoughHistory, match="no complete period"):
        fit_series(prepared, horizon=3)


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("count", [1, 2, 11, 23, 25])
def test_a_short_history_gives_a_forecast_of_its_own_size_and_says_that_it_is_short(count, frequency):
    values = 1000 + 100 * np.random.default_rng(count).standard_normal(count)
    prepared, _fit, frame = forecast(_rows(values, frequency), frequency)
    assert len(prepared) == count
    assert ("short" in codes(prepared)) == (count < {"day": 28, "week": 26, "month": 24}[frequency])
    assert frame["yhat"].between(500, 1600).all()
    assert (frame["hi"] > frame["yhat"]).all(), "nobody is that sure"


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_constant_history_goes_on_as_it_is(frequency):
    prepared, _fit, frame = forecast(_rows([500.0] * 40, frequency), frequency)
    assert "constant" in codes(prepared)
    assert frame["yhat"].tolist() == pytest.approx([500.0] * AHEAD[frequency])


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_all_zero_stays_zero_and_is_named(frequency):
    prepared, _fit, frame = forecast(_rows([0.0] * 40, frequency), frequency)
    assert "all_zero" in codes(prepared)
    assert frame["yhat"].abs().max() == 0


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_refunds_are_named_and_forecast_within_what_was_seen(frequency):
    values = 1000 + 50 * np.random.default_rng(4).standard_normal(40)
    values[[7, 30]] = [-300, -800]
    prepared, fit, frame = forecast(_rows(values, frequency), frequency)
    assert "negative" in codes(prepared)
    assert len(prepared.days_of("negative")) == 2
    assert fit.signed
    assert frame["yhat"].between(0, 1500).all()


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_an_intermittent_history_gets_its_mean_and_never_less_than_nothing(frequency):
    values = np.zeros(60)
    values[::6] = 600.0
    _prepared, fit, frame = forecast(_rows(values, frequency), frequency)
    assert fit.method == "mean"
    assert frame["yhat"].mean() == pytest.approx(100, rel=0.3)
    assert frame["lo"].min() >= 0


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_one_value_twenty_times_too_high_is_offered_for_masking_and_moves_nothing_far(frequency):
    values = 1000 + 30 * np.random.default_rng(5).standard_normal(60)
    values[40] *= 20
    rows = _rows(values, frequency)
    prepared, _fit, frame = forecast(rows, frequency)
    assert len(prepared.days_of("outlier")) == 1
    assert prepared.points["y"].max() > 15_000, "nothing is masked unasked"
    assert frame["yhat"].between(0, 3000).all()
    masked = prepare(rows, frequency=frequency, today=TODAY, masked=prepared.days_of("outlier"))
    assert masked.points["y"].max() < 1200
    assert masked.days_of("masked") == prepared.days_of("outlier")
    kept = apply(fit_series(masked, horizon=AHEAD[frequency], depth="first")).frame
    assert kept["yhat"].between(800, 1250).all()


@pytest.mark.parametrize("frequency", FREQUENCIES)
@pytest.mark.parametrize("place", [-1, -2, 30])
def test_one_value_twenty_times_too_high_leads_neither_the_forecast_nor_its_band_and_that_is_said(place, frequency):
    """Also as the very last step, where every method that follows the level would follow it."""
    values = 1000 + 30 * np.random.default_rng(5).standard_normal(60)
    values[place] *= 20
    prepared, fit, frame = forecast(_rows(values, frequency), frequency)
    assert frame["yhat"].between(800, 1250).all()
    assert frame["hi"].max() < 2000
    assert fit.y.max() > 15_000, "the history is as it was"
    assert [note for note in fit.notes if prepared.days_of("outlier")[0].isoformat() in str(note)]


@pytest.mark.parametrize("frequency", ["week", "month"])
def test_a_peak_that_comes_back_each_year_is_the_seasons_and_counts_in_full(frequency):
    year = {"week": 52, "month": 12}[frequency]
    values = 1000 + 30 * np.random.default_rng(5).standard_normal(3 * year)
    values[year - 2 :: year] *= 8
    _prepared, fit, frame = forecast(_rows(values, frequency), frequency)
    assert not [note for note in fit.notes if "far off" in str(note)]
    if frequency == "month":
        assert frame["yhat"].max() > 3000


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_hundred_thousand_rows_are_summed_and_forecast_in_time(frequency):
    random = np.random.default_rng(6)
    days = pd.Timestamp("2023-11-22") + pd.to_timedelta(random.integers(0, 1095, 100_000), unit="D")
    rows = pd.DataFrame({"on": days, "value": random.gamma(2, 500, 100_000)})
    prepared, _fit, frame = forecast(rows, frequency)
    assert "duplicates" in codes(prepared)
    typical = prepared.points["y"].iloc[1:-1].median()
    assert frame["yhat"].between(0.5 * typical, 2 * typical).all()


def test_the_leap_day_counts_and_the_next_year_has_none():
    days = pd.date_range("2023-11-22", "2026-11-21")
    prepared, fit, frame = forecast(pd.DataFrame({"on": days, "value": 100.0 + (days.day_of_week == 4) * 40}), "day")
    assert (prepared.points["ds"] == pd.Timestamp("2024-02-29")).sum() == 1
    assert len(prepared) == 1096
    assert frame["yhat"].between(90, 160).all()
    assert fit.future[0] == pd.Timestamp("2026-11-22")


@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_a_row_dated_2099_is_listed_and_changes_no_forecast(frequency):
    rows = _rows(1000 + 50 * np.random.default_rng(8).standard_normal(40), frequency)
    far = pd.concat([rows, pd.DataFrame({"on": [pd.Timestamp("2099-06-01")], "value": [9e9]})], ignore_index=True)
    _plain, _fit, expected = forecast(rows, frequency)
    prepared, _fit, frame = forecast(far, frequency)
    assert prepared.days_of("future") == (date(2099, 6, 1),)
    assert frame["yhat"].tolist() == pytest.approx(expected["yhat"].tolist())


def test_several_deals_a_day_are_counted_where_a_row_stands_for_them():
    rows = _rows([10.0, 20.0, 30.0], "month").assign(count=[1, 4, 2])
    assert "4 rows share a day" in str(prepare(rows, frequency="month", today=TODAY).issues[0])


def test_the_order_of_the_rows_and_how_they_are_grouped_change_nothing():
    """The fits that a night made are found again by the day's question, which asks by day."""
    random = np.random.default_rng(9)
    days = [date(2024, 1, 1) + timedelta(days=int(k)) for k in random.integers(0, 900, 500)]
    cents = random.integers(1, 10**9, 500)
    rows = pd.DataFrame({"on": days, "value": cents / 100})
    shuffled = rows.sample(frac=1.0, random_state=1)
    months = pd.Series(cents).groupby([day.replace(day=1) for day in days]).sum()
    grouped = pd.DataFrame({"on": months.index, "value": months.to_numpy() / 100})
    found = [prepare(each, frequency="month", today=TODAY).points["y"].tolist() for each in (rows, shuffled, grouped)]
    assert found[0] == found[1] == found[2]
