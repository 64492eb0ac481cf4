"""The parts of split deals, worked out of rows of their shares: what `core.analytics.credited` does in statements.

Source: docs/methods/credit-splits.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from core.analytics.credited import WHOLE
from core.analytics.numbers import days, is_among, number, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from core.domain.periods import Period

    Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Parts:
    """Split deals, a place in each array a share: `deal` its number, `closed_on` its day, `rows` what else was asked.

    `part`, `part_of_cost` (NaN: not known) and `received` (what others won) in hundredths; `is_first` once a deal.
    """

    deal: NDArray[np.int64]
    closed_on: NDArray[np.datetime64]
    rows: Columns
    part: NDArray[np.int64]
    part_of_cost: NDArray[np.float64]
    received: NDArray[np.int64]
    is_first: NDArray[np.bool_]

    @classmethod
    def of(cls, found: Mapping[str, NDArray[Any]]) -> Parts:
        """Return the parts of `credited.shares_of_won`: to the cent, the sum the whole."""
        rows: Columns = {name: whole(values) for name, values in found.items() if name not in ("closed_on", "cost")}
        cost = number(found["cost"])
        known = ~np.isnan(cost)
        spent = np.where(known, cost, 0).astype(np.int64)
        part, is_first = _spread(rows["id"], rows["amount"], rows["share"], rows["person"])
        of_cost, _first = _spread(rows["id"], spent, rows["share"], rows["person"])
        received = np.where(rows["winner"] == rows["person"], 0, part)
        closed_on, rows = days(found["closed_on"]), rows | {"cost": cost}
        return cls(rows["id"], closed_on, rows, part, np.where(known, of_cost, nan), received, is_first)

    @classmethod
    def among(cls, won: Mapping[str, NDArray[Any]], shares: Mapping[str, NDArray[Any]]) -> Parts:
        """Return the parts of those of all won deals that `shares` split, all of which count.

        `won`: `id`, `closed_on`, `amount`, `cost`, `holder`, `holder_team` and `winner`; people's teams are not told.
        """
        split = np.flatnonzero(is_among(won["id"], shares["deal"]))
        split = split[np.argsort(won["id"][split])]
        known = won["id"][split]
        at = np.searchsorted(known, shares["deal"])
        at[at == known.size] = 0
        here = known[at] == shares["deal"] if known.size else np.zeros(at.shape, np.bool_)
        person = shares["person"][here]
        counts = np.ones(person.shape, np.int64)
        return cls.of(
            {name: values[split][at[here]] for name, values in won.items()} | {
                "person": person, "share": shares["share"][here], "person_counts": counts, "holder_counts": counts,
                "person_team": np.full(person.shape, -1),
            }
        )  # fmt: skip

    def held(self, period: Period) -> Columns:
        """Return the parts won in a period that count: `person`, `team`, `amount`, `cost`, `received`, `times` (1)."""
        here = self._in(period) & (self.rows["person_counts"] == 1)
        return {
            "person": self.rows["person"][here], "team": self.rows["person_team"][here], "amount": self.part[here],
            "cost": self.part_of_cost[here], "received": self.received[here],
            "times": np.ones(np.count_nonzero(here), np.int64),
        }  # fmt: skip

    def moved(self, period: Period) -> Columns:
        """Return what splits change of sums: the parts, and each deal once with its sums below nought (`times` -1)."""
        here = self._in(period) & self.is_first & (self.rows["holder_counts"] == 1)
        none = np.zeros(np.count_nonzero(here), np.int64)
        wholes = {
            "person": self.rows["holder"][here], "team": self.rows["holder_team"][here],
            "amount": -self.rows["amount"][here], "cost": -self.rows["cost"][here], "received": none, "times": none - 1,
        }  # fmt: skip
        return {name: np.concatenate((values, wholes[name])) for name, values in self.held(period).items()}

    def _in(self, period: Period) -> NDArray[np.bool_]:
        start, end = (np.datetime64(day, "D") for day in (period.start, period.end))
        return (self.closed_on >= start) & (self.closed_on < end)


def _spread(
    deal: NDArray[np.int64], amount: NDArray[np.int64], share: NDArray[np.int64], person: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return each share's part of its deal's amount, and which share of a deal comes first.

    What is left after rounding down goes by hundredths to the greatest remainders, then to the lowest numbers.
    """
    small = np.fmod(amount, WHOLE)
    rest = np.fmod(small * share, WHOLE)
    part = (amount - small) // WHOLE * share + (small * share - rest) // WHOLE
    order = np.lexsort((person, -rest, deal))
    first = np.ones(order.shape, np.bool_)
    first[1:] = deal[order][1:] != deal[order][:-1]
    starts = np.flatnonzero(first)
    counts = np.diff(np.append(starts, order.size))
    place = np.arange(order.size) - np.repeat(starts, counts)
    given = np.add.reduceat(part[order], starts) if starts.size else part
    left = amount[order] - np.repeat(given, counts)
    part[order] += place < left
    is_first = np.zeros(order.shape, np.bool_)
    is_first[order] = first
    return part, is_first
