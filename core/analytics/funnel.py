"""The cohort funnel: of the deals opened in a period, how many got how far, to now or within some days.

Source: docs/methods/funnel.md. A skipped stage counts as reached, a re-entered one once, and a lost deal keeps what
it reached; all of that is in a deal's `furthest`, so one pass over the deals answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from math import nan
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Date, String, cast, func, literal, literal_column, select

from core.analytics.dimensions import Dimension, key_of
from core.analytics.facts import Statement, spoken
from core.analytics.filters import Filters, deal_conditions
from core.analytics.kpis import named
from core.analytics.rates import rate, wilson
from core.analytics.selection import is_counted
from core.analytics.stage_measures import at_the_end

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from sqlalchemy import ColumnElement, FromClause

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
    days: int = 0,
) -> Statement:
    """Return `key`, `name`, `furthest`, `state`, `count` and `value` (hundredths) of the deals opened in the period.

    days: as they stood that many days after their opening, without those that are younger; 0 is as they stand now.
    """
    deals = facts.deals.c
    key: list[ColumnElement[str]] = [] if by is None else [key_of(facts, by, teams).label("key")]
    among = [
        deals.pipeline_id == pipeline_id,
        is_counted(facts, "created", period=period, today=today),
        *deal_conditions(facts, filters),
    ]
    held: FromClause = facts.deals
    ends = deals
    if days:
        among.append(deals.opened_on < today - timedelta(days=days))
        then = at_the_end(facts, days=days, among=among)
        held, ends = facts.deals.join(then, then.c.id == deals.id), then.c
    parts = (
        select(
            *key,
            ends.furthest,
            ends.state,
            func.count().label("count"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
        )
        .select_from(held)
        .where(*([] if days else among))
        .group_by(*key, ends.furthest, ends.state)
        .subquery("parts")
    )
    if by is None:
        return select(literal("").label("key"), literal("").label("name"), *parts.c)
    return named(facts, parts, by)


def steps(facts: Facts, *, pipeline_id: int) -> Statement:
    """Return the open and won stages of a process in order, retired ones too: see `in_use`."""
    stages = facts.stages.c
    return (
        select(
            cast(stages.id, String).label("stage_key"),
            spoken(facts.stages).label("stage"),
            stages.kind,
            stages.position,
            stages.expected_days,
            stages.active,
        )
        .where(stages.pipeline_id == pipeline_id, stages.kind != "lost")
        .order_by(stages.position)
    )


def in_use(stages: Iterable[Any], occupied: Container[int]) -> list[Any]:
    """Return the stages of a funnel: those in use, and retired ones at which a deal got or arrived (positions)."""
    return [stage for stage in stages if stage.active or stage.position in occupied]


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
    """Return a row per stage with conversions (docs/methods/funnel.md, eq. 1 and 2); money in major units.

    `low` and `high` are Wilson's interval of the rate from the stage before, `start_*` of the rate from the start.
    """
    rows: list[dict[str, Any]] = []
    first = previous = None
    for stage in stages:
        here = funnel.stages[stage.position]
        rows.append({
            "stage_key": stage.stage_key, "stage": stage.stage, "kind": stage.kind, "reached": here.reached,
            "value": here.value / HUNDREDTHS,
            "rate_from_previous": nan if previous is None else rate(here.reached, previous.reached),
            "rate_from_start": nan if first is None else rate(here.reached, first.reached),
            "still_open": here.still_open, "lost_here": here.lost_here,
            "still_open_value": here.still_open_value / HUNDREDTHS,
            "lost_here_value": here.lost_here_value / HUNDREDTHS,
            **_intervals(here, previous, first),
        })  # fmt: skip
        first, previous = first or here, here
    return rows


def _intervals(here: Reached, previous: Reached | None, first: Reached | None) -> dict[str, float]:
    step = wilson(here.reached, 0 if previous is None else previous.reached)
    whole = wilson(here.reached, 0 if first is None else first.reached)
    return {
        "low": step.low, "high": step.high, "start_low": whole.low, "start_high": whole.high,
        "value_rate_from_previous": rate(here.value, previous.value) if previous else nan,
        "value_rate_from_start": rate(here.value, first.value) if first else nan,
    }  # fmt: skip


def cohorts_by_month(facts: Facts, *, period: Period, filters: Filters, pipeline_id: int, today: date) -> Statement:
    """Return a row per month of opening: what became of its deals by now; values in hundredths.

    Columns: month; entered, won, lost, open (deals); value, won_value, lost_value, open_value.
    """
    deals = facts.deals.c
    month = cast(func.date_trunc(literal_column("'month'"), deals.opened_on), Date)

    def of(state: str) -> list[ColumnElement[Any]]:
        is_so = deals.state == state
        value = func.coalesce(cast(func.sum(deals.amount).filter(is_so), BigInteger), 0)
        return [func.count().filter(is_so).label(state), value.label(f"{state}_value")]

    chosen: Statement = (
        select(
            month.label("month"),
            func.count().label("entered"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
            *of("won"),
            *of("lost"),
            *of("open"),
        )
        .where(
            deals.pipeline_id == pipeline_id,
            is_counted(facts, "created", period=period, today=today),
            *deal_conditions(facts, filters),
        )
        .group_by(month)
        .order_by(month)
    )
    return chosen
