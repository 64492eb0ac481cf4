"""The grid of acquisition costs: what winning customers cost, by channel, in the months of a fiscal year."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.i18n import _, _n
from core.queries.acquisition_costs import acquisition_cost_grid
from core.services.acquisition_costs import save_acquisition_costs
from core.ui.administration import do, show_what_was_told
from core.ui.month_grid import Sheet, choose_year, draw_by_row, draw_sums, edit

if TYPE_CHECKING:
    from core.services.month_amounts import AmountChange
    from core.ui.page import View

_KEY = "acquisition-cost"


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    st.caption(
        _(
            "What marketing and selling to new customers cost a month, in {currency}, by the channel that it was spent "
            "on; what belongs to none, such as salaries, in the last row. Paste a block from a spreadsheet onto the "
            "first cell; amounts such as 50000 or 50,000 are understood.",
            currency=view.currency,
        )
    )
    year = choose_year(view, _KEY)
    grid = view.ask(acquisition_cost_grid, year=year)
    if not grid.cells:
        st.info(
            _("Nothing is entered for this year yet. From what is entered, Overview says what a new customer cost."),
            icon=":material/inbox:",
        )
    sheet = Sheet(_KEY, f"acquisition-costs-{year}", grid, _("Channel"), partial(_save, view), _told)
    amounts = edit(view, sheet)
    if amounts or grid.last_year:
        draw_sums(view, sheet, amounts)
        draw_by_row(view, sheet, amounts, title=_("By channel"), file="acquisition-costs")


def _save(view: View, changes: list[AmountChange]) -> int:
    return do(view, save_acquisition_costs, changes=changes)


def _told(count: int) -> str:
    return _n("{n} cost is saved.", "{n} costs are saved.", count)
