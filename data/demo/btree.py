"""B-trees of SQLite's file format, filled from the left at one go: https://www.sqlite.org/fileformat2.html.

A row's cell is its size, its number, a header of serial types, and the values. Cells fill pages one after the other;
of an index, the entry between two pages stands in the page above. No page is ever split, nothing is sorted by
comparing rows, and no Python runs for a row: a million deals have fifty million entries in tables and indexes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.demo.columns import Bytes, Ints, Stored

TABLE_LEAF, TABLE_ABOVE, INDEX_LEAF, INDEX_ABOVE = 0x0D, 0x05, 0x0A, 0x02
MOST_ROWS = 1 << 28
"""Above this a row's number would not fit its four bytes."""

_ONE_BYTE = 1 << 7
_TWO_BYTES = 1 << 14
_POINTER = 2
_AT_ONCE = 1 << 16
_TOO_WIDE = "the rows are too wide for their pages"

Part = tuple[Bytes, Ints | int]
"""Bytes from the left of each row, and how many of them: an array over the rows, or one number."""

Place = Callable[[Bytes], Ints]
"""Writes whole pages somewhere in the file and returns their numbers."""


@dataclass(frozen=True)
class Cells:
    """Cells of one kind, part by part."""

    parts: tuple[Part, ...]
    count: int

    @property
    def lengths(self) -> Ints:
        """How many bytes each cell has."""
        found = np.zeros(self.count, dtype=np.int64)
        for _content, widths in self.parts:
            found += widths
        return found

    def taken(self, rows: Ints) -> Cells:
        """Return some cells alone."""
        parts = tuple(
            (np.take(content, rows, axis=0), widths if isinstance(widths, int) else np.take(widths, rows))
            for content, widths in self.parts
        )
        return Cells(parts, len(rows))

    def below(self, pages: Ints) -> Cells:
        """Return the cells with the number of the page to the left of each."""
        return replace(self, parts=((_big_endian(pages), 4), *self.parts))

    def write(self, buffer: Bytes, places: Ints) -> None:
        """Write each cell at its place."""
        at = places.copy()
        for content, widths in self.parts:
            if isinstance(widths, int):
                _scatter(buffer, at, content[:, :widths])
            else:
                for width in np.unique(widths).tolist():
                    here = np.flatnonzero(widths == width)
                    _scatter(buffer, at[here], content[here, :width])
            at += widths


def table_cells(numbers: Ints, columns: Sequence[Stored]) -> Cells:
    """Return the cells of rows with these numbers."""
    return _cells(columns, len(numbers), _varint(numbers, 4))


def index_cells(columns: Sequence[Stored], count: int) -> Cells:
    """Return the entries whose last column is the row's number."""
    return _cells(columns, count, np.empty((count, 0), dtype=np.uint8))


def table_leaves(cells: Cells, page_size: int) -> tuple[Bytes, Ints]:
    """Return pages full of rows, and the place of the last row of each."""
    starts, ends = _filled(cells.lengths, page_size - 8, between=False)
    return _pages(TABLE_LEAF, cells, starts, ends, None, page_size), ends - 1


