"""Moves between stages, and what stands where now. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from core.access.actions import Action
from core.analytics import funnel_flow as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.stage_measures import KINDS
from core.gate import query
from core.queries.drill import tidy
from core.queries.overview import chosen_pipeline
from core.queries.standpoint import looked_at
from core.queries.usual_stays import known_usual_stays

if TYPE_CHECKING:
    from core.db.work import Work
    from core.domain.periods import Period


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def funnel_flow(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return from which stage to which how many deals moved in the period."""
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    frame = mirror.frame(
        statements.links(looked_at(work, as_of).facts, period=period, filters=filters, pipeline_id=pipeline)
    )
    return tidy(frame, money=("value",))


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def flow_kinds(work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return how many deals entered, went forward, skipped, fell back, were lost, won, reopened in the period."""
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    rows = mirror.rows(
        statements.kinds(looked_at(work, as_of).facts, period=period, filters=filters, pipeline_id=pipeline)
    )
    found = {row.kind: (row.deals, row.moves, row.value / 100) for row in rows}
    counted = [(kind, place, *found.get(kind, (0, 0, 0.0))) for place, kind in enumerate(KINDS)]
    return pd.DataFrame(counted, columns=["kind", "place", "deals", "moves", "value"])


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def funnel_snapshot(work: Work, *, filters: Filters = NO_FILTERS, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return what stands in each open stage, for how long, and how much of it is rotting: now, or as of a day."""
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    facts, today = looked_at(work, as_of)
    usual = known_usual_stays(work, facts, as_of)
    frame = mirror.frame(statements.standing(facts, filters=filters, pipeline_id=pipeline, today=today, usual=usual))
    for name in ("median_days", "usual_days"):
        frame[name] = frame[name].astype("float64")
    return tidy(frame, money=("value", "weighted", "rotting_value"))
