"""Signing in: the throttle, one-time tickets, and the server's own row for each browser.

These run before anybody is known, so they take the database and open their own work as the
system; what they did stands in the audit under the name that was given.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete
from sqlmodel import col, select

from core.access.actors import SYSTEM, Actor
from core.access.sign_ins import SignedIn, fingerprint
from core.errors import SalesError
from core.i18n import N_
from core.model import SignInAttempt, SignInSession, SignInTicket, User
from core.services.passwords import password_matches

if TYPE_CHECKING:
    from sqlmodel import Session

    from core.db.work import Database

WINDOW = timedelta(minutes=15)
TRIES_OF_PAIR = 5
TRIES_OF_ADDRESS = 40
TRIES_OF_ACCOUNT = 50
TICKET_LIFE = timedelta(seconds=60)
KNOWN_ADDRESS = timedelta(days=30)
_KIND = "sign_in"


class WrongSignIn(SalesError):
    """Unknown name, wrong password or switched-off account: one sentence for all three."""

    text = N_("The name or the password is not right.")


class TooManyTries(SalesError):
    """Too many failures lately for this name from here, or from here altogether."""

    text = N_("Too many tries. Please wait {minutes} minutes and try again.")


@dataclass(frozen=True)
class Redeemed:
    """A ticket turned into a sign-in: the cookie's token, its end, and the page to go to."""

    token: str
    expires_at: datetime
    next_path: str


def normal_name(username: str) -> str:
    """Return a sign-in name as it is kept: without spaces around, in lower case."""
    return username.strip().lower()[:80]


def authenticate(database: Database, *, username: str, password: str, address: str, now: datetime) -> int:
    """Return the number of the user whose name and password these are.

    The try is counted as a failure before the hash is computed, so that many at once do not slip
    past the throttle. Raises TooManyTries, WrongSignIn.
    """
    name = normal_name(username)
    user_id, hashed, attempt_id = _begin(database, name=name, address=place_of(address), now=now)
    if not password_matches(password, hashed) or user_id is None:
        with database.writing(_stranger(name, address), now=now, action="sign-in.failed") as work:
            work.note("sign-in.failed", _KIND, name=name)
        raise WrongSignIn
    with database.writing(SYSTEM, now=now, action="sign-in") as work:
        attempt = work.session.get(SignInAttempt, attempt_id)
        if attempt is not None:
            attempt.succeeded = True
    return user_id


