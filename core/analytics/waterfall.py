"""What happened to the pipeline between two days: start + everything that came, changed and went = end.

Source: docs/methods/pipeline-changes.md. Each deal is looked at twice, at the end of either day, and every part of
it lands in exactly one bar, in whole hundredths; so the bars add up, whatever happened to the deals in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Date, and_, case, cast, func, literal, null, or_, select, true

from core.analytics.as_of import AsOf, on_day, states_on, worth

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement, Subquery

    from core.analytics.facts import Facts, Statement
    from core.analytics.filters import Filters
    from core.domain.periods import Period

CAME: Final = ("entered", "reopened", "slipped_in", "handed_in")
CHANGED: Final = ("grew", "shrank", "rates")
WENT: Final = ("won", "lost", "slipped_out", "handed_out")
BARS: Final = ("start", *CAME, *CHANGED, *WENT, "end")
"""The bars that add up: the first with all between them is the last."""

MOVED: Final = ("advanced", "fell_back", "put_off", "brought_forward")
"""What else happened to the deals that were open on both days; changes no value."""

KINDS: Final = (*BARS, *MOVED)


def flows(facts: Facts, *, start: date, end: AsOf, filters: Filters, closing: Period | None) -> Subquery:
    """Return each deal's part in the change from the end of `start` to the end of `end.on`.

    Columns: deal_id; started, came, grew, rates, went, ended in hundredths, with started + came + grew + rates - went
    = ended; came_as, went_as the bar or NULL; stayed bool; advanced, put_off -1, 0 or 1; and of the later state, or
    the earlier where the deal went to others: stage_id, credit_id, value,
    expected_close_on, closed_on, is_open, is_won. `closing` keeps to what was expected to close in those days.
    """
    state = facts.states.c  # what was closed before and stayed so, most of all deals, is no part of the change
    moved, touched = or_(state.is_open, state.until_on <= end.on), or_(state.since_on.is_(None), state.since_on > start)
    before = states_on(facts, AsOf(start, end.known), filters, name="before", also=(moved,))
    after = states_on(facts, end, filters, name="after", also=(touched,))
    a, b = before.c, after.c
    rates = facts.rates.alias("later_rates")
    day = case((b.is_open, literal(end.on, Date)), else_=b.closed_on)
    rerated = worth(a.amount, a.currency, rates.c.rate)

    was = func.coalesce(and_(a.is_open, _within(a.expected_close_on, closing)), False)
    is_in = func.coalesce(and_(b.is_open, _within(b.expected_close_on, closing)), False)
    closed = func.coalesce(~b.is_open, False)
    closed_since = and_(closed, b.since_on > start, _within(b.expected_close_on, closing))
    comes = and_(~was, or_(is_in, func.coalesce(closed_since, False)))
    stayed = and_(was, is_in)
    leaves = and_(was, closed)
    kept = or_(stayed, leaves)
    came_as = case(
        (~comes, null()),
        (a.deal_id.is_(None), case((b.first_on > start, literal("entered")), else_=literal("handed_in"))),
        (a.is_open, literal("slipped_in")),
        else_=literal("reopened"),
    )
    went_as = case(
        (and_(was, b.deal_id.is_(None)), literal("handed_out")),
        (or_(leaves, and_(comes, closed)), case((b.is_won, literal("won")), else_=literal("lost"))),
        (and_(was, ~is_in), literal("slipped_out")),
        else_=null(),
    )
    zero = literal(0, BigInteger)
    return (
        select(
            func.coalesce(a.deal_id, b.deal_id).label("deal_id"),
            case((was, a.value), else_=zero).label("started"),
            case((comes, b.value), else_=zero).label("came"),
            case((kept, b.value - rerated), else_=zero).label("grew"),
            case((kept, rerated - a.value), else_=zero).label("rates"),
            case(
                (or_(leaves, and_(comes, closed)), b.value), (and_(was, ~is_in), a.value), else_=zero
            ).label("went"),
            case((is_in, b.value), else_=zero).label("ended"),
            came_as.label("came_as"),
            went_as.label("went_as"),
            was.label("was"),
            is_in.label("is_in"),
            stayed.label("stayed"),
            cast(func.sign(b.position - a.position), BigInteger).label("advanced"),
            case(
                (b.expected_close_on > a.expected_close_on, 1), (b.expected_close_on < a.expected_close_on, -1), else_=0
            ).label("put_off"),
            *(
                func.coalesce(b[name], a[name]).label(name)
                for name in ("stage_id", "credit_id", "value", "expected_close_on", "is_open", "is_won")
            ),
            case((b.deal_id.is_(None), a.closed_on), else_=b.closed_on).label("closed_on"),
        )
        .select_from(
            before.join(after, b.deal_id == a.deal_id, full=True).outerjoin(rates, on_day(rates, a.currency, day))
        )
        .subquery("flows")
    )  # fmt: skip


def _within(day: ColumnElement[date], closing: Period | None) -> ColumnElement[bool]:
    return true() if closing is None else and_(day >= closing.start, day < closing.end)


def parts(flow: Any) -> dict[str, tuple[ColumnElement[bool], ColumnElement[int]]]:
    """Return for each of `KINDS` which deals of `flows` are in it, and what each adds to it, in hundredths.

    What a bar takes away is less than nothing.
    """
    found = {
        "start": (flow.was, flow.started),
        "end": (flow.is_in, flow.ended),
        "grew": (flow.grew > 0, flow.grew),
        "shrank": (flow.grew < 0, flow.grew),
        "rates": (flow.rates != 0, flow.rates),
        "advanced": (and_(flow.stayed, flow.advanced > 0), flow.ended),
        "fell_back": (and_(flow.stayed, flow.advanced < 0), flow.ended),
        "put_off": (and_(flow.stayed, flow.put_off > 0), flow.ended),
        "brought_forward": (and_(flow.stayed, flow.put_off < 0), flow.ended),
    }
    found |= {kind: (flow.came_as == kind, flow.came) for kind in CAME}
    return found | {kind: (flow.went_as == kind, -flow.went) for kind in WENT}


def bars(facts: Facts, *, start: date, end: AsOf, filters: Filters, closing: Period | None) -> Statement:
    """Return one row: `<kind>_count` and `<kind>_value` (hundredths, signed) of every kind."""
    flow = flows(facts, start=start, end=end, filters=filters, closing=closing).c
    alike = (flow.was, flow.is_in, flow.stayed, flow.advanced, flow.put_off, flow.came_as, flow.went_as)
    sums = (flow.started, flow.came, flow.grew, flow.rates, flow.went, flow.ended)
    found = (  # deals of the same kinds are counted together first: the kinds ask for fifty sums
        select(
            *alike,
            func.count().label("deals"),
            *(cast(func.sum(column), BigInteger).label(column.name) for column in sums),
        )
        .group_by(*alike, func.sign(flow.grew), func.sign(flow.rates))
        .subquery("alike")
    )
    columns: list[Any] = []
    for kind, (counted, part) in parts(found.c).items():
        for what, column in (("count", found.c.deals), ("value", part)):
            total = cast(func.sum(column).filter(counted), BigInteger)
            columns.append(func.coalesce(total, 0).label(f"{kind}_{what}"))
    return select(*columns).select_from(found)
