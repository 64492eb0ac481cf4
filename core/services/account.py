"""What people do with their own account: password, language, browsers; and the one-time reset link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sqlmodel import col, select

from core.access.actions import Action
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.access.sign_ins import fingerprint
from core.db.work import get_visible
from core.errors import InvalidFields, NotAllowed, NotFound, SalesError
from core.gate import command, perform, query
from core.i18n import LANGUAGES, N_, _
from core.model import PasswordReset, SignInSession, User
from core.services import passwords
from core.services.people import live_rows, revoke, set_password
from core.services.sign_in import WrongSignIn, authenticate

if TYPE_CHECKING:
    from core.access.actors import Actor
    from core.db.work import Database, Work
    from core.services.passwords import NewPassword

WRONG_PASSWORD = N_("This is not your present password.")
SAME_AS_BEFORE = N_("Choose another one than before.")


class ResetNotOpen(SalesError):
    """A reset link that is wrong, used or too old: one sentence for all three."""

    text = N_("This link does not open anything any more. Please ask your administrator for a new one.")


@dataclass(frozen=True)
class Profile:
    """What the account page shows of its reader."""

    name: str
    username: str
    email: str
    role: Role
    language: str
    must_change_password: bool
    is_demo: bool


@dataclass(frozen=True)
class OwnSignIn:
    """One browser that is signed in as me."""

    number: int
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    browser: str


@query(Action.ACCOUNT)
def my_profile(work: Work) -> Profile:
    """Return the actor's own account."""
    user = _own(work)
    return Profile(
        name=work.actor.called, username=user.username, email=user.email, role=user.role, language=user.language,
        must_change_password=user.must_change_password, is_demo=user.is_demo,
    )  # fmt: skip


@query(Action.ACCOUNT)
def my_sign_ins(work: Work, *, idle_minutes: int) -> list[OwnSignIn]:
    """Return the actor's sign-ins that still hold, the latest used first."""
    rows = work.session.exec(
        live_rows(work, idle_minutes)
        .where(SignInSession.user_id == work.actor.user_id)
        .order_by(col(SignInSession.seen_at).desc())
    )
    return [OwnSignIn(row.id, row.created_at, row.seen_at, row.expires_at, row.address, row.browser) for row in rows]


def change_own_password(
    database: Database,
    actor: Actor,
    *,
    present: str,
    password: str,
    again: str,
    keep_session: int | None,
    now: datetime,
) -> None:
    """Change the actor's password, who knows the present one, and end every other sign-in of theirs.

    `keep_session` is the browser that asks. A password that was given out at a reset is asked for
    too. Guesses of the present one are counted with those of the sign-in. Both hashes are computed
    before the command's transaction. Raises InvalidFields, TooManyTries, EditedMeanwhile.
    """
    if not actor.may(Action.ACCOUNT):
        raise NotAllowed
    with database.reading(actor, now=now) as work:
        user = _own(work)
    try:
        authenticate(database, username=user.username, password=present, address=actor.origin, now=now)
    except WrongSignIn as error:
        raise InvalidFields({"present": _(WRONG_PASSWORD)}) from error
    if password == again == present:
        raise InvalidFields({"password": _(SAME_AS_BEFORE)})
    new = passwords.new_password(password, again=again, about=(user.username, user.name, user.email))
    perform(database, actor, change_password, now, version=user.version, new=new, keep_session=keep_session)


@command(Action.ACCOUNT)
def change_password(work: Work, *, version: int, new: NewPassword, keep_session: int | None) -> None:
    """Set the actor's password and end every other sign-in of theirs: the writing part of `change_own_password`.

    Raises EditedMeanwhile where the account has changed since the present password was checked.
    """
    user = get_visible(work, User, work.actor.user_id, version=version)
    set_password(work, user, new)
    revoke(work, user.id, but=keep_session)


@command(Action.ACCOUNT)
def choose_language(work: Work, *, language: str) -> None:
    """Keep the actor's language; "" follows the browser."""
    if language in {"", *LANGUAGES}:
        _own(work).language = language


@command(Action.ACCOUNT)
def end_my_sign_in(work: Work, *, number: int) -> None:
    """End one of the actor's sign-ins; somebody else's looks as if there were none."""
    row = work.session.get(SignInSession, number)
    if row is None or row.user_id != work.actor.user_id:
        raise NotFound(kind=N_("sign-in"), number=number)
    if row.revoked_at is None:
        row.revoked_at = work.now
        work.note("sign-in.revoked", "sign_in", row.id)


@command(Action.ACCOUNT)
def end_my_other_sign_ins(work: Work, *, keep_session: int | None) -> int:
    """End every sign-in of the actor but this one; return how many."""
    return revoke(work, work.actor.user_id, but=keep_session)


def reset_is_open(database: Database, *, token: str, now: datetime) -> bool:
    """Say whether the link still opens something."""
    with database.reading(SYSTEM, now=now) as work:
        return _open_reset(work, token) is not None


def use_reset_link(database: Database, *, token: str, password: str, again: str, now: datetime, origin: str) -> int:
    """Set the password of the link's user, once; return the user's number.

    Raises ResetNotOpen, InvalidFields.
    """
    with database.reading(SYSTEM, now=now) as work:
        link = _open_reset(work, token)
        user = None if link is None else work.session.get(User, link.user_id)
    if user is None:
        raise ResetNotOpen
    new = passwords.new_password(password, again=again, about=(user.username, user.name, user.email))
    who = replace(SYSTEM, user_id=user.id, username=user.username, name=user.name, origin=origin)
    with database.writing(who, now=now, action="password.reset") as work:
        link = _open_reset(work, token, lock=True)
        if link is None:
            raise ResetNotOpen
        user = work.session.get_one(User, link.user_id)
        link.used_at = now
        set_password(work, user, new)
        revoke(work, user.id)
        return user.id


def _open_reset(work: Work, token: str, *, lock: bool = False) -> PasswordReset | None:
    statement = (
        select(PasswordReset)
        .join(User, col(User.id) == col(PasswordReset.user_id))
        .where(
            PasswordReset.token_hash == fingerprint(token), col(PasswordReset.used_at).is_(None),
            PasswordReset.expires_at > work.now, User.active,
        )
    )  # fmt: skip
    return work.session.exec(statement.with_for_update() if lock else statement).one_or_none()


def _own(work: Work) -> User:
    return get_visible(work, User, work.actor.user_id)
