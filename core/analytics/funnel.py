"""The cohort funnel: of the deals opened in a period, how many ever got how far.

Source: docs/methods/funnel.md. A skipped stage counts as reached, a re-entered one once, and a lost deal keeps what
it reached; all of that is in a deal's `furthest`, so one pass over the deals answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, String, and_, cast, func, literal, select

from core.analytics.dimensions import Dimension, key_of, text_or_none
from core.analytics.facts import Statement, spoken
from core.analytics.filters import Filters, deal_conditions
from core.analytics.kpis import named, quantile
from core.analytics.rates import rate
from core.analytics.selection import is_counted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts
    from core.analytics.team_parts import TeamPart
    from core.domain.periods import Period

HUNDREDTHS = 100.0


@dataclass
class Reached:
    """What a stage of the funnel holds; values in hundredths."""

    reached: int = 0
    value: int = 0
    still_open: int = 0
    still_open_value: int = 0
    lost_here: int = 0
    lost_here_value: int = 0


@dataclass
class Funnel:
    """The stages of one group, by position."""

    group_key: str = ""
    group: str = ""
    stages: dict[int, Reached] = field(default_factory=dict)

    def add(self, *, furthest: int, state: str, count: int, value: int) -> None:
        """Count deals that got as far as `furthest` and are in `state`."""
        for position, stage in self.stages.items():
            if position <= furthest:
                stage.reached += count
                stage.value += value
            if position == furthest and state == "open":
                stage.still_open += count
                stage.still_open_value += value
            if position == furthest and state == "lost":
                stage.lost_here += count
                stage.lost_here_value += value


def cohort(
    facts: Facts,
    *,
    period: Period,
    filters: Filters,
    pipeline_id: int,
    today: date,
    by: Dimension | None = None,
    teams: tuple[TeamPart, ...] = (),
) -> Statement:
    """Return `key`, `name`, `furthest`, `state`, `count` and `value` (hundredths) of the deals opened in the period."""
    deals = facts.deals.c
    key: list[ColumnElement[str]] = [] if by is None else [key_of(facts, by, teams).label("key")]
    parts = (
        select(
            *key,
            deals.furthest,
            deals.state,
            func.count().label("count"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
        )
        .where(
            deals.pipeline_id == pipeline_id,
            is_counted(facts, "created", period=period, today=today),
            *deal_conditions(facts, filters),
        )
        .group_by(*key, deals.furthest, deals.state)
        .subquery("parts")
    )
    if by is None:
        return select(literal("").label("key"), literal("").label("name"), *parts.c)
    return named(facts, parts, by)


def steps(facts: Facts, *, pipeline_id: int, occupied: Iterable[int]) -> Statement:
    """Return the stages of a funnel in order: open and won ones in use, and retired ones that hold a deal."""
    stages = facts.stages.c
    return (
        select(
            cast(stages.id, String).label("stage_key"),
            spoken(facts.stages).label("stage"),
            stages.kind,
            stages.position,
            stages.expected_days,
        )
        .where(
            stages.pipeline_id == pipeline_id,
            stages.kind != "lost",
            stages.active | stages.position.in_(sorted(set(occupied))),
        )
        .order_by(stages.position)
    )


def funnels(parts: Iterable[Any], positions: list[int]) -> list[Funnel]:
    """Return a funnel for each group of the rows of `cohort`, the one with most deals first."""
    found: dict[str, Funnel] = {}
    for part in parts:
        if part.key not in found:
            found[part.key] = Funnel(part.key, part.name, {position: Reached() for position in positions})
        found[part.key].add(furthest=part.furthest, state=part.state, count=part.count, value=part.value)
    return sorted(found.values(), key=lambda funnel: (-_entered(funnel), funnel.group_key))


def _entered(funnel: Funnel) -> int:
    return next(iter(funnel.stages.values())).reached if funnel.stages else 0


def funnel_rows(funnel: Funnel, stages: Iterable[Any]) -> list[dict[str, Any]]:
    """Return a row per stage with conversions (docs/methods/funnel.md, eq. 1 and 2); money in major units."""
    rows: list[dict[str, Any]] = []
    first = previous = None
    for stage in stages:
        here = funnel.stages[stage.position]
        rows.append({
            "stage_key": stage.stage_key, "stage": stage.stage, "kind": stage.kind, "reached": here.reached,
            "value": here.value / HUNDREDTHS,
            "rate_from_previous": float("nan") if previous is None else rate(here.reached, previous.reached),
            "rate_from_start": float("nan") if first is None else rate(here.reached, first.reached),
            "still_open": here.still_open, "lost_here": here.lost_here,
            "still_open_value": here.still_open_value / HUNDREDTHS,
            "lost_here_value": here.lost_here_value / HUNDREDTHS,
        })  # fmt: skip
        first, previous = first or here, here
    return rows


def stays(
    facts: Facts, *, period: Period, filters: Filters, pipeline_id: int, until: ColumnElement[Any], today: date
) -> Statement:
    """Return a row per open stage with the stays of the deals opened in the period, in days.

    `until`: the instant (UTC, without a zone) to which stays that go on are counted; none lasts below 0.

    Columns: stage_key, stage, completed, median_days, p90_days, still_inside, still_inside_median_days,
    expected_days. Source: docs/methods/time-in-stage.md.
    """
    deals, spans, stages = facts.deals.c, facts.spans.c, facts.stages.c
    over = spans.left_at.is_not(None)
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
        )
        .select_from(facts.stages.outerjoin(inside, here.stage_id == stages.id))
        .where(
            stages.pipeline_id == pipeline_id,
            stages.kind == "open",
            stages.active | here.completed.is_not(None),
        )
        .order_by(stages.position)
    )


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
            deals.state == "lost",
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
