"""The order in which the mirror's states are written: none is lost, and what is asked for together is together."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from core.db.mirror_order import ENDLESS, deals_in_bins, in_order, states_in_bins
from core.db.mirror_waiting import ROW_GROUP, Waiting

EVER = st.one_of(st.integers(9_000, 25_000), st.integers(-400, 400), st.integers(-40_000, 80_000))
"""Days from 1970 on, some before."""
DAYS = st.one_of(EVER, st.just(ENDLESS))
STATES = st.lists(st.tuples(st.booleans(), st.booleans(), DAYS, EVER), max_size=60)


def ordered(day: int) -> int:
    """Return the day by which rows lie: those before 1970 lie together, and those from 2149 on."""
    return min(max(day, 0), 65_535)


def table(rows: list[tuple[bool, bool, int, int]]) -> pa.Table:
    is_open, abroad, until, since = (np.array(column) for column in zip(*rows, strict=True))
    order = in_order(is_open.astype(bool), abroad.astype(bool), until.astype(np.int64), since.astype(np.int64))
    return pa.table({
        "row": pa.array(order),
        "is_open": pa.array(is_open.astype(bool)[order]),
        "currency": pa.array(np.ones(len(rows), np.int32), mask=~abroad.astype(bool)[order]),
        "until_on": pa.array(until.astype(np.int32)[order]).view(pa.date32()),
    })  # fmt: skip


@settings(deadline=None)
@given(STATES.filter(bool))
def test_each_state_is_in_one_bin_and_a_bin_is_half_a_year_of_what_ended_or_all_that_is_closed(rows):
    found = states_in_bins(table(rows))
    assert sorted(row for part in found.values() for row in part["row"].to_pylist()) == list(range(len(rows)))
    for number, part in found.items():
        chosen = [rows[row] for row in part["row"].to_pylist()]
        if number == 0:
            assert all(not is_open and until == ENDLESS for is_open, _abroad, until, _since in chosen)
            days = [ordered(since) for *_rest, since in chosen]
            assert days == sorted(days)
        else:
            days = [ordered(until) for _open, _abroad, until, _since in chosen]
            assert len({until // 183 for until in days}) == 1
            assert len({abroad for _open, abroad, *_rest in chosen}) == 1
            assert days == sorted(days)


def test_a_bin_holds_no_more_memory_than_its_rows():
    many = table([(True, False, 20_000 + row % 900, 0) for row in range(50_000)])
    few = states_in_bins(many)[20_000 // 183 + 1]
    assert few["row"].chunk(0).buffers()[1].size <= 8 * few.num_rows + 64


def test_rows_wait_in_their_bins_until_they_fill_a_row_group_and_the_rest_is_written_together():
    written: list[tuple[str, int]] = []
    waiting = Waiting(
        duckdb.connect(),
        lambda _cursor, name, rows: written.append((name, rows.num_rows)),
        frozenset({"states"}),
    )
    part = pa.table({"row": np.arange(50_000)})
    for _time in range(3):
        waiting.add({"states 000001": part, "states 000007": part.slice(0, 10)})
    assert written == [("states", ROW_GROUP)]
    waiting.end()
    assert written[1:] == [("states", 150_000 - ROW_GROUP + 30)]


@settings(deadline=None)
@given(st.lists(st.none() | EVER.filter(lambda day: day < 60_000), min_size=1, max_size=60))
def test_deals_are_in_bins_by_the_half_year_of_their_close_and_open_ones_behind_all_of_them(closed):
    table = pa.table({"id": range(len(closed)), "closed_on": pa.array(closed, pa.int32()).view(pa.date32())})
    found = deals_in_bins(table)
    rows = [row for number in sorted(found) for row in found[number]["id"].to_pylist()]
    assert sorted(rows) == list(range(len(closed)))
    days = [ordered(ENDLESS if closed[row] is None else closed[row]) for row in rows]
    assert days == sorted(days)
    assert all(len({closed[row] is None for row in part["id"].to_pylist()}) == 1 for part in found.values())
