"""Contests are announced, counted as the leaderboard counts, and what was won is kept."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from random import Random
from threading import Barrier
from typing import Any

import pytest
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.domain.honours import AwardKind, ContestBy, ContestMeasure
from core.domain.money import allocate
from core.domain.periods import Period, add_months
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed
from core.model import Contest, CreditShare, Deal, Rep
from core.queries.contests import awards, contests
from core.queries.leaderboard_teams import team_leaderboard
from core.services.contests import ContestHasAwards, MonthNotOver, call_off_contest, give_awards, hold_contest
from core.services.deal_credit import CreditPart, split_credit
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.histories import REPS, random_deals
from tests.slow_company import SlowCompany, cents, credit

JUNE = Period(date(2026, 6, 1), date(2026, 7, 1))
JULY = Period(date(2026, 7, 1), date(2026, 8, 1))
DAY = timedelta(days=1)


def sold(make: Company, rep: str, amount: int, days_ago: int, end: str = "won") -> Deal:
    return make.deal(
        owner=rep, amount=amount, path=(("identified", NOW - (days_ago + 5) * DAY), (end, NOW - days_ago * DAY))
    )


def run(make: Company, command: Any, who: str = "operations", **values: Any) -> Any:
    return gate.perform(make.database, actor(make, who), command, NOW, **values)


def told(make: Company, who: str = "leader", **values: Any) -> set[tuple[str, str, float]]:
    frame = gate.answer(make.database, actor(make, who), awards, NOW, **values)
    return {(row["kind"], row["name"], row["value"]) for row in frame.to_dict("records")}


@pytest.fixture
def june(company: Company) -> Company:
    """May: Alice 100. June: Alice 300, Bob 700, Charlie 900 in two deals; Bob's and Charlie's first ones."""
    for rep, amount, days_ago in (
        ("alice", 100, 60), ("alice", 300, 20), ("bob", 700, 21), ("charlie", 400, 25), ("charlie", 500, 22),
    ):  # fmt: skip
        sold(company, rep, amount, days_ago)
    return company


def test_a_months_awards_are_given_and_kept(june: Company) -> None:
    assert run(june, give_awards, month=JUNE.start) == 5

    assert told(june) == {
        ("best_seller", "Charlie", 900.0), ("best_team", "East", 1000.0), ("most_improved", "Charlie", 900.0),
        ("first_deal", "Bob", 700.0), ("first_deal", "Charlie", 400.0),
    }  # fmt: skip


def test_giving_twice_gives_nothing_new(june: Company) -> None:
    run(june, give_awards, month=JUNE.start)
    before = told(june)

    assert run(june, give_awards, month=JUNE.start) == 0
    assert told(june) == before


def test_processes_that_give_at_the_same_hour_give_each_award_once(june: Company) -> None:
    together = Barrier(4)

    def give(_process: int) -> int:
        together.wait(10)
        return run(june, give_awards, month=JUNE.start)

    with ThreadPoolExecutor(4) as processes:
        given = sorted(processes.map(give, range(4)))

    assert given == [0, 0, 0, 5]


def test_a_month_that_runs_gives_no_awards(june: Company) -> None:
    with pytest.raises(MonthNotOver, match="2026-08-01"):
        run(june, give_awards, month=JULY.start)


def test_equals_are_all_honoured(company: Company) -> None:
    sold(company, "alice", 500, 20)
    sold(company, "charlie", 500, 20)

    run(company, give_awards, month=JUNE.start)

    assert {name for kind, name, _value in told(company) if kind == "best_seller"} == {"Alice", "Charlie"}


def test_nobody_is_honoured_for_nothing(company: Company) -> None:
    sold(company, "alice", 500, 20, end="lost")

    assert run(company, give_awards, month=JUNE.start) == 0


@pytest.mark.parametrize(
    ("measure", "competing", "winner", "value"),
    [("booked", "rep", "Charlie", 900.0), ("won_count", "rep", "Charlie", 2.0), ("booked", "team", "East", 1000.0),
     ("attainment", "team", "West", 1.8)],
)  # fmt: skip
def test_a_contest_that_is_over_honours_its_winner(
    june: Company, measure: str, competing: str, winner: str, value: float
) -> None:
    june.quota(rep="charlie", month=JUNE.start, amount=500)
    june.quota(rep="alice", month=JUNE.start, amount=1000)
    june.quota(rep="bob", month=JUNE.start, amount=1000)
    run(
        june, hold_contest, key="k", name="夏季冲刺", name_en="Summer sprint", period=JUNE,
        measure=ContestMeasure(measure), competing=ContestBy(competing),
    )  # fmt: skip
    run(june, give_awards, month=JUNE.start)

    frame = gate.answer(june.database, actor(june, "leader"), awards, NOW)
    (row,) = frame[frame["kind"] == AwardKind.CONTEST.value].to_dict("records")

    assert (row["name"], row["value"], row["contest"], row["measure"]) == (winner, value, "Summer sprint", measure)


def test_a_team_wins_by_win_rate_as_the_standings_rank_it(company: Company) -> None:
    """West won its only deal, too few for a rate; East won three of five, and leads alone."""
    for number in range(5):
        sold(company, "alice", 100, 20 + number, "won" if number in {0, 1, 2} else "lost")
    sold(company, "charlie", 100, 20)
    rules = {"period": JUNE, "measure": ContestMeasure.WIN_RATE, "competing": ContestBy.TEAM}
    run(company, hold_contest, key="k", name="赢单率", **rules)

    run(company, give_awards, month=JUNE.start)

    board = gate.answer(
        company.database, actor(company, "leader"), team_leaderboard, NOW, period=JUNE, measure="win_rate"
    )
    first = board[board["rank"] == 1]
    assert first["name"].to_list() == ["East"]
    assert {one for one in told(company) if one[0] == "contest"} == {("contest", "East", 0.6)}


def split(make: Company, deal: Deal, shares: dict[str, int]) -> None:
    with make.database.reading(SYSTEM, now=NOW) as work:
        version = work.session.get_one(Deal, deal.id).version
    parts = [CreditPart(make.reps[name], share) for name, share in shares.items()]
    run(make, split_credit, deal_id=deal.id, version=version, parts=parts)


def test_the_money_of_a_split_deal_honours_everybody_by_their_share(june: Company) -> None:
    """Charlie won 600 more, half of them Alice's and half Bob's: 300 + 300 and 700 + 300."""
    for measure in ("booked", "attainment", "won_count"):
        run(june, hold_contest, key=measure, name=measure, period=JUNE, measure=ContestMeasure(measure))
    split(june, sold(june, "charlie", 600, 23), {"alice": 5_000, "bob": 5_000})
    june.quota(rep="bob", month=JUNE.start, amount=500)

    run(june, give_awards, month=JUNE.start)

    assert {one for one in told(june) if one[0] != "first_deal"} == {
        ("best_seller", "Bob", 1000.0), ("best_team", "East", 1600.0), ("most_improved", "Bob", 1000.0),
        ("contest", "Bob", 1000.0), ("contest", "Bob", 2.0), ("contest", "Charlie", 3.0),
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_honours_of_random_companies_are_those_of_a_slow_count(small_company: Company, seed: int) -> None:
    """Python over lists: every part to whoever is credited with it, teams with all below them, the best of each."""
    make, random = small_company, Random(seed)
    for deal in random_deals(make, random, 30):
        if deal.state == "won" and random.random() < 0.6:
            first = random.randrange(1, 10_000)
            split(make, deal, dict(zip(random.sample(REPS, 2), (first, 10_000 - first), strict=True)))
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.get_one(Rep, make.reps["bob"]).team_id = make.teams["head"]  # directly in it: of no team's
    months = [add_months(JULY.start, -back) for back in range(1, 7)]
    for month in months:
        for name in REPS:
            make.quota(rep=name, month=month, amount=random.randint(1, 90_000))
        rules = {"key": str(month), "name": str(month), "period": Period(month, add_months(month, 1))}
        run(make, hold_contest, measure=ContestMeasure.ATTAINMENT, **rules)
    for month in reversed(months):
        run(make, give_awards, month=month)
    slow, shares = SlowCompany(make), defaultdict(list)
    with make.database.reading(SYSTEM, now=NOW) as work:
        for row in work.session.exec(select(CreditShare).where(CreditShare.until_at.is_(None))):
            shares[row.deal_id].append((row.rep_id, row.share))
    expected = set()
    for month in months:
        period, booked = Period(month, add_months(month, 1)), dict.fromkeys(slow.reps, 0)
        for deal in slow.decided(period, ("won",)):
            people = sorted(shares.get(deal.id, [(credit(deal), 10_000)]))
            parts = allocate(cents(deal.base_amount), [share for _rep, share in people])
            for (rep, _share), part in zip(people, parts, strict=True):
                booked[rep] += part
        reached = {rep: booked[rep] / slow.owed(rep, period)[0] for rep in booked}
        teams = {make.teams[one]: sum(booked[rep] for rep, row in slow.reps.items() if row.team_id == make.teams[one])
                 for one in ("east", "west")}  # fmt: skip
        expected |= {
            ("best_seller", month, rep, booked[rep] / 100) for rep in booked if booked[rep] == max(booked.values()) > 0
        }
        expected |= {
            ("best_team", month, team, teams[team] / 100) for team in teams if teams[team] == max(teams.values()) > 0
        }
        expected |= {
            ("contest", month, rep, reached[rep]) for rep in booked if reached[rep] == max(reached.values()) > 0
        }
    kept = slow(awards)
    found = {
        (row["kind"], row["start"], int(row["team_id"] if row["kind"] == "best_team" else row["rep_id"]), row["value"])
        for row in kept.to_dict("records") if row["kind"] in {"best_seller", "best_team", "contest"}
    }  # fmt: skip
    assert {one[:3]: one[3] for one in found} == pytest.approx({one[:3]: one[3] for one in expected}, abs=1e-4)


def test_who_is_directly_in_a_team_above_the_teams_is_no_team_that_could_win(june: Company) -> None:
    """Else its number would honour the whole company for what one of its own people sold."""
    with june.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.get_one(Rep, june.reps["charlie"]).team_id = june.teams["head"]
    june.database.mirror.refresh()
    run(june, hold_contest, key="k", name="队", period=JUNE, measure=ContestMeasure.WON_COUNT, competing=ContestBy.TEAM)
    sold(june, "charlie", 5_000, 23)

    run(june, give_awards, month=JUNE.start)

    assert {one for one in told(june) if one[0] in {"best_team", "contest"}} == {
        ("best_team", "East", 1000.0), ("contest", "East", 2.0),
    }  # fmt: skip
    board = gate.answer(
        june.database, actor(june, "leader"), team_leaderboard, NOW, period=JUNE, measure="won_count", whole=True
    )
    ranked = board[board["rank"].notna()]
    assert next(zip(ranked["rank"], ranked["name"], strict=True)) == (1, "East")
    assert not board["key"].str.contains(":").any()


def test_a_contest_that_was_decided_in_an_earlier_month_is_not_decided_again(june: Company) -> None:
    run(june, hold_contest, key="k", name="赛", period=JUNE, measure=ContestMeasure.BOOKED)
    run(june, give_awards, month=JUNE.start)
    sold(june, "alice", 9_000, 20)
    run(june, give_awards, month=JUNE.start)
    assert {one for one in told(june) if one[0] == "contest"} == {
        ("contest", "Charlie", 900.0), ("contest", "Alice", 9300.0),
    }, "what is logged late still counts while the month's awards are the newest"  # fmt: skip
    sold(june, "bob", 50_000, 20)

    with_july = NOW + 31 * DAY
    gate.perform(june.database, actor(june, "operations"), give_awards, with_july, month=JULY.start)

    assert "Bob" not in {name for kind, name, _value in told(june) if kind == "contest"}


def test_contests_are_listed_running_first_and_announced_once(company: Company) -> None:
    for key, period in (("a", JUNE), ("b", JULY), ("c", Period(JULY.end, JULY.end + DAY)), ("b", JULY)):
        run(company, hold_contest, key=key, name=f"赛{key}", period=period, measure=ContestMeasure.BOOKED)

    frame = gate.answer(company.database, actor(company, "eastern rep"), contests, NOW)

    assert list(zip(frame["name"], frame["state"], strict=True)) == [
        ("赛b", "running"), ("赛c", "coming"), ("赛a", "over"),
    ]  # fmt: skip


def test_a_contest_needs_a_name(company: Company) -> None:
    with pytest.raises(InvalidFields) as refusal:
        run(company, hold_contest, key="k", name="  ", prize="x" * 201, period=JUNE, measure=ContestMeasure.BOOKED)

    assert set(refusal.value.problems) == {"name", "prize"}


def test_a_contest_is_called_off_until_it_was_won(june: Company) -> None:
    made = run(june, hold_contest, key="k", name="赛", period=JUNE, measure=ContestMeasure.BOOKED)
    with pytest.raises(EditedMeanwhile):
        run(june, call_off_contest, contest_id=made.id, version=made.version + 1)
    run(june, give_awards, month=JUNE.start)
    with pytest.raises(ContestHasAwards):
        run(june, call_off_contest, contest_id=made.id, version=made.version)
    other = run(june, hold_contest, key="l", name="赛", period=JULY, measure=ContestMeasure.BOOKED)
    run(june, call_off_contest, contest_id=other.id, version=other.version)
    with june.database.reading(actor(june, "leader"), now=NOW) as work:
        assert work.session.get(Contest, other.id) is None


def test_who_does_not_see_everything_sees_ones_own_honours(june: Company) -> None:
    run(june, give_awards, month=JUNE.start)

    assert {name for _kind, name, _value in told(june, "eastern rep")} <= {"Alice"}
    assert {name for _kind, name, _value in told(june, "second eastern rep")} == {"Bob"}
    assert {name for _kind, name, _value in told(june, "eastern manager")} == {"Bob", "East"}
    assert told(june, "eastern rep", rep_id=june.reps["charlie"]) == set()


@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "leader", "administrator"])
def test_only_sales_operations_hold_contests_and_give_awards(company: Company, who: str) -> None:
    with pytest.raises(NotAllowed):
        run(company, give_awards, who, month=JUNE.start)
    with pytest.raises(NotAllowed):
        run(company, hold_contest, who, key="k", name="赛", period=JUNE, measure=ContestMeasure.BOOKED)
