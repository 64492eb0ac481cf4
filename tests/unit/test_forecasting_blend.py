"""One forecast: what open deals say of the weeks ahead, laid into the forecast of the series."""

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecasting.blend import blend
from core.forecasting.fit import fit_series
from core.forecasting.flow import Flow
from core.forecasting.levers import Levers
from core.forecasting.near_term import NearTerm
from core.forecasting.pipeline import WEEKS
from core.forecasting.result import Fit
from core.forecasting.scenario_totals import compare
from core.forecasting.scenarios import apply, sample_paths
from core.forecasting.series import prepare
from core.forecasting.steps import Frequency

TODAY = date(2026, 11, 22)


def fitted(frequency: Frequency = "month") -> Fit:
    """100 a day for two years, until the step that holds `TODAY`."""
    days = pd.date_range("2024-11-25", "2026-11-21")
    rows = pd.DataFrame({"on": days.date, "value": 100.0})
    fit = fit_series(prepare(rows, frequency=frequency, today=TODAY), horizon=6, depth="first")
    return replace(fit, ceiling=1e9)


@cache
def fit_of_months() -> Fit:
    return fitted()


def said(*, weight: float, opened: float, new: float, misses: float = 0.1) -> NearTerm:
    """Each week the same; past forecasts of `misses` more or less than what came."""
    weeks = []
    for origin in range(30):
        for week in range(1, WEEKS + 1):
            actual = np.nan if origin == 29 else 700 * (1 + (misses if origin % 2 else -misses))
            weeks.append((origin, week, actual, opened, new, 700.0, 0.0, weight))
    names = ["origin", "week", "actual", "open", "new_share", "series", "weighted", "weight"]
    flow = Flow(TODAY, np.zeros((0, WEEKS)), np.zeros(0), *(np.full(WEEKS, x) for x in (new, 700.0, weight)))
    return NearTerm(date(2026, 11, 21), pd.DataFrame(weeks, columns=names), flow)


def values(fit: Fit) -> np.ndarray:
    return apply(fit).frame["yhat"].to_numpy()


def test_the_step_under_way_is_what_is_booked_and_the_days_left():
    plain = values(fitted())
    one, _flow = blend(fitted(), None, today=TODAY, booked=5_000.0)
    assert values(one)[0] == pytest.approx(5_000 + plain[0] * 9 / 30)
    assert values(one)[1:].tolist() == plain[1:].tolist()
    assert one.near is not None
    assert (one.near.booked[0], one.near.from_open.sum()) == (5_000.0, 0.0)


def test_open_deals_enter_by_their_weight_and_new_ones_by_their_share_of_the_series():
    plain = values(fitted())
    one, flow = blend(fitted(), said(weight=0.5, opened=1_400.0, new=0.2), today=TODAY, booked=0.0)
    # 13 weeks of w (o + n F) + (1 - w) F, then F alone
    left = plain[0] * 9 / 30 + plain[1:].sum()
    assert values(one).sum() == pytest.approx(left + 13 * 700 - 0.5 * 0.8 * flow.series.sum(), rel=1e-6)
    assert one.near is not None
    assert one.near.from_open.sum() == pytest.approx(13 * 700)
    assert one.near.from_open[1] == pytest.approx(31 * 100, rel=0.03)
    assert values(one)[4:].tolist() == plain[4:].tolist()
    assert flow.series[0] == pytest.approx(plain[0] * 7 / 30)


def test_the_worked_example_of_the_method_page_holds():
    fit = _flat(3_000.0)
    one, _flow = blend(fit, None, today=TODAY, booked=5_000.0)
    assert values(one)[0] == pytest.approx(5_900)
    one, _flow = blend(_flat(700.0 / 7 * 31), said(weight=0.5, opened=1_400.0, new=0.2), today=TODAY, booked=0.0)
    assert values(one)[1] == pytest.approx(1_120 / 7 * 31, rel=0.02)  # of a December that is 31 days long


def _flat(value: float) -> Fit:
    """A fit of the same value each month."""
    fit = fitted()
    parts = replace(fit.parts, trend=np.full(len(fit.steps), fit.transform.forward(np.array([value]))[0]))
    none = np.zeros(len(fit.steps))
    parts = replace(parts, seasonal=none, holidays=none, events=none, level=none)
    return replace(fit, parts=parts)


def test_deals_that_do_not_help_change_nothing_but_the_days_that_passed():
    plain = values(fitted())
    one, _flow = blend(fitted(), said(weight=0.0, opened=9_999.0, new=0.5), today=TODAY, booked=700.0)
    assert values(one)[1:].tolist() == plain[1:].tolist()
    assert values(one)[0] == pytest.approx(700 + plain[0] * 9 / 30)


