"""From a number to the deals that it counted."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlencode

import streamlit as st

from core.access.actions import Action
from core.analytics.selection import Selection
from core.charts.theme import CONFIG
from core.i18n import _, _n, format_date, format_money, format_number, unbroken
from core.queries.drill import deals_behind, selection_total
from core.reports.tables import Column, is_missing, records
from core.ui import session
from core.ui.drill_words import said, told
from core.ui.filters import write_address
from core.ui.folds import fold
from core.ui.page import plain
from core.ui.phone import PhoneRow, draw_rows, rows_drawn, wide
from core.ui.tables import export_menu, table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    import pandas as pd

    from core.charts.figure import Figure
    from core.ui.page import View

    Behind = Callable[[dict[Any, Any], str], Selection | None]
    """The deals that a table's cell counts, of its row and its column's key; None for a cell that counts none."""

_SHOWN = 500
_CLICKED = "luopan_clicked_chart"
"""In the session: the key of the chart that a reader clicked, until the chart is drawn."""
_MARKS = "luopan_clicked_marks"
"""In the session: the mark of each chart that was clicked last."""
_OPEN = "luopan_open_drill"
"""In the session: the run that opened a list."""
COUNTED = {"count": "", "value": ""}
"""The columns of most tables of parts: how many deals, and their value."""
STANDING = {"count": "stage", "value": "stage", "weighted": "weighted", "overdue_count": "overdue"}
"""The columns of a table of open deals by stage, and which of its deals each counts."""
DRILL = "drill"
"""In the page's address: the selection whose deals lie open."""


def deal_columns(view: View) -> list[Column]:
    """Return the columns of a list of deals."""
    return [
        Column("name", _("Deal")),
        Column("customer", _("Customer")),
        Column("owner", _("Owner")),
        Column("stage", _("Stage")),
        Column("value", _("Counted value"), "money", currency=view.currency),
        Column("amount", _("Amount"), "money", currency=view.currency),
        Column("opened_on", _("Opened"), "date"),
        Column("expected_close_on", _("Expected close"), "date"),
        Column("closed_on", _("Closed"), "date"),
        Column("team", _("Team")),
        Column("channel", _("Channel")),
        Column("product", _("Product")),
        Column("lost_reason", _("Lost reason")),
    ]


def show_deals(view: View, selection: Selection) -> None:
    """Open a dialog with exactly the deals that `selection` counts, their count and their sum.

    Its title says what it holds, and below stand its days and filters. The page's address says so too, and a copy of
    it opens the same list.
    """
    named = urlencode(selection.to_params(), doseq=True)
    st.session_state[_OPEN] = session.this_run()
    write_address(drill=named)

    @session.dialog(plain(said(view, selection)), width="large", on_dismiss=_close)
    def opened() -> None:
        if below := told(view, selection):
            st.caption(plain(below))
        total = view.ask(selection_total, selection=selection).iloc[0]
        deals = view.ask(deals_behind, selection=selection, limit=None)
        count = int(total["count"])
        amount = format_money(total["value"], view.currency)
        counted = _n("{n} deal, {amount}", "{n} deals, {amount}", count, n=format_number(count), amount=amount)
        st.text(unbroken(counted))
        columns = deal_columns(view)
        if "share" in deals:
            columns.insert(5, Column("share", _("Credit share"), "rate"))
            deals = deals.assign(name=deals["name"].fillna(_("A colleague's deal")))
        with wide("drill"):
            table(
                view, deals.head(_SHOWN), columns, name="drill", opens="deal", id_column="deal_id", height=420,
                empty=_("No deals are counted here."), export=False,
            )  # fmt: skip
        first = deals.head(min(_SHOWN, rows_drawn("drill", count)))
        draw_rows([_phone_row(view, row) for row in records(first)], name="drill", opens="deal", of=min(_SHOWN, count))
        if len(deals) > _SHOWN:
            st.caption(_("The first {n} are shown; the files hold all of them.", n=_SHOWN))
        if count:
            export_menu(view, deals, columns, name="drill")

    opened()


def _phone_row(view: View, row: dict[Any, Any]) -> PhoneRow:
    """Return a deal as a phone shows it: name and counted value, then where it stands, whose it is and until when."""
    day = row["closed_on"] or row["expected_close_on"]
    told = (row["stage"], row["owner"], None if is_missing(day) else format_date(day))
    more = " · ".join(str(word) for word in told if word and not is_missing(word))
    deal = 0 if is_missing(row["deal_id"]) else int(row["deal_id"])
    return PhoneRow(deal, str(row["name"]), format_money(row["value"], view.currency, compact=True), more)


def _close() -> None:
    st.session_state.pop(_OPEN, None)
    write_address(drill=None)


