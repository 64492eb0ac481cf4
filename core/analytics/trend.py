"""What stood in each stage at the ends of weeks, by one look at the states of the deals.

Source: docs/methods/as-of.md. A deal in another currency is worth at each week's end what it was worth on that day.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from sqlalchemy import BigInteger, Date, Integer, and_, case, cast, func, literal, literal_column, select

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


def stays_by_week(facts: Facts, *, first: date, weeks: int, filters: Filters, known: Known) -> Statement:
    """Return what stood in a stage at which of `weeks` days, seven apart, from `first` on.

    stage_id; since and until (the first of the days, from 0, on which it stood there and on which it did no more);
    count; value in hundredths; currency 0 for the company's, and for others also the amount of each. Each deal is
    looked at once for its whole stay, so two years cost little more than a day.
    """
    states = facts.states.c
    is_own = states.currency.is_(None)
    stays = (
        select(
            states.stage_id,
            func.coalesce(states.currency, 0).label("currency"),
            case((is_own, 0), else_=states.amount).label("each"),
            _week_of(states.from_on, first, weeks).label("since"),
            _week_of(states.until_on, first, weeks).label("until"),
            states.amount,
        )
        .where(
            states.is_open, states.until_on > first, states.from_on <= first + timedelta(days=_WEEK * (weeks - 1)),
            *state_conditions(facts, filters, known),
        )
        .subquery("stays")
    )  # fmt: skip
    keys = [stays.c[name] for name in ("stage_id", "currency", "each", "since", "until")]
    value = cast(func.sum(stays.c.amount), BigInteger).label("value")
    stood = stays.c.since < stays.c.until
    return select(*keys, func.count().label("count"), value).where(stood).group_by(*keys)


def rates_by_week(facts: Facts, *, first: date, weeks: int) -> Statement:
    """Return week, currency, rate: what a unit of other currencies was worth on the same days."""
    rates = facts.rates.c
    numbers = select(func.unnest(func.range(0, weeks)).label("week")).subquery("numbers")
    on = cast(literal(first, Date) + cast(numbers.c.week * _WEEK, Integer), Date)
    return select(numbers.c.week, rates.currency, rates.rate).select_from(
        numbers.join(facts.rates, and_(rates.from_on <= on, rates.until_on > on))
    )


def standing(
    stays: Mapping[str, NDArray[Any]], rates: Iterable[Any], *, weeks: int
) -> dict[int, tuple[NDArray[Any], NDArray[Any]]]:
    """Return by stage how many deals stood there at each week's end, and their value in hundredths.

    stays: the columns of `stays_by_week`; rates: the rows of `rates_by_week`. Where no rate was given a deal counts 0.
    """
    stages, place = np.unique(stays["stage_id"], return_inverse=True)
    own = stays["currency"] == 0
    found = {
        int(stage): (_stood(stays, place == row, "count", weeks), _stood(stays, own & (place == row), "value", weeks))
        for row, stage in enumerate(stages)
    }
    by_currency: dict[int, list[Any]] = {}
    for rate in rates:
        by_currency.setdefault(rate.currency, []).append(rate)
    for currency, weekly in by_currency.items():
        theirs = np.flatnonzero(stays["currency"] == currency)
        since, until, each, count = (stays[name][theirs] for name in ("since", "until", "each", "count"))
        for rate in weekly:
            here = np.flatnonzero((since <= rate.week) & (until > rate.week))
            worth = count[here] * _converted(each[here], int(rate.rate * _DIGITS))
            at = place[theirs[here]]
            for row, stage in enumerate(stages):
                found[int(stage)][1][rate.week] += int(worth[at == row].sum())
    return found


def _week_of(day: ColumnElement[date], first: date, weeks: int) -> ColumnElement[int]:
    """Return the first of the weeks' ends, from 0, that is not before a day; `weeks` for none of them."""
    after = func.greatest(func.date_diff(literal_column("'day'"), literal(first, Date), day), 0)
    return cast(func.least(func.divide(after + (_WEEK - 1), literal_column(str(_WEEK))), weeks), Integer)


def _stood(stays: Mapping[str, NDArray[Any]], here: NDArray[np.bool_], what: str, weeks: int) -> NDArray[np.int64]:
    """Return what stood at each week's end, as the sum of what came and went."""
    steps = np.zeros(weeks + 1, np.int64)
    np.add.at(steps, stays["since"][here], stays[what][here])
    np.subtract.at(steps, stays["until"][here], stays[what][here])
    return np.cumsum(steps[:weeks])


def _converted(amounts: NDArray[np.int64], rate: int) -> NDArray[Any]:
    """Return amounts times a rate (of `_DIGITS`), rounded as `as_of.worth` does: halves away from nought."""
    small = len(amounts) == 0 or int(np.abs(amounts).max()) * rate < 2**62
    exact = amounts if small else amounts.astype(object)
    worth = (np.abs(exact) * rate + _DIGITS // 2) // _DIGITS
    found: NDArray[Any] = np.where(amounts < 0, -worth, worth)
    return found
