"""One person against the team's median. What the columns mean: docs/queries.md."""

from __future__ import annotations

from math import isnan, nan
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from sqlalchemy import select

from core.access.actions import Action
from core.access.actors import Reach
from core.access.board_sight import BoardSight, sight_of
from core.analytics import leaderboard as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import Filters
from core.analytics.rates import rate
from core.analytics.rep_behaviour import behaviour
from core.errors import NotFound
from core.gate import query
from core.queries.leaderboard import REP_KIND, margins_for, standing_columns
from core.queries.leaderboard_fair import two_digits
from core.queries.leaderboard_kept import standings_of
from core.queries.standpoint import looked_at

if TYPE_CHECKING:
    from core.analytics.facts import Facts, Statement
    from core.db.mirror import ScopedMirror
    from core.db.work import Work
    from core.domain.periods import Period

LEAST_PEOPLE: Final = 4
"""People with a number below which a team's median would say too much of one of them."""

UNITS: Final[dict[str, str]] = {
    "booked": "money", "attainment": "rate", "won_count": "count", "win_rate": "rate", "average_deal": "money",
    "cycle_days": "days", "activities": "count", "pushed_rate": "rate", "pushes_a_deal": "number", "late_days": "days",
    "off_rate": "rate", "high_rate": "rate", "margin": "money", "margin_rate": "rate",
}  # fmt: skip
"""What is compared, in order, and in which unit; margins by those alone who may see costs."""

FORECASTING: Final = ("pushed_rate", "pushes_a_deal", "late_days", "off_rate", "high_rate")
"""What says how somebody forecasts."""
COLUMNS = ("measure", "unit", "own", "team_median", "people")


@query(Action.LEADERBOARD_VIEW, mirrored=True, askable=True)
def rep_against_team(work: Work, *, rep_id: int, period: Period, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return each of a rep's figures of the period beside the median of the team's people.

    Medians of people whom the actor may not see are rounded to two digits. Raises NotFound outside the scope.
    """
    mirror = work.mirror
    reps = mirror.facts.reps.c
    teams = {row.id: row.team_id for row in mirror.rows(select(reps.id, reps.team_id))}
    if rep_id not in teams or not mirror.scope.allows_rep(rep_id):
        raise NotFound(kind=REP_KIND, number=rep_id)
    mates = {number for number, team in teams.items() if team is not None and team == teams[rep_id]}
    figures = _figures(work, mirror, period, as_of, Filters(rep_ids=tuple(sorted(mates | {rep_id}))))
    sees_all = (
        mirror.scope.reach is Reach.ALL
        or all(mirror.scope.allows_rep(number) for number in mates)
        or sight_of(work.actor, work.setting("board_sight")) is BoardSight.FULL
    )
    rows = []
    for name, unit in UNITS.items():
        if name in statements.OF_COSTS and not margins_for(work):
            continue
        known = [value for number in mates if not isnan(value := figures.get(number, {}).get(name, nan))]
        middle = median(known) if len(known) >= LEAST_PEOPLE else nan
        own = figures.get(rep_id, {}).get(name, nan)
        rows.append((name, unit, own, middle if sees_all else two_digits(middle), len(known)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _figures(
    work: Work, mirror: ScopedMirror, period: Period, as_of: AsOf | None, people: Filters
) -> dict[int, dict[str, float]]:
    """Return the figures of these people, to take medians of."""
    contest = statements.Contest(period, "rep", people, int(work.setting("minimum_decided")), work.today)
    standings = standings_of(work, mirror, contest, as_of=as_of, everyone=True)
    board = standing_columns(standings.columns(), margins=margins_for(work))
    told = [name for name in UNITS if name in board]
    rows = zip(*(board[name].tolist() for name in ("key", *told)), strict=True)
    found: dict[int, dict[str, float]] = {
        int(key): dict.fromkeys(UNITS, nan) | dict(zip(told, map(float, values), strict=True)) for key, *values in rows
    }

    def forecasts(everyone: Facts) -> Statement:
        facts, today = looked_at(work, as_of, everyone)
        return behaviour(facts, period=period, filters=people, today=today)

    for row in mirror.of_everyone(forecasts):
        found.setdefault(row.rep_id, {}).update({
            "pushed_rate": rate(row.pushed, row.decided), "pushes_a_deal": rate(row.pushes, row.decided),
            "late_days": _number(row.late_days), "off_rate": _number(row.off_rate),
            "high_rate": _number(row.high_rate),
        })  # fmt: skip
    return found


def _number(value: Any) -> float:
    return nan if value is None else float(value)
