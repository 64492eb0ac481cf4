"""What is owed in a period. Source: docs/methods/attainment.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import BigInteger, Date, Double, and_, cast, func, literal, select

from core.analytics.dimensions import NONE, text_or_none
from core.analytics.filters import Filters, people_conditions
from core.analytics.team_parts import TeamPart, part_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts, Statement
    from core.domain.periods import Period


QuotaKey = Literal["rep", "team", "month"]


def owed(facts: Facts, period: Period) -> ColumnElement[int]:
    """Return the part of a quota row that falls into the period, in hundredths: by days, whole in whole months."""
    quotas = facts.quotas.c
    following = cast(quotas.month + func.to_months(1), Date)
    days = func.least(following, literal(period.end, Date)) - func.greatest(quotas.month, literal(period.start, Date))
    return cast(func.round(cast(quotas.amount * days, Double) / (following - quotas.month)), BigInteger)


def quota_totals(facts: Facts, *, periods: Mapping[str, Period], filters: Filters) -> Statement:
    """Return one row with the total of each period under its name: hundredths, NULL where nobody owes anything."""
    return select(
        *(
            func.sum(owed(facts, period)).filter(and_(*owing(facts, period, filters))).label(name)
            for name, period in periods.items()
        )
    )


def quota_by(
    facts: Facts, *, period: Period, filters: Filters, by: QuotaKey, parts: tuple[TeamPart, ...] = ()
) -> Statement:
    """Return `key` (text; a month as a day) and `quota` in hundredths. A team's is its own rows and its reps'."""
    quotas = facts.quotas.c
    key: ColumnElement[Any] = quotas.month
    if by == "rep":
        key = text_or_none(quotas.rep_id)
    elif by == "team":
        key = part_key(parts, quotas.team_id, NONE)
    return (
        select(key.label("key"), func.sum(owed(facts, period)).label("quota"))
        .where(*owing(facts, period, filters))
        .group_by(key)
    )


def owing(facts: Facts, period: Period, filters: Filters) -> list[ColumnElement[bool]]:
    """Return what a quota of `facts.quotas` must be to count in the period under the filters."""
    quotas = facts.quotas.c
    return [
        quotas.counts,
        quotas.month < period.end,
        cast(quotas.month + func.to_months(1), Date) > period.start,
        *people_conditions(facts, filters, "quotas"),
    ]
