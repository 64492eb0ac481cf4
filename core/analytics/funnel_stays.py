"""How long deals stay in each stage: of the stays that ended, and with those that go on as censored.

Source: docs/methods/time-in-stage.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, String, case, cast, func, select

from core.analytics.facts import Statement, spoken
from core.analytics.filters import Filters, deal_conditions
from core.analytics.kpis import quantile
from core.analytics.selection import is_counted

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts
    from core.domain.periods import Period

HOURS_A_DAY: Final = 24


def stays(
    facts: Facts, *, period: Period, filters: Filters, pipeline_id: int, until: ColumnElement[Any], today: date
) -> Statement:
    """Return a row per open stage with the stays of the deals opened in the period, in days.

    `until`: the instant (UTC, without a zone) to which stays that go on are counted; none lasts below 0.

    Columns: stage_key, stage, completed, median_days, p90_days, still_inside, still_inside_median_days,
    expected_days, deals (distinct: of the stays in a stage, the last one). Source: docs/methods/time-in-stage.md.
    """
    deals, spans, stages = facts.deals.c, facts.spans.c, facts.stages.c
    over = facts.ended(facts.spans)
    days = spans.seconds / 86_400.0
    open_days = func.greatest(func.epoch(until) - func.epoch(spans.entered_at), 0) / 86_400.0
    inside = (
        select(
            spans.stage_id,
            func.count().filter(over).label("completed"),
            quantile(days, "0.5", over).label("median_days"),
            quantile(days, "0.9", over).label("p90_days"),
            func.count().filter(~over).label("still_inside"),
            quantile(open_days, "0.5", ~over).label("still_inside_median_days"),
            func.count().filter(spans.next_same_at.is_(None)).label("deals"),
        )
        .select_from(facts.spans.join(facts.deals, deals.id == spans.deal_id))
        .where(
            spans.kind == "open",
            deals.pipeline_id == pipeline_id,
            is_counted(facts, "created", period=period, today=today),
            *deal_conditions(facts, filters),
        )
        .group_by(spans.stage_id)
        .subquery("inside")
    )
    here = inside.c
    return (
        select(
            cast(stages.id, String).label("stage_key"),
            spoken(facts.stages).label("stage"),
            func.coalesce(here.completed, 0).label("completed"),
            here.median_days,
            here.p90_days,
            func.coalesce(here.still_inside, 0).label("still_inside"),
            here.still_inside_median_days,
            func.nullif(stages.expected_days, 0).label("expected_days"),
            func.coalesce(here.deals, 0).label("deals"),
        )
        .select_from(facts.stages.outerjoin(inside, here.stage_id == stages.id))
        .where(
            stages.pipeline_id == pipeline_id,
            stages.kind == "open",
            stages.active | here.completed.is_not(None),
        )
        .order_by(stages.position)
    )


def stays_by_hour(
    facts: Facts, *, period: Period, filters: Filters, pipeline_id: int, until: ColumnElement[Any], today: date
) -> Statement:
    """Return the same stays counted by their length: stage_key, hours (to the nearest), ended, lasting."""
    deals, spans = facts.deals.c, facts.spans.c
    so_far = func.greatest(func.epoch(until) - func.epoch(spans.entered_at), 0)
    hours = cast(func.round(func.coalesce(spans.seconds, so_far) / 3600.0), BigInteger)
    is_over = case((facts.ended(facts.spans), 1), else_=0)
    each = (
        select(spans.stage_id, hours.label("hours"), is_over.label("is_over"))
        .select_from(facts.spans.join(facts.deals, deals.id == spans.deal_id))
        .where(
            spans.kind == "open",
            deals.pipeline_id == pipeline_id,
            is_counted(facts, "created", period=period, today=today),
            *deal_conditions(facts, filters),
        )
        .subquery("each")
    )
    e = each.c
    chosen: Statement = (
        select(
            cast(e.stage_id, String).label("stage_key"),
            e.hours,
            cast(func.sum(e.is_over), BigInteger).label("ended"),
            cast(func.sum(1 - e.is_over), BigInteger).label("lasting"),
        )
        .group_by(e.stage_id, e.hours)
        .order_by(e.stage_id, e.hours)
    )
    return chosen


def stages_of(facts: Facts, *, pipeline_id: int) -> Statement:
    """Return `stage_key` and `stage` of the open stages, in order."""
    stages = facts.stages.c
    chosen: Statement = (
        select(cast(stages.id, String).label("stage_key"), spoken(facts.stages).label("stage"))
        .where(stages.pipeline_id == pipeline_id, stages.kind == "open")
        .order_by(stages.position)
    )
    return chosen
