"""What happened to the pipeline between two days: start + everything that came, changed and went = end.

Source: docs/methods/pipeline-changes.md. Each deal is looked at twice, at the end of either day, and every part of
it lands in exactly one bar, in whole hundredths; so the bars add up, whatever happened to the deals in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)

from core.analytics.as_of import AsOf, on_day, states_on, worth

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy import Subquery

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

_NONE: ColumnElement[int] = literal_column("0", Integer)
_THERE: Final = len(CAME) + 1
"""Instead of how deals came or went: they were there, or are."""
_CLOSED: Final = frozenset(WENT.index(kind) + 1 for kind in ("won", "lost"))
"""How deals went that went by being closed, with all that they are worth now."""
_WORTHS: Final = ("before", "rerated", "after")
"""What deals were worth on the first day, the same at the rates of the last, and what they are worth on the last."""


def flows(facts: Facts, *, start: date, end: AsOf, filters: Filters, closing: Period | None) -> Subquery:
    """Return each deal's part in the change from the end of `start` to the end of `end.on`.

    Columns: deal_id; started, came, grew, rates, went, ended in hundredths, with started + came + grew + rates - went
    = ended; came_as, went_as the place of the bar in `CAME` and `WENT` from 1, 0 for none; stayed bool; advanced,
    put_off -1, 0 or 1; before, rerated, after as `_WORTHS` says, in a bar or not, NULL where there is no such state;
    and of the later state, or the earlier where the deal went to others: stage_id, credit_id, value,
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
        (~comes, _NONE),
        (a.deal_id.is_(None), case((b.first_on > start, _came("entered")), else_=_came("handed_in"))),
        (a.is_open, _came("slipped_in")),
        else_=_came("reopened"),
    )
    went_as = case(
        (and_(was, b.deal_id.is_(None)), _went("handed_out")),
        (or_(leaves, and_(comes, closed)), case((b.is_won, _went("won")), else_=_went("lost"))),
        (and_(was, ~is_in), _went("slipped_out")),
        else_=_NONE,
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
            *(each.label(name) for each, name in zip((a.value, rerated, b.value), _WORTHS, strict=True)),
            came_as.label("came_as"),
            went_as.label("went_as"),
            was.label("was"),
            is_in.label("is_in"),
            stayed.label("stayed"),
            _direction(a.position, b.position).label("advanced"),
            _direction(a.expected_close_on, b.expected_close_on).label("put_off"),
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


def _came(kind: str) -> ColumnElement[int]:
    return literal_column(str(CAME.index(kind) + 1), Integer)


def _went(kind: str) -> ColumnElement[int]:
    return literal_column(str(WENT.index(kind) + 1), Integer)


def _direction(before: ColumnElement[Any], after: ColumnElement[Any]) -> ColumnElement[int]:
    """Return 1 where something rose, -1 where it fell, else 0."""
    return case((after > before, literal_column("1", Integer)), (after < before, literal_column("-1")), else_=_NONE)


def parts(flow: Any) -> dict[str, tuple[Any, Any]]:
    """Return for each of `KINDS` which deals of `flows` are in it, and what each adds to it, in hundredths.

    Of the columns as of the values of a row. What a bar takes away is less than nothing.
    """
    found = {
        "start": (flow.was, flow.started),
        "end": (flow.is_in, flow.ended),
        "grew": (flow.grew > 0, flow.grew),
        "shrank": (flow.grew < 0, flow.grew),
        "rates": (flow.rates != 0, flow.rates),
        "advanced": (flow.stayed & (flow.advanced > 0), flow.ended),
        "fell_back": (flow.stayed & (flow.advanced < 0), flow.ended),
        "put_off": (flow.stayed & (flow.put_off > 0), flow.ended),
        "brought_forward": (flow.stayed & (flow.put_off < 0), flow.ended),
    }
    found |= {kind: (flow.came_as == place, flow.came) for place, kind in enumerate(CAME, 1)}
    return found | {kind: (flow.went_as == place, -flow.went) for place, kind in enumerate(WENT, 1)}


class Alike(NamedTuple):
    """The deals of `flows` that are in the same bars, added up: `deals` of them, in hundredths."""

    was: bool
    is_in: bool
    came_as: int
    went_as: int
    advanced: int
    put_off: int
    deals: int
    started: int
    came: int
    grew: int
    rates: int
    went: int
    ended: int

    @property
    def stayed(self) -> bool:
        """Whether they were there on both days."""
        return self.was and self.is_in


def bars(facts: Facts, *, start: date, end: AsOf, filters: Filters, closing: Period | None) -> Statement:
    """Return a row for deals that are in the same bars, for `totals`: what makes them alike, and what they are worth.

    The former is one small whole number, by which DuckDB groups as fast as it reads. Which worth is a part of which
    bar is the same for all that are alike, and so is said of their sums.
    """
    flow = flows(facts, start=start, end=end, filters=filters, closing=closing).c
    begun = case((flow.was, literal_column(str(_THERE))), else_=flow.came_as)
    ended = case((flow.is_in, literal_column(str(_THERE))), else_=flow.went_as)
    turns = (
        flow.advanced, flow.put_off, _direction(flow.rerated, flow.after), _direction(flow.before, flow.rerated)
    )  # fmt: skip
    alike: ColumnElement[int] = begun * literal_column(str(_THERE + 1)) + ended
    for turn in turns:
        alike = alike * literal_column("3") + (turn + literal_column("1"))
    kinds = select(alike.label("alike"), *(flow[name] for name in _WORTHS)).subquery("kinds").c
    sums = (func.coalesce(cast(func.sum(kinds[name]), BigInteger), 0).label(name) for name in _WORTHS)
    return select(kinds.alike, func.count().label("deals"), *sums).group_by(kinds.alike)


def totals(rows: Iterable[Any]) -> dict[str, tuple[int, int]]:
    """Return how many deals are in each of `KINDS`, and their value in hundredths, signed; rows: those of `bars`."""
    found = dict.fromkeys(KINDS, (0, 0))
    for row in rows:
        alike = _read(row)
        for kind, (is_so, part) in parts(alike).items():
            if is_so:
                count, value = found[kind]
                found[kind] = count + alike.deals, value + part
    return found


def _read(row: Any) -> Alike:
    rest, turns = row.alike, []
    for _turn in range(4):
        rest, turn = divmod(rest, 3)
        turns.append(turn - 1)
    begun, ended = divmod(rest, _THERE + 1)
    _rates, _grew, put_off, advanced = turns
    was, is_in, came_as, went_as = begun == _THERE, ended == _THERE, begun % _THERE, ended % _THERE
    closes = went_as in _CLOSED
    kept = was and (is_in or closes)
    return Alike(
        was, is_in, came_as, went_as, advanced, put_off, row.deals,
        started=row.before if was else 0,
        came=row.after if came_as else 0,
        grew=row.after - row.rerated if kept else 0,
        rates=row.rerated - row.before if kept else 0,
        went=row.after if closes else row.before if went_as else 0,
        ended=row.after if is_in else 0,
    )  # fmt: skip
