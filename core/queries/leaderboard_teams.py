"""The leaderboard of teams, and as much of it as the company's setting shows those who see no whole team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from sqlalchemy import select

from core.access.actions import Action
from core.access.actors import Reach
from core.access.board_sight import BoardSight, sight_of
from core.analytics import leaderboard as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.team_parts import team_level, whole_teams
from core.gate import query
from core.queries.leaderboard import COLUMNS, leaderboard, margins_for, ranked, standing_columns
from core.queries.leaderboard_fair import MASKED, blank
from core.queries.leaderboard_kept import standings_of
from core.queries.rep_page import LEAST_PEOPLE
from core.queries.standpoint import splits_count

if TYPE_CHECKING:
    from core.analytics.team_parts import TeamPart
    from core.db.work import Work
    from core.domain.periods import Period

TEAM_COLUMNS = (*COLUMNS, "inside")


@query(Action.LEADERBOARD_VIEW, mirrored=True, askable=True)
def team_leaderboard(
    work: Work,
    *,
    period: Period,
    measure: statements.Measure = "booked",
    filters: Filters = NO_FILTERS,
    as_of: AsOf | None = None,
    splits: bool = False,
    whole: bool = False,
) -> pd.DataFrame:
    """Return the teams, ranked by a measure: the columns of `leaderboard`, and `inside` (the scope holds its deals).

    Who sees whole teams gets those. Anybody else gets the company's as its setting says: with names and figures, with
    the ranked figure alone (and the name of the own team, where it has enough people to hide each other), or none.
    With `whole` these are the teams among which a contest is decided, for everybody: the company's, ranked among all,
    without those who are directly in a team beside its subteams; who sees some of them whole gets those in any case.
    But where filters are set and others are not shown in full, a scope's own teams are compared alone.
    """
    scope, sight = work.mirror.scope, sight_of(work.actor, work.setting("board_sight"))
    hidden = sight is BoardSight.HIDDEN or (sight is BoardSight.ANONYMOUS and filters != NO_FILTERS)
    alone = not whole or (filters != NO_FILTERS and sight is not BoardSight.FULL)  # a filter tells of nobody beyond
    if scope.reach is Reach.ALL or (scope.team_ids and alone):
        own = leaderboard(
            work, period=period, by="team", measure=measure, filters=filters, as_of=as_of, splits=splits,
            whole=whole,
        )  # fmt: skip
        return own.assign(inside=True)
    margins = margins_for(work, measure)
    if hidden and not scope.team_ids:
        return _framed([])
    teams = work.mirror.facts.teams.c
    parents = {row.id: row.parent_id for row in work.mirror.rows(select(teams.id, teams.parent_id))}
    parts = team_level(parents, filters.team_ids)
    parts = whole_teams(parts) if whole else parts
    contest = statements.Contest(
        period, "team", filters, int(work.setting("minimum_decided")), work.today, parts,
        splits_count(work, wanted=splits), work.calendar.before(period),
    )  # fmt: skip
    standings = standings_of(work, work.mirror, contest, as_of=as_of, everyone=True)
    now, before = (standing_columns(standings.columns(place), margins=margins) for place in (0, 1))
    board = ranked(now, before, measure)
    board = board.assign(
        inside=board["key"].isin([part.key for part in parts if {*part.team_ids} <= {*scope.team_ids}])
    )
    if hidden:
        return board[board["inside"]].reset_index(drop=True)
    return board if sight is BoardSight.FULL else _masked(board, measure, named=_own_part(work, parts))


def _own_part(work: Work, parts: tuple[TeamPart, ...]) -> str:
    """Return the key of the part that the actor works in, "" where it is too small to be named."""
    reps = work.mirror.facts.reps.c
    team_of = {row.id: row.team_id for row in work.mirror.rows(select(reps.id, reps.team_id))}
    own = team_of.get(work.actor.rep_id or 0) or work.actor.team_id
    for part in parts:
        if own in part.team_ids:
            people = sum(team in part.team_ids for team in team_of.values())
            return part.key if people >= LEAST_PEOPLE else ""
    return ""


def _masked(board: pd.DataFrame, measure: str, *, named: str) -> pd.DataFrame:
    """Return rank and ranked figure alone of rows outside the scope; no name but the one part's that is `named`."""
    kept = ("rank", "previous_rank", "rank_change", "most_improved", "inside", measure)
    there = cast("list[dict[str, Any]]", board[board["rank"].notna() | board["inside"]].to_dict("records"))
    rows = [
        row if row["inside"] else
        {**blank(TEAM_COLUMNS), **{name: row[name] for name in kept},
         "key": row["key"] if row["key"] == named else f"{MASKED}{place}",
         "name": row["name"] if row["key"] == named else "", "team": "", "too_few": False}
        for place, row in enumerate(there, start=1)
    ]  # fmt: skip
    return _framed(rows)


def _framed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    found = pd.DataFrame(rows, columns=list(TEAM_COLUMNS))
    return found.astype(dict.fromkeys(("rank", "previous_rank", "rank_change"), "Int64"))
