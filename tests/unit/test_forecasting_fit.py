"""Which method is chosen, and what every fit keeps."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.forecasting.calendar import Event, festival_shares, holiday_shares, spring_festival
from core.forecasting.fit import fallback_fit, fit_series
from core.forecasting.result import Fit, NotEnoughHistory
from core.forecasting.scenarios import apply
from core.forecasting.series import PreparedSeries, prepare
from core.forecasting.steps import steps_from
from core.i18n import speaking

TODAY = date(2026, 11, 22)
FREQ = {"day": "D", "week": "W-MON", "month": "MS"}


def series(values, frequency="month") -> PreparedSeries:
    end = {"day": "2026-11-21", "week": "2026-11-09", "month": "2026-10-01"}[frequency]
    steps = pd.date_range(end=end, periods=len(values), freq=FREQ[frequency])
    table = pd.DataFrame({"on": steps.date, "value": values})
    return prepare(table, frequency=frequency, today=TODAY)


def seasonal(count: int, seed: int = 5) -> np.ndarray:
    random = np.random.default_rng(seed)
    months = np.arange(count)
    swing = 0.3 * np.sin(2 * np.pi * months / 12)
    return 1e6 * np.exp(0.01 * months + swing + random.normal(0, 0.04, count))


def festival_sales() -> np.ndarray:
    """36 months whose sales fall by half on the days of the Spring Festival."""
    steps = pd.date_range(end="2026-10-01", periods=36, freq="MS")
    shares = festival_shares(steps, "month")
    return 1e6 * (1 - 0.6 * shares["during"] - 0.3 * shares["after"])


@pytest.fixture(scope="module")
def three_years() -> Fit:
    return fit_series(series(seasonal(36)), horizon=12)


def test_nothing_to_forecast_from_is_refused_in_a_plain_sentence():
    nothing = prepare(pd.DataFrame({"on": [], "value": []}), frequency="month", today=TODAY)
    with pytest.raises(NotEnoughHistory, match="no complete period"):
        fit_series(nothing, horizon=6)


@pytest.mark.parametrize(
    ("count", "method", "reason"),
    [
        (1, "mean", "The mean so far, because there are only 1 months."),
        (2, "mean", "The mean so far, because there are only 2 months."),
        (11, "smoothing", "Damped smoothing, because there are only 11 months."),
        (14, "seasonal_naive", "Seasonal naive, because there are only 14 months."),
        (23, "seasonal_naive", "Seasonal naive, because there are only 23 months."),
        (25, "combination", "Prophet combined with exponential smoothing and Theta, on 25 months of history."),
    ],
)
def test_the_method_follows_the_length_and_says_so(count, method, reason):
    values = seasonal(count)
    fit = fit_series(series(values), horizon=6)
    assert (fit.method, str(fit.reason)) == (method, reason)
    frame = apply(fit).frame
    assert (frame["lo"] <= frame["yhat"]).all()
    assert (frame["yhat"] <= frame["hi"]).all()
    assert frame["yhat"].between(0.3 * values.min(), 3 * values.max()).all()


def test_the_reason_is_told_in_the_readers_language(three_years):
    with speaking("zh"):
        assert str(three_years.reason) == "采用 Prophet 与指数平滑、Theta 方法的组合，基于 36 个月的历史数据。"


@pytest.mark.parametrize(("value", "said"), [(0.0, "zero"), (500.0, "the same")])
def test_a_flat_series_stays_flat(value, said):
    fit = fit_series(series([value] * 30), horizon=6)
    assert said in str(fit.reason)
    assert apply(fit).frame[["yhat", "lo", "hi"]].to_numpy().tolist() == [[value] * 3] * 6


def test_a_series_below_zero_is_forecast_without_logarithms():
    values = seasonal(30) - 0.9e6
    fit = fit_series(series(values), horizon=6)
    assert fit.transform.kind == "plain"
    assert apply(fit).frame["yhat"].between(2 * values.min(), 2 * values.max()).all()


def test_a_series_of_mostly_zeros_gets_its_mean_and_never_falls_below_zero():
    values = [0.0, 0.0, 0.0, 100.0] * 9
    fit = fit_series(series(values), horizon=6)
    assert fit.method == "mean"
    assert "75 %" in str(fit.reason)
    frame = apply(fit).frame
    assert frame["yhat"].tolist() == pytest.approx([25.0] * 6)
    assert (frame["lo"] >= 0).all()


def test_one_value_twenty_times_too_high_does_not_make_the_forecast_absurd():
    values = seasonal(36)
    usual = apply(fit_series(series(values), horizon=6)).total
    values[20] *= 20
    spoilt = series(values)
    assert spoilt.has("outlier")
    assert apply(fit_series(spoilt, horizon=6)).total == pytest.approx(usual, rel=0.5)


def test_the_same_history_gives_the_same_numbers(three_years):
    again = fit_series(series(seasonal(36)), horizon=12)
    assert np.array_equal(three_years.parts.total, again.parts.total)
    assert np.array_equal(three_years.noise, again.noise)


def test_a_kept_fit_reads_back_to_the_last_bit(three_years):
    back = Fit.from_json(three_years.to_json())
    pd.testing.assert_frame_equal(apply(back).frame, apply(three_years).frame, check_exact=True)
    assert np.array_equal(back.noise, three_years.noise)
    assert back.backtest is not None
    assert three_years.backtest is not None
    assert back.backtest.scores == three_years.backtest.scores
    pd.testing.assert_frame_equal(back.backtest.frame, three_years.backtest.frame)


def test_a_clear_season_is_found_and_beats_seasonal_naive(three_years):
    steps = np.arange(36, 48)
    truth = 1e6 * np.exp(0.01 * steps + 0.3 * np.sin(2 * np.pi * steps / 12))
    off = np.abs(apply(three_years).frame["yhat"].to_numpy() - truth) / truth
    assert off.mean() < 0.1
    assert three_years.backtest is not None
    scores = three_years.backtest.scores
    assert scores.wape < scores.naive_wape
    assert 0.6 <= scores.coverage <= 1.0


def test_the_festival_is_forecast_in_the_month_it_will_fall_in():
    """It fell mostly in February 2024 to 2026; in 2027 it falls on February 6."""
    fit = fit_series(series(festival_sales()), horizon=6)
    frame = apply(fit).frame.set_index("ds")["yhat"]
    assert frame["2027-02-01"] < 0.9 * frame["2026-12-01"]


@pytest.mark.parametrize(
    ("year", "first"),
    [
        (2015, date(2015, 2, 19)),
        (2020, date(2020, 1, 25)),
        (2024, date(2024, 2, 10)),
        (2026, date(2026, 2, 17)),
        (2033, date(2033, 1, 31)),
        (2200, None),
    ],
)
def test_the_first_day_of_the_lunar_year_is_known(year, first):
    assert spring_festival(year) == first


def test_the_festivals_days_are_shared_between_the_months():
    """Eve 2025-01-28: four of the seven days lie in January, three in February."""
    shares = festival_shares(steps_from(date(2025, 1, 1), 3, "month"), "month")
    assert shares["during"].tolist() == pytest.approx([4 / 31, 3 / 28, 0.0])
    assert shares["before"].tolist() == pytest.approx([14 / 31, 0.0, 0.0])
    assert shares["after"].tolist() == pytest.approx([0.0, 14 / 28, 0.0])


def test_substitute_days_off_are_one_holiday():
    days = steps_from(date(2026, 1, 1), 365, "day")
    shares = holiday_shares(days, "day")
    assert shares["substitute"].sum() == 6
    assert shares["National Day"][days.get_loc(pd.Timestamp("2026-10-01"))] == 1.0


def test_a_weekly_fit_knows_holidays_that_do_not_fall_on_a_monday():
    weeks = steps_from(date(2026, 9, 28), 1, "week")
    assert holiday_shares(weeks, "week")["National Day"].tolist() == pytest.approx([3 / 7])


def test_the_effect_of_a_recurring_event_is_learned():
    values = seasonal(36)
    steps = pd.date_range(end="2026-10-01", periods=36, freq="MS")
    fairs = [2, 9, 17, 26, 31]
    values[fairs] *= 1.5
    events = [Event("fair", steps[k].date(), (steps[k] + pd.DateOffset(months=1)).date()) for k in fairs]
    to_come = Event("fair", date(2027, 1, 1), date(2027, 2, 1))
    without = apply(fit_series(series(values), horizon=4, events=events)).frame["yhat"]
    planned = apply(fit_series(series(values), horizon=4, events=[*events, to_come])).frame["yhat"]
    assert planned[2] / without[2] == pytest.approx(1.5, rel=0.15)
    assert planned[0] == without[0]


def test_an_event_never_seen_has_no_effect_and_is_named():
    launch = Event("launch", date(2027, 1, 1), date(2027, 2, 1))
    plain = fit_series(series(seasonal(36)), horizon=4)
    fit = fit_series(series(seasonal(36)), horizon=4, events=[launch])
    assert [str(note) for note in fit.notes][:1] == [
        "launch has not happened in the history, so its effect is taken as none."
    ]
    assert apply(fit).total == apply(plain).total


def test_a_stated_uplift_acts_on_the_days_of_the_event():
    expected = Event("launch", date(2027, 1, 1), date(2027, 2, 1), uplift=0.2)
    plain = apply(fit_series(series(seasonal(36)), horizon=4)).frame["yhat"]
    moved = apply(fit_series(series(seasonal(36)), horizon=4, events=[expected])).frame["yhat"]
    assert (moved / plain).tolist() == pytest.approx([1.0, 1.0, 1.2, 1.0])


@pytest.mark.parametrize(("frequency", "count", "horizon"), [("week", 110, 13), ("day", 120, 28)])
def test_weeks_and_days_are_fitted_by_prophet_too(frequency, count, horizon):
    random = np.random.default_rng(8)
    weekday = np.where(np.arange(count) % 7 < 5, 1.0, 0.4) if frequency == "day" else 1.0
    values = 1e5 * weekday * np.exp(random.normal(0, 0.1, count))
    fit = fit_series(series(values, frequency), horizon=horizon)
    assert fit.method == "combination"
    assert apply(fit).frame["yhat"].mean() == pytest.approx(values.mean(), rel=0.15)


def test_a_history_of_decades_is_cut_to_its_last_years():
    fit = fit_series(series(seasonal(200)), horizon=6, origins=0)
    assert len(fit.y) == 120
    assert "last 120 periods" in str(fit.notes[0])


def test_many_rows_are_prepared_and_fitted():
    random = np.random.default_rng(2)
    days = pd.date_range("2023-11-01", "2026-10-31")
    table = pd.DataFrame({"on": random.choice(days, 100_000), "value": random.gamma(2, 5000, 100_000)})
    fit = fit_series(prepare(table, frequency="month", today=TODAY), horizon=6)
    assert fit.y.sum() == pytest.approx(table["value"].sum())
    assert apply(fit).frame["yhat"].mean() == pytest.approx(fit.y.mean(), rel=0.1)


def test_where_last_season_alone_did_better_it_makes_the_forecast():
    random = np.random.default_rng(11)
    pattern = random.permutation([1.0, 9.0, 2.0, 8.0, 1.5, 7.5, 3.0, 6.0, 1.2, 9.5, 2.2, 5.0])
    fit = fit_series(series(1e5 * np.tile(pattern, 3)), horizon=6)
    assert fit.method == "seasonal_naive"
    assert "Seasonal naive, because past forecasts by it were off by 0 %" in str(fit.reason)


def test_a_fit_without_prophet_says_why():
    fit = fallback_fit(series(seasonal(36)), horizon=6, reason="Because I said so.")
    assert (fit.method, str(fit.reason)) == ("seasonal_naive", "Because I said so.")


@pytest.mark.parametrize("frequency", ["day", "week", "month"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 11, 13, 27])
@pytest.mark.parametrize("kind", ["noise", "signed", "half zeros", "doubling"])
def test_no_short_series_gives_an_absurd_forecast(frequency, count, kind):
    random = np.random.default_rng(count)
    values = {
        "noise": random.gamma(2, 1e5, count),
        "signed": random.normal(0, 1e4, count),
        "half zeros": random.gamma(2, 1e5, count) * (np.arange(count) % 2),
        "doubling": 2.0 ** np.arange(count),
    }[kind]
    fit = fit_series(series(values, frequency), horizon=6, origins=1)
    frame = apply(fit).frame[["lo", "yhat", "hi"]].to_numpy()
    assert np.isfinite(frame).all()
    assert (np.diff(frame, axis=1) >= 0).all()
    assert np.abs(frame).max() <= 5 * np.abs(values).max()
    assert Fit.from_json(fit.to_json()).notes == fit.notes


def test_a_method_that_lost_is_not_replaced_by_a_season_that_was_never_seen():
    values = 100.0 * 1.01 ** np.arange(40) + np.where(np.arange(40) > 30, 200.0, 0.0)
    assert fit_series(series(values, "week"), horizon=8).method == "combination"
