"""Columns of whole blocks of rows: small numbers in an array, and what they stand for in a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.signedinteger[Any]]
Bytes = NDArray[np.uint8]

NULL = -1
"""Stands for NULL in every column; all other numbers are 0 or more."""

_WIDTHS = ((1 << 7, 1, 1), (1 << 15, 2, 2), (1 << 23, 3, 3), (1 << 31, 4, 4), (1 << 47, 6, 5), (1 << 62, 8, 6))
_REAL = 7


@dataclass(frozen=True)
class Stored:
    """Values as SQLite's file keeps them: serial type, how many bytes, and the bytes from the left of each row.

    `serial` and `widths` are arrays over the rows, or one number where they are alike.
    """

    serial: Ints | int
    widths: Ints | int
    content: Bytes


class Kind(ABC):
    """What the numbers of a column stand for."""

    @abstractmethod
    def values(self, numbers: Ints) -> list[Any]:
        """Return the values as SQL takes them; no number is NULL."""

    @abstractmethod
    def stored(self, numbers: Ints) -> Stored:
        """Return the values as SQLite's file keeps them; where a number is NULL the content is any."""

    def ranks(self, numbers: Ints) -> Ints:
        """Return numbers that are in order where the values are."""
        return numbers


class Whole(Kind):
    """The numbers themselves."""

    def values(self, numbers: Ints) -> list[Any]:
        """Return them as they are."""
        found: list[Any] = numbers.tolist()
        return found

    def stored(self, numbers: Ints) -> Stored:
        """Return all in the width that the largest needs."""
        most = int(numbers.max(initial=0))
        width, serial = next((width, serial) for limit, width, serial in _WIDTHS if most < limit)
        octets = np.ascontiguousarray(numbers, dtype=">i8").view(np.uint8).reshape(-1, 8)
        return Stored(serial, width, octets[:, 8 - width :])


class Hundredths(Kind):
    """Real numbers, kept as hundredths."""

    def values(self, numbers: Ints) -> list[Any]:
        """Return floats."""
        found: list[Any] = (numbers / 100).tolist()
        return found

    def stored(self, numbers: Ints) -> Stored:
        """Return IEEE doubles."""
        return Stored(_REAL, 8, (numbers / 100).astype(">f8").view(np.uint8).reshape(-1, 8))


class Words(Kind):
    """Texts of a vocabulary; the numbers are places in it, counted from `start`."""

    def __init__(self, vocabulary: Sequence[str], *, start: int = 0) -> None:
        encoded = np.array([word.encode() for word in vocabulary] or [b""])
        self.count, self.start = len(vocabulary), start
        self._texts = np.array([*vocabulary, ""], dtype=object)
        self._lengths = np.array([len(word.encode()) for word in vocabulary] or [0])
        self._content = encoded.view(np.uint8).reshape(len(encoded), -1)
        self._ranks = np.empty(len(encoded), dtype=np.int64)
        self._ranks[np.argsort(encoded, kind="stable")] = np.arange(len(encoded))
        self._even = len(np.unique(self._lengths)) == 1

    def values(self, numbers: Ints) -> list[Any]:
        """Return the texts."""
        found: list[Any] = self._texts[numbers - self.start].tolist()
        return found

    def stored(self, numbers: Ints) -> Stored:
        """Return UTF-8."""
        places = numbers - self.start
        width = int(self._lengths[0]) if self._even else np.take(self._lengths, places)
        return _text(width, np.take(self._content, places, axis=0))

    def ranks(self, numbers: Ints) -> Ints:
        """Order by UTF-8's bytes, as SQLite does."""
        return np.take(self._ranks, numbers - self.start)


