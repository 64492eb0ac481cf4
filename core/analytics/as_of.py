"""What was open, won and lost at the end of any day, as it is known now or as it was known then.

Source: docs/methods/as-of.md. Every statement reads the mirror's `states`: a deal is in the row whose days hold the
day asked for. Amounts in other currencies are worth what they were on that day, closed ones what they were on theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, Self, get_args

from sqlalchemy import BigInteger, Date, Numeric, and_, case, cast, func, literal, literal_column, or_, select

from core.analytics.facts import Statement
from core.analytics.filters import Filters, strings, teams_below
from core.analytics.open_stages import by_open_stage
from core.analytics.period_totals import Counted
from core.domain.periods import Period

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, FromClause, Subquery

    from core.analytics.facts import Facts

Known = Literal["now", "then"]
KNOWN: Final[tuple[Known, ...]] = get_args(Known)


@dataclass(frozen=True)
class AsOf:
    """The end of a day, and whose knowledge: what is known `now` of that day, or what was known `then`."""

    on: date
    known: Known = "now"

    def to_params(self) -> dict[str, list[str]]:
        """Return what stands in a page's address."""
        return {"as-of": [self.on.isoformat()], "known": [self.known]}

    def cut(self, period: Period) -> Period:
        """Return the part of a period that was over at the end of the day."""
        after = self.on + timedelta(days=1)
        return Period(min(period.start, after), min(period.end, after))

    @classmethod
    def from_params(cls, params: Mapping[str, Sequence[str] | str], *, today: date | None = None) -> Self | None:
        """Return the day that an address names, None where it names none, or one that is not over."""
        known = (strings(params, "known") or ["now"])[0]
        try:
            on = date.fromisoformat((strings(params, "as-of") or [""])[0])
        except ValueError:
            return None
        if known not in KNOWN or (today is not None and on >= today):
            return None
        return cls(on, known)


def state_conditions(facts: Facts, filters: Filters, known: Known) -> list[ColumnElement[bool]]:
    """Return what a row of `facts.states` must be to count under `filters`, in a reading.

    Team and rep are of who had the deal on that day; the deal's other marks are today's, which have no history.
    """
    states, deals = facts.states.c, facts.known_deals.c
    found: list[ColumnElement[bool]] = [states.known_now if known == "now" else states.known_then]
    if filters.team_ids:
        below = teams_below(facts, filters)
        found.append(states.credit_id.in_(select(facts.reps.c.id).where(facts.reps.c.team_id.in_(below))))
    if filters.rep_ids:
        found.append(states.credit_id.in_(filters.rep_ids))
    if filters.pipeline_id is not None:
        stages = facts.stages.c
        found.append(states.stage_id.in_(select(stages.id).where(stages.pipeline_id == filters.pipeline_id)))
    marks = [
        column.in_(values)
        for column, values in (
            (deals.territory_id, filters.territory_ids),
            (deals.product_id, filters.product_ids),
            (deals.channel_id, filters.channel_ids),
            (deals.segment, filters.segments),
        )
        if values
    ]
    if marks:
        found.append(states.deal_id.in_(select(deals.id).where(*marks)))
    return found


def worth(amount: ColumnElement[int], currency: ColumnElement[int], rate: ColumnElement[Any]) -> ColumnElement[int]:
    """Return an amount in the company's currency, in whole hundredths; 0 where no rate was ever given."""
    converted = cast(func.round(cast(amount, Numeric(18, 0)) * rate), BigInteger)
    return case((currency.is_(None), amount), else_=func.coalesce(converted, 0))


def on_day(rates: FromClause, currency: ColumnElement[int], on: ColumnElement[date]) -> ColumnElement[bool]:
    """Return the condition that joins the rate of a currency on a day."""
    return and_(rates.c.currency == currency, rates.c.from_on <= on, rates.c.until_on > on)


def rated(rates: FromClause, state: Any, as_of: AsOf) -> ColumnElement[bool]:
    """Return the condition that joins the rate that counts for a state: of the day, or of that on which it closed."""
    return on_day(rates, state.currency, case((state.is_open, literal(as_of.on, Date)), else_=state.closed_on))


def weighted(value: ColumnElement[int], stages: FromClause) -> ColumnElement[int]:
    """Return a value times the probability of its stage, in whole hundredths."""
    return cast(func.round(cast(value, Numeric(18, 0)) * cast(stages.c.probability, Numeric(9, 6))), BigInteger)


def states_on(
    facts: Facts,
    as_of: AsOf,
    filters: Filters,
    *,
    name: str,
    also: tuple[ColumnElement[bool], ...] = (),
    open_alone: bool = False,
) -> Subquery:
    """Return every deal as it was at the end of the day; `also`: conditions on `facts.states` that narrow it.

    `open_alone` leaves out what was closed: all rates are then of one day, and sooner found.

    Columns: deal_id, customer_id, stage_id, position, credit_id, is_open, is_won, amount (its own currency), currency,
    value and weighted (hundredths of the company's, weighted 0 of what is closed), expected_close_on, first_on,
    since_on, closed_on, closed_at.
    """
    states, stages, rates = facts.states.c, facts.stages.alias(f"{name}_stages"), facts.rates.alias(f"{name}_rates")
    value = worth(states.amount, states.currency, rates.c.rate)
    is_rated = on_day(rates, states.currency, literal(as_of.on, Date)) if open_alone else rated(rates, states, as_of)
    narrowed = (states.is_open, *also) if open_alone else also
    return (
        select(
            states.deal_id, states.customer_id, states.stage_id, stages.c.position, states.credit_id, states.is_open,
            states.is_won, states.amount, states.currency, value.label("value"),
            case((states.is_open, weighted(value, stages)), else_=0).label("weighted"),
            states.expected_close_on, states.first_on, states.since_on, states.closed_on, states.closed_at,
        )
        .select_from(
            facts.states.join(stages, stages.c.id == states.stage_id).outerjoin(rates, is_rated)
        )
        .where(
            states.from_on <= as_of.on, states.until_on > as_of.on,
            *state_conditions(facts, filters, as_of.known), *narrowed,
        )
        .subquery(name)
    )  # fmt: skip


