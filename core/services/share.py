"""Share links: one page's view, open to whoever holds the address, until it expires or is revoked."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlmodel import select

from core.access.actions import Action
from core.access.actors import SYSTEM, Actor
from core.access.policy import Role
from core.access.sharing import SHAREABLE
from core.db.actors import by_one_name, scope_of
from core.errors import NotFound, SalesError
from core.gate import command
from core.i18n import N_
from core.model import ShareLink, User

if TYPE_CHECKING:
    from datetime import datetime

    from core.db.work import Database, Work

TOKEN_BYTES = 24  # 192 random bits
LINK_KIND = N_("share link")


@dataclass(frozen=True)
class ShareView:
    """An opened link: what it shows, and the actor that its holder is."""

    link: ShareLink
    actor: Actor


class LinkClosed(SalesError):
    """The link is wrong, expired or revoked: the three look the same."""

    text = N_("This link no longer opens anything. Ask the person who sent it for a new one.")


class PageNotShareable(SalesError):
    """Only the analytic pages can be shared."""

    text = N_("This page cannot be shared.")


class ExpiryOutOfRange(SalesError):
    """A link lives from an hour to a year."""

    text = N_("Choose an expiry between one hour and one year.")


def hash_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


@command(Action.SHARE)
def make_share_link(
    work: Work,
    *,
    page: str,
    title: str,
    query: dict[str, Any],
    language: str,
    hours: int,
    frozen: dict[str, Any] | None = None,
) -> str:
    """Make a link to `page` with its filters and return its token, which is kept nowhere.

    `hours` until it expires; `frozen` holds the answers to show in place of the data's own, and
    fixes the instant that relative periods are counted from.
    Raises PageNotShareable, ExpiryOutOfRange.
    """
    if page not in SHAREABLE:
        raise PageNotShareable
    if not 1 <= hours <= 24 * 366:
        raise ExpiryOutOfRange
    maker = work.actor.user_id
    if maker is None:
        raise PageNotShareable
    token = secrets.token_urlsafe(TOKEN_BYTES)
    work.session.add(
        ShareLink(
            token_hash=hash_of(token),
            user_id=maker,
            page=page,
            title=title.strip()[:120],
            query=query,
            language=language,
            frozen=frozen,
            frozen_at=work.now if frozen is not None else None,
            expires_at=work.now + timedelta(hours=hours),
        )
    )
    return token


@command(Action.SHARE)
def revoke_share_link(work: Work, *, link_id: int) -> None:
    """Close one of the actor's own links at once. Raises NotFound for anybody else's."""
    link = work.session.get(ShareLink, link_id, with_for_update=True)
    if link is None or link.user_id != work.actor.user_id:
        raise NotFound(kind=LINK_KIND, number=link_id)
    link.revoked_at = link.revoked_at or work.now


def open_share_link(database: Database, *, token: str, now: datetime, origin: str, count: bool) -> ShareView:
    """Return what a token opens, in its sharer's scope as it is now.

    `count` counts the opening and writes it into the audit. Raises LinkClosed for a token that is
    wrong, expired or revoked, and where its sharer is gone or may not share any more.
    """
    with database.reading(SYSTEM, now=now) as work:
        link = work.session.exec(select(ShareLink).where(ShareLink.token_hash == hash_of(token))).one_or_none()
        user = work.session.get(User, link.user_id) if link is not None else None
        if link is None or user is None or not user.active or link.revoked_at or link.expires_at <= now:
            raise LinkClosed
        scope, who = scope_of(work.session, user), by_one_name(work.session, user)
    sharer = Actor(user.id, user.username, user.name, user.role, scope)
    if link.page not in SHAREABLE or not sharer.may(Action.SHARE) or not sharer.may(SHAREABLE[link.page]):
        raise LinkClosed
    holder = Actor(
        user_id=None,
        username=f"link {link.id}",
        name=who.name,
        name_en=who.name_en,
        role=Role.SHARED,
        scope=scope,
        rep_id=user.rep_id,
        team_id=user.team_id,
        origin=origin,
        share_link_id=link.id,
        extra_actions=frozenset({SHAREABLE[link.page]}),
    )
    if count:
        with database.writing(holder, now=now, action="share.open") as work:
            opened = work.session.exec(select(ShareLink).where(ShareLink.id == link.id).with_for_update()).one()
            opened.opened_count += 1
            opened.last_opened_at = now
    return ShareView(link=link, actor=holder)
