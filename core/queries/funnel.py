"""The questions of Funnel. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import literal

from core.access.actions import Action
from core.analytics import funnel as statements
from core.analytics.dimensions import Dimension
from core.analytics.filters import NO_FILTERS, Filters
from core.domain.periods import day_start
from core.gate import query
from core.queries.overview import HUNDREDTHS, chosen_pipeline
from core.queries.team_parts import parts_looked_at

if TYPE_CHECKING:
    from core.db.work import Work
    from core.domain.periods import Period

STAGE_COLUMNS = (
    "stage_key", "stage", "kind", "reached", "value", "rate_from_previous", "rate_from_start", "still_open",
    "lost_here", "still_open_value", "lost_here_value",
)  # fmt: skip
MOST_GROUPS = 6


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def cohort_funnel(work: Work, *, period: Period, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return how many of the deals opened in the period ever reached each stage, and what became of the rest."""
    stages, found = _funnels(work, period, filters, by=None)
    empty = statements.Funnel(stages={stage.position: statements.Reached() for stage in stages})
    rows = statements.funnel_rows(found[0] if found else empty, stages)
    return pd.DataFrame(rows, columns=list(STAGE_COLUMNS))


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def funnel_compare(
    work: Work, *, period: Period, by: Dimension, keys: tuple[str, ...] = (), filters: Filters = NO_FILTERS
) -> pd.DataFrame:
    """Return the funnels of some groups under each other; of the six with most deals where none is chosen."""
    stages, found = _funnels(work, period, filters, by=by)
    chosen = [funnel for funnel in found if funnel.group_key in keys] if keys else found[:MOST_GROUPS]
    rows = [
        {"group_key": funnel.group_key, "group": funnel.group, **row}
        for funnel in chosen
        for row in statements.funnel_rows(funnel, stages)
    ]
    return pd.DataFrame(rows, columns=["group_key", "group", *STAGE_COLUMNS])


def _funnels(
    work: Work, period: Period, filters: Filters, *, by: Dimension | None
) -> tuple[list[Any], list[statements.Funnel]]:
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    teams = parts_looked_at(mirror, filters) if by == "team" else ()
    cohort = statements.cohort(
        mirror.facts, period=period, filters=filters, pipeline_id=pipeline, today=work.today, by=by, teams=teams
    )
    parts = mirror.rows(cohort)
    stages = mirror.rows(
        statements.steps(mirror.facts, pipeline_id=pipeline, occupied={part.furthest for part in parts})
    )
    return stages, statements.funnels(parts, [stage.position for stage in stages])


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def time_in_stage(work: Work, *, period: Period, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return how long the deals opened in the period stayed in each open stage, in days.

    Stays that go on last to the start of today, so that the answer is the same all day long.
    """
    mirror = work.mirror
    frame = mirror.frame(
        statements.stays(
            mirror.facts,
            period=period,
            filters=filters,
            pipeline_id=chosen_pipeline(mirror, filters),
            until=literal(day_start(work.today, work.zone).replace(tzinfo=None)),
            today=work.today,
        )
    )
    measured = ["median_days", "p90_days", "still_inside_median_days", "expected_days"]
    frame[measured] = frame[measured].astype("float64")
    return frame


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def losses_by_stage(work: Work, *, period: Period, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return how many of the deals opened in the period were lost, by furthest stage and reason."""
    mirror = work.mirror
    frame = mirror.frame(
        statements.losses(
            mirror.facts,
            period=period,
            filters=filters,
            pipeline_id=chosen_pipeline(mirror, filters),
            today=work.today,
        )
    )
    frame["value"] = frame["value"].astype("float64") / HUNDREDTHS
    return frame
