"""From rows to a regular series."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecasting.series import PreparedSeries, prepare

TODAY = date(2026, 11, 22)  # a Sunday


def rows(*pairs: tuple[date, float]) -> pd.DataFrame:
    return pd.DataFrame({"on": [day for day, _v in pairs], "value": [v for _d, v in pairs]})


def codes(prepared: PreparedSeries) -> set[str]:
    return {issue.code for issue in prepared.issues}


def by_day(prepared: PreparedSeries) -> dict[date, float]:
    points = prepared.points
    return {ds.date(): y for ds, y in zip(points["ds"], points["y"], strict=True)}


def test_no_rows_give_no_points_and_a_sentence():
    empty = prepare(rows(), frequency="month", today=TODAY)
    assert len(empty) == 0
    assert [str(issue) for issue in empty.issues] == ["There is no complete period with data yet."]


def test_rows_of_one_month_are_added_up_and_the_gap_is_zero():
    prepared = prepare(
        rows((date(2026, 7, 1), 5), (date(2026, 7, 31), 7), (date(2026, 9, 30), 2), (date(2026, 9, 30), 3)),
        frequency="month",
        today=TODAY,
    )
    assert by_day(prepared) == {
        date(2026, 7, 1): 12,
        date(2026, 8, 1): 0,
        date(2026, 9, 1): 5,
        date(2026, 10, 1): 0,
    }
    gaps = next(issue for issue in prepared.issues if issue.code == "gaps")
    assert gaps.dates == (date(2026, 8, 1), date(2026, 10, 1))
    assert "duplicates" in codes(prepared)


def test_a_week_begins_on_monday_and_the_running_one_is_left_out():
    prepared = prepare(
        rows((date(2026, 11, 8), 1), (date(2026, 11, 9), 2), (date(2026, 11, 15), 4), (date(2026, 11, 16), 8)),
        frequency="week",
        today=TODAY,
    )
    assert by_day(prepared) == {date(2026, 11, 2): 1, date(2026, 11, 9): 6}
    running = next(issue for issue in prepared.issues if issue.code == "running")
    assert running.dates == (date(2026, 11, 16),)


def test_today_itself_is_a_running_day():
    prepared = prepare(rows((date(2026, 11, 21), 1), (TODAY, 9)), frequency="day", today=TODAY)
    assert by_day(prepared) == {date(2026, 11, 21): 1}
    assert "running" in codes(prepared)


@pytest.mark.parametrize("far", [date(2099, 1, 1), date(9999, 12, 31)])
def test_a_row_dated_in_the_future_is_left_out_and_named(far):
    prepared = prepare(rows((date(2026, 10, 1), 3), (far, 1e9)), frequency="month", today=TODAY)
    assert by_day(prepared) == {date(2026, 10, 1): 3}
    future = next(issue for issue in prepared.issues if issue.code == "future")
    assert future.dates == (far,)
    assert far.isoformat() in str(future)


def test_a_row_years_before_all_others_does_not_stretch_the_series():
    late = [(date(2026, 1, 1) + timedelta(days=k), 1.0) for k in range(100)]
    prepared = prepare(rows((date(1926, 1, 1), 1), *late), frequency="month", today=TODAY)
    assert prepared.points["ds"].iloc[0].date() == date(2026, 1, 1)
    assert "early" in codes(prepared)


def test_a_series_that_ended_years_ago_is_forecast_from_its_end_not_from_zeros():
    old = [(date(2016, month, 1), 10.0) for month in range(1, 13)]
    prepared = prepare(rows(*old), frequency="month", today=TODAY)
    assert len(prepared) == 12
    assert "stopped" in codes(prepared)


def test_the_leap_day_is_a_day_of_its_own_and_of_february():
    leap = rows((date(2024, 2, 28), 1), (date(2024, 2, 29), 2), (date(2024, 3, 1), 4))
    days = by_day(prepare(leap, frequency="day", today=date(2024, 3, 2)))
    assert days == {date(2024, 2, 28): 1, date(2024, 2, 29): 2, date(2024, 3, 1): 4}
    months = by_day(prepare(leap, frequency="month", today=date(2024, 4, 1)))
    assert months == {date(2024, 2, 1): 3, date(2024, 3, 1): 4}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ([0.0] * 30, "all_zero"),
        ([7.0] * 30, "constant"),
        ([5.0] * 29 + [-1.0], "negative"),
        ([5.0, 6.0] * 5, "short"),
        ([10.0, 11.0, 12.0] * 9 + [220.0] + [10.0, 11.0], "outlier"),
    ],
)
def test_what_is_odd_about_a_series_is_named(values, code):
    months = pd.period_range(end="2026-10", periods=len(values), freq="M")
    table = pd.DataFrame({"on": [month.start_time.date() for month in months], "value": values})
    prepared = prepare(table, frequency="month", today=TODAY)
    assert code in codes(prepared)
    assert prepared.points["y"].tolist() == values


def test_rows_without_a_number_or_a_day_are_counted():
    table = pd.DataFrame({"on": [date(2026, 10, 1), None, date(2026, 10, 2)], "value": [1.0, 2.0, None]})
    prepared = prepare(table, frequency="month", today=TODAY)
    assert by_day(prepared) == {date(2026, 10, 1): 1}
    assert "2 rows" in str(prepared.issues[0])


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.dates(date(2025, 1, 1), date(2026, 10, 31)),
            st.integers(-1000, 100_000),
        ),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from(["day", "week", "month"]),
)
def test_nothing_booked_is_lost_and_steps_have_no_holes(pairs, frequency):
    recent = [*pairs, (date(2026, 10, 31), 1)]
    prepared = prepare(rows(*recent), frequency=frequency, today=TODAY)
    if "early" not in codes(prepared):
        assert prepared.points["y"].sum() == sum(value for _day, value in recent)
    jumps = prepared.points["ds"].diff().dropna().dt.days.unique().tolist()
    allowed = {"day": {1}, "week": {7}, "month": {28, 29, 30, 31}}[frequency]
    assert set(jumps) <= allowed


def regular(values, frequency="month", **named) -> PreparedSeries:
    pandas = {"day": "D", "week": "W-MON", "month": "MS"}[frequency]
    end = {"day": "2026-11-21", "week": "2026-11-09", "month": "2026-10-01"}[frequency]
    steps = pd.date_range(end=end, periods=len(values), freq=pandas)
    return prepare(pd.DataFrame({"on": steps.date, "value": values}), frequency=frequency, today=TODAY, **named)


@pytest.mark.parametrize(("times", "share"), [(2.0, 200), (0.5, 50)])
@pytest.mark.parametrize("frequency", ["day", "week", "month"])
def test_a_level_that_changes_for_good_is_named_with_its_day(frequency, times, share):
    random = np.random.default_rng(3)
    values = 100 * np.exp(random.normal(0, 0.05, 120))
    values[70:] *= times
    prepared = regular(values, frequency)
    shift = next(issue for issue in prepared.issues if issue.code == "level")
    steps = [ds.date() for ds in prepared.points["ds"]]
    assert abs(steps.index(shift.dates[0]) - 70) <= 2
    assert abs(float(shift.sentence.values["change"]) / share - 1) < 0.2


@pytest.mark.parametrize("frequency", ["day", "week", "month"])
@pytest.mark.parametrize("seed", range(4))
def test_growth_and_seasons_are_no_change_of_level(frequency, seed):
    steps = np.arange(160)
    season = {"day": 7, "week": 52, "month": 12}[frequency]
    noise = np.random.default_rng(seed).normal(0, 0.12, 160)
    values = 100 * np.exp(0.008 * steps + 0.5 * np.sin(2 * np.pi * steps / season) + noise)
    assert "level" not in codes(regular(values, frequency))


def test_an_outlier_is_kept_until_somebody_masks_it():
    steps = np.arange(48)
    values = 100 + 20 * np.sin(2 * np.pi * steps / 12)
    true = float(values[30])
    values[30] *= 20
    prepared = regular(values)
    (far,) = prepared.days_of("outlier")
    assert by_day(prepared)[far] == pytest.approx(20 * true)
    masked = regular(values, masked=(far, date(1999, 1, 1)))
    assert masked.masked == (far,)
    assert by_day(masked)[far] == pytest.approx(true, rel=0.05)
    assert masked.days_of("masked") == (far,)
    assert {day: y for day, y in by_day(masked).items() if day != far} == {
        day: y for day, y in by_day(prepared).items() if day != far
    }


def test_data_that_are_a_week_late_are_named_and_a_usual_quiet_end_is_not():
    days = pd.date_range("2026-06-01", "2026-11-14")
    rows = pd.DataFrame({"on": days, "value": 100.0})
    prepared = prepare(rows, frequency="day", today=date(2026, 11, 22))
    (late,) = [issue for issue in prepared.issues if issue.code == "late"]
    assert late.severity == "warning"
    assert late.dates == (date(2026, 11, 15),)
    assert "The last 7 periods, from 2026-11-15 on, are empty" in str(late)
    on_weekdays = rows[days.day_of_week < 5]
    assert not prepare(on_weekdays, frequency="day", today=date(2026, 11, 17)).has("late")
    assert not prepare(rows.head(5), frequency="day", today=date(2026, 6, 9)).has("late"), "too little is known"
