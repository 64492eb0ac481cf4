"""Changing people: accounts, their passwords and their sign-ins."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.access.actions import Action
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.access.sign_ins import fingerprint
from core.db.work import get_visible
from core.errors import InvalidFields, SalesError
from core.gate import command
from core.i18n import LANGUAGES, N_, _
from core.model import PasswordReset, Setting, SignInSession, User
from core.services import passwords
from core.services.founding import found_company
from core.services.sign_in import normal_name

if TYPE_CHECKING:
    from core.access.actors import Actor
    from core.db.work import Database, Work
    from core.services.passwords import NewPassword

FOUNDED_BY = "founded_by"
RESET_LIFE = timedelta(hours=24)
_NAME_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-@+")

NEEDED = N_("This is needed.")
TAKEN = N_("Somebody has this name already.")
ONLY_THESE_SIGNS = N_("Use letters, digits and . _ - @ + only.")
NOT_AN_ADDRESS = N_("This is not an e-mail address.")
NEEDS_A_REP = N_("A rep's account needs the rep it belongs to.")
NEEDS_A_TEAM = N_("A team manager's account needs the team.")


class AlreadyFounded(SalesError):
    """The first administrator exists already."""

    text = N_("The first administrator has been created already. Please sign in.")


class LastAdministrator(SalesError):
    """Nobody would be left to administer the program."""

    text = N_("This is the last administrator who can sign in; make another one first.")


def anybody_there(database: Database, *, now: datetime) -> bool:
    """Say whether there is any account at all."""
    with database.reading(SYSTEM, now=now) as work:
        return work.session.exec(select(User.id).limit(1)).first() is not None


def create_first_administrator(
    database: Database,
    *,
    username: str,
    name: str,
    password: str,
    again: str,
    language: str,
    now: datetime,
    origin: str,
) -> int:
    """Found the company and make its first administrator; return the user's number.

    Of two at once the first to commit wins, by a setting whose name is unique. Raises
    AlreadyFounded, InvalidFields.
    """
    with database.reading(SYSTEM, now=now) as work:
        _refuse_founded(work)
        problems = _name_problems(work, username=username, name=name, email="")
    problems |= passwords.problems_with(password, again, about=(username, name))
    if problems:
        raise InvalidFields(problems)
    new = passwords.new_password(password, about=(username, name))
    who = replace(SYSTEM, username=normal_name(username), name=name, origin=origin)
    try:
        with database.writing(who, now=now, action="first-run") as work:
            _refuse_founded(work)
            found_company(work)
            user = User(
                username=normal_name(username), name=name.strip(), role=Role.ADMINISTRATOR,
                language=language if language in LANGUAGES else "", password_hash=new.hashed,
            )  # fmt: skip
            work.session.add_all([user, Setting(name=FOUNDED_BY, value=user.username)])
            work.session.flush()
            return user.id
    except IntegrityError as error:
        raise AlreadyFounded from error


def _name_problems(work: Work, *, username: str, name: str, email: str, but: int | None = None) -> dict[str, str]:
    problems: dict[str, str] = {}
    wanted = normal_name(username)
    if not wanted:
        problems["username"] = _(NEEDED)
    elif not set(wanted) <= _NAME_SIGNS:
        problems["username"] = _(ONLY_THESE_SIGNS)
    else:
        taken = work.session.exec(select(User.id).where(User.username == wanted)).first()
        if taken is not None and taken != but:
            problems["username"] = _(TAKEN)
    if not name.strip():
        problems["name"] = _(NEEDED)
    if email.strip() and ("@" not in email.strip("@ ") or any(c.isspace() for c in email.strip())):
        problems["email"] = _(NOT_AN_ADDRESS)
    return problems


def create_with_password(
    database: Database, operator: Actor, *, username: str, name: str, role: Role, password: str, now: datetime
) -> int:
    """Make an account that can sign in at once; return its number. Raises InvalidFields."""
    new = passwords.new_password(password, about=(username, name))
    with database.writing(operator, now=now, action="create_user") as work:
        user_id = create_user(work, username=username, name=name, role=role)
        work.session.get_one(User, user_id).password_hash = new.hashed
        return user_id


# --- by an administrator ------------------------------------------------------------------------


@command(Action.PEOPLE_EDIT)
def create_user(
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
) -> int:
    """Make an account without a password, to be opened by a reset link; return its number.

    Raises InvalidFields.
    """
    problems = _name_problems(work, username=username, name=name, email=email)
    problems |= _place_problems(role, rep_id, team_id)
    if problems:
        raise InvalidFields(problems)
    user = User(
        username=normal_name(username), name=name.strip(), name_en=name_en.strip(), email=email.strip(), role=role,
        rep_id=rep_id, team_id=team_id, language=language if language in LANGUAGES else "",
    )  # fmt: skip
    work.session.add(user)
    work.session.flush()
    return user.id


@command(Action.PEOPLE_EDIT)
def edit_user(
    work: Work,
    *,
    user_id: int,
    version: int,
    name: str,
    name_en: str = "",
    role: Role,
    email: str = "",
    rep_id: int | None = None,
    team_id: int | None = None,
    active: bool = True,
) -> None:
    """Change an account; one that is switched off loses its sign-ins.

    Raises NotFound, EditedMeanwhile, InvalidFields, LastAdministrator.
    """
    user = get_visible(work, User, user_id, version=version)
    problems = _name_problems(work, username=user.username, name=name, email=email, but=user_id)
    problems |= _place_problems(role, rep_id, team_id)
    if problems:
        raise InvalidFields(problems)
    stays = active and role is Role.ADMINISTRATOR
    if user.role is Role.ADMINISTRATOR and user.active and not stays:
        _refuse_last_administrator(work, user_id)
    if role is not user.role or not active:
        revoke(work, user_id)
    user.name, user.name_en, user.role, user.email = name.strip(), name_en.strip(), role, email.strip()
    user.rep_id, user.team_id, user.active = rep_id, team_id, active


@command(Action.PEOPLE_EDIT)
def make_reset_link(work: Work, *, user_id: int) -> str:
    """Return the token of a one-time link (`/?reset=…`), good for a day; older links end.

    The link takes the place of an e-mail: the administrator hands it over.
    """
    user = get_visible(work, User, user_id)
    for old in work.session.exec(
        select(PasswordReset).where(PasswordReset.user_id == user_id, col(PasswordReset.used_at).is_(None))
    ):
        old.used_at = work.now
    token = secrets.token_urlsafe(32)
    work.session.add(PasswordReset(token_hash=fingerprint(token), user_id=user_id, expires_at=work.now + RESET_LIFE))
    work.note("password.reset-link", "app_user", user_id, name=user.username)
    return token


@command(Action.PEOPLE_EDIT)
def reset_password(work: Work, *, user_id: int, new: NewPassword) -> None:
    """Set a password for somebody, who must change it at the next sign-in; ends their sign-ins.

    Raises NotFound.
    """
    user = get_visible(work, User, user_id)
    set_password(work, user, new)
    user.must_change_password = True
    revoke(work, user_id)


@command(Action.PEOPLE_EDIT)
def revoke_sign_ins(work: Work, *, user_id: int | None = None) -> int:
    """End all sign-ins of a user, or of everybody; return how many."""
    return revoke(work, user_id)


# --- what they share ------------------------------------------------------------------------------------


def set_password(work: Work, user: User, new: NewPassword) -> None:
    """Give the user a password."""
    user.password_hash = new.hashed
    user.must_change_password = False
    work.note("password.changed", "app_user", user.id, name=user.username)


def live_rows(work: Work, idle_minutes: int | None = None) -> SelectOfScalar[SignInSession]:
    """Return the statement of all sign-ins that hold, whoever's; idle ones too where no limit is given."""
    rows = select(SignInSession).where(col(SignInSession.revoked_at).is_(None), SignInSession.expires_at > work.now)
    if idle_minutes is None:
        return rows
    return rows.where(SignInSession.seen_at > work.now - timedelta(minutes=idle_minutes))


