"""Laws of the leaderboard's adjustments."""

from __future__ import annotations

import doctest
from datetime import date, timedelta
from math import isclose, isnan

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.analytics.fairness import (
    WEIGHTS,
    Prior,
    booked_a_day,
    days_worked,
    hardness,
    prior_of,
    quota_for_days_worked,
    quotas_as_hard,
)
from core.analytics.leaderboard import ranks
from core.analytics.rank_ranges import Decided, rank_ranges, resampled
from core.domain.periods import Period, add_months
from core.settings import PROJECT_ROOT

QUARTER = Period(date(2026, 7, 1), date(2026, 10, 1))
days = st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2027, 1, 1)))
counts = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12)
values = st.floats(0.01, 1e9)


@settings(deadline=None)
@given(days, days)
def test_days_worked_are_days_of_the_period_and_left_on_is_the_last(joined: date | None, left: date | None) -> None:
    found = days_worked(QUARTER, joined, left)

    there = [
        day
        for day in (QUARTER.start + timedelta(n) for n in range(QUARTER.days))
        if (joined is None or day >= joined) and (left is None or day <= left)
    ]
    assert found == len(there)


@settings(deadline=None)
@given(days, days, st.lists(st.integers(0, 10**9), min_size=3, max_size=3))
def test_nobody_owes_more_for_the_days_worked_than_for_the_whole_period(
    joined: date | None, left: date | None, amounts: list[int]
) -> None:
    months = {add_months(QUARTER.start, n): float(amount) for n, amount in enumerate(amounts)}

    owed = quota_for_days_worked(months, QUARTER, joined, left)

    assert 0 <= owed <= sum(amounts)
    if days_worked(QUARTER, joined, left) == QUARTER.days:
        assert owed == sum(amounts)


def test_a_joiner_owes_the_share_of_the_month_that_was_worked() -> None:
    months = {date(2026, 7, 1): 31_000.0, date(2026, 8, 1): 31_000.0}

    assert quota_for_days_worked(months, QUARTER, date(2026, 7, 22), None) == 10_000 + 31_000
    assert quota_for_days_worked(months, QUARTER, None, date(2026, 8, 10)) == 31_000 + 10_000


@settings(deadline=None)
@given(st.lists(st.tuples(values, values), min_size=1, max_size=10))
def test_quotas_as_hard_add_up_to_the_same_and_ask_the_same_of_everyones_history(
    people: list[tuple[float, float]],
) -> None:
    quotas = {who: quota for who, (quota, _usual) in enumerate(people)}
    usual = {who: one for who, (_quota, one) in enumerate(people)}

    fair = quotas_as_hard(quotas, usual)

    assert isclose(sum(fair.values()), sum(quotas.values()), rel_tol=1e-9)
    hard = [hardness(fair[who], usual[who]) for who in fair]
    assert max(hard) == pytest.approx(min(hard))
    again = quotas_as_hard(fair, usual)
    assert all(isclose(again[who], fair[who], rel_tol=1e-9) for who in fair), "what is as hard stays as it is"


def test_who_has_no_history_keeps_the_quota() -> None:
    assert quotas_as_hard({1: 100.0, 2: 300.0, 3: 50.0}, {1: 200.0, 2: 200.0, 3: float("nan")}) == {
        1: 200.0, 2: 200.0, 3: 50.0,
    }  # fmt: skip


@settings(deadline=None)
@given(values, st.integers(0, 366), values, st.integers(1, 10_000))
def test_what_is_usual_lies_between_ones_own_history_and_the_territorys(
    own: float, own_days: int, peers: float, peer_days: int
) -> None:
    found = booked_a_day(own if own_days else 0.0, own_days, peers=peers, peer_days=peer_days)

    theirs = peers / peer_days
    mine = own / own_days if own_days else theirs
    assert min(mine, theirs) * (1 - 1e-9) <= found <= max(mine, theirs) * (1 + 1e-9)


def test_without_any_history_there_is_nothing_usual() -> None:
    assert isnan(booked_a_day(0.0, 0, peers=0.0, peer_days=0))
    assert booked_a_day(500.0, 10, peers=0.0, peer_days=0) == 50.0


