"""What the adjustments of a leaderboard rest on: who was there, what they owed by month, and what they usually book.

Sources: docs/methods/days-worked.md, quota-difficulty.md, rank-range.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, cast, func, select, union_all

from core.analytics.credited import credited, moved
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


def booked_in(facts: Facts, period: Period, *, today: date, filters: Filters, splits: bool) -> Statement:
    """Return `rep_id` and `booked` (hundredths) of what was won in a period; with `splits` as it is credited."""
    rows = [
        select(of.deals.c.credit_id, of.deals.c.amount).where(
            is_counted(of, "won", period=period, today=today), *deal_conditions(of, filters)
        )
        for of in (facts, *([moved(facts, filters)] if splits else []))
    ]
    won = (union_all(*rows) if splits else rows[0]).subquery("won").c
    return select(won.credit_id.label("rep_id"), cast(func.sum(won.amount), BigInteger).label("booked")).group_by(
        won.credit_id
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


def won_deals(facts: Facts, contest: Contest, measure: Measure = "booked", *, splits: bool = False) -> Statement:
    """Return `rep_id` and `amount` (hundredths) of each deal won in the period, in no order; with `splits` each part.

    For margins those with a known cost alone, with what is left of their amount.
    """
    facts = credited(facts, splits=splits, sums=True)
    deals = facts.deals.c
    counts, amount = ("margin", summed(facts, "margin")) if measure in OF_COSTS else ("won", deals.amount)
    return select(deals.credit_id.label("rep_id"), amount.label("amount")).where(
        is_counted(facts, counts, period=contest.period, today=contest.today),
        deals.credit_id.is_not(None),
        *deal_conditions(facts, contest.filters),
    )
