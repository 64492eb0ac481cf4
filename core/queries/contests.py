"""The contests that are held, and the awards that were given. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy.orm import aliased
from sqlmodel import select

from core.access.actions import Action
from core.domain.names import named
from core.gate import query
from core.model import Award, Contest, Rep, Team

if TYPE_CHECKING:
    from datetime import date

    from core.db.work import Work

CONTEST_COLUMNS = ("id", "version", "name", "competing", "measure", "start", "end", "prize", "state")
AWARD_COLUMNS = ("kind", "name", "team", "rep_id", "team_id", "contest", "measure", "start", "end", "value")


@query(Action.LEADERBOARD_VIEW, askable=True)
def contests(work: Work) -> pd.DataFrame:
    """Return the contests, the running ones first, then those to come, then the others, newest first."""
    rows: list[dict[str, Any]] = [
        {
            "id": row.id, "version": row.version, "name": named(row), "competing": row.competing.value,
            "measure": row.measure.value, "start": row.start_on, "end": row.end_on, "prize": row.prize,
            "state": "coming" if work.today < row.start_on else "over" if work.today >= row.end_on else "running",
        }
        for row in work.session.exec(select(Contest)).all()
    ]  # fmt: skip
    order = {"running": 0, "coming": 1, "over": 2}
    rows.sort(key=lambda row: (order[row["state"]], -row["end"].toordinal(), row["id"]))
    return pd.DataFrame(rows, columns=list(CONTEST_COLUMNS))


@query(Action.LEADERBOARD_VIEW, askable=True)
def awards(work: Work, *, rep_id: int | None = None, since: date | None = None) -> pd.DataFrame:
    """Return the awards of the actor's scope, newest first; one rep's, and those from a day on, where asked for."""
    rep, team, own_team = aliased(Rep), aliased(Team), aliased(Team)
    columns: list[Any] = [Award, rep, team, own_team, Contest]
    statement: Any = (
        select(*columns)
        .outerjoin(rep, rep.id == Award.rep_id)
        .outerjoin(team, team.id == Award.team_id)
        .outerjoin(own_team, own_team.id == rep.team_id)
        .outerjoin(Contest, Contest.id == Award.contest_id)
    )
    if rep_id is not None:
        statement = statement.where(Award.rep_id == rep_id)
    if since is not None:
        statement = statement.where(Award.end_on > since)
    rows = [
        {
            "kind": award.kind.value, "name": named(person or whole), "team": named(of) if of else "",
            "rep_id": award.rep_id, "team_id": award.team_id, "contest": named(contest) if contest else "",
            "measure": contest.measure.value if contest else "booked", "start": award.start_on,
            "end": award.end_on, "value": float(award.value),
        }
        for award, person, whole, of, contest in work.session.execute(statement)
    ]  # fmt: skip
    rows.sort(key=lambda row: (-row["end"].toordinal(), row["kind"], row["name"]))
    return pd.DataFrame(rows, columns=list(AWARD_COLUMNS))
