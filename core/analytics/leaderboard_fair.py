"""What the adjustments of a leaderboard rest on: who was there, what they owed by month, and what they usually book.

Sources: docs/methods/days-worked.md, quota-difficulty.md, rank-range.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, cast, func, select

from core.analytics.facts import Facts, Statement
from core.analytics.filters import deal_conditions
from core.analytics.leaderboard import OF_COSTS
from core.analytics.quotas import owing
from core.analytics.selection import is_counted, summed

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.filters import Filters
    from core.analytics.leaderboard import Contest, Measure
    from core.domain.periods import Period


def presence(facts: Facts) -> Statement:
    """Return `id`, `joined_on`, `left_on` of every rep."""
    reps = facts.reps.c
    return select(reps.id, reps.joined_on, reps.left_on)


def leaves(facts: Facts) -> Statement:
    """Return `rep_id`, `from_on`, `until_on` (the last day) of every leave."""
    away = facts.leaves.c
    return select(away.rep_id, away.from_on, away.until_on)


def owed_by_month(facts: Facts, contest: Contest) -> Statement:
    """Return `rep_id`, `month`, `amount` (hundredths, of the whole month) of the quotas that count in the period."""
    quotas = facts.quotas.c
    return select(quotas.rep_id, quotas.month, quotas.amount).where(
        *owing(facts, contest.period, contest.filters), quotas.rep_id.is_not(None)
    )


def booked_in(facts: Facts, period: Period, *, today: date, filters: Filters) -> Statement:
    """Return `rep_id` and `booked` (hundredths) of what was won in a period."""
    deals = facts.deals.c
    return (
        select(deals.credit_id.label("rep_id"), cast(func.sum(deals.amount), BigInteger).label("booked"))
        .where(is_counted(facts, "won", period=period, today=today), *deal_conditions(facts, filters))
        .group_by(deals.credit_id)
    )


def territories(facts: Facts) -> Statement:
    """Return `rep_id`, `territory_id` and `customers`, how many of the rep's customers lie there."""
    customers = facts.customers.c
    return (
        select(customers.owner_id.label("rep_id"), customers.territory_id, func.count().label("customers"))
        .where(customers.owner_id.is_not(None), customers.territory_id.is_not(None))
        .group_by(customers.owner_id, customers.territory_id)
        .order_by(customers.owner_id, func.count().desc(), customers.territory_id)
    )


def decided_deals(facts: Facts, contest: Contest, measure: Measure = "booked") -> Statement:
    """Return `rep_id`, `won` and `amount` (hundredths) of each deal decided in the period, in no order.

    For margins those with a known cost alone, with what is left of their amount.
    """
    deals = facts.deals.c
    counted, amount = ("margin", summed(facts, "margin")) if measure in OF_COSTS else ("decided", deals.amount)
    return select(deals.credit_id.label("rep_id"), (deals.state == "won").label("won"), amount.label("amount")).where(
        is_counted(facts, counted, period=contest.period, today=contest.today),
        deals.credit_id.is_not(None),
        *deal_conditions(facts, contest.filters),
    )
