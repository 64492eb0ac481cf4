"""Deriving the mirror's `states` and `rates`: what every deal was on every day, in both readings.

docs/methods/as-of.md says what the readings are. The same code derives everything and single deals again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.db.mirror_histories import (
    KINDS,
    Moves,
    Stages,
    dates,
    instants,
    moments,
    recorded_instants,
    small,
    whole_numbers,
)
from core.db.mirror_order import ENDLESS, in_order
from core.db.mirror_runs import Runs, last_known, merged, places_of, rows_in_order, running_maximum

if TYPE_CHECKING:
    from core.db.mirror_days import Days
    from core.db.mirror_runs import Flags, Numbers

_NUMBER = (
    "CAST(ascii(substr({0}, 1, 1)) * 65536 + ascii(substr({0}, 2, 1)) * 256 + ascii(substr({0}, 3, 1)) AS INTEGER)"
)
"""A currency's three letters as one number: four bytes a row, and the same after every increment."""

RATES: Final = f"""
INSERT INTO rates BY NAME
SELECT {_NUMBER.format("currency")} AS currency, CAST(rate AS DECIMAL(18, 0)) / 100000000 AS rate,
       CASE WHEN row_number() OVER dated = 1 THEN DATE '0001-01-01' ELSE CAST("on" AS DATE) END AS from_on,
       coalesce(lead(CAST("on" AS DATE)) OVER dated, DATE '9999-12-31') AS until_on
FROM in_fx_rate
WINDOW dated AS (PARTITION BY currency ORDER BY "on")"""

_OPEN, _WON, _LOST = range(len(KINDS))
_FIELDS: Final = ("stage", "amount", "owner", "expected_close")
_STAGE, _AMOUNT, _OWNER, _EXPECTED = range(len(_FIELDS))


class _Values(NamedTuple):
    """What a deal had, by row: owner, amount in hundredths, currency as a number, expected day."""

    owner: Numbers
    amount: Numbers
    currency: Numbers
    expected: Numbers

    def rows(self, chosen: Numbers) -> _Values:
        """Return some of them, in this order."""
        return _Values(*(column[chosen] for column in self))


class _Changes(NamedTuple):
    """Changes of amount, owner and expected close, in the order of deal, instant, writing down and number."""

    id: Numbers
    deal: Numbers
    at: Numbers
    recorded: Numbers
    field: Numbers
    after: _Values

    def rows(self, chosen: Numbers) -> _Changes:
        """Return some of them, in this order."""
        number, deal, at, recorded, field = (column[chosen] for column in self[:-1])
        return _Changes(number, deal, at, recorded, field, self.after.rows(chosen))


class _Deals(NamedTuple):
    """The deals by number, with what each had before its first change."""

    id: Numbers
    credited: Numbers
    customer: Numbers
    closed_at: Numbers
    won: Flags
    began: _Values


class _Events(NamedTuple):
    """What happened, in the order in which it is told: `change` is the place of a change, -1 for a move."""

    deal: Numbers
    seen: Numbers
    at: Numbers
    stage: Numbers
    change: Numbers

    def rows(self, chosen: Numbers) -> _Events:
        """Return some of them, in this order."""
        return _Events(*(column[chosen] for column in self))


class _ToldOf(NamedTuple):
    """What does not depend on the order of telling.

    `late`: the deals of which something was written down late; `own`: the company's currency.
    """

    changed: _Changes
    deals: _Deals
    stages: Stages
    days: Days
    late: Numbers
    own: int


def states_table(
    moves: Moves, changes: pa.Table, deals: pa.Table, *, stages: Stages, days: Days, base: str
) -> pa.Table:
    """Return the mirror's `states` of these deals. base: the company's currency."""
    changed, before = _changes(changes)
    order = rows_in_order(moves.deal, moves.at, moves.recorded, moves.id)
    place = np.arange(len(moves.deal)) if order is None else order
    at = merged((moves.deal[place], moves.at[place]), (changed.deal, changed.at))
    number, none = np.arange(len(changed.deal)), np.full(len(changed.deal), -1)
    on = np.insert(moves.on[place], at, days.of(changed.at))
    together = _Events(
        np.insert(moves.deal[place], at, changed.deal), np.insert(moves.at[place], at, changed.at),
        np.insert(moves.at[place], at, changed.at), np.insert(moves.stage[place], at, none),
        np.insert(np.full(len(place), -1), at, number),
    )  # fmt: skip
    late = np.union1d(_late(moves, days), _late(changed, days))
    told_of = _ToldOf(changed, _deals(deals, changed, before), stages, days, late, _code(base))
    told = [_told(together, on, told_of, now=True)]
    if len(late):
        recorded = np.insert(moves.recorded[place], at, changed.recorded)
        numbers = np.insert(moves.id[place], at, changed.id)
        chosen = np.flatnonzero(np.isin(together.deal, late))
        learned = _learned(together.rows(chosen), recorded[chosen], numbers[chosen], changed.field)
        told.append(_told(learned, days.of(learned.seen), told_of, now=False))
    return pa.concat_tables(told)


