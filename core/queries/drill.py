"""The deals that a number counted. What the columns mean: docs/queries.md."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from core.access.actions import Action
from core.analytics import drill
from core.analytics.credited import CREDITED, credited
from core.gate import query
from core.queries.leaderboard import margins_for
from core.queries.overview import HUNDREDTHS
from core.queries.standpoint import looked_at

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.facts import Facts
    from core.analytics.selection import Selection
    from core.db.work import Work

DAYS = ("opened_on", "expected_close_on", "closed_on")


@query(Action.DEAL_VIEW, mirrored=True, askable=True)
def deals_behind(work: Work, *, selection: Selection, limit: int | None = None) -> pd.DataFrame:
    """Return exactly the deals that a number counted, largest first; `value` adds up to the number.

    Where money is credited in parts there is also `share`, NaN for whole deals. A part of a deal that the actor may
    not see stands there without the deal's number, name, customer and people.
    """
    mirror = work.mirror
    idle_days = int(work.setting("idle_days"))
    facts, today, selection = _facts(work, selection)
    frame = mirror.frame(drill.rows(facts, selection, today=today, idle_days=idle_days, limit=limit))
    return tidy(frame, money=("amount", "value"), days=DAYS)


@query(Action.DEAL_VIEW, mirrored=True, askable=True)
def selection_total(work: Work, *, selection: Selection) -> pd.DataFrame:
    """Return the number and the sum of the deals that a number counted."""
    mirror = work.mirror
    idle_days = int(work.setting("idle_days"))
    facts, today, selection = _facts(work, selection)
    frame = mirror.frame(drill.total(facts, selection, today=today, idle_days=idle_days))
    return tidy(frame, money=("value",))


def _facts(work: Work, selection: Selection) -> tuple[Facts, date, Selection]:
    """Return the facts that a selection is of, their today, and the selection among them.

    Those of a day's states are looked up in the states themselves; those of credited money in split deals.
    """
    measure = CREDITED.get(selection.measure)
    margins_for(work, measure or selection.kind)
    facts, today = looked_at(work, None if selection.is_of_states else selection.as_of)
    if measure is None:
        return facts, today, selection
    return credited(facts), today, replace(selection, measure=measure)


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
