"""What every deal was, from each change to the next, as it was known then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Date, Integer, case, cast, func, literal, select

from core.analytics.as_of import on_day, state_conditions, worth
from core.analytics.facts import spoken, title

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters

OPEN_END = "2200-01-01"
_SECONDS = 86_400


def spans(facts: Facts, *, filters: Filters, since: date) -> Statement:
    """Return a row a stay: deal, stage, its probability, value (hundredths), what it was, and its days.

    In no order that is sure. Amounts are worth what they were on the stay's first day; one that goes on ends in 2200.
    """
    states, stages = facts.states, facts.stages
    rates = facts.rates.alias("span_rates")
    row = states.c
    on = case((row.is_open, row.from_on), else_=func.coalesce(row.closed_on, row.from_on))
    value = worth(row.amount, row.currency, rates.c.rate)
    statement: Statement = (
        select(
            row.deal_id.label("deal"),
            row.stage_id.label("stage"),
            stages.c.probability,
            func.coalesce(value, 0).label("value"),
            row.is_open,
            row.is_won,
            _number(row.from_on).label("from_on"),
            _number(func.least(row.until_on, cast(literal(OPEN_END), Date))).label("until_on"),
            _number(func.coalesce(row.expected_close_on, row.from_on)).label("expected_close_on"),
        )
        .select_from(states.join(stages, stages.c.id == row.stage_id).outerjoin(rates, on_day(rates, row.currency, on)))
        .where(row.until_on > since, *state_conditions(facts, filters, "then"))
    )
    return statement


def names(facts: Facts, deal_ids: Sequence[int]) -> Statement:
    """Return the names of deals: deal, name, customer."""
    deals = facts.known_deals
    statement: Statement = (
        select(
            deals.c.id.label("deal"),
            title(deals, spoken(facts.known_customers), spoken(facts.products)).label("name"),
            spoken(facts.known_customers).label("customer"),
        )
        .select_from(
            deals.outerjoin(facts.known_customers, facts.known_customers.c.id == deals.c.customer_id).outerjoin(
                facts.products, facts.products.c.id == deals.c.product_id
            )
        )
        .where(deals.c.id.in_(list(deal_ids)))
    )
    return statement


def _number(day: ColumnElement[date]) -> ColumnElement[int]:
    """Return a day as the number of days since 1970."""
    return cast(func.epoch(day) / _SECONDS, Integer)
