"""What was booked, decided and opened in each week. Source: docs/methods/expected-range.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Date, cast, func, literal_column, select

from core.analytics.filters import deal_conditions
from core.analytics.selection import is_counted

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters
    from core.domain.periods import Period


def decided_by_week(facts: Facts, *, period: Period, filters: Filters, today: date) -> Statement:
    """Return `week` (its Monday), `booked` (hundredths), `won` and `decided` of the deals closed in the period."""
    deals = facts.deals.c
    week = cast(func.date_trunc(literal_column("'week'"), deals.closed_on), Date)
    is_won = deals.state == "won"
    chosen: Statement = (
        select(
            week.label("week"),
            func.coalesce(cast(func.sum(deals.amount).filter(is_won), BigInteger), 0).label("booked"),
            func.count().filter(is_won).label("won"),
            func.count().label("decided"),
        )
        .where(is_counted(facts, "decided", period=period, today=today), *deal_conditions(facts, filters))
        .group_by(week)
    )
    return chosen


def decided_values(facts: Facts, *, period: Period, filters: Filters, today: date) -> Statement:
    """Return one row: `booked` and `lost_value` (hundredths) of the deals closed in the period."""
    deals = facts.deals.c

    def value(state: str) -> ColumnElement[int]:
        return func.coalesce(cast(func.sum(deals.amount).filter(deals.state == state), BigInteger), 0)

    chosen: Statement = select(value("won").label("booked"), value("lost").label("lost_value")).where(
        is_counted(facts, "decided", period=period, today=today), *deal_conditions(facts, filters)
    )
    return chosen


def opened_by_week(facts: Facts, *, period: Period, filters: Filters, today: date) -> Statement:
    """Return `week` (its Monday) and `opened`, how many deals were opened in it."""
    week = cast(func.date_trunc(literal_column("'week'"), facts.deals.c.opened_on), Date)
    chosen: Statement = (
        select(week.label("week"), func.count().label("opened"))
        .where(is_counted(facts, "created", period=period, today=today), *deal_conditions(facts, filters))
        .group_by(week)
    )
    return chosen