@settings(deadline=None)
@given(counts)
def test_a_shrunk_rate_lies_between_ones_own_rate_and_that_of_all(people: list[tuple[int, int]]) -> None:
    won = [w for w, _lost in people]
    decided = [w + lost for w, lost in people]
    assume(sum(decided))

    prior = prior_of(won, decided)

    assert isclose(prior.rate, sum(won) / sum(decided))
    assert WEIGHTS[0] <= prior.weight <= WEIGHTS[-1]
    for wins, whole in zip(won, decided, strict=True):
        shrunk = prior.shrunk(wins, whole)
        own = wins / whole if whole else prior.rate
        assert min(own, prior.rate) - 1e-12 <= shrunk <= max(own, prior.rate) + 1e-12
        low, high = prior.interval(wins, whole)
        assert 0 <= low <= high <= 1


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.floats(1, 1000), st.integers(1, 50), st.data())
def test_of_two_with_as_many_deals_who_won_more_has_the_higher_rate(
    rate: float, weight: float, decided: int, data: st.DataObject
) -> None:
    more = data.draw(st.integers(1, decided))
    prior = Prior(rate, weight)

    assert prior.shrunk(more, decided) > prior.shrunk(more - 1, decided)


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.floats(1, 1000), st.integers(0, 20), st.integers(1, 20))
def test_the_more_deals_the_nearer_to_ones_own_rate(rate: float, weight: float, won: int, lost: int) -> None:
    prior, own = Prior(rate, weight), won / (won + lost)

    few, many = (prior.shrunk(times * won, times * (won + lost)) for times in (1, 10))

    assert abs(many - own) <= abs(few - own) + 1e-12


def test_the_prior_is_found_again_in_what_it_made() -> None:
    """400 people whose true rates are drawn from Beta(12, 28), 60 deals each: rate 0.3, weight 40."""
    dice = np.random.default_rng(7)
    decided = np.full(400, 60)
    won = dice.binomial(decided, dice.beta(12, 28, size=400))

    prior = prior_of(won.tolist(), decided.tolist())

    assert prior.rate == pytest.approx(0.3, abs=0.015)
    assert 28 < prior.weight < 60


def test_people_who_differ_by_chance_alone_are_taken_for_equals() -> None:
    dice = np.random.default_rng(7)
    decided = np.full(200, 40)

    prior = prior_of(dice.binomial(decided, 0.25).tolist(), decided.tolist())

    assert prior.weight > 300
    assert prior.shrunk(40, 40) < 0.35, "forty won out of forty would be a wonder among equals"


deals = st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.floats(0, 1e6)), max_size=60)


@settings(deadline=None, max_examples=40)
@given(deals, st.sampled_from(["booked", "won_count", "average_deal", "win_rate"]))
def test_a_rank_range_holds_the_plain_rank_and_places_there_are(
    rows: list[tuple[int, bool, float]], measure: str
) -> None:
    sums = {who: [0, 0, 0.0] for who in range(5)}
    for who, won, amount in rows:
        sums[who][0] += won
        sums[who][1] += 1
        sums[who][2] += amount * won
    plain = {
        str(who): {"booked": booked, "won_count": float(won), "average_deal": booked / won if won else float("nan"),
                   "win_rate": won / decided if decided else float("nan")}[measure]
        for who, (won, decided, booked) in sums.items()
    }  # fmt: skip
    found = ranks(plain)
    listed = [found.get(str(who)) for who in range(5)]

    ranges = rank_ranges(listed, resampled(Decided.of(rows, 5), measure, draws=50))  # type: ignore[arg-type]

    for rank, span in zip(listed, ranges, strict=True):
        assert (rank is None) == (span is None)
        if rank is not None and span is not None:
            assert 1 <= span[0] <= rank <= span[1] <= len(found)


def test_the_same_deals_give_the_same_range_every_time() -> None:
    some = Decided.of([(n % 3, n % 2 == 0, float(n)) for n in range(90)], 3)

    one, other = (resampled(some, "booked", draws=200) for _n in range(2))

    assert (one == other).all()


