"""What a deal's row in the mirror has of its lines, its moves and what was done for it: columns in, columns out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from core.db.mirror_histories import dates, instants, small, whole_numbers
from core.db.mirror_runs import Runs

if TYPE_CHECKING:
    from core.db.mirror_days import Days
    from core.db.mirror_histories import Moves, Stages
    from core.db.mirror_runs import Flags, Numbers


class Met(NamedTuple):
    """The last day on which something was done for each deal, by deal: ascending numbers, days since 1970."""

    deal: Numbers
    on: Numbers

    @classmethod
    def of(cls, deal: Numbers, on: Numbers) -> Met:
        """Return the last of these days of each deal."""
        if not len(deal):
            return cls(deal, on)
        order = np.argsort(deal, kind="stable")
        starts = Runs.of(deal[order]).starts
        return cls(deal[order][starts], np.maximum.reduceat(on[order], starts))

    @classmethod
    def together(cls, parts: list[Met]) -> Met:
        """Return the last days of all parts."""
        none = np.empty(0, np.int64)
        return cls.of(
            *(np.concatenate([none, *columns]) for columns in (zip(*parts, strict=True) if parts else [[], []]))
        )


def with_days(activities: pa.Table, days: Days) -> tuple[pa.Table, Met]:
    """Return activities with `done_on`, and the last days of their deals."""
    done = instants(activities["done_at"])
    missing = activities["done_at"].is_null().to_numpy()
    on = np.zeros(len(done), np.int64)
    on[~missing] = days.of(done[~missing])
    deal = whole_numbers(activities["deal_id"])
    counted = ~missing & (deal >= 0)
    return activities.append_column("done_on", dates(on, missing)), Met.of(deal[counted], on[counted])


def with_details(deals: pa.Table, lines: pa.Table, moves: Moves, stages: Stages, met: Met) -> pa.Table:
    """Return deals with `product_id`, `units`, `furthest` and `last_activity_on`.

    The main product is that of the line with the largest amount, the first of equals.
    """
    number = whole_numbers(deals["id"])
    deal, product, quantity, amount, line = (
        whole_numbers(lines[name]) for name in ("deal_id", "product_id", "quantity", "amount", "id")
    )
    order = np.lexsort((line, -amount, deal))
    starts = Runs.of(deal[order]).starts
    units = np.add.reduceat(quantity[order], starts) if len(starts) else starts
    place, found = _places(number, deal[order][starts])
    reached, furthest = moves.reached(stages)
    came, moved = _places(number, reached)
    done, known = _places(number, met.deal)
    return (
        deals.append_column("product_id", small(_at(product[order][starts], place), ~found))
        .append_column("units", pa.array(np.where(found, _at(units, place), 0)))
        .append_column("furthest", small(_at(furthest, came), ~moved))
        .append_column("last_activity_on", dates(_at(met.on, done), ~known))
    )


def _places(numbers: Numbers, among: Numbers) -> tuple[Numbers, Flags]:
    """Return where numbers stand among ascending ones, and whether they do."""
    if not len(among):
        return np.zeros(len(numbers), np.int64), np.zeros(len(numbers), np.bool_)
    place = np.minimum(np.searchsorted(among, numbers), len(among) - 1)
    return place, among[place] == numbers


def _at(values: Numbers, place: Numbers) -> Numbers:
    return values[place] if len(values) else np.zeros(len(place), np.int64)