def reopen(view: View) -> None:
    """Open the list that the page's address names, unless this run opened one: a dialog ends with its run."""
    named = st.query_params.get(DRILL, "")
    if not named or view.query is not None or not view.may(Action.DEAL_VIEW):
        return
    if st.session_state.get(_OPEN) is session.this_run():
        return
    selection = Selection.from_params(parse_qs(named))
    if selection is None:
        write_address(drill=None)
    else:
        show_deals(view, selection)


def deals_button(view: View, selection: Selection, *, label: str, key: str) -> None:
    """Offer, under a number, the deals behind it, to those who may see deals."""
    if view.large or not view.may(Action.DEAL_VIEW):
        return
    if st.button(label, key=key, type="tertiary", icon=":material/list:", help=_("Show the deals counted here")):
        show_deals(view, selection)


def chart(
    view: View,
    figure: Figure,
    *,
    key: str,
    alt: str,
    choose: Callable[[Sequence[Any]], Selection | None] | None = None,
) -> None:
    """Draw a figure; a click on a mark opens the deals that `choose` makes of its `customdata`."""
    config = CONFIG if view.large or not view.may(Action.EXPORT) else CONFIG | picture(f"{key}-{view.today}")
    if choose is None or view.large or not view.may(Action.DEAL_VIEW):
        with st.container(key=f"still-{key}"):
            st.plotly_chart(figure, theme=None, config=config, key=key, alt=alt)
        return
    event = st.plotly_chart(
        figure, theme=None, config=config, key=key, alt=alt, on_select=partial(_click, key), selection_mode="points"
    )
    if st.session_state.get(_CLICKED) != key:
        return
    del st.session_state[_CLICKED]
    points, marks = cast("Any", event).selection.points, st.session_state.setdefault(_MARKS, {})
    clicked = list(points[0].get("customdata") or ()) if points else marks.get(key)  # a second click takes the mark off
    marks[key] = clicked
    chosen = choose(clicked) if clicked else None
    if chosen is not None:
        show_deals(view, chosen)


def _click(key: str) -> None:
    st.session_state[_CLICKED] = key


def picture(name: str) -> dict[str, Any]:
    """Return the part of a figure's `config` that offers it as a PNG: one button, shown on hover and on focus."""
    return {
        "displayModeBar": "hover",
        "modeBarButtons": [["toImage"]],
        "displayNotifier": False,
        "toImageButtonOptions": {"format": "png", "filename": f"luopan-{name}", "scale": 2},
        "locales": {"en-US": {"dictionary": {"Download plot as a PNG": _("Save the chart as a picture (PNG)")}}},
    }


def opening(keys: Collection[str], make: Callable[[str], Selection]) -> Callable[[Sequence[Any]], Selection | None]:
    """Return what `chart` needs to open the marks of these keys, the first of their `customdata`."""

    def choose(data: Sequence[Any]) -> Selection | None:
        key = str(data[0]) if data else ""
        return make(key) if key in keys else None

    return choose


def team_note(by: str) -> None:
    """Say, under numbers by team, which deals a team counts."""
    if by == "team":
        st.caption(_("Each team counts with all teams below it. Choose a team in the filter to see its parts."))


def cells(view: View, frame: pd.DataFrame, behind: Behind | None) -> Callable[[int, str], None] | None:
    """Return what `table` needs for a click on a cell to open the deals that `behind` makes of its row and column."""
    if behind is None or view.large or not view.may(Action.DEAL_VIEW):
        return None

    def on_cell(row: int, column: str) -> None:
        clicked = records(frame.iloc[[row]])[0]
        chosen = None if is_missing(clicked[column]) else behind(clicked, column)
        if chosen is not None:
            show_deals(view, chosen)

    return on_cell


def columns_open(measures: Mapping[str, str], make: Callable[[str, dict[Any, Any]], Selection | None]) -> Behind:
    """Return what `numbers` needs where each column of a table, all rows alike, counts the deals of a measure."""

    def behind(row: dict[Any, Any], column: str) -> Selection | None:
        return make(measures[column], row) if column in measures else None

    return behind


def numbers(
    view: View,
    frame: pd.DataFrame | Callable[[], pd.DataFrame],
    columns: Sequence[Column],
    *,
    name: str,
    behind: Behind | None = None,
) -> None:
    """Offer the numbers of a chart as a table, folded; made when it is unfolded. Cells open what `behind` says."""
    unfolded = fold(view, _("The numbers as a table"), name=name, icon=":material/table:")
    if unfolded is not None:
        with unfolded:
            made = frame() if callable(frame) else frame
            on_cell = cells(view, made, behind) if _opens(made, columns, behind) else None
            table(view, made, columns, name=name, stays=True, on_cell=on_cell)
            if on_cell is not None:
                st.caption(_("Click a number to see the deals that it counts."))


def _opens(frame: pd.DataFrame, columns: Sequence[Column], behind: Behind | None) -> bool:
    """Say whether any cell of a table counts deals."""
    if behind is None:
        return False
    return any(
        not is_missing(row[column.key]) and behind(row, column.key) is not None
        for row in records(frame)
        for column in columns
    )
