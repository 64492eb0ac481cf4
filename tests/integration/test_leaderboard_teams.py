"""The leaderboard of teams: who sees whole teams sees theirs, a rep the company's as far as its setting says."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from core import gate
from core.access.actors import SYSTEM
from core.access.board_sight import BoardSight
from core.analytics.filters import Filters
from core.domain.periods import Period
from core.model import Rep
from core.queries.leaderboard import leaderboard
from core.queries.leaderboard_teams import team_leaderboard
from core.queries.rep_page import LEAST_PEOPLE
from core.services.company import change_settings
from tests.conftest import actor
from tests.factories import NOW, Company

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))


@pytest.fixture
def make(company: Company) -> Company:
    """Alice and Bob of the east won 40,000, Charlie of the west 30,000."""
    for owner, amount in (("alice", 30_000), ("bob", 10_000), ("charlie", 30_000)):
        begun = NOW - timedelta(days=7)
        company.deal(owner=owner, amount=amount, path=(("identified", begun), ("won", NOW - timedelta(days=3))))
    return company


def let_see(make: Company, sight: BoardSight) -> None:
    gate.perform(make.database, actor(make, "administrator"), change_settings, NOW, values={"board_sight": sight.value})
    make.database.mirror.refresh()


def seen(make: Company, who: str, **values: Any) -> list[dict[str, Any]]:
    found = gate.answer(make.database, actor(make, who), team_leaderboard, NOW, period=Q3, **values)
    return found[found["rank"].notna()].to_dict("records")


@pytest.mark.parametrize("who", ["leader", "eastern manager"])
def test_who_sees_whole_teams_gets_those_and_their_deals(make: Company, who: str) -> None:
    let_see(make, BoardSight.HIDDEN)
    scope = gate.answer(make.database, actor(make, who), leaderboard, NOW, period=Q3, by="team")
    board = gate.answer(make.database, actor(make, who), team_leaderboard, NOW, period=Q3)
    assert board.drop(columns="inside").equals(scope)
    assert board["inside"].all()


def test_a_rep_sees_all_teams_where_everybody_is_shown_and_opens_none(make: Company) -> None:
    let_see(make, BoardSight.FULL)
    shown, whole = seen(make, "eastern rep"), seen(make, "leader")
    assert [(row["rank"], row["name"], row["booked"]) for row in shown] == [(1, "East", 40_000), (2, "West", 30_000)]
    assert [row["won_count"] for row in shown] == [row["won_count"] for row in whole] == [2, 1]
    assert not any(row["inside"] for row in shown)


def test_a_rep_sees_nameless_teams_with_the_ranked_figure_alone(make: Company) -> None:
    """The east has two people: its name would tell the one what the other booked."""
    let_see(make, BoardSight.ANONYMOUS)
    shown = seen(make, "eastern rep")
    assert [(row["rank"], row["name"], row["booked"]) for row in shown] == [(1, "", 40_000), (2, "", 30_000)]
    told = {name for row in shown for name, value in row.items() if value not in ("", 0, None) and value == value}
    assert told <= {"rank", "key", "booked", "previous_rank", "rank_change", "most_improved"}
    assert seen(make, "eastern rep", filters=Filters(team_ids=(make.teams["east"],))) == []


def test_the_own_team_has_its_name_where_enough_people_are_in_it(make: Company) -> None:
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        for number in range(LEAST_PEOPLE - 2):
            work.session.add(Rep(name=f"R{number}", team_id=make.teams["east"], joined_on=date(2024, 1, 1)))
    let_see(make, BoardSight.ANONYMOUS)
    assert [row["name"] for row in seen(make, "eastern rep")] == ["East", ""]


def test_a_rep_sees_no_team_where_others_are_hidden(make: Company) -> None:
    let_see(make, BoardSight.HIDDEN)
    assert seen(make, "eastern rep") == []


def test_a_contests_teams_are_the_companys_and_a_manager_has_the_own_ones_in_any_case(make: Company) -> None:
    """East's manager is told East's place among all teams, not that of its parts among themselves."""
    for sight, others in ((BoardSight.HIDDEN, []), (BoardSight.ANONYMOUS, [""]), (BoardSight.FULL, ["West"])):
        let_see(make, sight)
        rows = seen(make, "eastern manager", whole=True)
        assert [row["name"] for row in rows if not row["inside"]] == others
        (own,) = (row for row in rows if row["inside"])
        everything = {row["name"]: row for row in seen(make, "leader", whole=True)}
        assert {name: own[name] for name in ("rank", "booked", "won_count", "key")} == {
            name: everything["East"][name] for name in ("rank", "booked", "won_count", "key")
        }


@pytest.mark.parametrize("sight", [BoardSight.HIDDEN, BoardSight.ANONYMOUS])
def test_a_filter_does_not_tell_a_manager_whether_another_team_is_ahead(make: Company, sight: BoardSight) -> None:
    """Charlie's 30,000 lie between Alice's and Bob's: a rank among both teams would say so."""
    let_see(make, sight)
    for own in ("alice", "bob"):
        people = Filters(rep_ids=(make.reps[own], make.reps["charlie"]))
        rows = seen(make, "eastern manager", whole=True, filters=people)
        assert [(row["rank"], row["name"]) for row in rows] == [(1, "East")]