def place_of(address: str) -> str:
    """Return what the throttle counts by: the address, of IPv6 the network of 64 bits that one line is given."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((int(found), 64), strict=False))
    return str(found)


def _begin(database: Database, *, name: str, address: str, now: datetime) -> tuple[int | None, str | None, int]:
    with database.writing(SYSTEM, now=now, action="sign-in") as work:
        session = work.session
        user = session.exec(select(User).where(User.username == name).with_for_update()).one_or_none()
        wait = _wait(session, name=name, address=address, now=now)
        if wait > timedelta():
            raise TooManyTries(minutes=max(1, -(-int(wait.total_seconds()) // 60)))
        attempt = SignInAttempt(username=name, address=address[:64], at=now, succeeded=False)
        session.add(attempt)
        session.flush()
        open_to = user is not None and user.active
        return (
            user.id if user is not None and open_to else None,
            user.password_hash if user is not None and open_to else None,
            attempt.id,
        )


def _wait(session: Session, *, name: str, address: str, now: datetime) -> timedelta:
    """Return how long this name must wait at this address.

    Three limits in a sliding window: failures of the name from this address since its last
    success there; failures from this address under any name; failures of the name from anywhere,
    which only hold up addresses that the person has not signed in from lately, so that strangers
    cannot lock somebody out.
    """
    place = address[:64]
    recent = session.exec(
        select(SignInAttempt.username, SignInAttempt.address, SignInAttempt.at, SignInAttempt.succeeded)
        .where(
            SignInAttempt.at > now - WINDOW,
            (SignInAttempt.username == name) | (SignInAttempt.address == place),
        )
        .order_by(col(SignInAttempt.at))
    ).all()
    last_success = max((at for who, where, at, well in recent if well and who == name and where == place), default=None)
    failures = [(who, where, at) for who, where, at, well in recent if not well]
    pair = [
        at for who, where, at in failures
        if who == name and where == place and (last_success is None or at > last_success)
    ]  # fmt: skip
    waits = [
        _until_free(pair, TRIES_OF_PAIR, now),
        _until_free([at for _w, where, at in failures if where == place], TRIES_OF_ADDRESS, now),
    ]
    of_name = _until_free([at for who, _w, at in failures if who == name], TRIES_OF_ACCOUNT, now)
    if of_name > timedelta() and not _is_known(session, name=name, address=place, now=now):
        waits.append(of_name)
    return max(waits)


def _until_free(failures: list[datetime], most: int, now: datetime) -> timedelta:
    return timedelta() if len(failures) < most else failures[-most] + WINDOW - now


def _is_known(session: Session, *, name: str, address: str, now: datetime) -> bool:
    statement = select(SignInAttempt.id).where(
        SignInAttempt.username == name, SignInAttempt.address == address, SignInAttempt.succeeded,
        SignInAttempt.at > now - KNOWN_ADDRESS,
    )  # fmt: skip
    return session.exec(statement.limit(1)).first() is not None


def issue_ticket(database: Database, *, user_id: int, binding: str, next_path: str, now: datetime) -> str:
    """Return a ticket, good once and for a minute, for the browser that holds `binding`."""
    ticket = secrets.token_urlsafe(32)
    with database.writing(SYSTEM, now=now, action="sign-in") as work:
        work.session.add(
            SignInTicket(
                ticket_hash=fingerprint(ticket), user_id=user_id, binding_hash=fingerprint(binding),
                expires_at=now + TICKET_LIFE, next_path=local_path(next_path),
            )
        )  # fmt: skip
    return ticket


def redeem_ticket(
    database: Database, *, ticket: str, binding: str, address: str, browser: str, now: datetime, hours: int
) -> Redeemed | None:
    """Turn a ticket into a sign-in of `hours` at most; None where it is spent, late or another browser's."""
    with database.reading(SYSTEM, now=now) as work:
        user = work.session.exec(
            select(User)
            .join(SignInTicket, col(SignInTicket.user_id) == col(User.id))
            .where(SignInTicket.ticket_hash == fingerprint(ticket))
        ).one_or_none()
    if user is None or not user.active or not binding:
        return None
    who = replace(SYSTEM, user_id=user.id, username=user.username, name=user.name, origin=address)
    with database.writing(who, now=now, action="sign-in") as work:
        session = work.session
        found = session.exec(
            select(SignInTicket).where(SignInTicket.ticket_hash == fingerprint(ticket)).with_for_update()
        ).one()
        bound = secrets.compare_digest(found.binding_hash, fingerprint(binding))
        if found.redeemed_at is not None or found.expires_at <= now or not bound:
            return None
        found.redeemed_at = now
        token = secrets.token_urlsafe(32)
        row = SignInSession(
            token_hash=fingerprint(token), user_id=found.user_id, created_at=now, seen_at=now,
            expires_at=now + timedelta(hours=hours), address=address[:64], browser=browser[:200],
        )  # fmt: skip
        session.add(row)
        session.flush()
        work.note("sign-in", _KIND, row.id, name=user.username)
        return Redeemed(token, row.expires_at, found.next_path)


def touch(database: Database, session_id: int, *, now: datetime) -> None:
    """Keep that a browser was just used, so that it does not end by idling."""
    with database.writing(SYSTEM, now=now, action="sign-in") as work:
        row = work.session.get(SignInSession, session_id)
        if row is not None and row.seen_at < now:
            row.seen_at = now


def sign_out(database: Database, who: SignedIn, *, now: datetime) -> None:
    """Revoke the row of this browser; its cookie is refused from here on."""
    if who.session_id is None:
        return
    with database.writing(who.actor, now=now, action="sign-out") as work:
        row = work.session.get(SignInSession, who.session_id)
        if row is not None and row.revoked_at is None:
            row.revoked_at = now
            work.note("sign-out", _KIND, row.id)


def forget_old(database: Database, *, now: datetime) -> None:
    """Delete tickets of yesterday and tries that no limit looks at any more."""
    with database.writing(SYSTEM, now=now, action="sign-in") as work:
        tickets, tries = cast("Any", SignInTicket), cast("Any", SignInAttempt)
        work.session.execute(delete(tickets).where(tickets.expires_at < now - timedelta(days=1)))
        work.session.execute(delete(tries).where(tries.at < now - KNOWN_ADDRESS))


def local_path(path: str) -> str:
    """Return `path` where it is an address of this program (`/funnel?team=3`), else `/`."""
    safe = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if safe and path.isprintable() and len(path) <= 400 else "/"


def _stranger(name: str, address: str) -> Actor:
    return replace(SYSTEM, username=name, name=name, origin=address)
