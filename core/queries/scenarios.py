"""What is owed in the months ahead, and the scenarios that somebody keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd
from sqlmodel import col, select

from core.access.actions import Action
from core.analytics.dimensions import Dimension
from core.analytics.filters import Filters, number
from core.gate import query
from core.model import Scenario
from core.queries.overview import quotas_by

if TYPE_CHECKING:
    from core.db.work import Work
    from core.domain.periods import Period

SAVED = ("id", "version", "name", "note", "series", "levers", "updated_at")


@query(Action.FORECAST_VIEW, mirrored=True, askable=True)
def monthly_quotas(
    work: Work,
    *,
    period: Period,
    dimension: Dimension | Literal["company"] = "company",
    key: str = "",
) -> pd.DataFrame:
    """Return what the company or a team's subtree owes in each month of the period that has a quota.

    Columns: month date; quota float, major units. No row for what is not people: quotas know only them.
    """
    owed: dict[object, float] = {}
    team = number(key)
    if dimension == "company":
        owed = quotas_by(work.mirror, period, Filters(), "month")
    elif dimension == "team" and team is not None:
        owed = quotas_by(work.mirror, period, Filters(team_ids=(team,)), "month")
    return pd.DataFrame(sorted(owed.items(), key=lambda row: str(row[0])), columns=["month", "quota"])


@query(Action.SCENARIO_SAVE)
def my_scenarios(work: Work) -> pd.DataFrame:
    """Return the actor's own scenarios, the last changed first.

    Columns: id, version int; name, note str; series, levers dict; updated_at aware UTC.
    """
    rows = work.session.exec(
        select(Scenario)
        .where(Scenario.user_id == work.actor.user_id)
        .order_by(col(Scenario.updated_at).desc(), col(Scenario.id).desc())
    ).all()
    return pd.DataFrame([[getattr(row, name) for name in SAVED] for row in rows], columns=list(SAVED))
