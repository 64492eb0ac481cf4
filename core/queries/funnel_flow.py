"""Moves between stages, and what stands where now. What the columns mean: docs/queries.md."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import pandas as pd

from core.access.actions import Action
from core.analytics import funnel_flow as statements
from core.analytics.as_of import AsOf, by_stage
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.stage_measures import KINDS
from core.gate import query
from core.queries.drill import tidy
from core.queries.overview import chosen_pipeline

if TYPE_CHECKING:
    from core.db.work import Work
    from core.domain.periods import Period


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def funnel_flow(work: Work, *, period: Period, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return from which stage to which how many deals moved in the period."""
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    frame = mirror.frame(statements.links(mirror.facts, period=period, filters=filters, pipeline_id=pipeline))
    return tidy(frame, money=("value",))


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def flow_kinds(work: Work, *, period: Period, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return how many deals entered, went forward, skipped, fell back, were lost, won, reopened in the period."""
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    rows = mirror.rows(statements.kinds(mirror.facts, period=period, filters=filters, pipeline_id=pipeline))
    found = {row.kind: (row.deals, row.moves, row.value / 100) for row in rows}
    counted = [(kind, place, *found.get(kind, (0, 0, 0.0))) for place, kind in enumerate(KINDS)]
    return pd.DataFrame(counted, columns=["kind", "place", "deals", "moves", "value"])


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def funnel_snapshot(work: Work, *, filters: Filters = NO_FILTERS, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return what stands in each open stage now, for how long, and how much of it is rotting.

    With `as_of`: what stood there at the end of that day; how long, and what was rotting, is said of now alone.
    """
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    if as_of is not None:
        return _stood(mirror.frame(by_stage(mirror.facts, filters=filters, pipeline_id=pipeline, as_of=as_of)))
    frame = mirror.frame(
        statements.standing(mirror.facts, filters=filters, pipeline_id=pipeline, today=work.today)
    )  # fmt: skip
    for name in ("median_days", "usual_days"):
        frame[name] = frame[name].astype("float64")
    return tidy(frame, money=("value", "weighted", "rotting_value"))


def _stood(frame: pd.DataFrame) -> pd.DataFrame:
    kept = frame[["stage_key", "stage", "count", "value", "weighted"]].assign(
        stage_key=frame["stage_key"].astype(str), median_days=nan, usual_days=nan, usual_stays=0, rotting_count=0,
        rotting_value=0.0,
    )  # fmt: skip
    return tidy(kept, money=("value", "weighted"))
