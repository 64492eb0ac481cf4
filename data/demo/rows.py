"""From arrays to the tables' rows: deals with their lines, moves, changes and activities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.demo.amounts import SKUS, Amounts
from data.demo.calendar import Calendar
from data.demo.cast import Cast
from data.demo.histories import Changes, Histories
from data.demo.parameters import LOST, WON
from data.demo.reference import ACTIVITY_SHARES, COMPETITORS, CURRENCIES, PRODUCTS, SUBJECTS
from data.demo.writer import BulkWriter

Ints = NDArray[np.int64]
_STATES = np.array(["open"] * WON + ["won", "lost"], dtype=object)
_CODES = np.array(["CNY", *CURRENCIES], dtype=object)

DEAL = (
    "id",
    "created_at",
    "updated_at",
    "version",
    "name",
    "customer_id",
    "contact_id",
    "pipeline_id",
    "stage_id",
    "stage_entered_at",
    "state",
    "owner_id",
    "credited_id",
    "channel_id",
    "amount",
    "currency",
    "base_amount",
    "expected_close_on",
    "opened_at",
    "closed_at",
    "lost_reason_id",
    "competitor",
    "note",
)
LINE = ("deal_id", "product_id", "sku_id", "quantity", "unit_price", "discount_rate", "amount")
MOVE = (
    "deal_id",
    "from_stage_id",
    "to_stage_id",
    "effective_at",
    "recorded_at",
    "by_user_id",
    "lost_reason_id",
    "note",
)
CHANGE = ("deal_id", "field", "before", "after", "effective_at", "recorded_at", "by_user_id")
ACTIVITY = (
    "created_at",
    "updated_at",
    "version",
    "kind",
    "subject",
    "note",
    "customer_id",
    "contact_id",
    "deal_id",
    "rep_id",
    "due_on",
    "done_at",
)


@dataclass(frozen=True)
class Numbers:
    """The tables' numbers of what histories name by place; `first_*` where numbers follow the places."""

    pipeline: int
    stages: Ints
    channels: Ints
    reasons: Ints
    first_rep: int
    first_customer: int
    primary_contacts: Ints
    first_product: int
    first_sku: int
    base_currency: str
    user_of_rep: dict[int, int]

    def users(self, reps: Ints) -> list[int | None]:
        """Return the users who are these reps, None for those without one."""
        known = np.full(int(reps.max(initial=0)) + 1, None, dtype=object)
        for rep, user in self.user_of_rep.items():
            if rep < len(known):
                known[rep] = user
        found: list[int | None] = known[reps].tolist()
        return found


def write_block(
    writer: BulkWriter,
    calendar: Calendar,
    cast: Cast,
    numbers: Numbers,
    histories: Histories,
    amounts: Amounts,
    *,
    first_deal: int,
) -> None:
    """Write a block of deals and all that hangs on them; its first deal gets the number `first_deal`."""
    _write_deals(writer, calendar, cast, numbers, histories, amounts, first_deal)
    lines = amounts.lines
    products = np.array([product for product, _sku in SKUS]) + numbers.first_product
    writer.insert(
        "deal_line",
        LINE,
        list(
            zip(
                (lines.deal + first_deal).tolist(),
                products[lines.sku].tolist(),
                (lines.sku + numbers.first_sku).tolist(),
                lines.quantity.tolist(),
                lines.price.tolist(),
                (lines.percent / 100).tolist(),
                lines.amount.tolist(),
                strict=True,
            )
        ),
    )
    _write_moves(writer, calendar, numbers, histories, first_deal)
    _write_changes(writer, calendar, numbers, histories, amounts, first_deal)
    _write_activities(writer, calendar, numbers, histories, first_deal)


def _write_deals(
    writer: BulkWriter,
    calendar: Calendar,
    cast: Cast,
    numbers: Numbers,
    histories: Histories,
    amounts: Amounts,
    first: int,
) -> None:
    count = len(histories)
    ones = [1] * count
    blank = [""] * count
    opened = calendar.instant_texts(histories.opened)
    entered = calendar.instant_texts(histories.entered)
    closed = [at if shut else None for at, shut in zip(entered, (histories.closed >= 0).tolist(), strict=True)]
    last = histories.entered.copy()
    for changes in (histories.owners, histories.pushes):
        np.maximum.at(last, changes.deal, changes.at)
    np.maximum.at(last, histories.amount_changes[0], histories.amount_changes[1])
    owner = histories.owner + numbers.first_rep
    credited = np.where(histories.stage == WON, owner, 0)
    reason = np.where(histories.stage == LOST, numbers.reasons[histories.reason], 0)
    short = np.array([name.short for name in cast.customers.names], dtype=object)
    titles = np.array([f"{PRODUCTS[product].name}" for product, _sku in SKUS], dtype=object)
    heads = np.searchsorted(amounts.lines.deal, np.arange(count))
    names = (short[histories.customer] + " · " + titles[amounts.lines.sku[heads]]).tolist()
    rivals = np.array([*COMPETITORS, ""], dtype=object)[histories.competitor].tolist()
    writer.insert(
        "deal",
        DEAL,
        list(
            zip(
                range(first, first + count),
                opened,
                calendar.instant_texts(last),
                ones,
                names,
                (histories.customer + numbers.first_customer).tolist(),
                numbers.primary_contacts[histories.customer].tolist(),
                [numbers.pipeline] * count,
                numbers.stages[histories.stage].tolist(),
                entered,
                _STATES[histories.stage].tolist(),
                owner.tolist(),
                _or_none(credited),
                numbers.channels[histories.channel].tolist(),
                amounts.amount.tolist(),
                _codes(numbers, amounts.currency),
                amounts.base.tolist(),
                calendar.day_texts(histories.expected),
                opened,
                closed,
                _or_none(reason),
                rivals,
                blank,
                strict=True,
            )
        ),
    )


