"""The statements behind Overview: what was decided in a period, and what is open now.

Sources: docs/methods/win-rate.md, sales-cycle.md, weighted-pipeline.md, coverage.md.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    BigInteger,
    Date,
    Integer,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)

from core.analytics.dimensions import Dimension, column_of, key_in, key_of, names_of, table_key
from core.analytics.facts import Statement
from core.analytics.filters import Filters, deal_conditions
from core.analytics.open_stages import by_open_stage
from core.analytics.period_totals import Counted, sum_of
from core.analytics.selection import inside, is_counted, summed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement

    from core.analytics.facts import Facts
    from core.analytics.team_parts import TeamPart
    from core.domain.periods import Period


Step = Literal["day", "week", "month"]


def counted(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Return how many rows meet the condition."""
    return func.count().filter(condition)


def quantile(column: ColumnElement[Any], rate: str, condition: ColumnElement[bool]) -> ColumnElement[float]:
    """Return a quantile (`rate` a number as text) by linear interpolation, NULL where no row is."""
    return func.quantile_cont(column, literal_column(rate)).filter(condition)


def decided_columns(facts: Facts, period: Period, *, today: date) -> list[ColumnElement[Any]]:
    """Return booked, lost_value (hundredths), won_count, lost_count and cycle_days of a period."""
    deals = facts.deals.c
    won = is_counted(facts, "won", period=period, today=today)
    lost = is_counted(facts, "lost", period=period, today=today)
    return [
        sum_of(deals.amount, won).label("booked"),
        sum_of(deals.amount, lost).label("lost_value"),
        counted(won).label("won_count"),
        counted(lost).label("lost_count"),
        quantile(deals.cycle_days, "0.5", won).label("cycle_days"),
    ]


def margin_columns(facts: Facts, period: Period, *, today: date) -> list[ColumnElement[Any]]:
    """Return margin and margin_of of a period, in hundredths, NULL where no cost is known.

    They are what is left of the won deals whose costs are known, and what those deals are worth.
    """
    known = is_counted(facts, "margin", period=period, today=today)
    return [
        cast(func.sum(what).filter(known), BigInteger).label(name)
        for name, what in (("margin", summed(facts, "margin")), ("margin_of", facts.deals.c.amount))
    ]


def totals(
    facts: Facts, *, period: Period, filters: Filters, today: date, earlier: Mapping[str, Period] = MappingProxyType({})
) -> Statement:
    """Return one row: what was decided in the period and what is open now.

    What was decided in `earlier` periods stands in it as `booked_<name>` and so on.
    """
    deals = facts.deals.c
    periods = {"": period, **{f"_{name}": days for name, days in earlier.items()}}
    closed = [inside(deals.closed_on, days) for days in periods.values()]
    inside_scope = tuple(deal_conditions(facts, filters))
    is_open, is_won = deals.state == "open", deals.state == "won"
    won = select(deals.closed_on, deals.cycle_days).where(is_won, or_(*closed), *inside_scope).subquery("won")
    return Counted(
        facts.deals, (or_(is_open, *closed), *inside_scope), is_open, is_won, deals.closed_on, deals.amount,
        summed(facts, "weighted"), is_counted(facts, "overdue", period=None, today=today),
        is_counted(facts, "closing", period=period, today=today), won,
    ).row(periods)  # fmt: skip


def closing_values(facts: Facts, *, periods: Mapping[str, Period], filters: Filters) -> Statement:
    """Return one row: what is open now and expected to close in each of `periods`, by its name, in hundredths."""
    deals = facts.deals.c
    sums = [sum_of(deals.amount, inside(deals.expected_close_on, days)).label(name) for name, days in periods.items()]
    return select(*sums).where(deals.state == "open", *deal_conditions(facts, filters))


def by_dimension(
    facts: Facts, *, period: Period, by: Dimension, filters: Filters, today: date, parts: tuple[TeamPart, ...] = ()
) -> Statement:
    """Return a row for each part that decided a deal in the period or has one open, with its `key` and `name`.

    booked, pipeline, weighted_pipeline (hundredths); won_count, lost_count, open_count. What is alike is added up
    before its key is written out, which takes longer than the adding.
    """
    deals = facts.deals.c
    is_open = deals.state == "open"
    each = (
        select(
            column_of(facts, by).label("of"), is_open.label("is_open"), (deals.state == "won").label("is_won"),
            deals.amount, summed(facts, "weighted").label("weighted"),
        )
        .where(is_counted(facts, "decided", period=period, today=today) | is_open, *deal_conditions(facts, filters))
        .subquery("each")
        .c
    )  # fmt: skip
    keys = [each.of, each.is_open, each.is_won]
    sums = [cast(func.sum(each[name]), BigInteger).label(name) for name in ("amount", "weighted")]
    alike = select(*keys, func.count().label("deals"), *sums).group_by(*keys).subquery("alike").c
    key = key_in(alike.of, by, parts)
    lost = and_(~alike.is_open, ~alike.is_won)
    grouped = (
        select(
            key.label("key"),
            sum_of(alike.amount, alike.is_won).label("booked"),
            sum_of(alike.deals, alike.is_won).label("won_count"),
            sum_of(alike.deals, lost).label("lost_count"),
            sum_of(alike.deals, alike.is_open).label("open_count"),
            sum_of(alike.amount, alike.is_open).label("pipeline"),
            sum_of(alike.weighted, alike.is_open).label("weighted_pipeline"),
        )
        .group_by(key)
        .subquery("parts")
    )
    return named(facts, grouped, by)


