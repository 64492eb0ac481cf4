"""What became of each row: imported, merged, there already, or refused with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.i18n import _
from core.importing.mapping import FileMapping
from core.importing.readers import Cell, Table, is_blank, text_of


class Outcome(StrEnum):
    """A row's end."""

    IMPORTED = "imported"
    MERGED = "merged"
    PRESENT = "present"
    REFUSED = "refused"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with one row. An error refuses the row; a warning says how it was taken.

    `row` is 0 where the whole file is meant.
    """

    file: str
    row: int
    column: str
    value: str
    reason: str
    values: Mapping[str, Any] = field(default_factory=dict)
    is_error: bool = True

    def message(self) -> str:
        """Return the reason in the reader's language."""
        return _(self.reason, **self.values)


@dataclass(frozen=True)
class Row:
    """One row of a file under our names of fields."""

    file: int
    number: int
    cells: Mapping[str, tuple[tuple[str, Cell], ...]]

    def cell(self, name: str) -> Cell:
        """Return the value of a field, None where it is blank or not there."""
        found = self.cells.get(name)
        return None if not found or is_blank(found[0][1]) else found[0][1]

    def text(self, name: str, longest: int = 200) -> str:
        """Return a field's value as text."""
        return text_of(self.cell(name))[:longest].strip()

    def joined(self, name: str, longest: int = 4000, *, labelled: bool = True) -> str:
        """Return the values of all columns that fill a field, each with its column's name."""
        filled = [(column, text_of(cell)) for column, cell in self.cells.get(name, ()) if not is_blank(cell)]
        if not labelled:
            return " / ".join(text for _column, text in filled)[:longest]
        if len(self.cells.get(name, ())) == 1 and filled:
            return filled[0][1][:longest]
        return "\n".join(f"{column}: {text}" for column, text in filled)[:longest]


@dataclass
class Source:
    """One file of the batch: its table, its mapping, its bytes' hash."""

    table: Table
    mapping: FileMapping
    hash: str


def rows_of(index: int, source: Source) -> Iterator[Row]:
    """Yield the rows of a file."""
    places: dict[str, list[tuple[str, int]]] = {}
    for place, column in enumerate(source.table.columns):
        name = source.mapping.columns.get(column)
        if name:
            places.setdefault(name, []).append((column, place))
    for number, cells in zip(source.table.row_numbers, source.table.rows, strict=True):
        yield Row(
            index,
            number,
            {name: tuple((column, cells[place]) for column, place in found) for name, found in places.items()},
        )


class Ledger:
    """Keeps the outcome of every row and every problem."""

    def __init__(self, sources: list[Source]) -> None:
        self.sources = sources
        self.problems: list[Problem] = []
        self.outcomes: dict[tuple[int, int], Outcome] = {}

    def warn(self, row: Row, name: str, reason: str, /, value: str | None = None, **values: Any) -> None:
        """Note how a row was taken."""
        self._note(row, name, reason, value, values, is_error=False)

    def refuse(self, row: Row, name: str, reason: str, /, value: str | None = None, **values: Any) -> None:
        """Refuse a row for a reason; further reasons are kept too."""
        self._note(row, name, reason, value, values, is_error=True)
        self.outcomes[row.file, row.number] = Outcome.REFUSED

    def settle(self, row: Row, outcome: Outcome) -> None:
        """Say what became of a row that was not refused."""
        self.outcomes.setdefault((row.file, row.number), outcome)

    def is_refused(self, row: Row) -> bool:
        """Say whether a reason against the row was found."""
        return self.outcomes.get((row.file, row.number)) is Outcome.REFUSED

    def counts(self, file: int | None = None) -> Counter[Outcome]:
        """Return how many rows ended how, in one file or in all."""
        return Counter(end for (index, _row), end in self.outcomes.items() if file is None or index == file)

    def _note(
        self, row: Row, name: str, reason: str, value: str | None, values: dict[str, Any], *, is_error: bool
    ) -> None:
        source = self.sources[row.file]
        column = source.mapping.column_of(name) or ""
        shown = row.text(name) if value is None else value
        self.problems.append(
            Problem(source.table.file, row.number, column, shown, reason, {"value": shown, **values}, is_error=is_error)
        )
