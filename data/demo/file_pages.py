"""The tables with many rows, written into a SQLite file that nobody has open, with their indexes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

import numpy as np

from data.demo.btree import Cells, index_cells, index_root, table_cells, table_leaves, table_root
from data.demo.columns import NULL, WHOLE, Block, Bytes, Column, Ints, joined, whole

_LOCK_BYTE = 1 << 30
"""SQLite keeps the page at this place for its locks; it is skipped."""

_AT_CHANGES, _AT_SIZE, _AT_VALID_FOR = 24, 28, 92
_THREADS = 2
_WAITING = 3
_NARROW = 1 << 31


@dataclass(frozen=True)
class IndexPlan:
    """An index: the page of its root, and its columns."""

    root: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class TablePlan:
    """A table as the file has it.

    The page of its root, its columns, the one that is the row's number, those that are never
    NULL, its indexes, and the names of those that SQLite has to make itself.
    """

    root: int
    columns: tuple[str, ...]
    key: str
    needed: frozenset[str]
    indexes: tuple[IndexPlan, ...]
    rest: tuple[str, ...]


@dataclass
class _Filling:
    """What was given of a table: blocks of rows, as pages and each one's last row, and the indexed columns."""

    rows: int = 0
    blocks: list[Future[tuple[Ints, Ints]]] = field(default_factory=list)
    indexed: dict[str, list[Column]] = field(default_factory=dict)


def plan_of(connection: sqlite3.Connection, table: str) -> TablePlan:
    """Return the plan of an empty table; a ValueError where it holds rows."""
    if connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608 - our names
        raise ValueError(f"the table {table} is not empty")
    roots = dict(
        connection.execute("SELECT name, rootpage FROM sqlite_master WHERE tbl_name = ? AND rootpage > 0", (table,))
    )
    said = connection.execute(f"PRAGMA table_info({table})").fetchall()
    indexes, rest = [], []
    for _at, name, _unique, _origin, partial in connection.execute(f"PRAGMA index_list({table})").fetchall():
        parts = [part for part in connection.execute(f"PRAGMA index_xinfo({name})").fetchall() if part[5]]
        if partial or any(part[2] is None or part[3] or part[4] != "BINARY" for part in parts):
            rest.append(name)
        else:
            indexes.append(IndexPlan(roots[name], tuple(part[2] for part in parts)))
    (key,) = (column[1] for column in said if column[5])
    return TablePlan(
        root=roots[table],
        columns=tuple(column[1] for column in said),
        key=key,
        needed=frozenset(column[1] for column in said if column[3] and not column[5]),
        indexes=tuple(indexes),
        rest=tuple(rest),
    )


