"""In what order the mirror's `deals` and `states` lie: what is asked for together stands together.

Deals lie by the day on which they were closed, and so do their last states; what was open or did not last lies by the
day on which it ended. What was decided in a period, or open on a day, is then in few of a table's parts.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from core.db.mirror_runs import Flags, Numbers

_LATEST: Final = np.iinfo(np.uint16).max
_BIN_DAYS: Final = 183
_ABROAD: Final = 100_000
"""Added to the bin of what is in another currency."""

ENDLESS: Final = int(np.datetime64("9999-12-31", "D").astype(np.int64))
"""The day on which ends what stands now."""


def in_order(is_open: Flags, is_abroad: Flags, until_on: Numbers, since_on: Numbers) -> Numbers:
    """Return the order of closed deals, of what was open or did not last, and of such in other currencies, by day."""
    goes = is_open | (until_on < ENDLESS)
    day = np.where(goes, until_on, since_on).clip(0, _LATEST)
    order = np.argsort(day.astype(np.uint16), kind="stable")  # which numpy sorts by counting, having sixteen bits
    kind = np.where(goes, is_abroad + 1, 0)[order]
    return np.concatenate([order[kind == each] for each in range(3)])


def states_in_bins(states: pa.Table) -> dict[int, pa.Table]:
    """Return states by the number of their bin, 0 of closed deals, else half a year's, each in memory of its own."""
    is_open, abroad = (column.to_numpy() for column in (states["is_open"], states["currency"].is_valid()))
    until_on = states["until_on"].cast(pa.int32()).to_numpy()
    half_years = until_on.clip(0, _LATEST) // _BIN_DAYS + 1
    bins = np.where(is_open | (until_on < ENDLESS), half_years + abroad * _ABROAD, 0)
    edges = np.flatnonzero(np.diff(bins, prepend=-1, append=-1))
    parts: dict[int, list[pa.Table]] = {}
    for start, end in pairwise(edges):
        parts.setdefault(int(bins[start]), []).append(states.slice(start, end - start))
    return {each: _apart(pa.concat_tables(found)) for each, found in parts.items()}


def deals_in_bins(deals: pa.Table) -> dict[int, pa.Table]:
    """Return deals by the half-year in which they were closed, in its order; those that are open behind all of them."""
    closed_on = deals["closed_on"].cast(pa.int32()).fill_null(ENDLESS).to_numpy().clip(0, _LATEST)
    order = np.argsort(closed_on.astype(np.uint16), kind="stable")
    bins = closed_on[order] // _BIN_DAYS
    edges = np.flatnonzero(np.diff(bins, prepend=-1, append=-1))
    return {int(bins[start]): deals.take(pa.array(order[start:end])) for start, end in pairwise(edges)}


def _apart(table: pa.Table) -> pa.Table:
    """Return a copy (of one part alone Arrow makes none), so that a few rows that wait do not hold many in memory."""
    columns = (pa.concat_arrays([*column.chunks, column.chunk(0)[:0]]) for column in table.columns)
    return pa.table(list(columns), schema=table.schema)
