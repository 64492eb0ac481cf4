"""CSV and workbook files, as they come, into plain tables; or a sentence that says why not."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from core.errors import SalesError
from core.i18n import N_
from core.importing.encodings import UNREADABLE, find_encoding, text_in

Cell = str | int | float | bool | date | datetime | time | timedelta | None

SEPARATORS = (",", ";", "\t", "|")
_SAMPLE_ROWS = 200
_ESCAPED_QUOTE = re.compile(r'\\"[^,;\t|\r\n]')
_HEADER_ROWS = 25
_WORKBOOK_MARKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_OLD_WORKBOOK_MARKS = (b"\x09\x08", b"\x09\x04", b"\x09\x02")


class UnreadableFile(SalesError):
    """A file that is no table that we can read."""

    text = N_("{file} is not a table that can be read. Save it as CSV or XLSX and try again.")


class EmptyFile(UnreadableFile):
    """A file without a row."""

    text = N_("{file} holds no rows.")


class LockedWorkbook(UnreadableFile):
    """A workbook behind a password."""

    text = N_("{file} is protected by a password. Take the password off and try again.")


class NoSuchSheet(UnreadableFile):
    """A sheet that the workbook does not hold."""

    text = N_("{file} has no sheet named {sheet}.")


@dataclass(frozen=True)
class Table:
    """One sheet: named columns, and rows with the numbers that a spreadsheet shows beside them.

    Every row has as many cells as there are columns; rows without a value are left out. `encoding`
    and `separator` are those of a text file, `unreadable` the letters that the encoding could not say.
    """

    file: str
    sheet: str
    header_row: int
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_numbers: tuple[int, ...]
    encoding: str = ""
    separator: str = ""
    unreadable: int = 0


@dataclass(frozen=True)
class SourceFile:
    """A file's name and bytes, and what tells it from another."""

    name: str
    content: bytes

    @property
    def hash(self) -> str:
        """SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def is_workbook(content: bytes) -> bool:
    """Say whether the bytes begin as an XLSX or XLS file does."""
    return content.startswith(_WORKBOOK_MARKS) or content.startswith(_OLD_WORKBOOK_MARKS)


def sheet_names(source: SourceFile) -> list[str]:
    """Return the sheets of a workbook that hold rows; [""] for a text file. Raises UnreadableFile."""
    if not is_workbook(source.content):
        return [""]
    workbook = _open(source)
    return [name for name in workbook.sheet_names if _sheet(source, workbook, name).height]


def read_table(
    source: SourceFile, *, sheet: str | None = None, header_row: int | None = None, encoding: str | None = None
) -> Table:
    """Return one sheet (the first that holds rows) as a table.

    `header_row` counts from 1 as spreadsheets do; None looks for the first row that reads like
    names of columns. `encoding` None looks for that of a text file. Raises UnreadableFile.
    """
    written_in = separator = name = ""
    unreadable = 0
    if is_workbook(source.content):
        name, grid = _workbook_grid(source, sheet)
    else:
        text, written_in = decode(source, encoding)
        unreadable = text.count(UNREADABLE)
        separator, grid = _text_grid(source, text)
    filled = [row for row in grid if any(not is_blank(cell) for cell in row)]
    if not filled:
        raise EmptyFile(file=source.name)
    at = _header_index(grid) if header_row is None else min(max(header_row - 1, 0), len(grid) - 1)
    width = max(len(row) for row in grid[at:]) if grid[at:] else 0
    body = [
        (number, tuple(row) + (None,) * (width - len(row)))
        for number, row in enumerate(grid[at + 1 :], start=at + 2)
        if any(not is_blank(cell) for cell in row)
    ]
    header = tuple(grid[at]) + (None,) * (width - len(grid[at]))
    used = [
        index
        for index in range(width)
        if not is_blank(header[index]) or any(not is_blank(row[index]) for _number, row in body)
    ]
    return Table(
        file=source.name,
        sheet=name,
        header_row=at + 1,
        columns=_column_names([header[index] for index in used], used),
        rows=tuple(tuple(row[index] for index in used) for _number, row in body),
        row_numbers=tuple(number for number, _row in body),
        encoding=written_in,
        separator=separator,
        unreadable=unreadable,
    )


def is_blank(cell: Cell) -> bool:
    """Say whether a cell holds nothing."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def text_of(cell: Cell) -> str:
    """Return a cell as the text that a person would have typed: 3.0 is "3", a day is ISO."""
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime():
            return cell.isoformat(sep=" ")
        case date():
            return cell.isoformat()
    return " ".join(str(cell).replace("\x00", "").split()) if isinstance(cell, str) else str(cell)


