"""How somebody forecasts: how often expected dates were pushed, how far stated amounts were from the final ones.

Source: docs/methods/forecast-behaviour.md. Of the deals decided in a period, by the rep who is credited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, Double, Integer, and_, case, cast, func, literal_column, select

from core.analytics.filters import deal_conditions
from core.analytics.selection import is_counted, pushes

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement, Select, Subquery

    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters
    from core.domain.periods import Period


def behaviour(facts: Facts, *, period: Period, filters: Filters, today: date) -> Statement:
    """Return a row per rep with a decided deal.

    Columns: rep_id; decided, pushed (deals pushed at least once), pushes (times); late_days (median days from the first
    expected close to the true one, negative: sooner); stated (won deals), off_rate (median distance of the first amount
    from the last, over the last), high_rate (the same with its sign: positive where too much was stated).
    """
    deals = facts.deals.c
    counted = (is_counted(facts, "decided", period=period, today=today), *deal_conditions(facts, filters))
    decided = select(deals.id).where(*counted)
    dates, amounts = _dates(facts, decided), _amounts(facts, decided)
    first = func.coalesce(dates.c.first, deals.expected_close_on)
    late = cast(func.date_diff(literal_column("'day'"), first, deals.closed_on), Integer)
    won = and_(deals.state == "won", func.coalesce(amounts.c.last, 1) > 0)
    off = func.coalesce((amounts.c.first - amounts.c.last) / amounts.c.last, 0.0)
    return (
        select(
            deals.credit_id.label("rep_id"),
            func.count().label("decided"),
            func.count().filter(dates.c.pushes > 0).label("pushed"),
            cast(func.coalesce(func.sum(dates.c.pushes), 0), Integer).label("pushes"),
            _median(late).label("late_days"),
            func.count().filter(won).label("stated"),
            _median(func.abs(off)).filter(won).label("off_rate"),
            _median(off).filter(won).label("high_rate"),
        )
        .select_from(
            facts.deals.outerjoin(dates, dates.c.deal_id == deals.id).outerjoin(amounts, amounts.c.deal_id == deals.id)
        )
        .where(*counted)
        .group_by(deals.credit_id)
    )


def _median(column: ColumnElement[Any]) -> Any:
    return func.quantile_cont(column, literal_column("0.5"))


def _dates(facts: Facts, decided: Select[tuple[int]]) -> Subquery:
    """Return for each of the deals whose expected close changed the first day stated, and how often it was pushed."""
    changes = facts.changes.c
    return (
        select(
            changes.deal_id,
            cast(func.arg_min(changes.before, changes.id), Date).label("first"),
            func.sum(case((pushes(changes), 1), else_=0)).label("pushes"),
        )
        .where(changes.field == "expected_close", changes.deal_id.in_(decided))
        .group_by(changes.deal_id)
        .subquery("dates")
    )


def _amounts(facts: Facts, decided: Select[tuple[int]]) -> Subquery:
    """Return the first and the last amount of each of the deals whose amount changed in one currency."""
    changes = facts.changes.c
    first, last = func.arg_min(changes.before, changes.id), func.arg_max(changes.after, changes.id)
    stated = (
        select(changes.deal_id, first.label("first"), last.label("last"))
        .where(changes.field == "amount", changes.deal_id.in_(decided))
        .group_by(changes.deal_id)
        .subquery("stated")
    )

    def part(column: ColumnElement[str], place: int) -> ColumnElement[str]:
        return func.split_part(column, literal_column("' '"), literal_column(str(place)))

    return (
        select(
            stated.c.deal_id,
            cast(part(stated.c.first, 1), Double).label("first"),
            cast(part(stated.c.last, 1), Double).label("last"),
        )
        .where(part(stated.c.first, 2) == part(stated.c.last, 2))
        .subquery("amounts")
    )
