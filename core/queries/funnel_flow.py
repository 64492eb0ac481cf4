"""Moves between stages, and what stands where now. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from core.access.actions import Action
from core.analytics import funnel_flow as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.flow_ways import Flow, Step, steps_between
from core.analytics.stage_measures import KINDS
from core.gate import query
from core.queries.drill import tidy
from core.queries.overview import HUNDREDTHS, chosen_pipeline
from core.queries.standpoint import looked_at
from core.queries.usual_stays import known_usual_stays

if TYPE_CHECKING:
    from core.db.work import Work
    from core.domain.periods import Period

LINK_COLUMNS: Final = (
    "from_key", "from_stage", "to_key", "to_stage", "kind", "deals", "moves", "value", "from_position", "to_position",
)  # fmt: skip
_KINDS: Final = {
    **dict.fromkeys(("deals", "moves"), "int64"),
    "value": "float64",
    **dict.fromkeys(("from_position", "to_position"), "int32"),
}


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def funnel_flow(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return from which stage to which how many deals moved in the period."""
    ways, flow = _flow(work, period, filters, as_of)
    counted = [(way, flow.of([(way.from_id, way.to_id)])) for way in ways]
    rows = [
        (str(way.from_id), way.from_stage, str(way.to_id), way.to_stage, way.kind,
         found.deals, found.moves, found.value / HUNDREDTHS, way.from_position, way.to_position)
        for way, found in counted
        if found.deals
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(LINK_COLUMNS)).astype(_KINDS)


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def flow_kinds(work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return how many deals entered, went forward, skipped, fell back, were lost, won, reopened in the period."""
    ways, flow = _flow(work, period, filters, as_of)
    counted = [flow.of((way.from_id, way.to_id) for way in ways if way.kind == kind) for kind in KINDS]
    rows = [
        (kind, place, found.deals, found.moves, found.value / HUNDREDTHS)
        for place, (kind, found) in enumerate(zip(KINDS, counted, strict=True))
    ]
    return pd.DataFrame(rows, columns=["kind", "place", "deals", "moves", "value"])


def _flow(work: Work, period: Period, filters: Filters, as_of: AsOf | None) -> tuple[list[Step], Flow]:
    mirror = work.mirror
    pipeline = chosen_pipeline(mirror, filters)
    facts = looked_at(work, as_of).facts
    ways = steps_between(mirror.rows(statements.stages_met(mirror.facts, pipeline_id=pipeline)))
    moves = mirror.columns(statements.moved(facts, period=period, pipeline_id=pipeline))
    deals = mirror.columns(statements.movers(facts, period=period, filters=filters, pipeline_id=pipeline))
    return ways, Flow([(way.from_id, way.to_id) for way in ways], moves, deals)


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