def table_root(pages: Ints, last: Ints, page_size: int, place: Place) -> Bytes:
    """Return the root above two leaves or more; `last` is the last row's number of each page."""
    if len(pages) == 1:
        raise ValueError("one page of rows has nothing above it")
    most = (page_size - 12) // (8 + _POINTER) + 1
    while True:
        count = -(-len(pages) // most)
        bounds = np.linspace(0, len(pages), count + 1).astype(np.int64)
        starts, ends = bounds[:-1], bounds[1:] - 1
        cells = Cells(((np.hstack([_big_endian(pages), _varint(last, 4)]), 8),), len(pages))
        made = _pages(TABLE_ABOVE, cells, starts, ends, pages[ends], page_size)
        if count == 1:
            return made
        pages, last = place(made), last[ends]


def index_root(count: int, entries: Callable[[Ints], Cells], page_size: int, place: Place) -> Bytes:
    """Return the root of an index; `entries` gives those at some places of its order."""
    pages: list[Ints] = []
    between: list[Ints] = []
    for start in range(0, max(count, 1), _AT_ONCE):
        end = min(start + _AT_ONCE, count)
        cells = entries(np.arange(start, end - (end < count)))
        starts, ends = _filled(cells.lengths, page_size - 8, between=True)
        made = _pages(INDEX_LEAF, cells, starts, ends, None, page_size)
        if end == count and not pages and len(starts) == 1:
            return made
        pages.append(place(made))
        between.append(start + (ends if end < count else ends[:-1]))
    left, above = np.concatenate(pages), np.concatenate(between)
    while True:
        cells = entries(above).below(left[:-1])
        starts, ends = _filled(cells.lengths, page_size - 12, between=True)
        made = _pages(INDEX_ABOVE, cells, starts, ends, left[ends], page_size)
        if len(starts) == 1:
            return made
        left, above = place(made), above[ends[:-1]]


def _filled(lengths: Ints, room: int, *, between: bool) -> tuple[Ints, Ints]:
    """Return where each page's cells start and end; `between` pages one cell is left out."""
    count = len(lengths)
    if not count:
        return np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    most, least = int(lengths.max()) + _POINTER, int(lengths.min()) + _POINTER
    if most == least:
        starts = np.arange(0, count, room // most + between)
        ends = np.minimum(starts + room // most, count)
    else:
        found, at = [], 0
        reach = np.concatenate([[0], np.cumsum(lengths + _POINTER)]).data
        while at < count:
            found.append(at)
            low, high = min(at + room // most, count), min(at + room // least, count)
            at = bisect_right(reach, reach[at] + room, low, high + 1) - 1 + between
        starts = np.array(found)
        ends = np.append(starts[1:], at) - between
    if between and ends[-1] == count - 1:
        ends[-1] -= 1
        starts, ends = np.append(starts, count - 1), np.append(ends, count)
    return starts, ends


def _pages(flag: int, cells: Cells, starts: Ints, ends: Ints, right: Ints | None, page_size: int) -> Bytes:
    """Return pages whose cells are `starts[i]` to `ends[i]`; `right` is the page behind the last cell of each."""
    head = 8 if right is None else 12
    held = ends - starts
    first = np.concatenate([[0], np.cumsum(held)])
    if first[-1] < cells.count:
        cells = cells.taken(np.arange(first[-1]) + np.repeat(starts - first[:-1], held))
    lengths = cells.lengths
    if lengths.max(initial=0) > (page_size - 12) // 4 - 23:
        raise ValueError(_TOO_WIDE)
    behind = np.concatenate([[0], np.cumsum(lengths)])
    bounds = behind[first]
    content = page_size - np.diff(bounds)
    page_at = np.arange(len(starts)) * page_size
    places = behind[:-1] + np.repeat(page_at + content - bounds[:-1], held)
    pages = np.zeros(len(starts) * page_size, dtype=np.uint8)
    cells.write(pages, places)
    pointers = np.repeat((page_at + head) // _POINTER - first[:-1], held) + np.arange(first[-1])
    pages.view(">u2")[pointers] = places & (page_size - 1)
    headers = pages.reshape(-1, page_size)
    headers[:, 0] = flag
    headers[:, 3:5] = _big_endian(held)[:, 2:]
    headers[:, 5:7] = _big_endian(content)[:, 2:]
    if right is not None:
        headers[:, 8:12] = _big_endian(right)
    return pages


def _cells(columns: Sequence[Stored], count: int, number: Bytes) -> Cells:
    """Return size, row's number, the header of serial types with its own length first, and the values."""
    serials = [_serial(column, count) for column in columns]
    length = np.full(count, 1, dtype=np.int64)
    for _content, widths in serials:
        length += widths
    size = length.copy()
    for column in columns:
        size += column.widths
    if int(size.max(initial=0)) >= _TWO_BYTES or int(length.max(initial=0)) >= _ONE_BYTE:
        raise ValueError(_TOO_WIDE)
    sizes = _varint(size, 1 if int(size.max(initial=0)) < _ONE_BYTE else 2)
    bodies = [(column.content, column.widths) for column in columns if column.content.shape[1]]
    heads: list[Part] = [(np.hstack([sizes, number, _varint(length, 1)]), sizes.shape[1] + number.shape[1] + 1)]
    for content, widths in serials:
        before, width = heads[-1]
        if isinstance(widths, int) and isinstance(width, int):
            heads[-1] = (np.hstack([before, content]), width + widths)
        else:
            heads.append((content, widths))
    return Cells((*heads, *bodies), count)


def _serial(column: Stored, count: int) -> Part:
    """Return serial types as varints; SQLite looks at some by their first byte alone, so none is padded."""
    said = np.broadcast_to(np.asarray(column.serial, dtype=np.int64), (count,))
    if int(said.max(initial=0)) < _ONE_BYTE:
        return _varint(said, 1), 1
    wide = said >= _ONE_BYTE
    content = _varint(said, 2)
    content[~wide, 0] = said[~wide]
    return content, 1 + wide


def _varint(values: Ints, width: int) -> Bytes:
    """Return SQLite's varints, padded in front to one width."""
    found = np.empty((len(values), width), dtype=np.uint8)
    for place in range(width):
        septet = (values >> (7 * (width - 1 - place))) & 0x7F
        found[:, place] = septet | (0x80 if place < width - 1 else 0)
    return found


def _big_endian(values: Ints) -> Bytes:
    return values.astype(">u4").view(np.uint8).reshape(-1, 4)


def _scatter(buffer: Bytes, places: Ints, content: NDArray[np.uint8]) -> None:
    """Write each row's bytes at its place, through a view whose items begin at every byte."""
    width = content.shape[1]
    if not width or not len(places):
        return
    items: NDArray[np.void] = np.ndarray((len(buffer) - width + 1,), dtype=f"V{width}", buffer=buffer, strides=(1,))
    items[places] = np.ascontiguousarray(content).view(f"V{width}").ravel()
