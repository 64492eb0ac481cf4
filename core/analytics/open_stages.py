"""What lies in the open stages of a process, now or on a past day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, cast, func, select

from core.analytics.facts import Statement, spoken

if TYPE_CHECKING:
    from sqlalchemy import Subquery

    from core.analytics.facts import Facts


def by_open_stage(facts: Facts, inside: Subquery, pipeline_id: int) -> Statement:
    """Return a row for each open stage of a process, in order, with what `inside` counts there or nothing.

    inside: stage_id, count, value, weighted, overdue_count, in integer hundredths. A stage out of use appears where
    deals stand in it.
    """
    here, stages = inside.c, facts.stages.c
    return (
        select(
            stages.id.label("stage_key"),
            spoken(facts.stages).label("stage"),
            func.coalesce(here.count, 0).label("count"),
            func.coalesce(here.value, 0).label("value"),
            func.coalesce(here.weighted, 0).label("weighted"),
            stages.probability.label("probability"),
            cast(func.coalesce(here.overdue_count, 0), BigInteger).label("overdue_count"),
        )
        .select_from(facts.stages.outerjoin(inside, here.stage_id == stages.id))
        .where(
            stages.pipeline_id == pipeline_id,
            stages.kind == "open",
            stages.active | here.count.is_not(None),
        )
        .order_by(stages.position)
    )
