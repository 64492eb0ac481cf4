"""Changing who sells: teams, which form a tree, and the reps in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from core.access.actions import Action
from core.db.work import get_visible
from core.errors import InvalidFields, SalesError
from core.gate import command
from core.i18n import N_, _
from core.model import Rep, Team, Territory
from core.services.people import create_user

if TYPE_CHECKING:
    from datetime import date

    from core.access.policy import Role
    from core.db.work import Work

LONGEST_NAME = 80
GIVE_A_NAME = N_("Please give a name.")
TEAM_NAME_TAKEN = N_("Another team has this name.")


class TeamBelowItself(SalesError):
    """A team cannot stand under one of the teams below it: the tree would have no top."""

    text = N_("The team “{team}” cannot stand below itself or below a team of its own.")
    field = "parent_id"


class TeamInUse(SalesError):
    """A team is retired once nobody is in it any more."""

    text = N_("The team “{team}” still has {reps} reps and {teams} teams in use below it: move them first.")
    field = "active"


@command(Action.PEOPLE_EDIT)
def add_team(
    work: Work, *, name: str, name_en: str = "", parent_id: int | None = None, territory_id: int | None = None
) -> int:
    """Make a team and return its number. Raises InvalidFields, NotFound (no such parent or territory)."""
    _check_team(work, name, name_en, but=None)
    _check_there(work, parent_id, territory_id)
    team = Team(name=name.strip(), name_en=name_en.strip(), parent_id=parent_id, territory_id=territory_id)
    work.session.add(team)
    work.session.flush()
    return team.id


@command(Action.PEOPLE_EDIT)
def edit_team(
    work: Work,
    *,
    team_id: int,
    version: int,
    name: str,
    name_en: str = "",
    parent_id: int | None = None,
    territory_id: int | None = None,
    active: bool = True,
) -> None:
    """Rename, move or retire a team; moving it changes what the managers above it see.

    Raises NotFound, EditedMeanwhile, InvalidFields, TeamBelowItself, TeamInUse.
    """
    _lock_the_tree(work)
    team = get_visible(work, Team, team_id, version=version)
    _check_team(work, name, name_en, but=team_id)
    _check_there(work, parent_id, territory_id)
    if _stands_below(work, parent_id, team_id):
        raise TeamBelowItself(team=team.name)
    if team.active and not active:
        _refuse_used(work, team)
    team.name, team.name_en = name.strip(), name_en.strip()
    team.parent_id, team.territory_id, team.active = parent_id, territory_id, active


@command(Action.PEOPLE_EDIT)
def add_rep(
    work: Work,
    *,
    name: str,
    name_en: str = "",
    email: str = "",
    team_id: int | None = None,
    joined_on: date | None = None,
) -> int:
    """Make a rep and return the number. Raises InvalidFields, NotFound (no such team)."""
    _check_rep(name, name_en, email, joined_on, None)
    _check_team_there(work, team_id)
    rep = Rep(name=name.strip(), name_en=name_en.strip(), email=email.strip(), team_id=team_id, joined_on=joined_on)
    work.session.add(rep)
    work.session.flush()
    return rep.id


@command(Action.PEOPLE_EDIT)
def create_account(
    work: Work,
    *,
    username: str,
    name: str,
    name_en: str = "",
    role: Role,
    email: str = "",
    rep_id: int | None = None,
    team_id: int | None = None,
    language: str = "",
    makes_rep: bool = False,
) -> int:
    """Make an account and, with `makes_rep`, the rep whom it belongs to, of the team; return its number.

    Raises InvalidFields, NotFound (no such team).
    """
    if makes_rep:
        rep_id = add_rep(work, name=name, name_en=name_en, email=email, team_id=team_id, joined_on=work.today)
        team_id = None
    return create_user(
        work,
        username=username,
        name=name,
        name_en=name_en,
        role=role,
        email=email,
        rep_id=rep_id,
        team_id=team_id,
        language=language,
    )


@command(Action.PEOPLE_EDIT)
def edit_rep(
    work: Work,
    *,
    rep_id: int,
    version: int,
    name: str,
    name_en: str = "",
    email: str = "",
    team_id: int | None = None,
    joined_on: date | None = None,
    left_on: date | None = None,
) -> None:
    """Change a rep. One who left keeps every deal and number; new deals are no longer given to them.

    Raises NotFound, EditedMeanwhile, InvalidFields.
    """
    rep = get_visible(work, Rep, rep_id, version=version)
    _check_rep(name, name_en, email, joined_on, left_on)
    if team_id != rep.team_id:
        _check_team_there(work, team_id)
    rep.name, rep.name_en, rep.email = name.strip(), name_en.strip(), email.strip()
    rep.team_id, rep.joined_on, rep.left_on = team_id, joined_on, left_on


def name_problems(name: str, name_en: str) -> dict[str, str]:
    """Return what is wrong with a name in both languages, by field."""
    problems = {}
    if not name.strip():
        problems["name"] = _(GIVE_A_NAME)
    for field, value in (("name", name), ("name_en", name_en)):
        if len(value.strip()) > LONGEST_NAME:
            problems[field] = _("At most {n} characters, please.", n=LONGEST_NAME)
    return problems


def _check_team(work: Work, name: str, name_en: str, *, but: int | None) -> None:
    problems = name_problems(name, name_en)
    taken = work.session.exec(select(Team.id).where(Team.name == name.strip())).first()
    if taken is not None and taken != but:
        problems["name"] = _(TEAM_NAME_TAKEN)
    if problems:
        raise InvalidFields(problems)


def _check_there(work: Work, parent_id: int | None, territory_id: int | None) -> None:
    _check_team_there(work, parent_id, field="parent_id")
    if territory_id is not None:
        get_visible(work, Territory, territory_id)


def _check_team_there(work: Work, team_id: int | None, *, field: str = "team_id") -> None:
    if team_id is not None and not get_visible(work, Team, team_id).active:
        raise InvalidFields({field: _("Please choose a team from the list.")})


def _check_rep(name: str, name_en: str, email: str, joined_on: date | None, left_on: date | None) -> None:
    problems = name_problems(name, name_en)
    if email.strip() and ("@" not in email.strip("@ ") or any(c.isspace() for c in email.strip())):
        problems["email"] = _("This is not an e-mail address.")
    if joined_on is not None and left_on is not None and left_on < joined_on:
        problems["left_on"] = _("Nobody leaves before joining.")
    if problems:
        raise InvalidFields(problems)


def _lock_the_tree(work: Work) -> None:
    """Lock every team, so that two moves at once cannot make a ring together."""
    work.session.exec(select(Team.id).order_by(col(Team.id)).with_for_update()).all()


def _stands_below(work: Work, team_id: int | None, above: int) -> bool:
    """Say whether a team is `above` or lies somewhere below it."""
    parents: dict[int, int | None] = dict(work.session.exec(select(Team.id, Team.parent_id)).all())
    passed: set[int] = set()
    while team_id is not None and team_id != above and team_id not in passed:
        passed.add(team_id)
        team_id = parents.get(team_id)
    return team_id == above


def _refuse_used(work: Work, team: Team) -> None:
    reps = work.session.exec(
        select(Rep.id).where(Rep.team_id == team.id, col(Rep.left_on).is_(None) | (col(Rep.left_on) > work.today))
    ).all()
    teams = work.session.exec(select(Team.id).where(Team.parent_id == team.id, Team.active)).all()
    if reps or teams:
        raise TeamInUse(team=team.name, reps=len(reps), teams=len(teams))
