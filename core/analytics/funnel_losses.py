"""Where deals are lost, why, when and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Date, String, and_, cast, func, literal_column, select

from core.analytics.dimensions import Dimension, key_of, text_or_none
from core.analytics.facts import Statement, spoken
from core.analytics.filters import Filters, deal_conditions
from core.analytics.kpis import named
from core.analytics.selection import is_counted

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.facts import Facts
    from core.domain.periods import Period


def losses(facts: Facts, *, period: Period, filters: Filters, pipeline_id: int, today: date) -> Statement:
    """Return the deals opened in the period and lost, by the furthest stage that they got to.

    Columns: stage_key, stage, reason_key, reason, count, value (hundredths).
    """
    deals, stages, reasons = facts.deals.c, facts.stages.c, facts.lost_reasons.c
    reason_key = text_or_none(deals.lost_reason_id)
    at = and_(stages.pipeline_id == deals.pipeline_id, stages.position == deals.furthest)
    chosen: Statement = (
        select(
            cast(stages.id, String).label("stage_key"),
            spoken(facts.stages).label("stage"),
            reason_key.label("reason_key"),
            spoken(facts.lost_reasons).label("reason"),
            func.count().label("count"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
        )
        .select_from(
            facts.deals.join(facts.stages, at).outerjoin(facts.lost_reasons, reasons.id == deals.lost_reason_id)
        )
        .where(
            facts.stands("lost"),
            deals.pipeline_id == pipeline_id,
            is_counted(facts, "created", period=period, today=today),
            *deal_conditions(facts, filters),
        )
        .group_by(*_all_of(stages, reasons), deals.lost_reason_id)
        .order_by(stages.position, func.count().desc(), reason_key)
    )
    return chosen


def _all_of(stages: Any, reasons: Any) -> list[Any]:
    return [stages.id, stages.position, stages.name, stages.name_en, reasons.name, reasons.name_en]


def lost_by_month(facts: Facts, *, period: Period, filters: Filters, pipeline_id: int, today: date) -> Statement:
    """Return the deals lost in the period (by the day of the loss), by month and reason.

    Columns: month, reason_key, reason, count, value (hundredths).
    """
    deals, reasons = facts.deals.c, facts.lost_reasons.c
    month = cast(func.date_trunc(literal_column("'month'"), deals.closed_on), Date).label("month")
    parts = (
        select(
            month,
            deals.lost_reason_id,
            func.count().label("count"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
        )
        .where(
            deals.pipeline_id == pipeline_id,
            is_counted(facts, "lost", period=period, today=today),
            *deal_conditions(facts, filters),
        )
        .group_by(month, deals.lost_reason_id)
        .subquery("parts")
    )
    p = parts.c
    reason_key = text_or_none(p.lost_reason_id)
    chosen: Statement = (
        select(
            p.month,
            reason_key.label("reason_key"),
            spoken(facts.lost_reasons).label("reason"),
            p.count,
            p.value,
        )
        .select_from(parts.outerjoin(facts.lost_reasons, reasons.id == p.lost_reason_id))
        .order_by(p.month, p.count.desc(), reason_key)
    )
    return chosen


def lost_by(
    facts: Facts, *, period: Period, filters: Filters, pipeline_id: int, today: date, by: Dimension
) -> Statement:
    """Return the deals lost in the period (by the day of the loss): key, name, count, value (hundredths)."""
    deals = facts.deals.c
    key = key_of(facts, by)
    parts = (
        select(
            key.label("key"),
            func.count().label("count"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
        )
        .where(
            deals.pipeline_id == pipeline_id,
            is_counted(facts, "lost", period=period, today=today),
            *deal_conditions(facts, filters),
        )
        .group_by(key)
        .subquery("parts")
    )
    return named(facts, parts, by)