class FilePages:
    """Appends pages to one file and ties them to the roots that its schema names."""

    def __init__(self, path: Path, plans: dict[str, TablePlan]) -> None:
        self._file = os.open(path, os.O_RDWR)
        head = os.pread(self._file, 100, 0)
        self._size = int.from_bytes(head[16:18], "big") or 65_536
        self._changes = int.from_bytes(head[_AT_CHANGES : _AT_CHANGES + 4], "big")
        self._next = os.fstat(self._file).st_size // self._size + 1
        self._plans = plans
        self._filled = {name: _Filling() for name in plans}
        self._turn = Lock()
        self._threads = ThreadPoolExecutor(_THREADS)

    def append(self, name: str, block: Block) -> None:
        """Write a block of rows behind those that are there; a column that is not in it is NULL."""
        plan, filled = self._plans[name], self._filled[name]
        if not (count := len(next(iter(block.values())))):
            return
        if missing := plan.needed - block.keys():
            raise ValueError(f"{name} needs a value for {', '.join(sorted(missing))}")
        numbers = filled.rows + 1 + np.arange(count)
        if plan.key in block and not np.array_equal(numbers, block[plan.key].numbers):
            raise ValueError(f"the rows of {name} are not numbered from 1 on")
        filled.rows += count
        nothing = Column(WHOLE, np.full(count, NULL))
        columns = {column: block.get(column, nothing) for column in plan.columns} | {plan.key: nothing}
        if sum(not block.done() for block in filled.blocks[-_WAITING:]) == _WAITING:
            filled.blocks[-_WAITING].result()
        filled.blocks.append(self._threads.submit(self._write_rows, plan, numbers, columns))
        for column in {column for index in plan.indexes for column in index.columns} - {plan.key}:
            said = columns[column]
            small = bool(said.numbers.max() < _NARROW)
            kept = Column(said.kind, said.numbers.astype(np.int32) if small else said.numbers)
            filled.indexed.setdefault(column, []).append(kept)

    def _write_rows(self, plan: TablePlan, numbers: Ints, columns: dict[str, Column]) -> tuple[Ints, Ints]:
        known = {id(column): column.stored() for column in columns.values()}
        cells = table_cells(numbers, [known[id(columns[column])] for column in plan.columns])
        pages, last = table_leaves(cells, self._size)
        return self._place(pages), numbers[last]

    def finish(self) -> None:
        """Write what stands above the rows, the indexes and the file's head, and close it."""
        try:
            for name in self._plans:
                if self._filled[name].rows:
                    self._finish_table(name)
            head = [(_AT_CHANGES, self._changes + 1), (_AT_SIZE, self._next - 1), (_AT_VALID_FOR, self._changes + 1)]
            for at, number in head:
                os.pwrite(self._file, number.to_bytes(4, "big"), at)
        finally:
            self.close()

    def _finish_table(self, name: str) -> None:
        plan, filled = self._plans[name], self._filled[name]
        pages, last = map(np.concatenate, zip(*(block.result() for block in filled.blocks), strict=True))
        self._root(plan.root, table_root(pages, last, self._size, self._place))
        columns = {column: joined(parts) for column, parts in filled.indexed.items()}
        columns[plan.key] = whole(np.arange(1, filled.rows + 1, dtype=np.int32))
        filled.indexed.clear()
        list(self._threads.map(lambda index: self._index(index, name, columns, filled.rows), plan.indexes))

    def close(self) -> None:
        """Close the file."""
        self._threads.shutdown(cancel_futures=True)
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _index(self, index: IndexPlan, table: str, columns: dict[str, Column], count: int) -> None:
        chosen = [columns[column] for column in index.columns]
        order = _order([column.ranks() for column in chosen], count)
        chosen.append(columns[self._plans[table].key])

        def entries(places: Ints) -> Cells:
            rows = np.take(order, places)
            return index_cells([column.taken(rows).stored() for column in chosen], len(rows))

        self._root(index.root, index_root(count, entries, self._size, self._place))

    def _place(self, pages: Bytes) -> Ints:
        """Write pages at the file's end and return their numbers."""
        count, lock_page = len(pages) // self._size, _LOCK_BYTE // self._size + 1
        with self._turn:
            numbers = self._next + np.arange(count)
            if self._next <= lock_page:
                numbers[numbers >= lock_page] += 1
            self._next = int(numbers[-1]) + 1
        ahead = count if numbers[0] > lock_page else int((numbers < lock_page).sum())
        view = pages.data
        for start, end in ((0, ahead), (ahead, count)):
            if start < end:
                _write(self._file, view[start * self._size : end * self._size], (int(numbers[start]) - 1) * self._size)
        return numbers

    def _root(self, page: int, content: Bytes) -> None:
        _write(self._file, content.data, (page - 1) * self._size)


def _order(ranks: Sequence[Ints], count: int) -> Ints:
    """Return the rows in the order of their ranks, and of their numbers where those are alike."""
    if _sorted(ranks):
        return np.arange(count)
    bits = [int(rank.max(initial=0)).bit_length() for rank in ranks]
    tail = max(count - 1, 1).bit_length()
    if sum(bits) + tail > 63:
        return np.lexsort(tuple(reversed(ranks)))
    both = np.zeros(count, dtype=np.int64)
    for rank, width in zip(ranks, bits, strict=True):
        both = both << width | rank
    both = both << tail | np.arange(count)
    both.sort()
    return both & ((1 << tail) - 1)


def _sorted(ranks: Sequence[Ints]) -> bool:
    ahead = np.zeros(max(len(ranks[0]) - 1, 0), dtype=bool)
    for rank in ranks:
        if (~ahead & (rank[1:] < rank[:-1])).any():
            return False
        ahead |= rank[1:] > rank[:-1]
    return True


def _write(file: int, content: memoryview, at: int) -> None:
    while len(content):
        done = os.pwrite(file, content, at)
        content, at = content[done:], at + done
