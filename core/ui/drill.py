"""From a number to the deals that it counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlencode

import streamlit as st

from core.access.actions import Action
from core.analytics.selection import Selection
from core.charts.theme import CONFIG
from core.i18n import _, _n, format_money, format_number, unbroken
from core.queries.drill import deals_behind, selection_total
from core.reports.tables import Column
from core.ui import session
from core.ui.drill_words import said
from core.ui.filters import write_address
from core.ui.page import plain
from core.ui.tables import export_menu, table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from core.charts.figure import Figure
    from core.ui.page import View

_SHOWN = 500
_HANDLED = "luopan_handled_click"
_OPEN = "luopan_open_drill"
"""In the session: the address of the open list, its title, and the run that opened it."""
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


def show_deals(view: View, selection: Selection, title: str) -> None:
    """Open a dialog with exactly the deals that `selection` counts, their count and their sum.

    The page's address says so, and a copy of it opens the same list.
    """
    named = urlencode(selection.to_params(), doseq=True)
    st.session_state[_OPEN] = (named, title, session.this_run())
    write_address(drill=named)

    @session.dialog(plain(title), width="large", on_dismiss=_close)
    def opened() -> None:
        total = view.ask(selection_total, selection=selection).iloc[0]
        deals = view.ask(deals_behind, selection=selection, limit=None)
        count = int(total["count"])
        amount = format_money(total["value"], view.currency)
        told = _n("{n} deal, {amount}", "{n} deals, {amount}", count, n=format_number(count), amount=amount)
        st.text(unbroken(told))
        columns = deal_columns(view)
        if "share" in deals:
            columns.insert(5, Column("share", _("Credit share"), "rate"))
            deals = deals.assign(name=deals["name"].fillna(_("A colleague's deal")))
        table(
            view, deals.head(_SHOWN), columns, name="drill", opens="deal", id_column="deal_id", height=420,
            empty=_("No deals are counted here."), export=False,
        )  # fmt: skip
        if len(deals) > _SHOWN:
            st.caption(_("The first {n} are shown; the files hold all of them.", n=_SHOWN))
        if count:
            export_menu(view, deals, columns, name="drill")

    opened()


def _close() -> None:
    st.session_state.pop(_OPEN, None)
    write_address(drill=None)


def reopen(view: View) -> None:
    """Open the list that the page's address names, unless this run opened one: a dialog ends with its run."""
    named = st.query_params.get(DRILL, "")
    if not named or view.query is not None or not view.may(Action.DEAL_VIEW):
        return
    known, title, run = st.session_state.get(_OPEN) or ("", "", None)
    if run is session.this_run():
        return
    selection = Selection.from_params(parse_qs(named))
    if selection is None:
        write_address(drill=None)
    else:
        show_deals(view, selection, title if known == named else said(view, selection))


def deals_button(view: View, selection: Selection, *, label: str, title: str, key: str) -> None:
    """Offer, under a number, the deals behind it, to those who may see deals."""
    if view.large or not view.may(Action.DEAL_VIEW):
        return
    if st.button(label, key=key, type="tertiary", icon=":material/list:", help=_("Show the deals counted here")):
        show_deals(view, selection, title)


def chart(
    view: View,
    figure: Figure,
    *,
    key: str,
    alt: str,
    choose: Callable[[Sequence[Any]], tuple[Selection, str] | None] | None = None,
) -> None:
    """Draw a figure; a click on a mark opens the deals that `choose` makes of its `customdata`."""
    config = CONFIG if view.large or not view.may(Action.EXPORT) else CONFIG | picture(f"{key}-{view.today}")
    if choose is None or view.large or not view.may(Action.DEAL_VIEW):
        st.plotly_chart(figure, theme=None, config=config, key=key, alt=alt)
        return
    event = st.plotly_chart(
        figure, theme=None, config=config, key=key, alt=alt, on_select="rerun", selection_mode="points"
    )
    points = cast("Any", event).selection.points
    clicked = list(points[0].get("customdata") or ()) if points else []
    handled = st.session_state.setdefault(_HANDLED, {})
    if handled.get(key) == clicked:
        return
    handled[key] = clicked
    chosen = choose(clicked) if clicked else None
    if chosen is not None:
        show_deals(view, *chosen)


def picture(name: str) -> dict[str, Any]:
    """Return the part of a figure's `config` that offers it as a PNG: one button, shown on hover and on focus."""
    return {
        "displayModeBar": "hover",
        "modeBarButtons": [["toImage"]],
        "displayNotifier": False,
        "toImageButtonOptions": {"format": "png", "filename": f"luopan-{name}", "scale": 2},
        "locales": {"en-US": {"dictionary": {"Download plot as a PNG": _("Save the chart as a picture (PNG)")}}},
    }


def opening(
    names: Mapping[str, str], make: Callable[[str, str], tuple[Selection, str]]
) -> Callable[[Sequence[Any]], tuple[Selection, str] | None]:
    """Return what `chart` needs to open marks by their key, the first of their `customdata`.

    `names` says what each key is called; `make` gives, of key and name, the deals and the list's title.
    """

    def choose(data: Sequence[Any]) -> tuple[Selection, str] | None:
        key = str(data[0]) if data else ""
        return make(key, names[key]) if key in names else None

    return choose


def team_note(by: str) -> None:
    """Say, under numbers by team, which deals a team counts."""
    if by == "team":
        st.caption(_("Each team counts with all teams below it. Choose a team in the filter to see its parts."))


def numbers(
    view: View, frame: pd.DataFrame | Callable[[], pd.DataFrame], columns: Sequence[Column], *, name: str
) -> None:
    """Offer the numbers of a chart as a table, folded; made when it is unfolded."""
    folded = st.expander(_("The numbers as a table"), icon=":material/table:", key=f"numbers-{name}", on_change="rerun")
    if folded.open:
        with folded:
            table(view, frame() if callable(frame) else frame, columns, name=name, stays=True)
