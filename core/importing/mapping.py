"""Which file is which, and which column means what: suggested by name, for a person to confirm."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from rapidfuzz import fuzz

from core.importing.cleaning import DayOrder, instant_in, means_nothing, number_in, simpler
from core.importing.fields import AMOUNTS, FIELDS, FileKind
from core.importing.readers import Cell, Table

_NEAR = 84.0
_EXACT, _FAINT = 100.0, 90.0
_SAMPLE, _MOST = 200, 0.5
_ANY_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True)
class FileMapping:
    """What a file is, and the field that each of its columns fills; columns left out are not read.

    `currency` is that of the amounts where no column names one; "" stands for the base currency.
    """

    kind: FileKind
    columns: Mapping[str, str] = field(default_factory=dict)
    remembered: bool = False
    currency: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of required fields that no column fills."""
        filled = set(self.columns.values())
        return tuple(
            one.name for one in FIELDS.get(self.kind, ()) if one.required and not filled & {one.name, *one.instead}
        )

    @property
    def undenominated(self) -> str | None:
        """The column of amounts, where no column says in which currency they are."""
        if self.column_of("currency") is not None:
            return None
        return self.column_of(AMOUNTS[self.kind]) if self.kind in AMOUNTS else None

    def column_of(self, name: str) -> str | None:
        """Return the column that fills the field, if any."""
        return next((column for column, filled in self.columns.items() if filled == name), None)


def signature(columns: Iterable[str]) -> str:
    """Return what tells a layout of columns from another: SHA-256 of the sorted names."""
    return hashlib.sha256("\n".join(sorted(columns)).encode()).hexdigest()


def suggest(table: Table, remembered: Mapping[tuple[str, str], dict[str, Any]]) -> FileMapping:
    """Return the remembered mapping of such a file, else the kind whose fields its columns name best."""
    known = remembered.get(("file", signature(table.columns)))
    if known is not None:
        columns = {name: to for name, to in known["columns"].items() if name in table.columns}
        return FileMapping(FileKind(known["kind"]), columns, remembered=True, currency=known.get("currency", ""))
    best, best_score = FileMapping(FileKind.NONE), 0.0
    for kind in FIELDS:
        columns = suggest_columns(kind, table.columns)
        found = FileMapping(kind, columns)
        required = [one.name for one in FIELDS[kind] if one.required]
        filled = set(columns.values())
        score = len(filled) + 2 * sum(name in filled for name in required)
        score = score / (len(table.columns) ** 0.5) - 4 * len(found.missing)
        if not found.missing and len(filled) >= 2 and score > best_score and _holds(found, table):
            best, best_score = found, score
    return best


def _holds(mapping: FileMapping, table: Table) -> bool:
    """Say whether the cells are what the mapping takes them for: most days are days, most amounts numbers."""
    for name, reads in (("day", _is_day), ("amount", _is_number), ("at", _is_day)):
        column = mapping.column_of(name)
        if column is None:
            continue
        place = table.columns.index(column)
        cells = [row[place] for row in table.rows[:_SAMPLE] if not means_nothing(row[place])]
        if cells and sum(map(reads, cells)) < _MOST * len(cells):
            return False
    return True


def _is_day(cell: Cell) -> bool:
    try:
        instant_in(cell, order=DayOrder.DAY_FIRST, zone=_ANY_ZONE)
    except ValueError:
        try:
            instant_in(cell, order=DayOrder.MONTH_FIRST, zone=_ANY_ZONE)
        except ValueError:
            return False
    return True


def _is_number(cell: Cell) -> bool:
    try:
        number_in(cell)
    except ValueError:
        return False
    return True


def suggest_columns(kind: FileKind, columns: Iterable[str]) -> dict[str, str]:
    """Return the field that each column most likely fills; a column without a likely one is left out."""
    scored: list[tuple[float, int, int, str, str, bool]] = []
    for place, column in enumerate(columns):
        name = _plain(column)
        for order, one in enumerate(FIELDS.get(kind, ())):
            score = max(
                [_likeness(name, word) - index / 100 for index, word in enumerate(one.words)]
                + [_FAINT - index / 100 for index, word in enumerate(one.faint) if name == _plain(word)],
                default=0.0,
            )
            if score >= _NEAR:
                scored.append((score, -place, -order, column, one.name, one.many))
    taken: set[str] = set()
    chosen: dict[str, str] = {}
    for _score, _place, _order, column, name, many in sorted(scored, reverse=True):
        if column not in chosen and (many or name not in taken):
            chosen[column] = name
            taken.add(name)
    return {column: chosen[column] for column in columns if column in chosen}


def _likeness(name: str, word: str) -> float:
    plain = _plain(word)
    if name == plain or name.replace(" ", "") == plain.replace(" ", ""):
        return _EXACT
    if len(name) < 5 or len(plain) < 5:
        return 0.0
    return min(fuzz.ratio(name, plain), 95.0)


def _plain(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", simpler(unicodedata.normalize("NFKC", name)))
    return " ".join(re.split(r"[\s_\-./:()\[\]]+", spaced.casefold())).strip()
