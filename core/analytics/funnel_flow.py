"""The moves between stages in a period, and what stands where: docs/methods/flow.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, String, and_, case, cast, func, or_, select

from core.analytics.facts import spoken
from core.analytics.filters import Filters, deal_conditions
from core.analytics.selection import is_counted
from core.analytics.stage_measures import between, from_id, usual_as_told, usual_stays, ways

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import ColumnElement, Subquery

    from core.analytics.facts import Facts, Statement
    from core.analytics.stage_measures import Usual
    from core.domain.periods import Period


def _inside(facts: Facts, *, period: Period, filters: Filters, pipeline_id: int) -> list[ColumnElement[bool]]:
    """Return what moves of `facts.moves` and their deals must be to count."""
    return [
        facts.deals.c.pipeline_id == pipeline_id,
        between(facts.moves.c.moved_on, period),
        *deal_conditions(facts, filters),
    ]


def _moved(facts: Facts, *, period: Period, filters: Filters, pipeline_id: int) -> Subquery:
    """Return a row per deal and pair of stages in the period: deal_id, amount, from_id (0: none), to_id, moves."""
    deals, moves = facts.deals.c, facts.moves.c
    origin = from_id(moves)
    return (
        select(
            moves.deal_id, origin.label("from_id"), moves.to_stage_id.label("to_id"),
            func.any_value(deals.amount).label("amount"), func.count().label("moves"),
        )
        .select_from(facts.moves.join(facts.deals, deals.id == moves.deal_id))
        .where(*_inside(facts, period=period, filters=filters, pipeline_id=pipeline_id))
        .group_by(moves.deal_id, origin, moves.to_stage_id)
        .subquery("moved")
    )  # fmt: skip


def links(facts: Facts, *, period: Period, filters: Filters, pipeline_id: int) -> Statement:
    """Return a row per pair of stages between which a deal moved; `from_key` is "0" for the first entry.

    Columns: from_key, from_stage, to_key, to_stage, kind; deals (distinct), moves; value (hundredths) of the deals;
    from_position, to_position.
    """
    m = _moved(facts, period=period, filters=filters, pipeline_id=pipeline_id).c
    each = (
        select(
            m.from_id, m.to_id, func.count().label("deals"),
            cast(func.sum(m.moves), BigInteger).label("moves"), cast(func.sum(m.amount), BigInteger).label("value"),
        )
        .group_by(m.from_id, m.to_id)
        .subquery("links")
    )  # fmt: skip
    one, two, way = facts.stages.alias("from_stage"), facts.stages.alias("to_stage"), ways(facts)
    taken = and_(way.c.from_id == each.c.from_id, way.c.to_id == each.c.to_id)
    return (
        select(
            cast(each.c.from_id, String).label("from_key"), spoken(one).label("from_stage"),
            cast(each.c.to_id, String).label("to_key"), spoken(two).label("to_stage"),
            way.c.kind, each.c.deals, each.c.moves, each.c.value,
            func.coalesce(one.c.position, 0).label("from_position"), two.c.position.label("to_position"),
        )
        .select_from(
            each.join(way, taken).outerjoin(one, one.c.id == each.c.from_id).outerjoin(two, two.c.id == each.c.to_id)
        )
        .order_by(func.coalesce(one.c.position, 0), two.c.position, each.c.from_id, each.c.to_id)
    )  # fmt: skip


def kinds(facts: Facts, *, period: Period, filters: Filters, pipeline_id: int) -> Statement:
    """Return `kind`, `deals` (distinct), `moves` and `value` (hundredths) of what happened in the period."""
    deals, moves, way = facts.deals.c, facts.moves.c, ways(facts)
    taken = and_(way.c.from_id == from_id(moves), way.c.to_id == moves.to_stage_id)
    each = (
        select(
            moves.deal_id, way.c.kind,
            func.any_value(deals.amount).label("amount"), func.count().label("moves"),
        )
        .select_from(facts.moves.join(facts.deals, deals.id == moves.deal_id).join(way, taken))
        .where(*_inside(facts, period=period, filters=filters, pipeline_id=pipeline_id))
        .group_by(moves.deal_id, way.c.kind)
        .subquery("each")
    )  # fmt: skip
    e = each.c
    return select(
        e.kind,
        func.count().label("deals"),
        cast(func.sum(e.moves), BigInteger).label("moves"),
        cast(func.sum(e.amount), BigInteger).label("value"),
    ).group_by(e.kind)


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
