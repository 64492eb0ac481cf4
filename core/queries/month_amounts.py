"""Amounts of rows by the months of a fiscal year, as a grid that can be typed over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.domain.periods import Period, add_months

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date
    from decimal import Decimal

    from sqlalchemy import ColumnElement


@dataclass(frozen=True)
class GridRow:
    """A line of a grid: what it is of, and for people the team with its name."""

    id: int
    name: str
    team_id: int | None = None
    team: str = ""


@dataclass(frozen=True)
class AmountGrid:
    """The amounts of a fiscal year: per row and month what it is and the stored row's version."""

    months: tuple[date, ...]
    rows: tuple[GridRow, ...]
    cells: dict[tuple[int, date], tuple[Decimal, int]]
    last_year: dict[tuple[int, date], Decimal]


def stored_around(table: Any, period: Period) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a year's amounts and those of the year before."""
    return table.month >= add_months(period.start, -12), table.month < period.end


def amount_grid(
    period: Period, stored: Iterable[tuple[int, Any]], rows_of: Callable[[set[int]], Sequence[GridRow]]
) -> AmountGrid:
    """Return the grid of a year from the stored amounts around it, each with the number of its grid row.

    `rows_of` gives the lines, told which have an amount in the year. Last year's amounts stand a year on.
    """
    cells: dict[tuple[int, date], tuple[Decimal, int]] = {}
    last_year: dict[tuple[int, date], Decimal] = {}
    for number, row in stored:
        if row.month in period:
            cells[number, row.month] = (row.amount, row.version)
        else:
            last_year[number, add_months(row.month, 12)] = row.amount
    rows = rows_of({number for number, _month in cells})
    return AmountGrid(tuple(period.months()), tuple(rows), cells, last_year)
