"""The questions of Funnel. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import select

from core.access.actions import Action
from core.analytics import funnel as statements
from core.analytics.as_of import AsOf
from core.analytics.dimensions import Dimension
from core.analytics.filters import NO_FILTERS, Filters
from core.gate import query
from core.queries.drill import tidy
from core.queries.overview import chosen_pipeline
from core.queries.standpoint import looked_at
from core.queries.team_parts import parts_looked_at

if TYPE_CHECKING:
    from core.db.work import Work
    from core.domain.periods import Period

STAGE_COLUMNS = (
    "stage_key", "stage", "kind", "reached", "value", "rate_from_previous", "rate_from_start", "still_open",
    "lost_here", "still_open_value", "lost_here_value", "low", "high", "start_low", "start_high",
    "value_rate_from_previous", "value_rate_from_start",
)  # fmt: skip
MOST_GROUPS = 6


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def cohort_funnel(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, days: int = 0, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return how many of the deals opened in the period reached each stage, and what became of the rest.

    Followed to now; or with `days`, as they stood so many days after their opening, without the younger ones. With
    `as_of` now is the end of that day.
    """
    stages, found = _funnels(work, period, filters, by=None, days=days, as_of=as_of)
    empty = statements.Funnel(stages={stage.position: statements.Reached() for stage in stages})
    rows = statements.funnel_rows(found[0] if found else empty, stages)
    return pd.DataFrame(rows, columns=list(STAGE_COLUMNS))


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def funnel_compare(
    work: Work,
    *,
    period: Period,
    by: Dimension,
    keys: tuple[str, ...] = (),
    filters: Filters = NO_FILTERS,
    days: int = 0,
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return the funnels of some groups under each other; of the six with most deals where none is chosen."""
    stages, found = _funnels(work, period, filters, by=by, days=days, as_of=as_of)
    chosen = [funnel for funnel in found if funnel.group_key in keys] if keys else found[:MOST_GROUPS]
    rows = [
        {"group_key": funnel.group_key, "group": funnel.group, **row}
        for funnel in chosen
        for row in statements.funnel_rows(funnel, stages)
    ]
    return pd.DataFrame(rows, columns=["group_key", "group", *STAGE_COLUMNS])


def _funnels(
    work: Work, period: Period, filters: Filters, *, by: Dimension | None, days: int, as_of: AsOf | None
) -> tuple[list[Any], list[statements.Funnel]]:
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    teams = parts_looked_at(mirror, filters) if by == "team" else ()
    facts, today = looked_at(work, as_of)
    cohort = statements.cohort(
        facts, period=period, filters=filters, pipeline_id=pipeline, today=today, by=by, teams=teams,
        days=days,
    )  # fmt: skip
    parts = mirror.rows(cohort)
    known = mirror.rows(statements.steps(mirror.facts, pipeline_id=pipeline))
    stages = statements.in_use(known, {part.furthest for part in parts})
    return stages, statements.funnels(parts, [stage.position for stage in stages])


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def cohorts_by_month(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return for each month of the period what has become of the deals opened in it: how ripe the cohort is."""
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    facts, today = looked_at(work, as_of)
    asked: dict[str, Any] = {"period": period, "filters": filters, "pipeline_id": pipeline, "today": today}
    frame = mirror.frame(statements.cohorts_by_month(facts, **asked))
    frame = tidy(frame, money=("value", "won_value", "lost_value", "open_value"), days=("month",))
    decided = (frame["won"] + frame["lost"]).astype("float64")
    frame["decided_rate"] = decided / frame["entered"]
    frame["won_rate"] = frame["won"] / frame["entered"]
    return frame


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def process_shown(work: Work, *, filters: Filters = NO_FILTERS) -> int:
    """Return the number of the process that the funnel shows: the filters' where it exists, else the default one."""
    mirror = work.mirror
    pipelines = mirror.facts.pipelines.c
    known = mirror.value(select(pipelines.id).where(pipelines.id == (filters.pipeline_id or 0))) is not None
    return chosen_pipeline(mirror, filters if known else NO_FILTERS)
