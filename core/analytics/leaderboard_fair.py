"""What the adjustments of a leaderboard rest on: who was there, and where they sell.

Sources: docs/methods/days-worked.md, quota-difficulty.md.
"""

from __future__ import annotations

from sqlalchemy import func, select

from core.analytics.facts import Facts, Statement


def presence(facts: Facts) -> Statement:
    """Return `id`, `joined_on`, `left_on` of every rep, by id."""
    reps = facts.reps.c
    return select(reps.id, reps.joined_on, reps.left_on).order_by(reps.id)


def leaves(facts: Facts) -> Statement:
    """Return `rep_id`, `from_on`, `until_on` (the last day) of every leave."""
    away = facts.leaves.c
    return select(away.rep_id, away.from_on, away.until_on)


def territories(facts: Facts) -> Statement:
    """Return `rep_id`, `territory_id` and `customers`, how many of the rep's customers lie there."""
    customers = facts.customers.c
    return (
        select(customers.owner_id.label("rep_id"), customers.territory_id, func.count().label("customers"))
        .where(customers.owner_id.is_not(None), customers.territory_id.is_not(None))
        .group_by(customers.owner_id, customers.territory_id)
        .order_by(customers.owner_id, func.count().desc(), customers.territory_id)
    )
