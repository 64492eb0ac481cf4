"""The share links that somebody made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from sqlmodel import col, select

from core.access.actions import Action
from core.gate import query
from core.model import ShareLink

if TYPE_CHECKING:
    from core.db.work import Work


@query(Action.SHARE, askable=True)
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
