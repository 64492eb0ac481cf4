"""The share links that somebody made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from sqlmodel import col, select

from core.access.actions import Action
from core.gate import query
from core.model import ShareLink

if TYPE_CHECKING:
    from core.access.actors import Actor
    from core.db.work import Work

SHAREABLE: dict[str, Action] = {
    "overview": Action.OVERVIEW_VIEW,
    "funnel": Action.FUNNEL_VIEW,
    "leaderboard": Action.LEADERBOARD_VIEW,
    "forecast": Action.FORECAST_VIEW,
}
"""The pages that a link can open, and the one action that it then gives its holder."""


@dataclass(frozen=True)
class ShareView:
    """An opened link: what it shows, and the actor that its holder is."""

    link: ShareLink
    actor: Actor


@query(Action.SHARE)
def my_share_links(work: Work) -> pd.DataFrame:
    """Return the actor's links, newest first.

    Columns: id int; page, title, state (`open`, `expired`, `revoked`) str; created_at, expires_at,
    last_opened_at aware UTC; frozen bool; opened_count int.
    """
    links = work.session.exec(
        select(ShareLink).where(ShareLink.user_id == work.actor.user_id).order_by(col(ShareLink.id).desc())
    ).all()
    columns = ["id", "page", "title", "state", "created_at", "expires_at", "last_opened_at", "frozen", "opened_count"]
    rows = [
        (
            link.id, link.page, link.title,
            "revoked" if link.revoked_at else "expired" if link.expires_at <= work.now else "open",
            link.created_at, link.expires_at, link.last_opened_at, link.frozen_at is not None, link.opened_count,
        )
        for link in links
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
