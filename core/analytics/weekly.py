"""What was booked, decided and opened in each week. Source: docs/methods/expected-range.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Date, cast, func, literal_column, select

from core.analytics.filters import deal_conditions
from core.analytics.period_totals import sum_of
from core.analytics.selection import is_counted

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters
    from core.domain.periods import Period


def decided_by_week(facts: Facts, *, period: Period, filters: Filters, today: date) -> Statement:
    """Return `week` (its Monday), `booked` (hundredths), `won` and `decided` of the deals closed in the period.

    Added up by day first: to find the week of each deal takes longer than to add it.
    """
    deals = facts.deals.c
    is_won = deals.state == "won"
    days = (
        select(
            deals.closed_on,
            is_won.label("is_won"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
            func.count().label("deals"),
        )
        .where(is_counted(facts, "decided", period=period, today=today), *deal_conditions(facts, filters))
        .group_by(deals.closed_on, is_won)
        .subquery("days")
        .c
    )
    week = _week(days.closed_on)
    return select(
        week.label("week"),
        sum_of(days.value, days.is_won).label("booked"),
        sum_of(days.deals, days.is_won).label("won"),
        cast(func.sum(days.deals), BigInteger).label("decided"),
    ).group_by(week)


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
    opened_on = facts.deals.c.opened_on
    days = (
        select(opened_on, func.count().label("deals"))
        .where(is_counted(facts, "created", period=period, today=today), *deal_conditions(facts, filters))
        .group_by(opened_on)
        .subquery("days")
        .c
    )
    week = _week(days.opened_on)
    return select(week.label("week"), cast(func.sum(days.deals), BigInteger).label("opened")).group_by(week)


def _week(day: ColumnElement[date]) -> ColumnElement[date]:
    """Return the Monday of a day's week."""
    return cast(func.date_trunc(literal_column("'week'"), day), Date)
