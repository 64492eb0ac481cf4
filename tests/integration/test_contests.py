"""Contests are announced, counted as the leaderboard counts, and what was won is kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier
from typing import Any

import pytest

from core import gate
from core.domain.honours import AwardKind, ContestBy, ContestMeasure
from core.domain.periods import Period
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed
from core.model import Contest
from core.queries.contests import awards, contests
from core.queries.leaderboard_teams import team_leaderboard
from core.services.contests import ContestHasAwards, MonthNotOver, call_off_contest, give_awards, hold_contest
from tests.conftest import actor
from tests.factories import NOW, Company

JUNE = Period(date(2026, 6, 1), date(2026, 7, 1))
JULY = Period(date(2026, 7, 1), date(2026, 8, 1))
DAY = timedelta(days=1)


def sold(make: Company, rep: str, amount: int, days_ago: int, end: str = "won") -> None:
    make.deal(owner=rep, amount=amount, path=(("identified", NOW - (days_ago + 5) * DAY), (end, NOW - days_ago * DAY)))


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