class Pairs(Kind):
    """Two texts, one behind the other; the numbers are the first's × the second's count + the second's."""

    def __init__(self, first: Words, second: Words) -> None:
        self._first, self._second = first, second

    def values(self, numbers: Ints) -> list[Any]:
        """Return the texts."""
        first, second = np.divmod(numbers, self._second.count)
        return [a + b for a, b in zip(self._first.values(first), self._second.values(second), strict=True)]

    def stored(self, numbers: Ints) -> Stored:
        """Return UTF-8."""
        place, rest = np.divmod(numbers, self._second.count)
        first, second = self._first.stored(place), self._second.stored(rest)
        content = np.hstack([first.content, second.content])
        if not isinstance(first.widths, int):
            for width in np.unique(first.widths).tolist():
                here = np.flatnonzero(first.widths == width)
                content[here, width : width + second.content.shape[1]] = second.content[here]
        return _text(first.widths + second.widths, content)

    def ranks(self, numbers: Ints) -> Ints:
        """Return the numbers: right where the first texts are in order and of one length."""
        return numbers


class Texts(Kind):
    """ASCII texts of one block, each at the right end of its row of `content`; the numbers are rows."""

    def __init__(self, content: Bytes, lengths: Ints) -> None:
        self._content, self._lengths = content, lengths

    def values(self, numbers: Ints) -> list[Any]:
        """Return the texts."""
        rows, ends = self._content[numbers], self._content.shape[1] - self._lengths[numbers]
        return [row[start:].tobytes().decode("ascii") for row, start in zip(rows, ends.tolist(), strict=True)]

    def stored(self, numbers: Ints) -> Stored:
        """Return the bytes, moved to the left."""
        lengths, rows = np.take(self._lengths, numbers), np.take(self._content, numbers, axis=0)
        end = rows.shape[1]
        for length in np.unique(lengths).tolist():
            here = np.flatnonzero(lengths == length)
            rows[here, :length] = rows[here, end - length :]
        return _text(lengths, rows)


@dataclass(frozen=True)
class Column:
    """One column of a block of rows."""

    kind: Kind
    numbers: Ints

    def __len__(self) -> int:
        return len(self.numbers)

    def values(self) -> list[Any]:
        """Return the values as SQL takes them."""
        gaps = np.flatnonzero(self.numbers == NULL)
        if not len(gaps):
            return self.kind.values(self.numbers)
        if len(gaps) == len(self):
            return [None] * len(self)
        found = self.kind.values(self._filled())
        for place in gaps.tolist():
            found[place] = None
        return found

    def stored(self) -> Stored:
        """Return the values as SQLite's file keeps them."""
        gaps = self.numbers == NULL
        if not gaps.any():
            return self.kind.stored(self.numbers)
        if gaps.all():
            return Stored(0, 0, np.empty((len(gaps), 0), dtype=np.uint8))
        said = self.kind.stored(self._filled())
        return Stored(np.where(gaps, 0, said.serial), np.where(gaps, 0, said.widths), said.content)

    def ranks(self) -> Ints:
        """Return numbers in the order of the values, 0 for NULL."""
        gaps = self.numbers == NULL
        if gaps.all():
            return np.zeros(len(self), dtype=np.int64)
        return np.where(gaps, 0, self.kind.ranks(self._filled()) + 1)

    def taken(self, rows: Ints) -> Column:
        """Return some rows alone."""
        return Column(self.kind, np.take(self.numbers, rows))

    def _filled(self) -> Ints:
        """Return the numbers with the largest, which every kind knows, instead of each NULL."""
        return np.where(self.numbers == NULL, self.numbers.max(), self.numbers)


Block = Mapping[str, Column]
"""Rows of one table, as columns by name."""

WHOLE = Whole()
HUNDREDTHS = Hundredths()


def whole(numbers: Ints) -> Column:
    """Return a column of numbers."""
    return Column(WHOLE, numbers)


def constant(number: int, count: int) -> Column:
    """Return a column that says the same number in each row."""
    return Column(WHOLE, np.full(count, number))


def rows_of(block: Block) -> list[tuple[Any, ...]]:
    """Return the block as rows, for SQL."""
    return list(zip(*(column.values() for column in block.values()), strict=True))


def joined(blocks: Sequence[Column]) -> Column:
    """Return columns of one kind, one behind the other."""
    return Column(blocks[0].kind, np.concatenate([block.numbers for block in blocks]))


def _text(lengths: Ints | int, content: Bytes) -> Stored:
    return Stored(2 * lengths + 13, lengths, content)