def decode(source: SourceFile, encoding: str | None = None) -> tuple[str, str]:
    """Return a text file's text and encoding: the one said, else the one found. Raises UnreadableFile."""
    used = encoding or find_encoding(source.content)
    if used is None:
        raise UnreadableFile(file=source.name)
    return text_in(source.content, used), used


def _text_grid(source: SourceFile, text: str) -> tuple[str, list[list[Cell]]]:
    csv.field_size_limit(16_000_000)
    best: tuple[float, str] | None = None
    escape = "\\" if '""' not in text and _ESCAPED_QUOTE.search(text) else None
    for separator in SEPARATORS:
        try:
            sample = _parse(text, separator, escape, _SAMPLE_ROWS)
        except csv.Error:
            continue
        widths = Counter(len(row) for row in sample if row)
        if not widths:
            continue
        width, count = widths.most_common(1)[0]
        score = (count / widths.total()) * (width - 1) ** 0.5 if width > 1 else 0.0
        if best is None or score > best[0]:
            best = (score, separator)
    if best is None:
        raise EmptyFile(file=source.name)
    try:
        rows = _parse(text, best[1], escape, None)
    except csv.Error as error:
        raise UnreadableFile(file=source.name) from error
    return best[1], [list(row) for row in rows]


def _parse(text: str, separator: str, escape: str | None, limit: int | None) -> list[list[str]]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, escapechar=escape, doublequote=escape is None,
        skipinitialspace=False,
    )  # fmt: skip
    rows: list[list[str]] = []
    for row in reader:
        rows.append(row)
        if limit is not None and len(rows) >= limit:
            break
    return rows


def _open(source: SourceFile) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_filelike(io.BytesIO(source.content))
    except PasswordError as error:
        raise LockedWorkbook(file=source.name) from error
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableFile(file=source.name) from error


def _sheet(source: SourceFile, workbook: CalamineWorkbook, name: str) -> CalamineSheet:
    try:
        return workbook.get_sheet_by_name(name)
    except (CalamineError, OSError, ValueError) as error:
        raise UnreadableFile(file=source.name) from error


def _workbook_grid(source: SourceFile, sheet: str | None) -> tuple[str, list[list[Cell]]]:
    workbook = _open(source)
    if sheet and sheet not in workbook.sheet_names:
        raise NoSuchSheet(file=source.name, sheet=sheet)
    for name in [sheet] if sheet else workbook.sheet_names:
        chosen = _sheet(source, workbook, name)
        if chosen.height:
            return name, [list(row) for row in chosen.to_python(skip_empty_area=False)]
    raise EmptyFile(file=source.name)


def _header_index(grid: list[list[Cell]]) -> int:
    """Return the first row that is as wide as most of those after it, and all names."""
    counts = [sum(not is_blank(cell) for cell in row) for row in grid[: _HEADER_ROWS + _SAMPLE_ROWS]]
    first = next(index for index, count in enumerate(counts) if count) if any(counts) else 0
    if first >= _HEADER_ROWS:
        return _first_filled(grid)
    for index in range(first, min(len(counts), _HEADER_ROWS)):
        following = [count for count in counts[index + 1 :] if count]
        usual = max(Counter(following).items(), key=lambda item: (item[1], item[0]))[0] if following else 0
        enough = counts[index] >= max(1, 0.6 * min(usual, max(following, default=0)))
        if counts[index] and enough and all(_reads_like_a_name(cell) for cell in grid[index]):
            if counts[index] == 1 and usual > 1:
                continue
            return index
    return first


def _first_filled(grid: list[list[Cell]]) -> int:
    return next((index for index, row in enumerate(grid) if any(not is_blank(cell) for cell in row)), 0)


def _reads_like_a_name(cell: Cell) -> bool:
    if is_blank(cell):
        return True
    if not isinstance(cell, str):
        return False
    stripped = cell.strip().replace(",", "").replace(".", "").replace("-", "").replace("/", "")
    return not stripped.isdigit()


def _column_names(cells: list[Cell], places: list[int]) -> tuple[str, ...]:
    """Return a name for each column: blank ones by their letter, doubled ones numbered."""
    names: list[str] = []
    for cell, place in zip(cells, places, strict=True):
        plain = text_of(cell) or f"[{column_letter(place)}]"
        name, count = plain, 1
        while name in names:
            count += 1
            name = f"{plain} ({count})"
        names.append(name)
    return tuple(names)


def column_letter(index: int) -> str:
    """Return the letter of the column `index` (from 0) as spreadsheets write it."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
