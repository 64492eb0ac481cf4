"""What the demo company's goods cost, and who shares the credit for a won deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core.services.deal_credit import WHOLE
from data.demo.amounts import SKUS, Lines, Rates
from data.demo.calendar import Calendar
from data.demo.cast import Cast
from data.demo.columns import NULL, Block, Column, Ints, whole
from data.demo.histories import Histories
from data.demo.parameters import WON, TrueParameters
from data.demo.reference import CATEGORIES, PRODUCTS

if TYPE_CHECKING:
    from data.demo.rows import Numbers

_SPREAD, _TURN = 2_654_435_761, 1 << 32


def sku_costs(rates: Rates, true: TrueParameters) -> Ints:
    """Return what a piece of each of `SKUS` costs, in hundredths of the base currency, in whole units; or NULL."""
    shares = np.array([true.cost_rates[CATEGORIES.index(PRODUCTS[product].category)] for product, _sku in SKUS])
    costs = np.rint(rates.list_prices() * shares / 100).astype(np.int64) * 100
    return np.where(np.arange(len(SKUS)) < true.costed_skus, costs, NULL)


def cost_of(lines: Lines, costs: Ints, count: int) -> Ints:
    """Return what the lines of each of `count` deals cost together, NULL where one's cost is not known."""
    piece = costs[lines.sku]
    total = np.bincount(lines.deal, weights=lines.quantity * piece, minlength=count).astype(np.int64)
    unknown = np.bincount(lines.deal, weights=piece == NULL, minlength=count) > 0
    return np.where(unknown, NULL, total)


def split_block(calendar: Calendar, cast: Cast, numbers: Numbers, histories: Histories, first_deal: int) -> Block:
    """Return the credit shares of a block of deals: two rows a deal that is split.

    Which deals are, and with whom, follows from the deal's number; where nobody else of the winner's team is there on
    the day of winning, a deal is not split.
    """
    true, reps = calendar.true, cast.reps
    won = np.flatnonzero(histories.stage == WON)
    chance = (won + first_deal) * _SPREAD % _TURN
    chosen = won[chance < true.split_rate * _TURN]
    deals, people = [], []
    for deal, day in zip(chosen.tolist(), calendar.day_of(histories.closed[chosen]).tolist(), strict=True):
        owner = int(histories.owner[deal])
        mates = (reps.team == reps.team[owner]) & (reps.joined <= day) & (reps.left > day)
        mates[owner] = False
        there = np.flatnonzero(mates)
        if there.size:
            deals += [deal, deal]
            people += [owner, int(there[(deal + first_deal) % there.size])]
    whose, deal_places = np.array(people, dtype=np.int64), np.array(deals, dtype=np.int64)
    colleague = round(true.split_share * WHOLE)
    closed = Column(calendar.instants, histories.closed[deal_places])
    return {
        "deal_id": whole(deal_places + first_deal),
        "rep_id": whole(whose + numbers.first_rep),
        "share": whole(np.tile(np.array([WHOLE - colleague, colleague]), len(deals) // 2)),
        "effective_at": closed,
        "recorded_at": closed,
        "by_user_id": numbers.users(histories.owner[deal_places]),
    }
