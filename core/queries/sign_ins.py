"""Reading whose a sign-in cookie is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select

from core.access.actors import SYSTEM
from core.access.sign_ins import SignedIn, fingerprint
from core.db.actors import actor_of
from core.model import SignInSession, User

if TYPE_CHECKING:
    from datetime import datetime

    from core.db.work import Database

TOUCH_EVERY = timedelta(seconds=60)


def session_of(database: Database, *, token: str, now: datetime, origin: str, idle_minutes: int) -> SignedIn | None:
    """Return who the cookie's token belongs to; None where the row is gone, revoked, late or idle."""
    idle = timedelta(minutes=idle_minutes)
    with database.reading(SYSTEM, now=now) as work:
        found = work.session.exec(
            select(SignInSession, User)
            .join(User, col(User.id) == col(SignInSession.user_id))
            .where(
                SignInSession.token_hash == fingerprint(token),
                col(SignInSession.revoked_at).is_(None),
                SignInSession.expires_at > now,
                SignInSession.seen_at > now - idle,
                User.active,
            )
        ).one_or_none()
        if found is None:
            return None
        row, user = found
        return SignedIn(
            actor=actor_of(work.session, user, origin=origin),
            session_id=row.id,
            language=user.language,
            must_change_password=user.must_change_password,
            stale=now - row.seen_at > TOUCH_EVERY,
        )


def is_live(database: Database, *, token: str, now: datetime, idle_minutes: int) -> bool:
    """Say whether the token still signs somebody in."""
    return session_of(database, token=token, now=now, origin="", idle_minutes=idle_minutes) is not None
