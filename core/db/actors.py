"""From a user to an actor: the role's scope, worked out from teams and reps as they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from core.access.actors import SYSTEM, Actor, Reach, Scope
from core.access.policy import Role
from core.errors import NotFound
from core.i18n import N_
from core.model import Rep, Team, User

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel import Session

    from core.db.work import Database
    from core.domain.names import Named

USER_KIND = N_("user")


def team_subtree(session: Session, top: int) -> frozenset[int]:
    """Return the numbers of team `top` and every team below it."""
    children: dict[int | None, list[int]] = {}
    for number, parent in session.exec(select(Team.id, Team.parent_id)):
        children.setdefault(parent, []).append(number)
    found: set[int] = set()
    waiting = [top]
    while waiting:
        team = waiting.pop()
        if team not in found:
            found.add(team)
            waiting.extend(children.get(team, ()))
    return frozenset(found)


def scope_of(session: Session, user: User) -> Scope:
    """Return the rows that the user's role opens (the session must be unscoped)."""
    match user.role:
        case Role.LEADERSHIP | Role.OPERATIONS:
            return Scope.everything()
        case Role.MANAGER if user.team_id is not None:
            teams = team_subtree(session, user.team_id)
            reps = {rep_id for rep_id, team_id in session.exec(select(Rep.id, Rep.team_id)) if team_id in teams}
            own = {user.rep_id} if user.rep_id is not None else set()
            return Scope.of_reps(reps | own, teams)
        case Role.REP if user.rep_id is not None:
            return Scope.of_reps({user.rep_id})
    return Scope.nothing()


def teams_to_tell(session: Session, actor: Actor) -> list[int | None]:
    """Return the teams that the actor may share something with, the usual first; None is the whole company."""
    if actor.scope.reach is Reach.ALL:
        return [None, *session.exec(select(Team.id).where(Team.active)).all()]
    own = actor.team_id
    if own is None and actor.rep_id is not None:
        own = session.exec(select(Rep.team_id).where(Rep.id == actor.rep_id)).one_or_none()
    below = [team for team in actor.scope.team_ids if team != own]
    return [*([] if own is None else [own]), *below]


def by_one_name(session: Session, user: User) -> Named:
    """Return what names the account's person: the rep where it is a rep's, so that nobody goes by two names."""
    return (session.get(Rep, user.rep_id) if user.rep_id is not None else None) or user


def actor_of(session: Session, user: User, *, origin: str) -> Actor:
    """Return the actor that `user` is now (the session must be unscoped)."""
    who = by_one_name(session, user)
    return Actor(
        user_id=user.id,
        username=user.username,
        name=who.name,
        name_en=who.name_en,
        role=user.role,
        scope=scope_of(session, user),
        rep_id=user.rep_id,
        team_id=user.team_id,
        origin=origin,
    )


def actor_named(database: Database, username: str, *, now: datetime, origin: str) -> Actor:
    """Return the actor of an active user by name; raises NotFound."""
    with database.reading(SYSTEM, now=now) as work:
        user = work.session.exec(select(User).where(User.username == username, User.active)).one_or_none()
        if user is None:
            raise NotFound(kind=USER_KIND, number=username)
        return actor_of(work.session, user, origin=origin)
