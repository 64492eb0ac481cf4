"""The moves between stages in a period, and what stands where: docs/methods/flow.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, String, case, cast, func, or_, select

from core.analytics.facts import spoken
from core.analytics.filters import Filters, deal_conditions
from core.analytics.selection import is_counted
from core.analytics.stage_measures import between, from_id, usual_as_told, usual_stays

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from core.analytics.facts import Facts, Statement
    from core.analytics.stage_measures import Usual
    from core.domain.periods import Period


def stages_met(facts: Facts, *, pipeline_id: int) -> Statement:
    """Return the stages of a process, retired ones too, in order: id, stage (name), kind, position, active."""
    stages = facts.stages.c
    return (
        select(stages.id, spoken(facts.stages).label("stage"), stages.kind, stages.position, stages.active)
        .where(stages.pipeline_id == pipeline_id)
        .order_by(stages.position, stages.id)
    )


def moved(facts: Facts, *, period: Period, pipeline_id: int) -> Statement:
    """Return the moves of a process in the period: `deal_id`, `from_id` (0 from nowhere), `to_id`."""
    moves = facts.moves.c
    return select(moves.deal_id, from_id(moves).label("from_id"), moves.to_stage_id.label("to_id")).where(
        moves.pipeline_id == pipeline_id, between(moves.moved_on, period)
    )


def movers(facts: Facts, *, period: Period, filters: Filters, pipeline_id: int) -> Statement:
    """Return `id` and `value` (hundredths) of the deals whose moves count, with others that moved later."""
    deals = facts.deals.c
    return select(deals.id, deals.amount.label("value")).where(
        deals.pipeline_id == pipeline_id, facts.moved_since(period.start), *deal_conditions(facts, filters)
    )


def standing(
    facts: Facts, *, filters: Filters, pipeline_id: int, today: date, usual: Iterable[Usual] | None = None
) -> Statement:
    """Return a row per open stage with what stands there now; values in hundredths.

    Columns: stage_key, stage, count, value, weighted; median_days in the stage by today; usual_days (the 90th
    percentile of the won ones' stays, NULL where they are too few) and usual_stays; rotting_count, rotting_value.
    usual: the rows of `usual_stays` of the same facts, where they are known already.
    """
    deals, stages = facts.deals.c, facts.stages.c
    limits = usual_stays(facts).cte("usual_of_stage") if usual is None else usual_as_told(usual)
    u = limits.c
    days = today - deals.stage_entered_on
    here = (
        select(
            deals.stage_id,
            deals.amount,
            deals.weighted,
            days.label("days"),
            func.coalesce(days > u.days, False).label("rotting"),
        )
        .select_from(facts.deals.outerjoin(limits, u.stage_id == deals.stage_id))
        .where(
            deals.pipeline_id == pipeline_id,
            is_counted(facts, "open", period=None, today=today),
            *deal_conditions(facts, filters),
        )
        .subquery("here")
    )
    h = here.c
    held = (
        select(
            h.stage_id,
            func.count().label("count"),
            cast(func.sum(h.amount), BigInteger).label("value"),
            cast(func.sum(h.weighted), BigInteger).label("weighted"),
            func.median(h.days).label("median_days"),
            cast(func.sum(case((h.rotting, 1), else_=0)), BigInteger).label("rotting_count"),
            cast(func.sum(case((h.rotting, h.amount), else_=0)), BigInteger).label("rotting_value"),
        )
        .group_by(h.stage_id)
        .subquery("held")
    )
    k = held.c
    return (
        select(
            cast(stages.id, String).label("stage_key"),
            spoken(facts.stages).label("stage"),
            func.coalesce(k.count, 0).label("count"),
            func.coalesce(k.value, 0).label("value"),
            func.coalesce(k.weighted, 0).label("weighted"),
            k.median_days,
            u.days.label("usual_days"),
            func.coalesce(u.stays, 0).label("usual_stays"),
            func.coalesce(k.rotting_count, 0).label("rotting_count"),
            func.coalesce(k.rotting_value, 0).label("rotting_value"),
        )
        .select_from(
            facts.stages.outerjoin(held, k.stage_id == stages.id).outerjoin(limits, u.stage_id == stages.id)
        )
        .where(
            stages.pipeline_id == pipeline_id,
            stages.kind == "open",
            or_(stages.active, k.count.is_not(None)),
        )
        .order_by(stages.position)
    )  # fmt: skip
