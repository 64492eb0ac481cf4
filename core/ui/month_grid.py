"""A grid of amounts by rows and the months of a fiscal year: pasted into, looked at, saved all or none."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import streamlit as st

from core.errors import SalesError
from core.i18n import _, _n, format_money, format_month, format_number
from core.reports.tables import Column
from core.services.month_amounts import AmountChange
from core.ui import session
from core.ui.administration import grid_key, is_touched, renew_grid, tell, typed_amounts
from core.ui.page import plain
from core.ui.table_widths import fitting_widths
from core.ui.tables import export_menu, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from core.queries.month_amounts import AmountGrid
    from core.ui.page import View

Amounts = dict[tuple[int, "date"], Decimal]
_FILLED = "administration.filled-amounts"
_MOST_ROWS, _HIGHEST, _WIDEST_NAME = 16, 620, 200


@dataclass(frozen=True)
class Sheet:
    """One grid on a page: `key` begins its widgets' keys, `name` tells it from those of other years.

    `rows` is what its rows are called; `save` keeps changes and returns how many, `told` says so.
    """

    key: str
    name: str
    grid: AmountGrid
    rows: str
    save: Callable[[list[AmountChange]], int]
    told: Callable[[int], str]

    @property
    def stored(self) -> Amounts:
        """The amounts as they are kept."""
        return {cell: amount for cell, (amount, _version) in self.grid.cells.items()}


def is_busy(key: str) -> bool:
    """Say whether the grid that was shown last holds what is neither saved nor thrown away."""
    name = str(st.session_state.get(f"{key}-grid-name", ""))
    return bool(name) and (is_touched(name) or _filled(name) is not None)


def choose_year(view: View, key: str) -> int:
    """Draw the choice of a fiscal year, closed while the grid is being changed."""
    this_year = view.calendar.year_of(view.today)
    years = [this_year + 1, this_year, this_year - 1, this_year - 2]
    return st.selectbox(_("Fiscal year"), years, index=1, disabled=is_busy(key), key=f"{key}-year", width=160)


def edit(view: View, sheet: Sheet) -> Amounts:
    """Draw the grid with what fills and saves it; return the amounts in it."""
    _fill_from_last_year(sheet, disabled=is_busy(sheet.key))
    st.session_state[f"{sheet.key}-grid-name"] = sheet.name
    cells, wrong = typed_amounts(sheet.grid.rows, sheet.grid.months, _editor(sheet))
    amounts = {cell: amount for cell, amount in cells.items() if amount is not None}
    for sentence in wrong[:5]:
        st.error(plain(sentence), icon=":material/error:")
    _saving(view, sheet, amounts, blocked=bool(wrong))
    return amounts


def draw_sums(view: View, sheet: Sheet, amounts: Amounts) -> None:
    """Draw what the amounts add up to by month, beside last year's."""
    months = sheet.grid.months
    st.subheader(_("By month"), anchor=False)
    lines = [_month_line(_("This grid"), amounts, months), _month_line(_("Last year"), sheet.grid.last_year, months)]
    table(view, pd.DataFrame(lines), _month_columns(months, _("Sum")), name=f"{sheet.key}-by-month", export=False)


def draw_by_row(view: View, sheet: Sheet, amounts: Amounts, *, title: str, file: str) -> None:
    """Draw the year of each row beside the last one, and offer all cells as a file."""
    st.subheader(title, anchor=False)
    grid, rows = sheet.grid, []
    for line in grid.rows:
        now = sum((a for (number, _m), a in amounts.items() if number == line.id), Decimal(0))
        before = sum((a for (number, _m), a in grid.last_year.items() if number == line.id), Decimal(0))
        growth = float(now / before - 1) if before else None
        rows.append({"team": line.team, "name": line.name, "year": float(now), "before": float(before),
                     "growth": growth})  # fmt: skip
    columns = [
        *([Column("team", _("Team"))] if any(line.team for line in grid.rows) else []),
        Column("name", sheet.rows),
        Column("year", _("Year"), "count"),
        Column("before", _("Last year"), "count"),
        Column("growth", _("Change"), "rate"),
    ]
    height = 300 if len(rows) > 8 else None
    table(view, pd.DataFrame(rows), columns, name=f"{sheet.key}-by-row", export=False, height=height)
    cells = pd.DataFrame([
        _month_line(line.name, {cell: a for cell, a in amounts.items() if cell[0] == line.id}, grid.months)
        for line in grid.rows
    ])  # fmt: skip
    export_menu(view, cells, _month_columns(grid.months, sheet.rows), name=file)


def _filled(name: str) -> Amounts | None:
    kept = st.session_state.get(_FILLED)
    return kept[1] if kept and kept[0] == name else None


def _fill_from_last_year(sheet: Sheet, *, disabled: bool) -> None:
    last_year = sheet.grid.last_year
    with st.popover(_("Take last year's"), icon=":material/content_copy:", disabled=disabled or not last_year):
        growth = st.number_input(_("Plus, %"), value=10.0, min_value=-100.0, max_value=1000.0, step=1.0)
        st.caption(_("Fills the grid with last year's amounts, rounded to hundreds. Nothing is saved yet."))
        if st.button(_("Fill the grid"), key=f"{sheet.key}-fill"):
            factor = 1 + Decimal(str(growth)) / 100
            shown = {line.id for line in sheet.grid.rows}
            copied = {
                cell: (amount * factor).quantize(Decimal(100)) for cell, amount in last_year.items() if cell[0] in shown
            }
            st.session_state[_FILLED] = (sheet.name, {**sheet.stored, **copied})
            renew_grid(sheet.name)
            st.rerun()


