"""Who buys: new, active, returning and lost customers, and what they are by recency, frequency and money.

Sources: docs/methods/customers.md, rfm.md, clv.md. Customers count by their won deals in the scope and under the
filters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Date, Integer, and_, case, cast, func, literal, literal_column, or_, select

from core.analytics.facts import spoken
from core.analytics.filters import deal_conditions
from core.analytics.selection import is_counted
from core.domain.periods import Period

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Subquery

    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters

INACTIVE_DAYS: Final = 365
"""A customer who has not bought for so many days is lost."""

RFM_DAYS: Final = 730
"""Purchases of so many days count for frequency and money."""

KINDS: Final = ("new", "active", "repeat", "churned", "buyers", "held", "kept")
SEGMENTS: Final = ("champions", "loyal", "promising", "attention", "at_risk", "lost")
_OF_YEAR: Final = ("year_value", "known_value", "cost")
EVER: Final = date(1900, 1, 1)


@dataclass(frozen=True)
class Asked:
    """Whose purchases, in which period, by the end of which day: `until` is the day after the last one counted."""

    period: Period
    until: date
    filters: Filters
    today: date


def per_customer(facts: Facts, asked: Asked) -> Subquery:
    """Return a row per customer who bought by the day; money in hundredths.

    Columns: customer_id; first_on, last_on; wins, value (ever); period_wins, period_value; new, active, repeat,
    churned, buyers, held, kept (whether the customer is one); recency (days), frequency, monetary (of `RFM_DAYS`);
    of the last `INACTIVE_DAYS` year_value, known_value and cost, the last two of deals whose cost is known.
    """
    deals, start, until = facts.deals.c, asked.period.start, asked.until
    following = func.lead(deals.closed_on).over(partition_by=deals.customer_id, order_by=(deals.closed_on, deals.id))
    bought = (
        select(deals.customer_id, deals.closed_on, deals.amount, deals.cost, following.label("next_on"))
        .where(
            is_counted(facts, "won", period=Period(EVER, until), today=asked.today),
            *deal_conditions(facts, asked.filters),
        )
        .subquery("bought")
    )
    b = bought.c
    inside = b.closed_on >= start
    gone_on = b.closed_on + INACTIVE_DAYS
    gone = and_(gone_on >= start, gone_on < until, or_(b.next_on.is_(None), b.next_on > gone_on))
    recent = b.closed_on >= until - timedelta(days=RFM_DAYS)
    year_ago = until - timedelta(days=INACTIVE_DAYS)
    of_year, known = b.closed_on >= year_ago, b.cost.is_not(None)
    before = and_(b.closed_on < year_ago, b.closed_on >= year_ago - timedelta(days=INACTIVE_DAYS))

    def add(condition: ColumnElement[bool], column: ColumnElement[int] = b.amount) -> ColumnElement[int]:
        return func.coalesce(cast(func.sum(column).filter(condition), BigInteger), 0)

    first, last = func.min(b.closed_on), func.max(b.closed_on)
    wins, period_wins = func.count(), func.count().filter(inside)
    active, held = last >= year_ago, func.count().filter(before) > 0
    return (
        select(
            b.customer_id, first.label("first_on"), last.label("last_on"), wins.label("wins"),
            cast(func.sum(b.amount), BigInteger).label("value"), period_wins.label("period_wins"),
            add(inside).label("period_value"), (first >= start).label("new"),
            active.label("active"), held.label("held"), and_(held, active).label("kept"),
            and_(period_wins > 0, wins > 1).label("repeat"), func.bool_or(gone).label("churned"),
            (period_wins > 0).label("buyers"),
            cast(func.date_diff(literal_column("'day'"), last, literal(until, Date)) - 1, Integer).label("recency"),
            func.count().filter(recent).label("frequency"), add(recent).label("monetary"),
            add(of_year).label("year_value"), add(and_(of_year, known)).label("known_value"),
            add(and_(of_year, known), b.cost).label("cost"),
        )
        .group_by(b.customer_id)
        .subquery("customers_bought")
    )  # fmt: skip


def totals(facts: Facts, asked: Asked) -> Statement:
    """Return one row: how many customers are of each of `KINDS`, and `booked` (hundredths) in the period."""
    c = per_customer(facts, asked).c
    counts = [func.count().filter(c[kind]).label(kind) for kind in KINDS]
    return select(*counts, func.coalesce(cast(func.sum(c.period_value), BigInteger), 0).label("booked"))


def lifetime_parts(facts: Facts, asked: Asked) -> Statement:
    """Return one row: how many customers are `active`, `held` and `kept`, and their year's money (hundredths)."""
    c = per_customer(facts, asked).c
    counts = [func.count().filter(c[kind]).label(kind) for kind in ("active", "held", "kept")]
    sums = [func.coalesce(cast(func.sum(c[name]), BigInteger), 0) for name in _OF_YEAR]
    return select(*counts, *(part.label(name) for part, name in zip(sums, _OF_YEAR, strict=True)))


def scored(facts: Facts, asked: Asked) -> Subquery:
    """Return the customers who bought in the last `RFM_DAYS`, with scores r, f, m from 1 to 5 and their segment.

    A score says into which fifth a customer falls; equals fall into the same, the lowest that any of them could.
    """
    c = per_customer(facts, asked).c

    def fifth(order: Any) -> ColumnElement[int]:
        place = (func.rank().over(order_by=order) - 1) * literal_column("5.0") / func.count().over()
        return cast(func.floor(place), Integer) + 1

    found = (
        select(*c, fifth(c.recency.desc()).label("r"), fifth(c.frequency).label("f"), fifth(c.monetary).label("m"))
        .where(c.frequency > 0)
        .subquery("fifths")
    )
    f = found.c
    segment = case(
        (and_(f.r >= 4, f.f >= 4), "champions"),
        (and_(f.r >= 3, f.f >= 3), "loyal"),
        (f.r >= 4, "promising"),
        (f.r == 3, "attention"),
        (f.f >= 3, "at_risk"),
        else_="lost",
    )
    return select(*f, segment.label("rfm")).subquery("scored")


def segments(facts: Facts, asked: Asked) -> Statement:
    """Return a row per segment: `rfm`, `customers`, `value` (hundredths, of `RFM_DAYS`), median `recency`."""
    s = scored(facts, asked).c
    chosen: Statement = select(
        s.rfm, func.count().label("customers"), cast(func.sum(s.monetary), BigInteger).label("value"),
        func.median(s.recency).label("recency"),
    ).group_by(s.rfm)  # fmt: skip
    return chosen


def rows(facts: Facts, asked: Asked, kind: str) -> Statement:
    """Return the customers behind a number (one of `KINDS`, or `rfm:<segment>`), largest in the period first."""
    which, _colon, segment = kind.partition(":")
    if which == "rfm":
        source = scored(facts, asked)
        condition = source.c.rfm == segment
        scores = [source.c.frequency, source.c.monetary, source.c.r, source.c.f, source.c.m]
    else:
        source = per_customer(facts, asked)
        condition = source.c[which]
        scores = []
    s, customers = source.c, facts.customers.c
    chosen: Statement = (
        select(
            s.customer_id, spoken(facts.customers).label("name"), s.first_on, s.last_on, s.wins, s.value,
            s.period_wins, s.period_value, s.recency, *scores,
        )
        .select_from(source.outerjoin(facts.customers, customers.id == s.customer_id))
        .where(condition)
        .order_by(s.period_value.desc(), s.value.desc(), s.customer_id)
    )  # fmt: skip
    return chosen