def revoke(work: Work, user_id: int | None, *, but: int | None = None) -> int:
    """End the sign-ins of a user, or of everybody, but for one; return how many."""
    statement = live_rows(work)
    if user_id is not None:
        statement = statement.where(SignInSession.user_id == user_id)
    ended = [row for row in work.session.exec(statement) if row.id != but]
    for row in ended:
        row.revoked_at = work.now
    if ended:
        work.note("sign-in.revoked", "app_user", user_id, sign_ins=len(ended))
    return len(ended)


def _refuse_founded(work: Work) -> None:
    if work.session.exec(select(User.id).limit(1)).first() is not None:
        raise AlreadyFounded


def _place_problems(role: Role, rep_id: int | None, team_id: int | None) -> dict[str, str]:
    if role is Role.REP and rep_id is None:
        return {"rep_id": _(NEEDS_A_REP)}
    if role is Role.MANAGER and team_id is None:
        return {"team_id": _(NEEDS_A_TEAM)}
    return {}


def _refuse_last_administrator(work: Work, user_id: int) -> None:
    others = work.session.exec(
        select(func.count()).select_from(User).where(
            User.role == Role.ADMINISTRATOR, User.active, col(User.id) != user_id
        )
    ).one()  # fmt: skip
    if not others:
        raise LastAdministrator