def _write_moves(writer: BulkWriter, calendar: Calendar, numbers: Numbers, histories: Histories, first: int) -> None:
    moves = histories.moves
    at = calendar.instant_texts(moves.at)
    before = np.where(moves.before >= 0, numbers.stages[moves.before], 0)
    reason = np.where(moves.reason >= 0, numbers.reasons[moves.reason], 0)
    users = numbers.users(_owner_at(histories, moves.deal, moves.at))
    writer.insert(
        "stage_move",
        MOVE,
        list(
            zip(
                (moves.deal + first).tolist(),
                _or_none(before),
                numbers.stages[moves.after].tolist(),
                at,
                at,
                users,
                _or_none(reason),
                [""] * len(at),
                strict=True,
            )
        ),
    )


def _write_changes(
    writer: BulkWriter,
    calendar: Calendar,
    numbers: Numbers,
    histories: Histories,
    amounts: Amounts,
    first: int,
) -> None:
    """Write the values that deals begin with and each change, by deal and time."""
    count = len(histories)
    every = np.arange(count)
    nothing = [None] * count
    deal_of, when_of = histories.amount_changes
    codes = _codes(numbers, amounts.currency)
    code_array = np.array(codes, dtype=object)
    owners, pushes = histories.owners, histories.pushes
    deals = np.concatenate([every, every, every, deal_of, owners.deal, pushes.deal])
    times = np.concatenate([histories.opened, histories.opened, histories.opened, when_of, owners.at, pushes.at])
    fields = (
        ["amount"] * count
        + ["owner"] * count
        + ["expected_close"] * count
        + ["amount"] * len(deal_of)
        + ["owner"] * len(owners.deal)
        + ["expected_close"] * len(pushes.deal)
    )
    said = code_array[deal_of].tolist()
    befores: list[Any] = [
        *nothing,
        *nothing,
        *nothing,
        *_amount_texts(amounts.change_before, said),
        *map(str, (owners.before + numbers.first_rep).tolist()),
        *calendar.day_texts(pushes.before),
    ]
    afters: list[str] = [
        *_amount_texts(amounts.first, codes),
        *map(str, (histories.first_owner + numbers.first_rep).tolist()),
        *calendar.day_texts(histories.first_expected),
        *_amount_texts(amounts.change_after, said),
        *map(str, (owners.after + numbers.first_rep).tolist()),
        *calendar.day_texts(pushes.after),
    ]
    at = calendar.instant_texts(times)
    users = numbers.users(_owner_at(histories, deals, times))
    rows = list(zip((deals + first).tolist(), fields, befores, afters, at, at, users, strict=True))
    writer.insert("deal_change", CHANGE, [rows[place] for place in np.lexsort((times, deals)).tolist()])


def _write_activities(
    writer: BulkWriter, calendar: Calendar, numbers: Numbers, histories: Histories, first: int
) -> None:
    met = histories.meetings
    kinds = np.array(list(ACTIVITY_SHARES), dtype=object)
    width = max(len(texts) for texts in SUBJECTS.values())
    subjects = np.array([(texts * width)[:width] for texts in SUBJECTS.values()], dtype=object)
    subject = subjects[met.kind, (met.subject * width).astype(np.int64)].tolist()
    done = met.at >= 0
    at = calendar.instant_texts(np.where(done, met.at, calendar.end))
    due = calendar.day_texts(np.where(done, calendar.last, met.due))
    customer = histories.customer[met.deal]
    flags, size = done.tolist(), len(at)
    writer.insert(
        "activity",
        ACTIVITY,
        list(
            zip(
                at,
                at,
                [1] * size,
                kinds[met.kind].tolist(),
                subject,
                [""] * size,
                (customer + numbers.first_customer).tolist(),
                numbers.primary_contacts[customer].tolist(),
                (met.deal + first).tolist(),
                (met.rep + numbers.first_rep).tolist(),
                [None if was else day for was, day in zip(flags, due, strict=True)],
                [when if was else None for was, when in zip(flags, at, strict=True)],
                strict=True,
            )
        ),
    )


def _owner_at(histories: Histories, deals: Ints, times: Ints) -> Ints:
    """Return the owner of each deal just before each instant, its first owner at its beginning."""
    moved = np.full(len(histories), np.iinfo(np.int64).max)
    owners: Changes = histories.owners
    moved[owners.deal] = owners.at
    return np.where(times <= moved[deals], histories.first_owner[deals], histories.owner[deals])


def _amount_texts(minor: Ints, codes: list[str]) -> list[str]:
    return [f"{value // 100}.{value % 100:02d} {code}" for value, code in zip(minor.tolist(), codes, strict=True)]


def _codes(numbers: Numbers, currency: Ints) -> list[str]:
    words = _CODES.copy()
    words[0] = numbers.base_currency
    found: list[str] = words[currency].tolist()
    return found


def _or_none(values: Ints) -> list[int | None]:
    """Return a list with None for the zeros."""
    found = values.astype(object)
    found[values == 0] = None
    made: list[int | None] = found.tolist()
    return made