def decided_on(facts: Facts, as_of: AsOf, filters: Filters, period: Period | None) -> Subquery:
    """Return deal_id and is_won of what was decided in the period, as of the end of the day; without what it is worth.

    ValueError without a period.
    """
    state = facts.states.c
    return (
        select(state.deal_id, state.is_won)
        .where(
            state.from_on <= as_of.on, state.until_on > as_of.on,
            counts_in(state, "decided", period=period, on=as_of.on), *state_conditions(facts, filters, as_of.known),
        )
        .subquery("decided")
    )  # fmt: skip


def counts_in(state: Any, measure: str, *, period: Period | None, on: date) -> ColumnElement[bool]:
    """Return whether a row of `states_on` counts in a measure; ValueError for one that has no past."""
    kind, *stage = measure.split(":")
    here = [state.stage_id == int(number) for number in stage]
    match kind:
        case "open" | "weighted" | "stage":
            return and_(state.is_open, *here)
        case "overdue":
            return and_(state.is_open, state.expected_close_on < on, *here)
    if period is None:
        raise ValueError(f"{measure} needs a period")
    closed = and_(state.closed_on >= period.start, state.closed_on < period.end)
    match kind:
        case "closing":
            return and_(state.is_open, state.expected_close_on >= period.start, state.expected_close_on < period.end)
        case "booked" | "won":
            return and_(state.is_won, closed)
        case "lost":
            return and_(~state.is_open, ~state.is_won, closed)
        case "decided":
            return and_(~state.is_open, closed)
    raise ValueError(f"{measure} has no past")


def totals(
    facts: Facts,
    *,
    period: Period,
    filters: Filters,
    as_of: AsOf,
    earlier: Mapping[str, Period] = MappingProxyType({}),
    timed: bool = True,
) -> Statement:
    """Return one row with the columns of `kpis.totals`, as of the end of a day; of `earlier` what was decided then.

    `timed` says whether with cycle_days, which take a look at the deals of their own.
    """
    periods = {"": period, **{f"_{name}": days for name, days in earlier.items()}}
    found = states_on(facts, as_of, filters, name="stood", also=(_open_or_closed_in(facts, periods.values()),))
    state = found.c
    overdue, closing = (counts_in(state, name, period=period, on=as_of.on) for name in ("overdue", "closing"))
    return Counted(
        found, (), state.is_open, state.is_won, state.closed_on, state.value, state.weighted, overdue, closing,
        _cycles(facts, as_of, filters, periods.values()) if timed else None,
    ).row(periods)  # fmt: skip


def _cycles(facts: Facts, as_of: AsOf, filters: Filters, periods: Iterable[Period]) -> Subquery:
    """Return closed_on and cycle_days of the deals that were won in any of the periods, as of the end of the day."""
    state = facts.states.c
    joined, deals = facts.with_deals(facts.states)
    days = (func.epoch(state.closed_at) - func.epoch(deals.opened_at)) / literal_column("86400.0")
    return (
        select(state.closed_on, days.label("cycle_days"))
        .select_from(joined)
        .where(
            state.from_on <= as_of.on, state.until_on > as_of.on, state.is_won,
            or_(*(and_(state.closed_on >= each.start, state.closed_on < each.end) for each in periods)),
            *state_conditions(facts, filters, as_of.known),
        )
        .subquery("won")
    )  # fmt: skip


def _open_or_closed_in(facts: Facts, periods: Iterable[Period]) -> ColumnElement[bool]:
    """Return whether a row of `facts.states` was open or closed in one of the periods, said of one column alone."""
    closed_on = facts.states.c.closed_on
    return or_(closed_on.is_(None), *(and_(closed_on >= each.start, closed_on < each.end) for each in periods))


def booked_by_month(facts: Facts, *, period: Period, filters: Filters, as_of: AsOf) -> Statement:
    """Return `on` (first day of the month), `booked` in hundredths and `won`, as of the end of a day."""
    closed = facts.states.c.closed_on
    within = (closed >= period.start, closed < period.end)
    state = states_on(facts, as_of, filters, name="stood", also=within).c
    on = cast(func.date_trunc(literal_column("'month'"), state.closed_on), Date)
    chosen: Statement = (
        select(on.label("on"), cast(func.sum(state.value), BigInteger).label("booked"), func.count().label("won"))
        .where(counts_in(state, "booked", period=period, on=as_of.on))
        .group_by(on)
        .order_by(on)
    )
    return chosen


def by_stage(facts: Facts, *, filters: Filters, pipeline_id: int, as_of: AsOf) -> Statement:
    """Return the columns of `kpis.open_by_stage`, as of the end of a day."""
    stood = states_on(facts, as_of, filters, name="stood", open_alone=True).c
    inside = (
        select(
            stood.stage_id,
            func.count().label("count"),
            cast(func.sum(stood.value), BigInteger).label("value"),
            cast(func.sum(stood.weighted), BigInteger).label("weighted"),
            func.count().filter(stood.expected_close_on < as_of.on).label("overdue_count"),
        )
        .group_by(stood.stage_id)
        .subquery("inside")
    )
    return by_open_stage(facts, inside, pipeline_id)
