"""Columns that are ordered by what belongs together: runs of rows of one deal, and what is added up along them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Numbers: TypeAlias = "NDArray[np.int64]"
Flags: TypeAlias = "NDArray[np.bool_]"
_DENSE: Final = 4
"""Numbers of which at least each fourth is there are looked up in a table."""


class Runs(NamedTuple):
    """Which rows begin and end a run of equal keys, where the runs start, and where each row's run does."""

    first: Flags
    last: Flags
    starts: Numbers
    start: Numbers

    @classmethod
    def of(cls, keys: Numbers) -> Runs:
        """Return the runs of keys that stand beside each other."""
        changes = keys[1:] != keys[:-1]
        edge = np.ones(min(len(keys), 1), np.bool_)
        first, last = np.concatenate([edge, changes]), np.concatenate([changes, edge])
        starts = np.flatnonzero(first)
        return cls(first, last, starts, np.repeat(starts, np.diff(np.append(starts, len(keys)))))


def rows_in_order(*keys: Numbers) -> Numbers | None:
    """Return the order by these keys, the first one first; None where the rows stand in it."""
    unsettled = np.ones(max(len(keys[0]) - 1, 0), np.bool_)
    for key in keys:
        if (unsettled & (key[1:] < key[:-1])).any():
            order: Numbers = np.lexsort(keys[::-1])
            return order
        unsettled &= key[1:] == key[:-1]
    return None


def places_of(wanted: Numbers, numbers: Numbers) -> Numbers:
    """Return at which place of `numbers`, each of which stands there once, each wanted one stands: all of them do."""
    if not len(wanted):
        return wanted
    least, most = int(numbers.min()), int(numbers.max())
    if most - least < _DENSE * len(numbers):
        place = np.zeros(most - least + 1, np.int64)
        place[numbers - least] = np.arange(len(numbers))
        return place[wanted - least]
    order = np.argsort(numbers, kind="stable")
    return order[np.searchsorted(numbers, wanted, sorter=order)]


def running_maximum(values: Numbers, runs: Runs) -> Numbers:
    """Return the highest value so far in each row's run, of values from nought on."""
    step = int(values.max(initial=0)) + 1
    lift = (np.cumsum(runs.first) - 1) * step
    found: Numbers = np.maximum.accumulate(values + lift) - lift
    return found


def earlier_sum(values: Numbers, runs: Runs) -> Numbers:
    """Return the sum of what stands before each row in its run."""
    before = np.cumsum(values) - values
    found: Numbers = before - before[runs.start]
    return found


def last_known(known: Flags, runs: Runs) -> Numbers:
    """Return the place of the last row up to each one, in its run, of which something is known; -1 for none."""
    place = np.maximum.accumulate(np.where(known, np.arange(len(known)), -1))
    return np.where(place < runs.start, -1, place)


def merged(keys: tuple[Numbers, Numbers], others: tuple[Numbers, Numbers]) -> Numbers:
    """Return before which row each of `others` stands, both ordered by two keys; before its equals."""
    low, high = np.searchsorted(keys[0], others[0], "left"), np.searchsorted(keys[0], others[0], "right")
    while (open_ := low < high).any():
        middle = (low + high) // 2
        below = open_ & (keys[1][np.minimum(middle, len(keys[1]) - 1)] < others[1])
        low, high = np.where(below, middle + 1, low), np.where(open_ & ~below, middle, high)
    return low