def former_table(states: pa.Table, deals: pa.Table) -> pa.Table:
    """Return the mirror's `former`: of `states` of these deals, who had one and has or is credited with it no more."""
    deal, credit = (whole_numbers(states[name]) for name in ("deal_id", "credit_id"))
    place = places_of(deal, whole_numbers(deals["id"]))
    others = credit >= 0
    for name in ("owner_id", "credited_id"):
        others &= credit != whole_numbers(deals[name])[place]
    found = np.unique(np.stack([deal[others], credit[others]]), axis=1)
    return pa.table({"deal_id": small(found[0]), "rep_id": small(found[1])})


def _changes(table: pa.Table) -> tuple[_Changes, _Values]:
    """Return the changes in order, and what the values were before them."""
    words = table["field"].combine_chunks()
    field = pc.fill_null(pc.index_in(words, pa.array(_FIELDS)), _STAGE).to_numpy().astype(np.int64)
    at = instants(table["effective_at"])
    found = _Changes(
        whole_numbers(table["id"]), whole_numbers(table["deal_id"]), at,
        recorded_instants(table["recorded_at"], at), field, _values(table["after"].combine_chunks(), field),
    )  # fmt: skip
    before = _values(table["before"].combine_chunks(), field)
    order = rows_in_order(found.deal, found.at, found.recorded, found.id)
    if order is None:
        return found, before
    return found.rows(order), before.rows(order)


def _values(texts: pa.Array, field: Numbers) -> _Values:
    """Return what was written down of each field as numbers, in columns where -1 stands for the other fields."""
    found = _Values(*(np.full(len(texts), -1) for _column in _Values._fields))
    owners, amounts, days = (np.flatnonzero(field == each) for each in (_OWNER, _AMOUNT, _EXPECTED))
    found.owner[owners] = texts.take(pa.array(owners)).cast(pa.int64()).to_numpy()
    found.expected[days] = texts.take(pa.array(days)).cast(pa.date32()).cast(pa.int32()).to_numpy()
    parts = pc.split_pattern(texts.take(pa.array(amounts)), " ")
    money = pc.list_element(parts, 0).cast(pa.decimal128(18, 2))
    found.amount[amounts] = pc.multiply(money, pa.scalar(Decimal(100))).cast(pa.int64()).to_numpy()
    found.currency[amounts] = _codes(pc.list_element(parts, 1))
    return found


def _deals(table: pa.Table, changed: _Changes, before: _Values) -> _Deals:
    numbers = whole_numbers(table["id"])
    order = rows_in_order(numbers)
    place = np.arange(len(numbers)) if order is None else order
    expected = table["expected_close_on"]
    days = (expected.cast(pa.date32()) if pa.types.is_string(expected.type) else expected).cast(pa.int32())
    began = _Values(
        whole_numbers(table["owner_id"])[place], whole_numbers(table["amount"])[place],
        _codes(table["currency"].combine_chunks())[place], whole_numbers(days)[place].copy(),
    )  # fmt: skip
    numbers = numbers[place]
    first = rows_in_order(changed.deal, changed.field, changed.recorded, changed.id)
    ordered = np.arange(len(changed.deal)) if first is None else first
    begins = ordered[Runs.of((changed.deal * len(_FIELDS) + changed.field)[ordered]).first]
    for field, columns in ((_OWNER, ("owner",)), (_AMOUNT, ("amount", "currency")), (_EXPECTED, ("expected",))):
        of_field = begins[changed.field[begins] == field]
        at = np.searchsorted(numbers, changed.deal[of_field])
        for name in columns:
            getattr(began, name)[at] = getattr(before, name)[of_field]
    return _Deals(
        numbers, whole_numbers(table["credited_id"])[place], whole_numbers(table["customer_id"])[place],
        instants(table["closed_at"])[place],
        pc.equal(table["state"], KINDS[_WON]).to_numpy()[place], began,
    )  # fmt: skip


def _late(events: Moves | _Changes, days: Days) -> Numbers:
    """Return the deals of which something was written down on a later day than it happened."""
    late = np.flatnonzero(events.recorded > events.at)
    return events.deal[late[days.of(events.recorded[late]) > days.of(events.at[late])]]


