"""What stood in each stage at the ends of weeks, by one look at the states of the deals.

Source: docs/methods/as-of.md. A deal in another currency is worth at each week's end what it was worth on that day.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import BigInteger, Date, Integer, and_, case, cast, func, literal, literal_column, select, tuple_

from core.analytics.as_of import state_conditions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement

    from core.analytics.as_of import Known
    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters

_WEEK: Final = 7
_DIGITS: Final = 10**8
"""Of a rate behind the point, as a whole number."""


def week_ends(until: date, count: int) -> list[date]:
    """Return the last `count` Sundays up to a day, in order."""
    last = until - timedelta(days=(until.weekday() + 1) % _WEEK)
    return [last - timedelta(days=_WEEK * back) for back in range(count - 1, -1, -1)]


def steps_by_week(facts: Facts, *, first: date, weeks: int, filters: Filters, known: Known) -> Statement:
    """Return what came to stand in a stage, and what did no more, by the first of `weeks` days that saw it.

    The days lie seven apart, from `first` on. stage_id; came (else it went); week (from 0, `weeks` for none); count;
    value in hundredths. Deals in the company's currency alone, which may be added up before any rate is known: both
    ends of every stay are counted in one look, by day, and what stands is what came less what went.
    """
    states = facts.states.c
    by_start, by_end = tuple_(states.stage_id, states.from_on), tuple_(states.stage_id, states.until_on)
    came = func.grouping(states.from_on, type_=Integer) == literal_column("0")
    steps = (
        select(
            states.stage_id,
            came.label("came"),
            case((came, states.from_on), else_=states.until_on).label("on"),
            func.count().label("count"),
            cast(func.sum(states.amount), BigInteger).label("value"),
        )
        .where(states.currency.is_(None), *_seen(facts, first, weeks, filters, known))
        .group_by(func.grouping_sets(by_start, by_end))
        .subquery("steps")
    ).c
    return select(steps.stage_id, steps.came, _week_of(steps.on, first, weeks).label("week"), steps.count, steps.value)


def stays_by_week(facts: Facts, *, first: date, weeks: int, filters: Filters, known: Known) -> Statement:
    """Return each stay of a deal in another currency, which is worth something else on each of the same days.

    stage_id, currency, amount, since and until: the first of the days, from 0, on which it stood there and on which
    it did no more.
    """
    states = facts.states.c
    return select(
        states.stage_id,
        states.currency,
        states.amount,
        _week_of(states.from_on, first, weeks).label("since"),
        _week_of(states.until_on, first, weeks).label("until"),
    ).where(states.currency.is_not(None), *_seen(facts, first, weeks, filters, known))


def _seen(facts: Facts, first: date, weeks: int, filters: Filters, known: Known) -> list[ColumnElement[bool]]:
    """Return what a state must be to be met on one of the days."""
    states = facts.states.c
    return [
        states.is_open,
        states.until_on > first,
        states.from_on <= first + timedelta(days=_WEEK * (weeks - 1)),
        *state_conditions(facts, filters, known),
    ]


def rates_by_week(facts: Facts, *, first: date, weeks: int) -> Statement:
    """Return week, currency, rate: what a unit of other currencies was worth on the same days."""
    rates = facts.rates.c
    numbers = select(func.unnest(func.range(0, weeks)).label("week")).subquery("numbers")
    on = cast(literal(first, Date) + cast(numbers.c.week * _WEEK, Integer), Date)
    return select(numbers.c.week, rates.currency, rates.rate).select_from(
        numbers.join(facts.rates, and_(rates.from_on <= on, rates.until_on > on))
    )


def standing(
    steps: Mapping[str, NDArray[Any]], stays: Mapping[str, NDArray[Any]], rates: Iterable[Any], *, weeks: int
) -> dict[int, tuple[NDArray[Any], NDArray[Any]]]:
    """Return by stage how many deals stood there at each week's end, and their value in hundredths.

    steps: the columns of `steps_by_week`; stays: those of `stays_by_week`; rates: the rows of `rates_by_week`. Where no
    rate was given a deal counts 0.
    """
    stages, place = np.unique(np.concatenate([steps["stage_id"], stays["stage_id"]]), return_inverse=True)
    own, theirs = place[: len(steps["stage_id"])], place[len(steps["stage_id"]) :]
    sign = np.where(steps["came"], 1, -1)
    moved = [np.zeros((len(stages), weeks + 1), np.int64) for _what in ("count", "value")]
    for what, table in zip(("count", "value"), moved, strict=True):
        np.add.at(table, (own, steps["week"]), sign * steps[what])
    np.add.at(moved[0], (theirs, stays["since"]), 1)
    np.add.at(moved[0], (theirs, stays["until"]), -1)
    count, value = (np.cumsum(table, axis=1)[:, :weeks] for table in moved)
    value += _converted_by_week(stays, theirs, rates, value.shape)
    return {int(stage): (count[row], value[row]) for row, stage in enumerate(stages)}


def _converted_by_week(
    stays: Mapping[str, NDArray[Any]], place: NDArray[np.intp], rates: Iterable[Any], shape: tuple[int, int]
) -> NDArray[np.int64]:
    """Return what deals in other currencies were worth by stage (at its `place`) and week, each rounded by itself."""
    found = np.zeros(shape, np.int64)
    by_currency: dict[int, list[Any]] = {}
    for rate in rates:
        by_currency.setdefault(rate.currency, []).append(rate)
    for currency, weekly in by_currency.items():
        theirs = np.flatnonzero((stays["currency"] == currency) & (stays["since"] < stays["until"]))
        since, until, amount = (stays[name][theirs] for name in ("since", "until", "amount"))
        at = place[theirs]
        for rate in weekly:
            here = np.flatnonzero((since <= rate.week) & (until > rate.week))
            worth = _converted(amount[here], int(rate.rate * _DIGITS))
            np.add.at(found[:, rate.week], at[here], worth.astype(np.int64))
    return found


def _week_of(day: ColumnElement[date], first: date, weeks: int) -> ColumnElement[int]:
    """Return the first of the weeks' ends, from 0, that is not before a day; `weeks` for none of them."""
    after = func.greatest(func.date_diff(literal_column("'day'"), literal(first, Date), day), 0)
    return cast(func.least(func.divide(after + (_WEEK - 1), literal_column(str(_WEEK))), weeks), Integer)


def _converted(amounts: NDArray[np.int64], rate: int) -> NDArray[Any]:
    """Return amounts times a rate (of `_DIGITS`), rounded as `as_of.worth` does: halves away from nought."""
    small = len(amounts) == 0 or int(np.abs(amounts).max()) * rate < 2**62
    exact = amounts if small else amounts.astype(object)
    worth = (np.abs(exact) * rate + _DIGITS // 2) // _DIGITS
    found: NDArray[Any] = np.where(amounts < 0, -worth, worth)
    return found
