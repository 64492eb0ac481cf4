"""How sound the pipeline of a day is: how old, how concentrated, and whether the stages' probabilities come true.

Sources: docs/methods/ageing.md, concentration.md, calibration.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Date, Integer, and_, case, cast, func, literal, literal_column, select

from core.analytics.as_of import counts_in, decided_on, states_on
from core.analytics.facts import spoken
from core.analytics.rates import Interval, rate, wilson

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause, Subquery

    from core.analytics.as_of import AsOf
    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters
    from core.domain.periods import Period

AGES: Final = (30, 60, 90, 180)
"""Where one age of deals ends and the next begins, in days since the opening."""

TOP: Final = 10
"""How many of the largest deals or customers count as the top."""

TOPS: Final = ("deals", "customers")


@dataclass(frozen=True)
class Health:
    """Whose pipeline, on which day; `period` is when deals were decided, for the probabilities."""

    as_of: AsOf
    filters: Filters
    period: Period | None = None

    def rows(self, facts: Facts, *, open_alone: bool = True) -> Subquery:
        """Return the deals as they were, each with its age; those that were open, or all."""
        stood = states_on(facts, self.as_of, self.filters, name="stood", open_alone=open_alone)
        joined, deals = facts.with_deals(stood)
        days = func.date_diff(literal_column("'day'"), deals.opened_on, literal(self.as_of.on, Date))
        return select(stood, _age(days).label("age")).select_from(joined).subquery("aged")


def _age(days: ColumnElement[int]) -> ColumnElement[int]:
    bounds: list[Any] = [
        (days <= literal_column(str(limit)), literal_column(str(place))) for place, limit in enumerate(AGES)
    ]
    return cast(case(*bounds, else_=literal_column(str(len(AGES)))), Integer)


def behind(facts: Facts, health: Health, measure: str) -> tuple[FromClause, ColumnElement[bool]]:
    """Return the rows of a day and the condition of `aged:<n>`, `top:deals`, `top:customers` or `stood:<stage>`."""
    kind, _colon, which = measure.partition(":")
    rows = health.rows(facts, open_alone=kind != "stood")
    if kind == "aged":
        return rows, rows.c.age == int(which)
    if kind == "stood":
        decided = counts_in(rows.c, "decided", period=health.period, on=health.as_of.on)
        joined, stays = facts.with_stays(facts.states)
        stood = select(stays.deal_id).select_from(joined).where(stays.stage_id == int(which))
        return rows, and_(decided, rows.c.deal_id.in_(stood))
    if which == "deals":
        return rows, rows.c.deal_id.in_(_largest(rows, rows.c.deal_id))
    return rows, rows.c.customer_id.in_(_largest(rows, rows.c.customer_id))


def _largest(rows: Subquery, of: ColumnElement[int]) -> Any:
    total = func.sum(rows.c.value)
    return select(of).group_by(of).order_by(total.desc(), of).limit(TOP)


def ages(facts: Facts, health: Health) -> Statement:
    """Return `age` (place among `AGES`), `count` and `value` (hundredths) of what was open."""
    rows = health.rows(facts).c
    return select(
        rows.age, func.count().label("count"), cast(func.sum(rows.value), BigInteger).label("value")
    ).group_by(rows.age)


def concentration(facts: Facts, health: Health) -> Statement:
    """Return one row: `deals_count`, `deals_value` and the same of customers, for the top ones; and `total`."""
    rows = states_on(facts, health.as_of, health.filters, name="stood", open_alone=True)
    opened = select(rows.c.deal_id, rows.c.customer_id, rows.c.value).cte("opened")
    deal, value = opened.c.deal_id, func.sum(opened.c.value)
    largest = {
        "deals": select(deal.label("who"), literal_column("1").label("count"), opened.c.value).order_by(
            opened.c.value.desc(), deal
        ),
        "customers": select(opened.c.customer_id.label("who"), func.count().label("count"), value.label("value"))
        .group_by(opened.c.customer_id)
        .order_by(value.desc(), opened.c.customer_id),
    }
    parts = [select(_total(opened.c.value).label("total")).subquery("whole")]
    for which, ranked in largest.items():
        top = ranked.limit(TOP).subquery(f"top_{which}")
        parts.append(
            select(_total(top.c.count).label(f"{which}_count"), _total(top.c.value).label(f"{which}_value"))
            .where(top.c.who.is_not(None))
            .subquery(f"of_{which}")
        )
    return select(*(column for part in parts for column in part.c)).select_from(*parts)


def _total(column: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(cast(func.sum(column), BigInteger), 0)


def outcomes(facts: Facts, health: Health, *, pipeline_id: int) -> Statement:
    """Return per open stage, in order, of the deals that stood in it and were decided in the period: how many won.

    stage_key, stage, probability, decided, won.
    """
    stages = facts.stages.c
    decided = decided_on(facts, health.as_of, health.filters, health.period)
    joined, stays = facts.with_stays(decided)
    last_stay = and_(stays.kind == "open", stays.next_same_at.is_(None))  # one for each deal and stage
    found = (
        select(
            stays.stage_id,
            func.count().label("decided"),
            func.count().filter(decided.c.is_won).label("won"),
        )
        .select_from(joined)
        .where(last_stay)
        .group_by(stays.stage_id)
        .subquery("found")
    )
    return (
        select(
            stages.id.label("stage_key"),
            spoken(facts.stages).label("stage"),
            stages.probability,
            func.coalesce(found.c.decided, 0).label("decided"),
            func.coalesce(found.c.won, 0).label("won"),
        )
        .select_from(facts.stages.outerjoin(found, found.c.stage_id == stages.id))
        .where(stages.pipeline_id == pipeline_id, stages.kind == "open", stages.active | (found.c.decided > 0))
        .order_by(stages.position)
    )


@dataclass(frozen=True)
class Calibration:
    """A probability against what came true: the observed rate, its interval, and what that says."""

    probability: float
    decided: int
    won: int

    @property
    def observed(self) -> float:
        """The share that was won, NaN where nothing was decided."""
        return rate(self.won, self.decided)

    @property
    def interval(self) -> Interval:
        """Wilson's 95 % interval of the observed rate."""
        return wilson(self.won, self.decided)

    @property
    def verdict(self) -> str:
        """`too_few` under ten decided; `high` or `low` where the interval leaves the probability out; else `fits`."""
        low, high = self.interval
        if self.decided < TOP:
            return "too_few"
        return "high" if self.probability > high else "low" if self.probability < low else "fits"


def brier(stages: Iterable[Calibration]) -> float:
    """Return the mean squared distance of probability and outcome over every deal in every stage; NaN for none.

    Source: docs/methods/calibration.md, eq. 2.
    """
    found = list(stages)
    squares = sum(s.won * (1 - s.probability) ** 2 + (s.decided - s.won) * s.probability**2 for s in found)
    return rate(squares, sum(s.decided for s in found))


def velocity(*, open_count: int, win_rate: float, average_deal: float, cycle_days: float) -> float:
    """Return what the pipeline is expected to book a day (docs/methods/velocity.md); NaN where a part is missing."""
    return open_count * win_rate * average_deal / cycle_days if cycle_days else nan
