"""The grid of quotas: what reps or teams owe in the months of a fiscal year."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Literal, cast

import pandas as pd
import streamlit as st

from core.i18n import _, _n
from core.queries.administration import quota_grid, team_parents
from core.reports.tables import Column
from core.services.quotas import save_quotas
from core.ui.administration import do, show_what_was_told
from core.ui.month_grid import Amounts, Sheet, choose_year, draw_by_row, draw_sums, edit, is_busy
from core.ui.tables import table

if TYPE_CHECKING:
    from core.queries.month_amounts import AmountGrid
    from core.services.month_amounts import AmountChange
    from core.ui.page import View

Of = Literal["rep", "team"]
_KEY = "quota"


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
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of = cast(
            "Of",
            st.segmented_control(
                _("Quotas of"),
                ["rep", "team"],
                default="rep",
                required=True,
                disabled=is_busy(_KEY),
                key="quota-of",
                format_func=lambda code: _("Reps") if code == "rep" else _("Teams"),
            ),
        )
        year = choose_year(view, _KEY)
    grid = view.ask(quota_grid, year=year, of=of)
    if not grid.rows:
        st.info(
            _(
                "There is nobody who could owe a quota. "
                "People and teams are made by the administrator, or by an import."
            ),
            icon=":material/inbox:",
        )
        return
    sheet = Sheet(_KEY, f"quotas-{of}-{year}", grid, _("Name"), partial(_save, view, of), _told)
    amounts = edit(view, sheet)
    draw_sums(view, sheet, amounts)
    if of == "rep":
        draw_by_row(view, sheet, amounts, title=_("By rep"), file="quotas")
        teams = view.ask(quota_grid, year=year, of="team")
        _by_team(view, teams, grid, amounts, _stored(teams))
    else:
        reps = view.ask(quota_grid, year=year, of="rep")
        _by_team(view, grid, reps, _stored(reps), amounts)


def _save(view: View, of: Of, changes: list[AmountChange]) -> int:
    return do(view, save_quotas, of=of, changes=changes)


def _told(count: int) -> str:
    return _n("{n} quota is saved.", "{n} quotas are saved.", count)


def _stored(grid: AmountGrid) -> Amounts:
    return {cell: amount for cell, (amount, _version) in grid.cells.items()}


def _by_team(view: View, teams: AmountGrid, reps: AmountGrid, of_reps: Amounts, own: Amounts) -> None:
    """Draw each team's own quota against the sum of the reps below it, over the year."""
    parents = view.ask(team_parents)
    sums: dict[int, Decimal] = {}
    for owner in reps.rows:
        owed = sum((a for (number, _m), a in of_reps.items() if number == owner.id), Decimal(0))
        team = owner.team_id
        while team is not None:
            sums[team] = sums.get(team, Decimal(0)) + owed
            team = parents.get(team)
    rows = []
    for team_line in teams.rows:
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
