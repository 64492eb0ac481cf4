"""The days on which a rep was on leave. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from sqlmodel import select

from core.access.actions import Action
from core.errors import NotFound
from core.gate import query
from core.model import RepLeave
from core.queries.leaderboard import REP_KIND

if TYPE_CHECKING:
    from core.db.work import Work

COLUMNS = ("id", "version", "from_on", "until_on", "days", "note")


@query(Action.LEADERBOARD_VIEW, askable=True)
def leaves_of(work: Work, *, rep_id: int) -> pd.DataFrame:
    """Return a rep's leaves, the newest first. Raises NotFound outside the scope."""
    if not work.actor.scope.allows_rep(rep_id):
        raise NotFound(kind=REP_KIND, number=rep_id)
    found = work.session.exec(select(RepLeave).where(RepLeave.rep_id == rep_id)).all()
    rows = [
        (one.id, one.version, one.from_on, one.until_on, (one.until_on - one.from_on).days + 1, one.note)
        for one in sorted(found, key=lambda one: one.from_on, reverse=True)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
