"""The grid of quotas: reps or teams by the months of a fiscal year, pasted from a spreadsheet and saved at once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, cast

import pandas as pd
import streamlit as st

from core.errors import SalesError
from core.i18n import _, _n, format_money, format_month, format_number
from core.queries.administration import quota_grid, team_parents
from core.reports.tables import Column
from core.services.quotas import QuotaChange, save_quotas
from core.ui import session
from core.ui.administration import (
    do,
    grid_key,
    is_touched,
    renew_grid,
    show_what_was_told,
    tell,
    typed_amounts,
)
from core.ui.page import plain
from core.ui.tables import export_menu, table

if TYPE_CHECKING:
    from datetime import date

    from core.queries.administration import QuotaGrid
    from core.ui.page import View

Of = Literal["rep", "team"]
Amounts = dict[tuple[int, "date"], Decimal]
_FILLED = "administration.filled-quotas"


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    st.caption(
        _(
            "What each rep or team owes a month, in {currency}. Paste a block from a spreadsheet onto the first cell; "
            "amounts such as 50000 or 50,000 are understood.",
            currency=view.currency,
        )
    )
    this_year = view.calendar.year_of(view.today)
    name = str(st.session_state.get("quota-grid-name", ""))
    busy = bool(name) and (is_touched(name) or _filled(name) is not None)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of = cast(
            "Of",
            st.segmented_control(
                _("Quotas of"),
                ["rep", "team"],
                default="rep",
                required=True,
                disabled=busy,
                key="quota-of",
                format_func=lambda code: _("Reps") if code == "rep" else _("Teams"),
            ),
        )
        year = st.selectbox(
            _("Fiscal year"),
            [this_year + 1, this_year, this_year - 1, this_year - 2],
            index=1,
            disabled=busy,
            key="quota-year",
            width=160,
        )
    name = f"quotas-{of}-{year}"
    st.session_state["quota-grid-name"] = name
    grid = view.ask(quota_grid, year=year, of=of)
    if not grid.owners:
        st.info(
            _(
                "There is nobody who could owe a quota. "
                "People and teams are made by the administrator, or by an import."
            ),
            icon=":material/inbox:",
        )
        return
    _fill_from_last_year(grid, name, disabled=busy)
    typed = _editor(grid, name)
    cells, wrong = typed_amounts(grid.owners, grid.months, typed)
    amounts = {cell: amount for cell, amount in cells.items() if amount is not None}
    for sentence in wrong[:5]:
        st.error(plain(sentence), icon=":material/error:")
    _saving(view, grid, of, name, amounts, blocked=bool(wrong))
    _totals(view, grid, amounts, of, year)


def _filled(name: str) -> Amounts | None:
    kept = st.session_state.get(_FILLED)
    return kept[1] if kept and kept[0] == name else None


def _stored(grid: QuotaGrid) -> Amounts:
    return {cell: amount for cell, (amount, _version) in grid.cells.items()}


def _fill_from_last_year(grid: QuotaGrid, name: str, *, disabled: bool) -> None:
    with st.popover(_("Take last year's"), icon=":material/content_copy:", disabled=disabled or not grid.last_year):
        growth = st.number_input(_("Plus, %"), value=10.0, min_value=-100.0, max_value=1000.0, step=1.0)
        st.caption(_("Fills the grid with last year's amounts, rounded to hundreds. Nothing is saved yet."))
        if st.button(_("Fill the grid"), key="quota-fill"):
            factor = 1 + Decimal(str(growth)) / 100
            shown = {owner.id for owner in grid.owners}
            copied = {
                cell: (amount * factor).quantize(Decimal(100))
                for cell, amount in grid.last_year.items()
                if cell[0] in shown
            }
            st.session_state[_FILLED] = (name, {**_stored(grid), **copied})
            renew_grid(name)
            st.rerun()


def _editor(grid: QuotaGrid, name: str) -> pd.DataFrame:
    filled = _filled(name)
    start = _stored(grid) if filled is None else filled
    rows = [
        {
            "team": owner.team,
            "name": owner.name,
            **{month.isoformat(): _said(start.get((owner.id, month))) for month in grid.months},
        }
        for owner in grid.owners
    ]
    frame = pd.DataFrame(rows, index=pd.Index([owner.id for owner in grid.owners]))
    config: dict[str, Any] = {
        "team": st.column_config.TextColumn(_("Team"), disabled=True, width=130)
        if any(owner.team for owner in grid.owners)
        else None,
        "name": st.column_config.TextColumn(_("Name"), disabled=True, pinned=True, width=112),
    }
    for month in grid.months:
        config[month.isoformat()] = st.column_config.TextColumn(format_month(month), alignment="right", width=96)
    return st.data_editor(
        frame,
        hide_index=True,
        column_config=config,
        key=grid_key(name),
        height=min(36 * (len(rows) + 1) + 3, 620),
    )


def _said(amount: Decimal | None) -> str:
    if amount is None:
        return ""
    return format_number(amount, 0 if amount == amount.to_integral_value() else 2)


def _changes(grid: QuotaGrid, amounts: Amounts) -> list[QuotaChange]:
    stored = _stored(grid)
    return [
        QuotaChange(
            owner.id,
            month,
            amounts.get((owner.id, month)),
            grid.cells[owner.id, month][1] if (owner.id, month) in grid.cells else None,
        )
        for owner in grid.owners
        for month in grid.months
        if amounts.get((owner.id, month)) != stored.get((owner.id, month))
    ]


def _saving(view: View, grid: QuotaGrid, of: Of, name: str, amounts: Amounts, *, blocked: bool) -> None:
    changes = _changes(grid, amounts)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            _("Look at the changes and save"),
            type="primary",
            icon=":material/save:",
            disabled=blocked or not changes,
            key="quota-review",
        ):
            _review(view, grid, of, name, changes)
        if (changes or blocked) and st.button(_("Throw away"), icon=":material/undo:", key="quota-undo"):
            _forget(name)
            st.rerun()
        if changes:
            st.caption(_n("{n} cell changed, not saved yet.", "{n} cells changed, not saved yet.", len(changes)))


def _forget(name: str) -> None:
    st.session_state.pop(_FILLED, None)
    renew_grid(name)


def _review(view: View, grid: QuotaGrid, of: Of, name: str, changes: list[QuotaChange]) -> None:
    names = {owner.id: owner.name for owner in grid.owners}
    stored = _stored(grid)

    @session.dialog(_("What will be saved"), width="large")
    def preview() -> None:
        frame = pd.DataFrame(
            [
                {
                    "name": names[change.owner_id],
                    "month": change.month,
                    "before": _float(stored.get((change.owner_id, change.month))),
                    "after": _float(change.amount),
                    "difference": float((change.amount or 0) - (stored.get((change.owner_id, change.month)) or 0)),
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
            Column("name", _("Name")),
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
        table(view, frame, columns, name="quota-changes", export=False, height=320 if len(frame) > 8 else None)
        if st.button(_("Save"), type="primary", icon=":material/save:", key="quota-save"):
            try:
                count = do(view, save_quotas, of=of, changes=changes)
            except SalesError as error:
                st.error(plain(error.message()), icon=":material/block:")
                return
            _forget(name)
            tell(_n("{n} quota is saved.", "{n} quotas are saved.", count))
            st.rerun()

    preview()


def _float(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _totals(view: View, grid: QuotaGrid, amounts: Amounts, of: Of, year: int) -> None:
    st.subheader(_("By month"), anchor=False)
    lines = [
        _month_line(_("This grid"), amounts, grid.months),
        _month_line(_("Last year"), grid.last_year, grid.months),
    ]
    table(
        view,
        pd.DataFrame(lines),
        _month_columns(grid.months, _("Sum")),
        name="quotas-by-month",
        export=False,
    )
    if of == "rep":
        st.subheader(_("By rep"), anchor=False)
        _by_owner(view, grid, amounts)
        own = _stored(view.ask(quota_grid, year=year, of="team"))
        teams = view.ask(quota_grid, year=year, of="team")
        _by_team(view, teams, grid, amounts, own)
    else:
        reps = view.ask(quota_grid, year=year, of="rep")
        _by_team(view, grid, reps, _stored(reps), amounts)


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


def _by_owner(view: View, grid: QuotaGrid, amounts: Amounts) -> None:
    rows = []
    for owner in grid.owners:
        now = sum((a for (number, _m), a in amounts.items() if number == owner.id), Decimal(0))
        before = sum((a for (number, _m), a in grid.last_year.items() if number == owner.id), Decimal(0))
        rows.append(
            {
                "team": owner.team,
                "name": owner.name,
                "year": float(now),
                "before": float(before),
                "growth": float(now / before - 1) if before else None,
            }
        )
    columns = [
        Column("team", _("Team")),
        Column("name", _("Name")),
        Column("year", _("Year"), "count"),
        Column("before", _("Last year"), "count"),
        Column("growth", _("Change"), "rate"),
    ]
    frame = pd.DataFrame(rows)
    table(view, frame, columns, name="quotas-by-rep", export=False, height=300 if len(rows) > 8 else None)
    cells = pd.DataFrame(
        [
            _month_line(owner.name, {cell: a for cell, a in amounts.items() if cell[0] == owner.id}, grid.months)
            for owner in grid.owners
        ]
    )
    export_menu(view, cells, _month_columns(grid.months, _("Name")), name="quotas")


def _by_team(view: View, teams: QuotaGrid, reps: QuotaGrid, of_reps: Amounts, own: Amounts) -> None:
    """Draw each team's own quota against the sum of the reps below it, over the year."""
    parents = view.ask(team_parents)
    sums: dict[int, Decimal] = {}
    for owner in reps.owners:
        owed = sum((a for (number, _m), a in of_reps.items() if number == owner.id), Decimal(0))
        team = owner.team_id
        while team is not None:
            sums[team] = sums.get(team, Decimal(0)) + owed
            team = parents.get(team)
    rows = []
    for team_line in teams.owners:
        given = sum((a for (number, _m), a in own.items() if number == team_line.id), Decimal(0))
        below = sums.get(team_line.id, Decimal(0))
        if given or below:
            rows.append(
                {
                    "name": team_line.name,
                    "own": float(given) if given else None,
                    "reps": float(below),
                    "difference": float(below - given) if given else None,
                }
            )
    if not rows:
        return
    st.subheader(_("Teams against their reps"), anchor=False)
    st.caption(
        _("Where reps below a team have quotas in a month, those count; the team's own counts in the other months.")
    )
    columns = [
        Column("name", _("Team")),
        Column("own", _("The team's own quota"), "count"),
        Column("reps", _("Sum of its reps"), "count"),
        Column("difference", _("Difference"), "count"),
    ]
    table(view, pd.DataFrame(rows), columns, name="quotas-by-team", export=False)