def _learned(events: _Events, recorded: Numbers, numbers: Numbers, fields: Numbers) -> _Events:
    """Return the events in the order in which they were learned, without what was over when it was."""
    seen = np.maximum(events.at, recorded)
    moved = events.change < 0
    field = np.where(moved, _STAGE, fields[events.change]) if len(fields) else np.full(len(seen), _STAGE)
    rank = np.empty(len(seen), np.int64)
    rank[np.lexsort((numbers, recorded, events.at))] = np.arange(len(seen))
    order = np.lexsort((numbers, recorded, events.at, seen, field, events.deal))
    runs = Runs.of((events.deal * len(_FIELDS) + field)[order])
    news = order[running_maximum(rank[order], runs) == rank[order]]
    told = (numbers[news], recorded[news], moved[news], events.at[news], seen[news], events.deal[news])
    chosen = news[np.lexsort(told)]
    return events.rows(chosen)._replace(seen=seen[chosen])


def _told(events: _Events, day: Numbers, told_of: _ToldOf, *, now: bool) -> pa.Table:
    """Return the states of events in the order in which they are told on these days."""
    changed, deals, stages, days, late, own = told_of
    runs = Runs.of(events.deal)
    moved = events.change < 0
    in_stage = last_known(moved, runs)
    kind = np.where(in_stage >= 0, stages.kind[events.stage[in_stage]], -1)
    before = np.where(runs.first, -1, np.roll(kind, 1))
    closed = last_known(moved & (kind != _OPEN) & (kind != before), runs)
    begun = np.minimum.reduceat(np.where(moved, day, ENDLESS), runs.starts) if len(day) else day
    kept = np.flatnonzero((kind >= 0) & (runs.last | (np.roll(day, -1) != day)))
    of = places_of(events.deal, deals.id)
    field = np.where(moved, _STAGE, changed.field[events.change]) if len(changed.field) else np.zeros(len(of), np.int64)

    def standing(names: tuple[str, ...], changing: int, rows: Numbers) -> list[Numbers]:
        since = last_known(field == changing, runs)[rows]
        found: list[Numbers] = [getattr(deals.began, name)[of[rows]] for name in names]
        if len(changed.id):
            after, known = events.change[since], since >= 0
            found = [
                np.where(known, getattr(changed.after, name)[after], before)
                for name, before in zip(names, found, strict=True)
            ]
        return found

    until = np.where(runs.last, ENDLESS, np.roll(day, -1))
    amount, currency = standing(("amount", "currency"), _AMOUNT, kept)
    order = in_order(kind[kept] == _OPEN, currency != own, until[kept], day[closed[kept]])
    kept, amount, currency = kept[order], amount[order], currency[order]
    ending = closed[kept]
    is_open, is_won = kind[kept] == _OPEN, kind[kept] == _WON
    closed_at, place = events.at[ending], of[kept]
    at_the_end = is_won & deals.won[place] & (deals.closed_at[place] == closed_at)
    (owner,) = standing(("owner",), _OWNER, np.where(is_won, ending, kept))
    (expected,) = standing(("expected",), _EXPECTED, kept)
    credit, customer = np.where(at_the_end, deals.credited[place], owner), deals.customer[place]
    known_then = ~np.isin(events.deal[kept], late) if now else np.ones(len(kept), np.bool_)
    return pa.table({
        "deal_id": small(events.deal[kept]), "stage_id": small(events.stage[in_stage[kept]]),
        "credit_id": small(credit, credit < 0), "customer_id": small(customer, customer < 0),
        "is_open": pa.array(is_open), "is_won": pa.array(is_won),
        "known_now": pa.array(np.full(len(kept), now)), "known_then": pa.array(known_then),
        "amount": pa.array(amount), "currency": small(currency, currency == own),
        "expected_close_on": dates(expected), "from_on": dates(day[kept]),
        "until_on": dates(until[kept]),
        "first_on": dates(begun[(np.cumsum(runs.first) - 1)[kept]]), "since_on": dates(day[ending], is_open),
        "closed_on": dates(np.where(is_open, 0, days.of(closed_at)), is_open),
        "closed_at": moments(closed_at, is_open),
    })  # fmt: skip


def _codes(texts: pa.Array | pa.ChunkedArray) -> Numbers:
    """Return currencies as numbers, as `_NUMBER` does."""
    found = texts.dictionary_encode()
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    words: Numbers = np.array([_code(word) for word in found.dictionary.to_pylist()] or [0], np.int64)
    return cast("Numbers", words[pc.fill_null(found.indices, 0).to_numpy()])


def _code(currency: str) -> int:
    first, second, third = (ord(letter) for letter in currency[:3])
    return first * 65_536 + second * 256 + third
