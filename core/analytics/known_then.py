"""What every deal was, from each change to the next, as it was known then."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import Date, Integer, case, cast, func, literal, or_, select

from core.analytics.as_of import on_day, state_conditions, worth
from core.analytics.facts import spoken, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters

OPEN_END: Final = date(2200, 1, 1)
_NOUGHT: Final = date(1970, 1, 1)


def spans(facts: Facts, *, filters: Filters, since: date) -> Statement:
    """Return a row a stay that reached `since`: deal, stage, value (hundredths), what it was, and its days as numbers.

    In no order that is sure. Amounts are worth what they were on the stay's first day; one that goes on ends in 2200.
    """
    reached = _reached(facts, filters, since)
    return _stays(facts, until=OPEN_END).where(*reached)


def followed(facts: Facts, *, filters: Filters, since: date, last: date) -> Statement:
    """Return the same of stays of open and won deals that had begun at the end of `last`, as if that were today."""
    row = facts.states.c
    reached = _reached(facts, filters, since)
    return _stays(facts, until=last + timedelta(days=1)).where(
        *reached, row.from_on <= last, or_(row.is_open, row.is_won)
    )


def followed_mark(facts: Facts, *, filters: Filters, since: date, last: date) -> Statement:
    """Return one row that differs wherever `followed` does: first_on (of any stay, lost ones too), count, mark.

    What `followed` takes from the tables of `marks_beside` comes on top.
    """
    row = facts.states.c
    counts = or_(row.is_open, row.is_won)
    told = func.hash(
        row.deal_id, row.stage_id, row.amount, func.coalesce(row.currency, 0), row.is_won, row.from_on,
        func.least(row.until_on, literal(last + timedelta(days=1), Date)),
        func.coalesce(row.expected_close_on, row.from_on), func.coalesce(row.closed_on, row.from_on),
    )  # fmt: skip
    statement: Statement = select(
        func.min(row.from_on).label("first_on"),
        func.count().filter(counts).label("count"),
        func.bit_xor(told).filter(counts).label("mark"),
    ).where(*_reached(facts, filters, since), row.from_on <= last)
    return statement


def marks_beside(facts: Facts) -> tuple[Statement, Statement]:
    """Return a statement each of one row that differs wherever the rates of currencies or the stages' chances do."""
    rates, stages = facts.rates.c, facts.stages.c
    return (
        select(func.count().label("count"), func.bit_xor(func.hash(*rates)).label("mark")).select_from(facts.rates),
        select(func.count().label("count"), func.bit_xor(func.hash(stages.id, stages.probability)).label("mark")),
    )


def chances(facts: Facts) -> Statement:
    """Return each stage's probability: id, probability."""
    return select(facts.stages.c.id, facts.stages.c.probability)


def _reached(facts: Facts, filters: Filters, since: date) -> list[ColumnElement[bool]]:
    return [facts.states.c.until_on > since, *state_conditions(facts, filters, "then")]


def _stays(facts: Facts, *, until: date) -> Statement:
    states, rates = facts.states, facts.rates.alias("span_rates")
    row = states.c
    on = case((row.is_open, row.from_on), else_=func.coalesce(row.closed_on, row.from_on))
    value = worth(row.amount, row.currency, rates.c.rate)
    statement: Statement = select(
        row.deal_id.label("deal"),
        row.stage_id.label("stage"),
        func.coalesce(value, 0).label("value"),
        row.is_open,
        row.is_won,
        _number(row.from_on).label("from_on"),
        _number(func.least(row.until_on, literal(until, Date))).label("until_on"),
        _number(func.coalesce(row.expected_close_on, row.from_on)).label("expected_close_on"),
    ).select_from(states.outerjoin(rates, on_day(rates, row.currency, on)))
    return statement


def names(facts: Facts, deal_ids: Sequence[int]) -> Statement:
    """Return the names of deals: deal, name, customer."""
    known = facts.known_deals.c
    shown = ("id", "name", "auto_named", "customer_id", "product_id")
    deals = select(*(known[name] for name in shown)).where(known.id.in_(list(deal_ids))).subquery("named")
    joined, customers = facts.with_customers(deals)
    statement: Statement = select(
        deals.c.id.label("deal"),
        title(deals, spoken(customers), spoken(facts.products)).label("name"),
        spoken(customers).label("customer"),
    ).select_from(joined.outerjoin(facts.products, facts.products.c.id == deals.c.product_id))
    return statement


def _number(day: ColumnElement[date]) -> ColumnElement[int]:
    """Return a day as the number of days since 1970."""
    return cast(cast(day, Date) - literal(_NOUGHT, Date), Integer)
