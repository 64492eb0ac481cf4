"""Changing people: accounts, their passwords and their sign-ins."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from sqlalchemy import func
from sqlmodel import col, select

from core.access.actions import Action
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.errors import InvalidFields, NotFound, SalesError
from core.gate import command, query
from core.i18n import LANGUAGES, N_, _
from core.model import PasswordReset, SignInSession, User
from core.queries.actors import USER_KIND
from core.services import passwords
from core.services.founding import found_company
from core.services.sign_in import fingerprint, normal_name

if TYPE_CHECKING:
    from core.db.work import Database, Work

RESET_LIFE = timedelta(hours=24)
_NAME_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-@+")

NEEDED = N_("This is needed.")
TAKEN = N_("Somebody has this name already.")
ONLY_THESE_SIGNS = N_("Use letters, digits and . _ - @ + only.")
NOT_AN_ADDRESS = N_("This is not an e-mail address.")
NEEDS_A_REP = N_("A rep's account needs the rep it belongs to.")
NEEDS_A_TEAM = N_("A team manager's account needs the team.")
WRONG_PASSWORD = N_("This is not your present password.")
SAME_AS_BEFORE = N_("Choose another one than before.")


class AlreadyFounded(SalesError):
    """The first administrator exists already."""

    text = N_("The first administrator has been created already. Please sign in.")


class ResetNotOpen(SalesError):
    """A reset link that is wrong, used or too old: one sentence for all three."""

    text = N_("This link does not open anything any more. Please ask your administrator for a new one.")


class LastAdministrator(SalesError):
    """Nobody would be left to administer the program."""

    text = N_("This is the last administrator who can sign in; make another one first.")


def anybody_there(database: Database, *, now: datetime) -> bool:
    """Say whether there is any account at all."""
    with database.reading(SYSTEM, now=now) as work:
        return work.session.exec(select(User.id).limit(1)).first() is not None


def create_first_administrator(
    database: Database, *, username: str, name: str, password: str, again: str, language: str, now: datetime
) -> int:
    """Found the company and make its first administrator; return the user's number.

    Raises AlreadyFounded where somebody was first, InvalidFields.
    """
    with database.writing(SYSTEM, now=now, action="first-run") as work:
        found_company(work)  # its unique rows make two first runs at once queue or fail
        if work.session.exec(select(User.id).limit(1)).first() is not None:
            raise AlreadyFounded
        problems = _name_problems(work, username=username, name=name, email="")
        wrong = passwords.problem_with(password, about=(username, name))
        if wrong:
            problems["password"] = wrong
        elif password != again:
            problems["again"] = _(passwords.NOT_THE_SAME)
        if problems:
            raise InvalidFields(problems)
        user = User(
            username=normal_name(username), name=name.strip(), role=Role.ADMINISTRATOR,
            language=language if language in LANGUAGES else "", password_hash=passwords.hash_password(password),
        )  # fmt: skip
        work.session.add(user)
        work.session.flush()
        return cast("int", user.id)


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
