"""From arrays to the tables' columns: deals and their lines; what happened to them is in `events`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from data.demo.amounts import SKUS, Amounts
from data.demo.calendar import Calendar
from data.demo.cast import Cast
from data.demo.columns import HUNDREDTHS, NULL, Block, Column, Ints, Pairs, Words, constant, whole
from data.demo.credit import cost_of, split_block
from data.demo.events import activity_block, change_block, move_block
from data.demo.histories import Histories
from data.demo.parameters import LOST, WON
from data.demo.reference import COMPETITORS, PRODUCTS

_BLANK = Words([""])
_STATES = Words(["open", "won", "lost"])
_RIVALS = Words([*COMPETITORS, ""])
_TITLES = Words([f" · {PRODUCTS[product].name}" for product, _sku in SKUS])


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
    currencies: tuple[str, ...]
    user_of_rep: dict[int, int]

    @cached_property
    def codes(self) -> Words:
        """The kind of a column of currencies."""
        return Words(self.currencies)

    def users(self, reps: Ints) -> Column:
        """Return the users who are these reps, NULL for those without one."""
        known = np.full(int(reps.max(initial=0)) + 1, NULL)
        for rep, user in self.user_of_rep.items():
            if rep < len(known):
                known[rep] = user
        return whole(known[reps])


@dataclass(frozen=True)
class Tables:
    """What is the same for every block of deals."""

    calendar: Calendar
    cast: Cast
    numbers: Numbers
    costs: Ints

    @cached_property
    def _short_names(self) -> Words:
        return Words([name.short for name in self.cast.customers.names])

    def blocks(self, histories: Histories, amounts: Amounts, *, first_deal: int) -> Iterator[tuple[str, Block]]:
        """Yield table by table what a block of deals adds; its first deal gets the number `first_deal`."""
        yield "deal", self._deals(histories, amounts, first_deal)
        lines, won = amounts.lines, histories.stage == WON
        products = np.array([product for product, _sku in SKUS]) + self.numbers.first_product
        yield (
            "deal_line",
            {
                "deal_id": whole(lines.deal + first_deal),
                "product_id": whole(products[lines.sku]),
                "sku_id": whole(lines.sku + self.numbers.first_sku),
                "quantity": whole(lines.quantity),
                "unit_price": whole(lines.price),
                "discount_rate": Column(HUNDREDTHS, lines.percent),
                "amount": whole(lines.amount),
                "unit_cost": whole(np.where(won[lines.deal], self.costs[lines.sku], NULL)),
            },
        )
        yield "stage_move", move_block(self.calendar, self.numbers, histories, first_deal)
        yield "deal_change", change_block(self.calendar, self.numbers, histories, amounts, first_deal)
        if len((splits := split_block(self.calendar, self.cast, self.numbers, histories, first_deal))["share"].numbers):
            yield "credit_share", splits
        yield "activity", activity_block(self.calendar, self.numbers, histories, first_deal)

    def _deals(self, histories: Histories, amounts: Amounts, first: int) -> Block:
        count, numbers, instants = len(histories), self.numbers, self.calendar.instants
        last = histories.entered.copy()
        for changes in (histories.owners, histories.pushes):
            np.maximum.at(last, changes.deal, changes.at)
        np.maximum.at(last, histories.amount_changes[0], histories.amount_changes[1])
        owner = histories.owner + numbers.first_rep
        by_worth = np.lexsort((-amounts.lines.amount, amounts.lines.deal))
        heads = by_worth[np.searchsorted(amounts.lines.deal, np.arange(count))]
        opened = Column(instants, histories.opened)
        return {
            "id": whole(np.arange(first, first + count)),
            "created_at": opened,
            "updated_at": Column(instants, last),
            "version": constant(1, count),
            "name": Column(
                Pairs(self._short_names, _TITLES), histories.customer * _TITLES.count + amounts.lines.sku[heads]
            ),
            "auto_named": constant(1, count),
            "customer_id": whole(histories.customer + numbers.first_customer),
            "contact_id": whole(numbers.primary_contacts[histories.customer]),
            "pipeline_id": constant(numbers.pipeline, count),
            "stage_id": whole(numbers.stages[histories.stage]),
            "stage_entered_at": Column(instants, histories.entered),
            "state": Column(_STATES, np.maximum(histories.stage - WON + 1, 0)),
            "owner_id": whole(owner),
            "credited_id": whole(np.where(histories.stage == WON, owner, NULL)),
            "channel_id": whole(numbers.channels[histories.channel]),
            "amount": whole(amounts.amount),
            "currency": Column(numbers.codes, amounts.currency),
            "base_amount": whole(amounts.base),
            "expected_close_on": Column(self.calendar.days, histories.expected),
            "opened_at": opened,
            "closed_at": Column(instants, np.where(histories.closed >= 0, histories.entered, NULL)),
            "lost_reason_id": whole(np.where(histories.stage == LOST, numbers.reasons[histories.reason], NULL)),
            "competitor": Column(_RIVALS, np.where(histories.competitor < 0, len(COMPETITORS), histories.competitor)),
            "note": Column(_BLANK, np.zeros(count, dtype=np.int64)),
            "base_cost": whole(np.where(histories.stage == WON, cost_of(amounts.lines, self.costs, count), NULL)),
        }
