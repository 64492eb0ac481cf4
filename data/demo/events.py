"""From arrays to the columns of what happened to deals: moves, changes, activities."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from data.demo.calendar import DAY
from data.demo.columns import NULL, Block, Bytes, Column, Ints, Texts, Words, constant, whole
from data.demo.parameters import WON
from data.demo.reference import ACTIVITY_SHARES, SUBJECTS

if TYPE_CHECKING:
    from data.demo.amounts import Amounts
    from data.demo.calendar import Calendar
    from data.demo.histories import Histories
    from data.demo.rows import Numbers

_BLANK = Words([""])
_FIELDS = Words(["amount", "owner", "expected_close"])
_KINDS = Words(list(ACTIVITY_SHARES))
_CHOICES = max(len(texts) for texts in SUBJECTS.values())
_SUBJECTS = Words([texts[place % len(texts)] for texts in SUBJECTS.values() for place in range(_CHOICES)])

Said = tuple[Bytes, Ints]
"""Texts as `Texts` keeps them: each at the right end of its row, and how long it is."""


def move_block(calendar: Calendar, numbers: Numbers, histories: Histories, first: int) -> Block:
    """Return the rows of `stage_move`."""
    moves = histories.moves
    at = Column(calendar.instants, moves.at)
    return {
        "deal_id": whole(moves.deal + first),
        "from_stage_id": whole(np.where(moves.before >= 0, numbers.stages[moves.before], NULL)),
        "to_stage_id": whole(numbers.stages[moves.after]),
        "effective_at": at,
        "recorded_at": Column(calendar.instants, _recorded(calendar, histories, first)),
        "by_user_id": numbers.users(_owner_at(histories, moves.deal, moves.at)),
        "lost_reason_id": whole(np.where(moves.reason >= 0, numbers.reasons[moves.reason], NULL)),
        "note": Column(_BLANK, np.zeros(len(moves.deal), dtype=np.int64)),
    }


def _recorded(calendar: Calendar, histories: Histories, first: int) -> Ints:
    """Return when each move was entered: at once, but of some deals the end a few days late, none after the last day.

    Which and how late goes by the deal's number alone (multiplicative hashing, Knuth, TAOCP 3, 6.4): nothing is drawn.
    """
    moves = histories.moves
    ends = np.flatnonzero((np.diff(moves.deal, append=-1) != 0) & (moves.after >= WON))
    hashed = (moves.deal[ends] + first) * 2_654_435_761 % 2**32
    late = ends[hashed < calendar.true.late_rate * 2**32]
    waited = 1 + (moves.deal[late] + first) % calendar.true.late_days
    recorded = moves.at.copy()
    recorded[late] = np.minimum(moves.at[late] + waited * DAY, calendar.end)
    return np.maximum(recorded, moves.at)


def change_block(calendar: Calendar, numbers: Numbers, histories: Histories, amounts: Amounts, first: int) -> Block:
    """Return the rows of `deal_change`, by deal and time: the values that deals begin with, and each change."""
    count = len(histories)
    every = np.arange(count)
    deal_of, when_of = histories.amount_changes
    owners, pushes = histories.owners, histories.pushes
    deals = np.concatenate([every, every, every, deal_of, owners.deal, pushes.deal])
    times = np.concatenate([histories.opened, histories.opened, histories.opened, when_of, owners.at, pushes.at])
    fields = np.repeat([0, 1, 2, 0, 1, 2], [count, count, count, len(deal_of), len(owners.deal), len(pushes.deal)])
    codes = np.array([code.encode("ascii") for code in numbers.currencies]).view(np.uint8)
    codes = codes.reshape(len(numbers.currencies), -1)
    changed = codes[amounts.currency[deal_of]]
    days = calendar.days
    nothing = (np.zeros((3 * count, 1), dtype=np.uint8), np.zeros(3 * count, dtype=np.int64))
    before = _stacked(
        nothing,
        _money(amounts.change_before, changed),
        _digits(owners.before + numbers.first_rep),
        _fixed(days.stored(pushes.before).content),
    )
    after = _stacked(
        _money(amounts.first, codes[amounts.currency]),
        _digits(histories.first_owner + numbers.first_rep),
        _fixed(days.stored(histories.first_expected).content),
        _money(amounts.change_after, changed),
        _digits(owners.after + numbers.first_rep),
        _fixed(days.stored(pushes.after).content),
    )
    order = np.lexsort((times, deals))
    at = Column(calendar.instants, times[order])
    return {
        "deal_id": whole(deals[order] + first),
        "field": Column(_FIELDS, fields[order]),
        "before": Column(before, np.where(order < 3 * count, NULL, order)),
        "after": Column(after, order),
        "effective_at": at,
        "recorded_at": at,
        "by_user_id": numbers.users(_owner_at(histories, deals, times)[order]),
    }


def activity_block(calendar: Calendar, numbers: Numbers, histories: Histories, first: int) -> Block:
    """Return the rows of `activity`."""
    met = histories.meetings
    done = met.at >= 0
    at = Column(calendar.instants, np.where(done, met.at, calendar.end))
    customer, size = histories.customer[met.deal], len(met.deal)
    return {
        "created_at": at,
        "updated_at": at,
        "version": constant(1, size),
        "kind": Column(_KINDS, met.kind),
        "subject": Column(_SUBJECTS, met.kind * _CHOICES + (met.subject * _CHOICES).astype(np.int64)),
        "note": Column(_BLANK, np.zeros(size, dtype=np.int64)),
        "customer_id": whole(customer + numbers.first_customer),
        "contact_id": whole(numbers.primary_contacts[customer]),
        "deal_id": whole(met.deal + first),
        "rep_id": whole(met.rep + numbers.first_rep),
        "due_on": Column(calendar.days, np.where(done, NULL, met.due)),
        "done_at": Column(calendar.instants, met.at),
    }


def _owner_at(histories: Histories, deals: Ints, times: Ints) -> Ints:
    """Return the owner of each deal just before each instant, its first owner at its beginning."""
    moved = np.full(len(histories), np.iinfo(np.int64).max)
    moved[histories.owners.deal] = histories.owners.at
    return np.where(times <= moved[deals], histories.first_owner[deals], histories.owner[deals])


def _digits(values: Ints) -> Said:
    most = int(values.max(initial=0))
    width = len(str(most))
    content, rest = np.empty((len(values), width), dtype=np.uint8), values
    for place in reversed(range(width)):
        rest, digit = np.divmod(rest, 10)
        content[:, place] = digit + ord("0")
    return content, 1 + np.searchsorted(10 ** np.arange(1, width), values, side="right")


def _money(minor: Ints, codes: Bytes) -> Said:
    """Return hundredths as `1234.50 CNY`."""
    whole_part, lengths = _digits(minor // 100)
    cents, _two = _digits(minor % 100 + 100)
    point, gap = (np.full((len(minor), 1), ord(sign), dtype=np.uint8) for sign in ". ")
    content = np.hstack([whole_part, point, cents[:, -2:], gap, codes])
    return content, lengths + 4 + codes.shape[1]


def _fixed(content: Bytes) -> Said:
    return content, np.full(len(content), content.shape[1])


def _stacked(*parts: Said) -> Texts:
    """Return texts of several kinds, one below the other."""
    width = max(content.shape[1] for content, _lengths in parts)
    stacked = np.zeros((sum(len(content) for content, _lengths in parts), width), dtype=np.uint8)
    at = 0
    for content, _lengths in parts:
        stacked[at : at + len(content), width - content.shape[1] :] = content
        at += len(content)
    return Texts(stacked, np.concatenate([lengths for _content, lengths in parts]))