def test_the_band_is_what_past_forecasts_of_the_same_weeks_missed():
    one, _flow = blend(fitted(), said(weight=1.0, opened=700.0, new=0.0, misses=0.15), today=TODAY, booked=0.0)
    frame = apply(one).frame.iloc[1]
    off = 0.15 * np.sqrt(35 / 31)  # December is 31 days of the weeks 2 to 6
    assert frame["hi"] / frame["yhat"] == pytest.approx(1 + off, rel=1e-3)
    assert frame["lo"] / frame["yhat"] == pytest.approx(1 - off, rel=1e-3)
    low, high = np.quantile(sample_paths(one)[:, 1], (0.1, 0.9))
    assert (low / frame["lo"], high / frame["hi"]) == (pytest.approx(1, abs=0.03), pytest.approx(1, abs=0.03))


def test_data_that_end_before_the_step_under_way_are_left_alone():
    fit = fitted()
    one, flow = blend(fit, said(weight=1.0, opened=1.0, new=0.0), today=date(2027, 1, 5), booked=3.0)
    assert one is fit
    assert not flow.known


@settings(deadline=None, max_examples=30)
@given(
    st.sampled_from(["month", "week", "day"]), st.floats(0, 1), st.floats(0, 1e6), st.floats(0, 1), st.floats(0, 1e6)
)
def test_nothing_lands_below_what_is_booked_or_outside_its_band(frequency, weight, opened, new, booked):
    booked = 0.0 if frequency == "day" else booked
    one, _flow = blend(_FITS[frequency], said(weight=weight, opened=opened, new=new), today=TODAY, booked=booked)
    frame = apply(one).frame
    assert frame["yhat"].iloc[0] >= booked * (1 - 1e-9)
    assert np.isfinite(frame[["lo", "yhat", "hi"]].to_numpy()).all()
    assert (frame["lo"] <= frame["yhat"] * (1 + 1e-9)).all()
    assert (frame["yhat"] <= frame["hi"] * (1 + 1e-9) + 1e-6).all()


_FITS: dict[str, Fit] = {name: fitted(name) for name in ("month", "week", "day")}


def test_levers_act_on_what_is_still_to_come_of_a_month_and_never_below_what_is_booked():
    """Example: 70 of a month's 100 are booked: +10 % makes 70 + 30 * 1.1 = 103 of it, and no capacity leaves 70."""
    plain = fitted()
    scale = values(plain)[0] * 9 / 30 / 30
    one, flow = blend(plain, None, today=TODAY, booked=70 * scale)
    assert values(one)[0] == pytest.approx(100 * scale)

    def first(**levers: float) -> np.ndarray:
        return apply(one, Levers(**levers), flow).frame.iloc[0][["yhat", "lo"]].to_numpy(dtype="float64") / scale

    assert first(average_deal=0.1)[0] == pytest.approx(103)
    assert first(average_deal=-1.0) == pytest.approx([70, 70])
    assert first(win_rate=-1.0) == pytest.approx([70, 70])
    assert first(capacity=0.0) == pytest.approx([70, 70])
    season = np.zeros(len(one.steps))
    season[len(one.y)] = np.log(2.0)
    seasonal = replace(
        one, parts=replace(one.parts, seasonal=season, trend=one.parts.trend + one.parts.seasonal - season)
    )
    found = apply(seasonal, Levers(seasonality=-1.0), flow).frame["yhat"].iloc[0] / scale
    assert 70 < found < 100, "a flat season halves what is to come, not what came"


@settings(deadline=None, max_examples=30)
@given(st.floats(-1, 2), st.floats(-1, 2), st.floats(-0.9, 1), st.none() | st.floats(0, 5_000), st.floats(0, 4_000))
def test_no_lever_takes_back_what_is_booked(win_rate, growth, seasonality, capacity, booked):
    one, flow = blend(fit_of_months(), None, today=TODAY, booked=booked)
    levers = Levers(win_rate=win_rate, growth=max(growth, -0.95), seasonality=seasonality, capacity=capacity)
    assert apply(one, levers, flow).frame["lo"].iloc[0] >= min(booked, apply(one).frame["lo"].iloc[0]) - 1e-6


def test_totals_take_what_was_booked_by_the_day_where_that_is_known():
    """By week, November's first week began on 26 October: its days of October are not November's."""
    one, flow = blend(fitted("week"), None, today=TODAY, booked=600.0)

    def booked(start: date, end: date) -> float:
        return 100.0 * max((min(end, TODAY) - start).days, 0) + (5_000.0 if start <= date(2026, 11, 3) < end else 0)

    frame = compare(one, {}, by="month", flow=flow, booked=booked)
    november = frame[frame["starts_on"] == "2026-11-01"].iloc[0]
    ahead = values(one)
    rest = (ahead[0] - 600.0) + ahead[1] + ahead[2] / 7
    assert november["total"] == pytest.approx(2_100 + 5_000 + rest)
