"""What is owed in the months ahead, and the scenarios that somebody keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd
from sqlmodel import col, select

from core.access.actions import Action
from core.access.actors import Reach
from core.analytics.dimensions import Dimension
from core.analytics.filters import Filters, number
from core.db.actors import teams_to_tell
from core.domain.names import named
from core.gate import query
from core.model import Scenario, ScenarioShare, Team
from core.queries.overview import quotas_by
from core.queries.reference import user_names

if TYPE_CHECKING:
    from core.db.work import Work
    from core.domain.periods import Period

SAVED = ("id", "version", "name", "note", "series", "levers", "data_version", "outlook", "updated_at")
SHARED = (*SAVED, "owner", "team_id")


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


@query(Action.SCENARIO_SAVE, askable=True)
def my_scenarios(work: Work) -> pd.DataFrame:
    """Return the actor's own scenarios, the last changed first.

    Columns: id, version, data_version int; name, note str; series, levers dict; outlook dict or None;
    updated_at aware UTC; shared bool; team_id int or None (shared with the whole company).
    """
    rows = work.session.exec(
        select(Scenario)
        .where(Scenario.user_id == work.actor.user_id)
        .order_by(col(Scenario.updated_at).desc(), col(Scenario.id).desc())
    ).all()
    told = {share.scenario_id: share.team_id for share in work.session.exec(select(ScenarioShare)).all()}
    lines = [[*(getattr(row, name) for name in SAVED), row.id in told, told.get(row.id)] for row in rows]
    frame = pd.DataFrame(lines, columns=[*SAVED, "shared", "team_id"])
    return frame.astype({"team_id": "object"}).where(frame.notna(), None)


@query(Action.SCENARIO_SAVE, askable=True)
def shared_scenarios(work: Work) -> pd.DataFrame:
    """Return the scenarios that others share with the actor, the last changed first.

    Columns: those of `my_scenarios` but `shared`, and owner str, who made it. What was forecast when it was saved is
    its author's and theirs who see everything; to others `outlook` is None.
    """
    rows = work.session.exec(
        select(Scenario, ScenarioShare.team_id)
        .join(ScenarioShare, col(ScenarioShare.scenario_id) == Scenario.id)
        .where(Scenario.user_id != work.actor.user_id)
        .order_by(col(Scenario.updated_at).desc(), col(Scenario.id).desc())
    ).all()
    called = user_names(work.session) if rows else {}
    lines = [[*(getattr(row, name) for name in SAVED), called.get(row.user_id, ""), team] for row, team in rows]
    frame = pd.DataFrame(lines, columns=list(SHARED)).astype({"outlook": "object", "team_id": "object"})
    if work.actor.scope.reach is not Reach.ALL:
        frame["outlook"] = None
    return frame.where(frame.notna(), None)


@query(Action.SCENARIO_SAVE)
def scenario_audiences(work: Work) -> dict[int | None, str]:
    """Return the teams that the actor may share a scenario with, by name; None stands for the whole company."""
    teams = {team.id: named(team) for team in work.session.exec(select(Team)).all()}
    return {team: teams.get(team, "") if team is not None else "" for team in teams_to_tell(work.session, work.actor)}
