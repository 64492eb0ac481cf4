"""One's own place among all reps, for those who see no others. What it means: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.access.actions import Action
from core.analytics import leaderboard as statements
from core.analytics.filters import NO_FILTERS
from core.gate import query
from core.queries.leaderboard import margins_for
from core.queries.leaderboard_kept import standings_of

if TYPE_CHECKING:
    from core.analytics.standings import Columns
    from core.db.work import Work
    from core.domain.periods import Period


class OwnRank(NamedTuple):
    """One's own place: the rank, among how many, and the rank in the period before; None without a number."""

    rank: int | None
    of: int
    previous_rank: int | None


@query(Action.LEADERBOARD_VIEW, mirrored=True, askable=True)
def own_rank(work: Work, *, period: Period, measure: statements.Measure = "booked") -> OwnRank:
    """Return the actor's own rank among all reps, and nothing else of the others; no rank for who is no rep."""
    rep_id = work.actor.rep_id
    margins_for(work, measure)
    if rep_id is None or not work.mirror.scope.allows_rep(rep_id):
        return OwnRank(None, 0, None)
    minimum, before = int(work.setting("minimum_decided")), work.calendar.before(period)
    contest = statements.Contest(period, "rep", NO_FILTERS, minimum, work.today, before=before)
    standings = standings_of(work, work.mirror, contest, as_of=None, everyone=True)
    (now, of), (earlier, _of) = (_place(standings.columns(place), rep_id, measure) for place in (0, 1))
    return OwnRank(now, of, earlier)


def _place(found: Columns, rep_id: int, measure: statements.Measure) -> tuple[int | None, int]:
    """Return the rank of one rep, None for none, and how many have a number."""
    values = found[measure].astype(np.float64)
    ranks = statements.ranks_of(values, least_first=measure in statements.LEAST_FIRST)
    own = ranks[found["id"] == rep_id]
    return (int(own[0]) or None if own.size else None), int(np.count_nonzero(~np.isnan(values)))