def named(facts: Facts, parts: Any, by: Dimension) -> Statement:
    """Return the rows of `parts` (with a `key`) with their `name`."""
    names, name = names_of(facts, by, parts.c.key)
    chosen = [parts.c.key, name.label("name"), *(c for c in parts.c if c.name != "key")]
    if names is None:
        return select(*chosen).select_from(parts)
    return select(*chosen).select_from(parts.outerjoin(names, text_key(names) == table_key(by, parts.c.key)))


def names(facts: Facts, by: Dimension, keys: Sequence[str]) -> Statement:
    """Return `key` and `name` of some keys of a dimension that has a table of its own."""
    return named(facts, union_all(*(select(literal(key).label("key")) for key in keys)).subquery("keys"), by)


def text_key(table: Any) -> ColumnElement[str]:
    """Return a dimension's number as the text that keys are."""
    return cast(table.c.id, String)


def booked_by(
    facts: Facts,
    *,
    period: Period,
    filters: Filters,
    today: date,
    step: Step = "month",
    by: Dimension | None = None,
) -> Statement:
    """Return `on` (first day of the step), `booked` in hundredths, `won`, `units`; with `by` also `key`."""
    deals = facts.deals.c
    on = cast(func.date_trunc(literal_column(f"'{step}'"), deals.closed_on), Date)
    parts = [] if by is None else [key_of(facts, by)]
    chosen: Statement = (
        select(
            *(part.label("key") for part in parts),
            on.label("on"),
            cast(func.sum(deals.amount), BigInteger).label("booked"),
            func.count().label("won"),
            cast(func.sum(deals.units), BigInteger).label("units"),
        )
        .where(is_counted(facts, "won", period=period, today=today), *deal_conditions(facts, filters))
        .group_by(*parts, on)
        .order_by(*parts, on)
    )
    return chosen


def booked_by_each(
    facts: Facts, *, dimensions: Sequence[Dimension], period: Period, today: date, step: Step
) -> Statement:
    """Return the rows of `booked_by` for each of the dimensions, told apart by `place` among them; by one look."""
    deals = facts.deals.c
    on = cast(func.date_trunc(literal_column(f"'{step}'"), deals.closed_on), Date)
    each = (
        select(*(column_of(facts, by).label(by) for by in dimensions), on.label("on"), deals.amount, deals.units)
        .where(is_counted(facts, "won", period=period, today=today), facts.counted())
        .subquery("each")
        .c
    )
    here = [func.grouping(each[by], type_=Integer) == literal_column("0") for by in dimensions]
    places = [literal_column(str(place), Integer) for place in range(len(dimensions))]
    sums = (cast(func.sum(each[name]), BigInteger) for name in ("amount", "units"))
    alike = (
        select(
            case(*zip(here, places, strict=True)).label("place"),
            case(*((flag, each[by]) for flag, by in zip(here, dimensions, strict=True))).label("of"),
            each.on,
            func.count().label("won"),
            *(total.label(name) for total, name in zip(sums, ("booked", "units"), strict=True)),
        )
        .group_by(func.grouping_sets(*(tuple_(each[by], each.on) for by in dimensions)))
        .subquery("alike")
        .c
    )
    keys = [(alike.place == place, key_in(alike.of, by)) for place, by in zip(places, dimensions, strict=True)]
    key = case(*keys).label("key")
    return select(alike.place, key, alike.on, alike.booked, alike.won, alike.units).order_by(alike.place, key, alike.on)


def booked_beside(facts: Facts, *, period: Period, earlier: Period, filters: Filters, today: date) -> Statement:
    """Return `on` (first of the month), `booked` (hundredths) and `won`; of `earlier` `booked_before`, `won_before`."""
    deals = facts.deals.c
    on = cast(func.date_trunc(literal_column("'month'"), deals.closed_on), Date)
    now, then = (is_counted(facts, "won", period=days, today=today) for days in (period, earlier))
    chosen: Statement = (
        select(
            on.label("on"),
            sum_of(deals.amount, now).label("booked"), counted(now).label("won"),
            sum_of(deals.amount, then).label("booked_before"), counted(then).label("won_before"),
        )
        .where(now | then, *deal_conditions(facts, filters))
        .group_by(on)
    )  # fmt: skip
    return chosen


def open_by_stage(facts: Facts, *, filters: Filters, pipeline_id: int, today: date) -> Statement:
    """Return a row per open stage of a pipeline, in order, with what stands there now, in hundredths."""
    deals = facts.deals.c
    inside_now = (
        select(
            deals.stage_id,
            func.count().label("count"),
            cast(func.sum(deals.amount), BigInteger).label("value"),
            cast(func.sum(deals.weighted), BigInteger).label("weighted"),
            func.sum(case((deals.expected_close_on < today, 1), else_=0)).label("overdue_count"),
        )
        .where(is_counted(facts, "open", period=None, today=today), *deal_conditions(facts, filters))
        .group_by(deals.stage_id)
        .subquery("inside_now")
    )
    return by_open_stage(facts, inside_now, pipeline_id)
