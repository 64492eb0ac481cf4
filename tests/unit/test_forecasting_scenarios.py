"""The laws of the levers; the worked examples are those of docs/methods/scenarios.md."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecasting.calendar import Event
from core.forecasting.result import Components, Fit
from core.forecasting.scenarios import (
    LeverOutOfRange,
    Levers,
    apply,
    chance_to_reach,
    compare,
    multiplier,
    sample_paths,
)
from core.forecasting.sentences import Sentence
from core.forecasting.steps import steps_from
from core.forecasting.transform import Transform


def made(frequency="month", known=12, horizon=12, width=0.1, first=date(2026, 1, 1)) -> Fit:
    """A fit at 100 a step, with a season of log amplitude 0.2 that alternates."""
    steps = steps_from(first, known + horizon, frequency)
    season = np.where(np.arange(len(steps)) % 2 == 0, 0.2, -0.2)
    none = np.zeros(len(steps))
    return Fit(
        frequency=frequency,
        method="mean",
        reason=Sentence("Made for a test."),
        notes=(),
        steps=steps,
        y=np.full(known, 100.0),
        transform=Transform("log", 100.0),
        parts=Components(none, season, none, none, none),
        below=np.full(horizon, width),
        above=np.full(horizon, width),
        correlation=0.5,
        ceiling=1e9,
        signed=False,
        seed=7,
        backtest=None,
    )


def flat(**changes) -> Fit:
    fit = made(**changes)
    none = np.zeros(len(fit.steps))
    return replace(fit, parts=Components(none, none, none, none, none))


levers = st.builds(
    Levers,
    growth=st.floats(-0.9, 2),
    win_rate=st.floats(-1, 2),
    average_deal=st.floats(-1, 2),
    headcount=st.floats(-1, 2),
    ramp_months=st.floats(0, 24),
    seasonality=st.floats(-1, 2),
)


@settings(deadline=None, max_examples=40)
@given(
    frequency=st.sampled_from(["day", "week", "month"]),
    horizon=st.integers(1, 60),
    ramp=st.floats(0, 60),
)
def test_neutral_levers_are_the_base_to_the_last_bit(frequency, horizon, ramp):
    fit = made(frequency, horizon=horizon, first=date(2026, 6, 1))
    base = fit.value(fit.parts.total[len(fit.y) :])
    moved = apply(fit, Levers(ramp_months=ramp)).frame
    assert np.array_equal(moved["yhat"].to_numpy(), base)
    pd.testing.assert_frame_equal(moved, apply(fit).frame, check_exact=True)


@settings(deadline=None, max_examples=60)
@given(levers)
def test_the_band_holds_the_forecast_wherever_the_levers_stand(chosen):
    frame = apply(made(), chosen).frame
    assert (frame["lo"] <= frame["yhat"]).all()
    assert (frame["yhat"] <= frame["hi"]).all()
    assert (frame["lo"] >= 0).all()


@settings(deadline=None, max_examples=60)
@given(levers, st.floats(0.01, 1))
def test_more_of_a_multiplying_lever_never_gives_less(chosen, more):
    fit = made()
    low = apply(fit, chosen).total
    for lever in ("growth", "win_rate", "average_deal", "headcount"):
        raised = replace(chosen, **{lever: getattr(chosen, lever) + more})
        if lever == "headcount" and chosen.headcount < 0 < raised.headcount:
            continue
        assert apply(fit, raised).total >= low * (1 - 1e-12)


def test_growth_compounds_from_the_first_step():
    """Example 1: 12 % a year; after one month 1.0095, after twelve 1.12."""
    factor = multiplier(made(), Levers(growth=0.12))
    assert factor[0] == pytest.approx(1.12 ** (1 / 12))
    assert round(factor[0], 4) == 1.0095
    assert factor[11] == pytest.approx(1.12)


def test_win_rate_and_average_deal_multiply():
    """Example 2 and 3: 10 % more wins of 5 % more value give 15.5 % more."""
    moved = apply(flat(), Levers(win_rate=0.10, average_deal=0.05)).frame["yhat"]
    assert moved.tolist() == pytest.approx([115.5] * 12)


def test_hires_ramp_up_and_leavers_are_gone_at_once():
    """Example 4: 20 % more people over 4 months give 5, 10, 15, 20, 20 % more."""
    hired = apply(flat(), Levers(headcount=0.2, ramp_months=4)).frame["yhat"]
    assert hired[:5].tolist() == pytest.approx([105, 110, 115, 120, 120])
    left = apply(flat(), Levers(headcount=-0.2, ramp_months=4)).frame["yhat"]
    assert left.tolist() == pytest.approx([80] * 12)


def test_seasonality_scales_the_swing_in_logarithms():
    """Example 5: a peak of e^0.2 = 1.2214 becomes e^0.3 = 1.3499 at +50 %, and 1 at -100 %."""
    fit = made()
    assert apply(fit).frame["yhat"][0] == pytest.approx(122.14, abs=0.01)
    assert apply(fit, Levers(seasonality=0.5)).frame["yhat"][0] == pytest.approx(134.99, abs=0.01)
    assert apply(fit, Levers(seasonality=-1)).frame["yhat"].tolist() == pytest.approx([100] * 12)


def test_a_planned_event_lifts_the_share_of_days_it_covers():
    """Example 6: +30 % on 10 of the 31 days of January gives 9.68 % more that month."""
    fair = Event("fair", date(2027, 1, 11), date(2027, 1, 21), uplift=0.3)
    moved = apply(flat(), Levers(events=(fair,))).frame["yhat"]
    assert moved[0] == pytest.approx(100 * (1 + 0.3 * 10 / 31))
    assert moved[1] == pytest.approx(100)


def test_all_levers_together_are_the_product_of_their_formulas():
    """The worked example: 100 x 1.3499 x 1.0095 x 1.10 x 1.05 x 1.05 = 165.26."""
    chosen = Levers(growth=0.12, win_rate=0.10, average_deal=0.05, headcount=0.2, ramp_months=4, seasonality=0.5)
    assert round(apply(made(), chosen).frame["yhat"][0], 2) == 165.26


def test_a_lever_beyond_its_meaning_is_refused():
    with pytest.raises(LeverOutOfRange, match="win_rate must lie between"):
        Levers(win_rate=-1.5)


def test_the_paths_fill_the_band_as_it_says():
    fit = flat(horizon=12)
    frame = apply(fit).frame
    paths = sample_paths(fit)
    inside = (paths >= frame["lo"].to_numpy()) & (paths <= frame["hi"].to_numpy())
    assert inside.mean() == pytest.approx(0.8, abs=0.04)
    assert np.median(paths, axis=0) == pytest.approx(frame["yhat"].to_numpy(), rel=0.02)


def test_totals_by_quarter_count_what_was_booked_before_and_compare_with_quota():
    """History to October 2026: the fourth quarter is 100 booked and 200 to come."""
    fit = flat(known=10, horizon=5, width=0.02)
    quota = {date(2026, month, 1): 95.0 for month in (10, 11, 12)}
    table = compare(fit, {"hires": Levers(win_rate=0.1)}, by="quarter", quota=quota)
    base, hires = table[table["scenario"] == "base"], table[table["scenario"] == "hires"]
    assert base["starts_on"].dt.date.tolist() == [date(2026, 10, 1), date(2027, 1, 1)]
    assert base["total"].tolist() == pytest.approx([300, 300])
    assert hires["total"].tolist() == pytest.approx([320, 330])
    assert hires["difference"].tolist() == pytest.approx([20, 30])
    assert base["gap"].iloc[0] == pytest.approx(15)
    assert base["chance"].iloc[0] == 1.0
    assert np.isnan(base["chance"].iloc[1])


def test_fiscal_quarters_begin_where_the_fiscal_year_does():
    table = compare(flat(known=10, horizon=4), {}, by="quarter", year_starts_in=2)
    assert table["starts_on"].dt.date.tolist() == [date(2026, 11, 1), date(2027, 2, 1)]
    assert table["total"].tolist() == pytest.approx([300, 100])


def test_a_week_over_a_months_end_is_shared_by_its_days():
    """One week from Monday 2026-06-29: two days in June, five in July."""
    fit = flat(frequency="week", known=4, horizon=1, first=date(2026, 6, 1))
    table = compare(fit, {}, by="month")
    assert table["total"].tolist() == pytest.approx([400 + 100 * 2 / 7, 500 / 7])


def test_a_quota_in_the_middle_is_reached_about_half_the_time():
    fit = flat(horizon=6)
    assert chance_to_reach(fit, 600) == pytest.approx(0.5, abs=0.05)
    assert chance_to_reach(fit, 100) == 1.0
    assert chance_to_reach(fit, 6000) == 0.0
    assert chance_to_reach(fit, 600, Levers(growth=0.5)) > 0.8


@settings(deadline=None, max_examples=30)
@given(levers)
def test_kept_levers_read_back_as_they_were(chosen):
    fair = Event("fair", date(2027, 1, 11), date(2027, 1, 21), uplift=0.3)
    chosen = replace(chosen, events=(fair,))
    assert Levers.from_dict(json.loads(json.dumps(chosen.to_dict()))) == chosen


def test_levers_kept_before_others_came_are_neutral_in_those():
    assert Levers.from_dict({"growth": 0.1, "gone": 3}) == Levers(growth=0.1)
