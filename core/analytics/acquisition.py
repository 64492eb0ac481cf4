"""What a new customer cost. Source: docs/methods/cac.md."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select

from core.analytics.customer_kpis import EVER
from core.analytics.facts import spoken
from core.analytics.selection import is_counted
from core.domain.money import to_minor
from core.domain.periods import Period, add_months

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Subquery

    from core.analytics.customer_kpis import Asked
    from core.analytics.facts import Facts, Statement


def falling(amount: Decimal, month: date, period: Period) -> int:
    """Return the part of a month's cost that falls into the period, in hundredths: by days, whole in whole months.

    The rule of `core.analytics.quotas.owed`, half a hundredth rounded up.
    """
    following = add_months(month, 1)
    days = max((min(following, period.end) - max(month, period.start)).days, 0)
    whole = (following - month).days
    return (2 * to_minor(amount) * days + whole) // (2 * whole)


def won_first(facts: Facts, asked: Asked) -> Subquery:
    """Return the customers whose first won deal ever lies in the period, each with that deal.

    Columns: customer_id, channel_id, closed_on, amount (hundredths). Of several of that day it is the one with the
    lowest number. Of the filters those by channel alone count, and go by that deal.
    """
    deals = facts.deals.c

    def won(since: date) -> list[ColumnElement[bool]]:
        period = Period(since, asked.until)
        return [is_counted(facts, "won", period=period, today=asked.today), facts.counted()]

    first_on = func.min(deals.closed_on)
    first = (
        select(deals.customer_id, first_on.label("first_on"))
        .where(*won(EVER))
        .group_by(deals.customer_id)
        .having(first_on >= asked.period.start)
        .subquery("first_days")
    )
    place = func.row_number().over(partition_by=deals.customer_id, order_by=deals.id)
    that_day = (
        select(deals.customer_id, deals.channel_id, deals.closed_on, deals.amount, place.label("place"))
        .select_from(
            facts.deals.join(first, and_(first.c.customer_id == deals.customer_id, first.c.first_on == deals.closed_on))
        )
        .where(*won(asked.period.start))
        .subquery("that_day")
    )
    chosen = [that_day.c.place == 1]
    if asked.filters.channel_ids:
        chosen.append(that_day.c.channel_id.in_(asked.filters.channel_ids))
    return select(that_day).where(*chosen).subquery("won_first")


def won_by_channel(facts: Facts, asked: Asked) -> Statement:
    """Return a row per channel of the first won deals: `channel_id`, NULL for none, and `customers`."""
    first = won_first(facts, asked).c
    return select(first.channel_id, func.count().label("customers")).group_by(first.channel_id)


def won_customers(facts: Facts, asked: Asked) -> Statement:
    """Return the customers themselves, the last first: with `name`, `channel` ("" for none) and their first deal."""
    first = won_first(facts, asked)
    customers, channels = facts.customers, facts.channels
    chosen: Statement = (
        select(
            first.c.customer_id, spoken(customers).label("name"), first.c.closed_on.label("first_on"),
            first.c.channel_id, spoken(channels).label("channel"), first.c.amount.label("value"),
        )
        .select_from(
            first.outerjoin(customers, customers.c.id == first.c.customer_id).outerjoin(
                channels, channels.c.id == first.c.channel_id
            )
        )
        .order_by(first.c.closed_on.desc(), first.c.customer_id)
    )  # fmt: skip
    return chosen
