"""The laws of the levers; the worked examples are those of docs/methods/scenarios.md."""

import json
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.forecasting.calendar import Event
from core.forecasting.flow import Flow, carried
from core.forecasting.levers import LeverOutOfRange, Levers
from core.forecasting.pipeline import WEEKS
from core.forecasting.result import Components, Fit
from core.forecasting.scenario_totals import compare
from core.forecasting.scenarios import apply, chance_to_reach, expected, multiplier, sample_paths, turn
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
    leads=st.floats(-1, 2),
    cycle=st.floats(-0.5, 1),
    price=st.floats(-0.5, 1),
    elasticity=st.floats(-3, 1),
    seasonality=st.floats(-1, 2),
    flexibility=st.floats(-1, 2),
    capacity=st.none() | st.floats(0, 300),
)


@st.composite
def flows(draw, first=date(2026, 12, 1)):
    """What a near term may say, its first day some days before or after the first future step."""
    groups = draw(st.integers(0, 3))
    shares = st.lists(st.floats(0, 1), min_size=WEEKS, max_size=WEEKS).map(np.array)
    chance = np.array(draw(st.lists(st.floats(0.01, 1), min_size=groups, max_size=groups)))
    worth = np.array([draw(shares) * 50 for _group in range(groups)]).reshape(groups, WEEKS)
    return Flow(
        first + timedelta(days=draw(st.integers(-10, 40))), worth, chance, new_share=draw(shares),
        series=draw(shares) * 100, weights=draw(shares),
    )  # fmt: skip


def two_weeks() -> tuple[Fit, Flow]:
    """100 in each of two weeks from Monday 2026-06-29: 60 and 20 by open deals that are won 8 times of 10."""
    flow = Flow(
        date(2026, 6, 29), np.array([[60.0, 20.0]]), np.array([0.8]), new_share=np.array([0.4, 0.8]),
        series=np.array([100.0, 100.0]), weights=np.ones(2),
    )  # fmt: skip
    return flat(frequency="week", known=4, horizon=2, first=date(2026, 6, 1)), flow


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


@settings(deadline=None, max_examples=40)
@given(frequency=st.sampled_from(["day", "week", "month"]), horizon=st.integers(1, 60), flow=flows())
def test_neutral_levers_are_the_base_whatever_the_deals_say(frequency, horizon, flow):
    fit = made(frequency, horizon=horizon, first=date(2026, 6, 1))
    neutral = Levers(ramp_months=2, elasticity=-2)
    assert neutral.neutral
    pd.testing.assert_frame_equal(apply(fit, neutral, flow).frame, apply(fit).frame, check_exact=True)


