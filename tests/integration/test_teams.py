"""Accounts, reps and the tree of teams change by the administrator alone, and never into nonsense."""

from __future__ import annotations

from datetime import date

import pytest

from core.access.policy import Role
from core.db.actors import actor_named
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed
from core.queries.administration import (
    company_settings,
    last_seen,
    open_deal_counts,
    rep_records,
    team_tree,
    territory_choices,
    user_accounts,
)
from core.queries.overview import overview_kpis
from core.services.company import change_settings
from core.services.people import LastAdministrator, edit_user
from core.services.teams import TeamBelowItself, TeamInUse, add_rep, add_team, create_account, edit_rep, edit_team
from tests.factories import NOW


@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "leader", "operations"])
def test_only_the_administrator_changes_people_and_settings(company, perform_as, answer_as, who):
    for command, values in (
        (add_team, {"name": "x"}),
        (edit_team, {"team_id": company.teams["east"], "version": 1, "name": "x"}),
        (add_rep, {"name": "x"}),
        (edit_rep, {"rep_id": company.reps["bob"], "version": 1, "name": "x"}),
        (create_account, {"username": "x", "name": "x", "role": Role.ADMINISTRATOR}),
        (change_settings, {"values": {"idle_days": "3"}}),
    ):
        with pytest.raises(NotAllowed):
            perform_as(who, command, **values)
    for query in (
        user_accounts,
        last_seen,
        rep_records,
        open_deal_counts,
        team_tree,
        territory_choices,
        company_settings,
    ):
        with pytest.raises(NotAllowed):
            answer_as(who, query)


def test_the_administrator_learns_how_many_deals_are_open_but_sees_none(company, make, answer_as):
    make.deal(owner="alice")
    make.deal(owner="alice")
    assert answer_as("administrator", open_deal_counts) == {company.reps["alice"]: 2}
    with pytest.raises(NotAllowed):
        answer_as("administrator", overview_kpis, period=None, filters=None)


def test_a_team_never_stands_below_itself(company, perform_as, answer_as):
    head, east = company.teams["head"], company.teams["east"]
    for parent in (head, east):
        with pytest.raises(TeamBelowItself):
            perform_as("administrator", edit_team, team_id=head, version=1, name="总部", parent_id=parent)
    assert answer_as("administrator", team_tree)[0].team.id == head


def test_moving_a_team_moves_what_managers_see(company, perform_as):
    """The western manager sees Alice's deals once her team stands below the west."""
    east, west = company.teams["east"], company.teams["west"]
    before = actor_named(company.database, "western manager", now=NOW, origin="test")
    perform_as("administrator", edit_team, team_id=east, version=1, name="东区", parent_id=west)
    after = actor_named(company.database, "western manager", now=NOW, origin="test")
    alice = company.reps["alice"]
    assert (before.scope.allows_rep(alice), after.scope.allows_rep(alice)) == (False, True)


def test_a_team_with_people_in_it_is_not_retired(company, perform_as):
    with pytest.raises(TeamInUse, match="2 reps"):
        perform_as("administrator", edit_team, team_id=company.teams["east"], version=1, name="东区", active=False)
    empty = perform_as("administrator", add_team, name="南区")
    perform_as("administrator", edit_team, team_id=empty, version=1, name="南区", active=False)


def test_two_teams_cannot_have_one_name(company, perform_as):
    with pytest.raises(InvalidFields) as refused:
        perform_as("administrator", add_team, name="东区 ")
    assert set(refused.value.problems) == {"name"}


def test_who_left_keeps_the_row_and_cannot_have_left_before_joining(company, perform_as, answer_as):
    bob = company.reps["bob"]
    with pytest.raises(InvalidFields) as refused:
        perform_as(
            "administrator",
            edit_rep,
            rep_id=bob,
            version=1,
            name="李博",
            joined_on=date(2024, 1, 1),
            left_on=date(2023, 12, 31),
        )
    assert set(refused.value.problems) == {"left_on"}
    perform_as("administrator", edit_rep, rep_id=bob, version=1, name="李博", left_on=date(2026, 7, 1))
    last = answer_as("administrator", rep_records)[-1]
    assert (last.id, last.left_on) == (bob, date(2026, 7, 1))
    with pytest.raises(EditedMeanwhile):
        perform_as("administrator", edit_rep, rep_id=bob, version=1, name="别名")


def test_an_account_and_its_new_rep_are_made_together_or_not_at_all(company, perform_as, answer_as):
    east = company.teams["east"]
    with pytest.raises(InvalidFields):
        perform_as(
            "administrator",
            create_account,
            username="eastern manager",
            name="新人",
            role=Role.REP,
            team_id=east,
            makes_rep=True,
        )
    assert "新人" not in {rep.name for rep in answer_as("administrator", rep_records)}
    perform_as(
        "administrator", create_account, username="newcomer", name="新人", role=Role.REP, team_id=east, makes_rep=True
    )
    rep = next(rep for rep in answer_as("administrator", rep_records) if rep.name == "新人")
    user = next(user for user in answer_as("administrator", user_accounts) if user.username == "newcomer")
    assert (user.rep_id, rep.team_id, rep.joined_on) == (rep.id, east, date(2026, 7, 15))


def test_the_last_administrator_cannot_be_locked_out(company, perform_as):
    values = {"user_id": company.users["administrator"], "version": 1, "name": "A"}
    for change in ({"role": Role.ADMINISTRATOR, "active": False}, {"role": Role.LEADERSHIP}):
        with pytest.raises(LastAdministrator):
            perform_as("administrator", edit_user, **values, **change)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fiscal_first_month", "13"),
        ("idle_days", "0"),
        ("idle_days", "-3"),
        ("minimum_decided", "many"),
        ("default_language", "fr"),
        ("founded_by", "me"),
        ("company_name", "x" * 81),
    ],
)
def test_an_impossible_setting_changes_nothing(company, perform_as, answer_as, name, value):
    before = answer_as("administrator", company_settings)
    with pytest.raises(InvalidFields) as refused:
        perform_as("administrator", change_settings, values={"idle_days": "30", name: value})
    assert set(refused.value.problems) == {name}
    assert answer_as("administrator", company_settings) == before


def test_a_new_fiscal_year_reaches_the_calendar(company, perform_as):
    assert perform_as("administrator", change_settings, values={"fiscal_first_month": "4", "idle_days": "14"}) == 1
    operations = actor_named(company.database, "operations", now=NOW, origin="test")
    with company.database.reading(operations, now=NOW) as work:
        assert work.calendar.year_of(work.today) == 2027
