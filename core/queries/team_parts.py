"""The parts that teams make for who asks, at the level being looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from core.access.actors import Reach
from core.analytics.team_parts import team_level

if TYPE_CHECKING:
    from core.analytics.filters import Filters
    from core.analytics.team_parts import TeamPart
    from core.db.mirror import ScopedMirror


def parts_looked_at(mirror: ScopedMirror, filters: Filters) -> tuple[TeamPart, ...]:
    """Return the parts of the filtered teams, else of the whole scope (a rep's is the rep's own team)."""
    teams = mirror.facts.teams.c
    parents = {row.id: row.parent_id for row in mirror.rows(select(teams.id, teams.parent_id))}
    looked_at = filters.team_ids or mirror.scope.team_ids
    if not looked_at and mirror.scope.reach is Reach.REPS:
        reps = mirror.facts.reps.c
        found = mirror.rows(select(reps.team_id).where(reps.id.in_(mirror.scope.rep_ids), reps.team_id.is_not(None)))
        looked_at = tuple(row.team_id for row in found)
        if not looked_at:
            return ()
    return team_level(parents, looked_at)