@settings(deadline=None, max_examples=40)
@given(frequency=st.sampled_from(["day", "week", "month"]), horizon=st.integers(1, 60), flow=flows(date(2027, 1, 1)))
def test_what_deals_carry_adds_up_to_the_forecast(frequency, horizon, flow):
    """With levers that change nothing the matrix of section 2 is one."""
    fit = made(frequency, horizon=horizon, first=date(2026, 6, 1))
    assert carried(fit.future, frequency, flow, Levers()) == pytest.approx(np.eye(horizon), abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(levers, st.none() | flows())
def test_the_band_holds_the_forecast_wherever_the_levers_stand(chosen, flow):
    frame = apply(made(), chosen, flow).frame
    assert (frame["lo"] <= frame["yhat"] * (1 + 1e-12)).all()
    assert (frame["yhat"] <= frame["hi"] * (1 + 1e-12)).all()
    assert (frame["lo"] >= 0).all()


def test_without_new_deals_nothing_is_forecast_below_nought():
    """Where differences of equal sums of shares had been a last digit below it."""
    nothing = np.zeros(13)
    share, series = nothing.copy(), nothing.copy()
    share[0], series[0] = 2**-7, 100.0
    flow = Flow(date(2026, 12, 1), np.zeros((0, 13)), np.zeros(0), share, series, nothing)
    levers = Levers(win_rate=0.5, leads=-1.0, cycle=0.25)
    fit = made()
    assert (carried(fit.future, fit.frequency, flow, levers) >= 0).all()
    assert (apply(fit, levers, flow).frame["lo"] >= 0).all()


@settings(deadline=None, max_examples=100)
@given(levers, st.none() | flows(), st.floats(0.01, 1))
def test_more_of_a_multiplying_lever_never_gives_less(chosen, flow, more):
    fit = made()
    low = apply(fit, chosen, flow).frame["yhat"].to_numpy()
    for lever in ("growth", "win_rate", "average_deal", "headcount", "leads", "capacity"):
        before = getattr(chosen, lever)
        if before is None or (lever == "headcount" and before < 0 < before + more):
            continue
        raised = apply(fit, replace(chosen, **{lever: before + more}), flow).frame["yhat"].to_numpy()
        assert (raised >= low * (1 - 1e-12) - 1e-9).all(), lever


@settings(deadline=None, max_examples=100)
@given(levers, flows(), st.floats(0, 0.4))
def test_a_shorter_cycle_never_brings_less_up_to_any_day(chosen, flow, shorter):
    """Deals come earlier, so that the sum from the first step to any other never falls."""
    fit, chosen = made(), replace(chosen, capacity=None, cycle=0.0)
    slow = np.cumsum(apply(fit, chosen, flow).frame["yhat"])
    quick = np.cumsum(apply(fit, replace(chosen, cycle=-shorter), flow).frame["yhat"])
    assert (quick >= slow * (1 - 1e-9) - 1e-9).all()


@settings(deadline=None, max_examples=40)
@given(levers, st.none() | flows(), st.floats(0, 200))
def test_nothing_is_booked_beyond_the_capacity(chosen, flow, capacity):
    frame = apply(made(), replace(chosen, capacity=capacity), flow).frame
    assert (frame[["yhat", "lo", "hi"]] <= capacity * (1 + 1e-12)).all(axis=None)


@settings(deadline=None, max_examples=40)
@given(flows())
def test_a_flow_that_was_kept_reads_back_as_it_was(flow):
    again = Flow.from_dict(json.loads(json.dumps(flow.to_dict())))
    assert again.to_dict() == flow.to_dict()
    assert again.open_worth.shape == flow.open_worth.shape


@settings(deadline=None, max_examples=40)
@given(levers, st.none() | flows())
def test_the_middle_alone_is_what_the_whole_answer_says(chosen, flow):
    assert expected(made(), chosen, flow) == pytest.approx(apply(made(), chosen, flow).frame["yhat"].to_numpy())


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


def test_a_price_wins_or_loses_deals_by_its_elasticity():
    """Example 7: 10 % dearer at -1.5: 100 x 1.1 x 1.1^-1.5 = 95.35; at 0 nobody leaves, at -1 nothing is gained."""
    at = [apply(flat(), Levers(price=0.1, elasticity=e)).frame["yhat"][0] for e in (-1.5, 0.0, -1.0)]
    assert at == pytest.approx([95.35, 110, 100], abs=0.005)


def test_a_win_rate_acts_on_open_deals_up_to_certainty_and_on_new_ones_whole():
    """Example 8: at +25 % both weeks bring 125; at +50 % the open deals, 8 of 10 to be won, give 1.25 times only."""
    fit, flow = two_weeks()
    assert apply(fit, Levers(win_rate=0.25), flow).frame["yhat"].tolist() == pytest.approx([125, 125])
    assert apply(fit, Levers(win_rate=0.5), flow).frame["yhat"].tolist() == pytest.approx([135, 145])


def test_new_leads_bring_new_business_alone():
    """Example 9: +10 %: 60 + 1.1 x 40 = 104, then 20 + 1.1 x 80 = 108."""
    fit, flow = two_weeks()
    assert apply(fit, Levers(leads=0.1), flow).frame["yhat"].tolist() == pytest.approx([104, 108])


def test_a_cycle_twice_as_long_brings_half_of_what_was_near():
    """Example 10: of the open 60 half in each week; new ones as they began half as long ago: 40, then 42.86."""
    fit, flow = two_weeks()
    moved = apply(fit, Levers(cycle=1.0), flow).frame["yhat"]
    assert moved.tolist() == pytest.approx([70, 30 + 100 * (6 * 0.4 + 0.6) / 7])
    assert moved[1] == pytest.approx(72.857, abs=0.001)


def test_levers_leave_the_days_before_today_alone():
    """Example 11: today is 24 June 2026, in a month at 100: 7 of its 30 days are ahead."""
    fit = flat(known=5, horizon=2)
    flow = Flow.unknown(date(2026, 6, 24))
    expected = [100 * (1 + 0.1 * 7 / 30), 110.0]
    for moved in (Levers(win_rate=0.1), Levers(average_deal=0.1), Levers(leads=0.1)):
        assert apply(fit, moved, flow).frame["yhat"].tolist() == pytest.approx(expected)


def test_a_capacity_is_shared_by_a_months_days():
    """Example 12: 310 a month hold a week in July at 70; July itself at 310."""
    fit = flat(frequency="week", known=4, horizon=2, first=date(2026, 6, 8))
    assert apply(fit, Levers(capacity=310.0)).frame["yhat"].tolist() == pytest.approx([70, 70])
    assert apply(flat(known=6, horizon=1), Levers(capacity=90.0)).frame["yhat"].tolist() == pytest.approx([90])


def test_flexibility_weighs_the_trends_latest_turn():
    """Example 13: flat for 7 months, then +0.1 in each of 6: latest slope .1, whole .05, 0.9 x .05 after a month."""
    fit = flat(known=13, horizon=2)
    trend = np.concatenate([np.zeros(7), 0.1 * np.arange(1, 7), [0.6, 0.6]])
    fit = replace(fit, parts=replace(fit.parts, trend=trend))
    assert turn(fit).tolist() == pytest.approx([0.05 * 0.9, 0.05 * (0.9 + 0.81)])
    less, more = (apply(fit, Levers(flexibility=f)).frame["yhat"] for f in (-1, 1))
    assert more.tolist() == pytest.approx(list(100 * np.exp(0.6 + turn(fit))))
    assert (less < apply(fit).frame["yhat"]).all()


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


@settings(deadline=None, max_examples=20)
@given(levers, st.floats(0.05, 0.9))
def test_the_paths_mean_is_the_forecast_so_that_the_band_of_a_total_lies_about_it(chosen, width):
    """On a logarithm a wide band has longer courses above than below: a sum of medians would lie at its low end."""
    fit = made(frequency="day", known=60, horizon=90, width=width)
    free = replace(chosen, capacity=None)
    paths = sample_paths(fit, free)
    middle = expected(fit, free)
    assert paths.mean(axis=0) == pytest.approx(middle, rel=1e-6)
    if middle.sum() > 0:
        low, high = np.quantile(paths.sum(axis=1), (0.1, 0.9))
        assert low < middle.sum() < high
