"""The deals that a number counted. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.access.actions import Action
from core.analytics import drill
from core.gate import query
from core.queries.overview import HUNDREDTHS

if TYPE_CHECKING:
    from core.analytics.selection import Selection
    from core.db.work import Work

DAYS = ("opened_on", "expected_close_on", "closed_on")


@query(Action.DEAL_VIEW, mirrored=True, askable=True)
def deals_behind(work: Work, *, selection: Selection, limit: int | None = None) -> pd.DataFrame:
    """Return exactly the deals that a number counted, largest first; `value` adds up to the number."""
    mirror = work.mirror
    idle_days = int(work.setting("idle_days"))
    frame = mirror.frame(drill.rows(mirror.facts, selection, today=work.today, idle_days=idle_days, limit=limit))
    return tidy(frame, money=("amount", "value"), days=DAYS)


@query(Action.DEAL_VIEW, mirrored=True, askable=True)
def selection_total(work: Work, *, selection: Selection) -> pd.DataFrame:
    """Return the number and the sum of the deals that a number counted."""
    mirror = work.mirror
    idle_days = int(work.setting("idle_days"))
    frame = mirror.frame(drill.total(mirror.facts, selection, today=work.today, idle_days=idle_days))
    return tidy(frame, money=("value",))


def tidy(frame: pd.DataFrame, *, money: tuple[str, ...] = (), days: tuple[str, ...] = ()) -> pd.DataFrame:
    """Turn hundredths into major units, and columns of days into `date` or None."""
    for name in money:
        frame[name] = frame[name].astype("float64") / HUNDREDTHS
    for name in days:
        column = frame[name]
        frame[name] = pd.Series(
            [None if pd.isna(day) else day.date() for day in column], index=frame.index, dtype="object"
        )
    return frame
