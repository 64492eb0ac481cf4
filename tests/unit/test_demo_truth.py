"""Simple analytics over the generated histories find the stated parameters again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.demo.amounts import make_amounts, make_rates
from data.demo.calendar import DAY, Calendar, number
from data.demo.cast import NEVER, make_cast
from data.demo.costs import make_costs
from data.demo.histories import effects_of, live, openings
from data.demo.parameters import LOST, OPEN_STAGES, WON, TrueParameters
from data.demo.quotas import quota_months
from data.demo.reference import SEGMENTS, SPRING_FESTIVALS
from data.names import companies, people

TRUE = TrueParameters()
CALENDAR = Calendar.of(date(2026, 6, 30), ZoneInfo("Asia/Shanghai"), TRUE)
REAL_NAMES = Path(__file__).resolve().parents[2] / "../shared/data/messy/company_names_zh/company_short_20k.txt"


@pytest.fixture(scope="module")
def played():
    rng = np.random.default_rng(11)
    cast = make_cast(rng, CALENDAR, reps=40, customers=1500)
    return cast, live(rng, CALENDAR, cast, openings(rng, CALENDAR, 12_000))


def test_conversion_by_stage_is_what_the_parameters_imply(played):
    cast, histories = played
    mature = histories.opened < CALENDAR.end - 400 * DAY
    furthest = np.full(len(histories), -1)
    moves = histories.moves
    counted = moves.after <= WON
    np.maximum.at(furthest, moves.deal[counted], moves.after[counted])
    reached = [(furthest[mature] >= stage).sum() for stage in range(WON + 1)]

    found = [later / earlier for earlier, later in pairwise(reached)]

    assert found == pytest.approx(TRUE.conversion(effects_of(cast, CALENDAR)), abs=0.025)


def test_the_share_won_is_what_the_parameters_imply(played):
    cast, histories = played
    mature = histories.opened < CALENDAR.end - 400 * DAY

    found = (histories.stage[mature] == WON).mean()

    assert found == pytest.approx(TRUE.win_rate(effects_of(cast, CALENDAR)), abs=0.02)


def test_a_certain_process_is_won_and_an_impossible_one_lost():
    sure = replace(TRUE, advance_rates=(1 - 1e-12,) * 5)
    never = replace(TRUE, advance_rates=(1e-12,) * 5, first_stage_shares=(1.0, 0, 0, 0, 0))

    assert sure.win_rate() == pytest.approx(1.0)
    assert never.conversion()[0] == pytest.approx(0.0, abs=1e-9)


def test_conversion_without_detours_is_the_advance_rate():
    first = (1.0, 0.0, 0.0, 0.0, 0.0)
    plain = replace(TRUE, skip_rate=0.0, back_rate=0.0, reopen_rate=0.0, first_stage_shares=first)

    assert plain.conversion() == pytest.approx(plain.advance_rates)


@pytest.mark.parametrize("stage", range(4))
def test_median_stays_of_middling_customers_are_the_parameters(played, stage):
    cast, histories = played
    moves = histories.moves
    same = moves.deal[1:] == moves.deal[:-1]
    middling = cast.customers.segment[histories.customer[moves.deal[:-1]]] == SEGMENTS.index("中型企业")
    old = histories.opened[moves.deal[:-1]] < CALENDAR.end - 400 * DAY
    stays = (moves.at[1:] - moves.at[:-1])[same & middling & old & (moves.after[:-1] == stage)] / DAY

    assert np.median(stays) == pytest.approx(TRUE.median_days[stage], rel=0.12)


def test_deals_begun_grow_by_the_yearly_rate(played):
    _cast, histories = played
    years = np.bincount((CALENDAR.day_of(histories.opened) - CALENDAR.first) * 12 // 4383, minlength=3)[:3]

    assert years[2] / years[0] == pytest.approx((1 + TRUE.yearly_growth_rate) ** 2, rel=0.08)


def test_the_spring_festival_is_a_hollow(played):
    _cast, histories = played
    days = CALENDAR.day_of(histories.opened)
    for festival in SPRING_FESTIVALS:
        at = number(festival)
        if CALENDAR.first + 60 < at < CALENDAR.last - 60:
            low, high = TRUE.spring_festival_days
            inside = ((days >= at + low) & (days < at + high)).sum() / (high - low)
            around = ((days >= at - 50) & (days < at + 50)).sum() / 100
            assert inside < 0.45 * around


def test_the_last_week_of_a_quarter_wins_more_than_the_first_weeks_after(played):
    _cast, histories = played
    won = CALENDAR.day_of(histories.closed[histories.stage == WON]).astype("datetime64[D]")
    quarter = won.astype("datetime64[M]").astype(int) // 3
    end = ((quarter + 1) * 3).astype("datetime64[M]").astype("datetime64[D]")
    start = (quarter * 3).astype("datetime64[M]").astype("datetime64[D]")
    last_week = ((end - won).astype(int) <= 7).sum() / 7
    first_weeks = ((won - start).astype(int) < 20).sum() / 20

    assert last_week > 1.5 * first_weeks


def test_skilled_reps_and_referrals_win_more(played):
    cast, histories = played
    decided = ~histories.is_open
    won = histories.stage == WON
    skill = cast.reps.skill[histories.first_owner]
    best = won[decided & (skill > np.quantile(skill, 0.75))].mean()
    worst = won[decided & (skill < np.quantile(skill, 0.25))].mean()
    by_channel = [won[decided & (histories.channel == c)].mean() for c in range(6)]

    assert best > worst + 0.1
    assert np.argmax(by_channel) == np.argmax(TRUE.channel_effects)
    assert np.argmin(by_channel) == np.argmin(TRUE.channel_effects)


def test_histories_hold_skips_steps_back_and_reopenings(played):
    _cast, histories = played
    moves = histories.moves
    steps = moves.before >= 0
    opens = steps & (moves.after < WON) & (moves.before < WON)

    assert ((moves.after - moves.before)[opens] == 2).sum() > 200
    assert ((moves.after - moves.before)[opens] == -1).sum() > 200
    assert (moves.before[moves.after < WON] == LOST).sum() > 50
    assert len(OPEN_STAGES) == WON


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**32), deals=st.integers(1, 400))
def test_every_history_runs_forward_in_time_and_ends_once(seed, deals):
    rng = np.random.default_rng(seed)
    cast = make_cast(rng, CALENDAR, reps=40, customers=100)
    histories = live(rng, CALENDAR, cast, openings(rng, CALENDAR, deals))
    moves = histories.moves
    same = moves.deal[1:] == moves.deal[:-1]

    assert (moves.at[1:][same] > moves.at[:-1][same]).all()
    assert (moves.before[1:][same] == moves.after[:-1][same]).all()
    assert moves.at.max() <= CALENDAR.end
    assert (moves.before != WON).all()
    for changes in (histories.owners, histories.pushes):
        assert (changes.at > histories.opened[changes.deal]).all()
        closed = histories.closed[changes.deal]
        assert ((changes.at < closed) | (closed < 0)).all()
        assert (changes.at <= CALENDAR.end).all()
    left = cast.reps.left[histories.owner]
    assert (left[histories.is_open] == NEVER).all()


def test_the_same_seed_gives_the_same_amounts_and_lines_add_up():
    def draw():
        rng = np.random.default_rng(5)
        cast = make_cast(rng, CALENDAR, reps=40, customers=200)
        histories = live(rng, CALENDAR, cast, openings(rng, CALENDAR, 500))
        segment = cast.customers.segment[histories.customer]
        return make_amounts(rng, CALENDAR, make_rates(rng, CALENDAR), histories, segment)

    one, two = draw(), draw()

    assert (one.base == two.base).all()
    assert (np.bincount(one.lines.deal, weights=one.lines.amount) == one.amount).all()
    assert (one.amount > 0).all()
    assert 0 < (one.currency > 0).mean() < 0.08


def test_quotas_reach_to_the_years_end():
    months = quota_months(CALENDAR)

    assert (months[0], months[-1]) == (CALENDAR.start, date(2026, 12, 1))


def test_costs_are_what_the_parameters_state():
    costs = {(channel, month): cost for channel, month, cost in make_costs(CALENDAR, deals=36_000)}
    months = sorted({month for _channel, month in costs})
    assert (months[0], months[-1], len(months)) == (CALENDAR.start, date(2026, 6, 1), TRUE.months + 1)
    middle = months[TRUE.months // 2]
    for channel, (share, cost) in enumerate(zip(TRUE.channel_shares, TRUE.channel_costs, strict=True)):
        if channel != 1:
            assert costs[channel, middle] == pytest.approx(1_000 * share * cost, abs=50)
            grown = costs[channel, months[24]] / costs[channel, months[12]] - 1
            assert grown == pytest.approx(TRUE.yearly_growth_rate, abs=0.002)
    ratio = costs[1, date(2025, 3, 1)] / costs[1, date(2025, 2, 1)]
    assert ratio == pytest.approx(TRUE.fair_weight * (1 + TRUE.yearly_growth_rate) ** (1 / 12), rel=0.001)
    for month in months:
        spent = sum(costs[channel, month] for channel in range(6))
        assert costs[None, month] == pytest.approx(spent * TRUE.other_costs_rate, abs=50)


def test_companies_have_a_name_each_and_persons_a_pinyin_name():
    rng = np.random.default_rng(1)
    names = companies(rng, [("苏州", "Suzhou")] * 3000)

    assert len({name.full for name in names}) == 3000
    assert all(name.full.startswith("苏州") and name.full.endswith("公司") for name in names)
    assert all(name.english.startswith("Suzhou ") and name.english.isascii() for name in names)
    assert all(len(english.split()) == 2 and 2 <= len(chinese) <= 4 for chinese, english in people(rng, 500))


def test_short_company_names_have_the_length_and_the_script_of_real_ones():
    if not REAL_NAMES.exists():
        pytest.skip("needs ../shared/data/messy/company_names_zh")
    real = [word for word in map(str.strip, REAL_NAMES.open(encoding="utf-8")) if word]
    cities = [("上海", "Shanghai"), ("石家庄", "Shijiazhuang")] * 400
    names = companies(np.random.default_rng(2), cities)
    ours = [name.short.removeprefix(city) for name, (city, _english) in zip(names, cities, strict=True)]

    low, high = np.quantile([len(word) for word in real], (0.05, 0.95))
    assert np.mean([low <= len(word) <= high for word in ours]) > 0.95
    assert all("\u4e00" <= sign <= "\u9fff" for word in ours for sign in word)