def test_far_apart_has_narrow_ranges_and_close_together_wide_ones() -> None:
    apart = [(0, True, 1000.0)] * 80 + [(1, True, 100.0)] * 80 + [(2, True, 10.0)] * 80
    close = [(who, True, 100.0 + who) for who in range(3) for _n in range(8)]

    far, near = (
        rank_ranges([1, 2, 3], resampled(Decided.of(rows, 3), "booked")) if rows is apart
        else rank_ranges([3, 2, 1], resampled(Decided.of(rows, 3), "booked"))
        for rows in (apart, close)
    )  # fmt: skip

    assert far == [(1, 1), (2, 2), (3, 3)]
    assert near == [(1, 3), (1, 3), (1, 3)]


def test_draws_resample_counts_too_and_keep_the_mean() -> None:
    """Each deal comes once on average, so the mean of the draws is the plain figure."""
    rows = [(0, n % 4 == 0, 50.0) for n in range(400)]

    draws = resampled(Decided.of(rows, 2), "booked", draws=2000)

    assert draws[:, 0].mean() == pytest.approx(5000, rel=0.02)
    assert draws[:, 0].std() == pytest.approx(50 * 100**0.5, rel=0.1)
    assert (draws[:, 1] == 0).all()


def test_many_people_are_drawn_fewer_times() -> None:
    few, many, very_many = (
        Decided(np.arange(people), np.ones(people, bool), np.ones(people), people) for people in (3, 1_000, 10_000)
    )

    assert [resampled(rows, "booked").shape for rows in (few, many, very_many)] == [
        (1_000, 3), (400, 1_000), (200, 10_000),
    ]  # fmt: skip


@pytest.mark.parametrize("deals", [3, 20, 30, 200])
@pytest.mark.parametrize("measure", ["booked", "margin", "won_count", "win_rate", "average_deal"])
def test_drawing_a_sum_at_once_is_drawing_its_deals_one_by_one(deals: int, measure: str) -> None:
    """Beside a Poisson bootstrap that draws each deal, with amounts as unlike as those of real deals."""
    dice, draws = np.random.default_rng(deals), 4_000
    amount, won = dice.lognormal(10, 0.8, deals), np.arange(deals) % 3 > 0
    times = dice.poisson(1.0, (draws, deals))
    amount -= dice.lognormal(10, 0.8, deals) * (measure == "margin")  # some cost more than they bring
    wins, booked = (times * won).sum(axis=1), (times * won * amount).sum(axis=1)
    with np.errstate(invalid="ignore"):
        slow = {
            "booked": booked, "margin": booked, "won_count": wins, "win_rate": wins / times.sum(axis=1),
            "average_deal": booked / wins,
        }[measure]  # fmt: skip

    quick = resampled(Decided(np.zeros(deals, int), won, amount, 1), measure, draws=draws)[:, 0]  # type: ignore[arg-type]

    spread = np.nanstd(slow)
    assert np.nanmean(quick) == pytest.approx(np.nanmean(slow), rel=0.05, abs=0.05 * spread)
    assert np.nanstd(quick) == pytest.approx(spread, rel=0.08)
    step = 1 if measure == "won_count" else 0
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert np.nanquantile(quick, share) == pytest.approx(np.nanquantile(slow, share), abs=0.15 * spread + step)


def test_equal_values_share_the_best_rank() -> None:
    draws = np.array([[3.0, 5.0, 3.0, np.nan]] * 10)

    assert rank_ranges([2, 1, 2, 4], draws) == [(2, 2), (1, 1), (2, 2), (4, 4)]


@pytest.mark.parametrize("name", ["days-worked", "quota-difficulty", "shrunk-rate", "rank-range"])
def test_the_worked_examples_of_the_methods_come_out(name: str) -> None:
    known = {
        one.__name__: one
        for one in (Decided, Prior, booked_a_day, days_worked, hardness, prior_of, quota_for_days_worked,
                    quotas_as_hard, rank_ranges, resampled, date)
    } | {"Q3": QUARTER}  # fmt: skip
    text = (PROJECT_ROOT / "docs" / "methods" / f"{name}.md").read_text(encoding="utf-8")
    example = doctest.DocTestParser().get_doctest(text, known, name, None, 0)
    said: list[str] = []
    outcome = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
    assert outcome.attempted > 1
    assert outcome.failed == 0, "".join(said)