def _editor(sheet: Sheet) -> pd.DataFrame:
    filled, grid = _filled(sheet.name), sheet.grid
    start = sheet.stored if filled is None else filled
    rows = [
        {"team": line.team, "name": line.name}
        | {month.isoformat(): _said(start.get((line.id, month))) for month in grid.months}
        for line in grid.rows
    ]
    frame = pd.DataFrame(rows, index=pd.Index([line.id for line in grid.rows]))
    named, teamed = (_fitting([getattr(line, part) for line in grid.rows]) for part in ("name", "team"))
    config: dict[str, Any] = {
        "team": st.column_config.TextColumn(_("Team"), disabled=True, width=teamed)
        if any(line.team for line in grid.rows)
        else None,
        "name": st.column_config.TextColumn(sheet.rows, disabled=True, pinned=True, width=named),
    }
    for month in grid.months:
        config[month.isoformat()] = st.column_config.TextColumn(format_month(month), alignment="right", width=96)
    height: int | Literal["content"] = _HIGHEST if len(rows) > _MOST_ROWS else "content"
    return st.data_editor(frame, hide_index=True, column_config=config, key=grid_key(sheet.name), height=height)


def _fitting(names: list[str]) -> int:
    return fitting_widths([""], [names], texts=[True], room=_WIDEST_NAME)[0]


def _said(amount: Decimal | None) -> str:
    if amount is None:
        return ""
    return format_number(amount, 0 if amount == amount.to_integral_value() else 2)


def _changes(sheet: Sheet, amounts: Amounts) -> list[AmountChange]:
    grid, stored = sheet.grid, sheet.stored
    return [
        AmountChange(line.id, month, amounts.get(cell), grid.cells[cell][1] if cell in grid.cells else None)
        for line in grid.rows
        for month in grid.months
        if amounts.get(cell := (line.id, month)) != stored.get(cell)
    ]


def _saving(view: View, sheet: Sheet, amounts: Amounts, *, blocked: bool) -> None:
    changes = _changes(sheet, amounts)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            _("Look at the changes and save"), type="primary", icon=":material/save:",
            disabled=blocked or not changes, key=f"{sheet.key}-review",
        ):  # fmt: skip
            _review(view, sheet, changes)
        if (changes or blocked) and st.button(_("Throw away"), icon=":material/undo:", key=f"{sheet.key}-undo"):
            _forget(sheet.name)
            st.rerun()
        if changes:
            st.caption(_n("{n} cell changed, not saved yet.", "{n} cells changed, not saved yet.", len(changes)))


def _forget(name: str) -> None:
    st.session_state.pop(_FILLED, None)
    renew_grid(name)


def _review(view: View, sheet: Sheet, changes: list[AmountChange]) -> None:
    names = {line.id: line.name for line in sheet.grid.rows}
    stored = sheet.stored

    @session.dialog(_("What will be saved"), width="large")
    def preview() -> None:
        frame = pd.DataFrame(
            [
                {
                    "name": names[change.row_id],
                    "month": change.month,
                    "before": _float(stored.get((change.row_id, change.month))),
                    "after": _float(change.amount),
                    "difference": float((change.amount or 0) - (stored.get((change.row_id, change.month)) or 0)),
                }
                for change in changes
            ]
        )
        total = sum(frame["difference"])
        st.text(
            _n(
                "{n} cell changes, the year by {amount} in all.",
                "{n} cells change, the year by {amount} in all.",
                len(changes),
                amount=format_money(total, view.currency),
            )
        )
        columns = [
            Column("name", sheet.rows),
            Column("month", _("Month"), "month"),
            *(
                Column(key, label, "money", view.currency)
                for key, label in (
                    ("before", _("Before")),
                    ("after", _("After")),
                    ("difference", _("Difference")),
                )
            ),
        ]
        height = 320 if len(frame) > 8 else None
        table(view, frame, columns, name=f"{sheet.key}-changes", export=False, height=height)
        if st.button(_("Save"), type="primary", icon=":material/save:", key=f"{sheet.key}-save"):
            try:
                count = sheet.save(changes)
            except SalesError as error:
                st.error(plain(error.message()), icon=":material/block:")
                return
            _forget(sheet.name)
            tell(sheet.told(count))
            st.rerun()

    preview()


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _month_line(label: str, amounts: Amounts, months: tuple[date, ...]) -> dict[str, object]:
    sums = {month: sum((a for (_o, m), a in amounts.items() if m == month), Decimal(0)) for month in months}
    return {
        "label": label,
        **{month.isoformat(): float(sums[month]) for month in months},
        "year": float(sum(sums.values())),
    }


def _month_columns(months: tuple[date, ...], label: str) -> list[Column]:
    return [
        Column("label", label),
        Column("year", _("Year"), "count"),
        *(Column(month.isoformat(), format_month(month), "count") for month in months),
    ]
