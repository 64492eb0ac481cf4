"""Deals as a board by stage, and as a table with its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.access.actions import Action
from core.access.policy import Role
from core.domain.names import beside_customer
from core.domain.periods import day_of
from core.domain.stages import StageKind
from core.i18n import _, _n, format_date, format_money, language, speaking
from core.queries.choices import newest_deal_on
from core.queries.deals import BoardColumn, DealFilter, DealsPage, deals_board, deals_page
from core.reports.tables import Column, csv_bytes, is_missing, xlsx_bytes
from core.ui.empty import nothing_yet
from core.ui.page import plain
from core.ui.phone import PhoneRow, draw_rows, wide
from core.ui.routes import go, page
from core.ui.selling import STATE_NAMES
from core.ui.tables import height_of, table

if TYPE_CHECKING:
    import pandas as pd

    from core.ui.page import View

SIZE = 50
_ROWS = 18  # on screen before the table scrolls
_PAGE = "deals-page"


def draw_board(view: View, wanted: DealFilter) -> None:
    """Draw a column for each open stage: its count, its sum, its largest deals."""
    columns = view.ask(deals_board, wanted=wanted)
    if not any(column.count for column in columns):
        _draw_nothing(view)
        return
    with st.container(horizontal=True, wrap=False, gap="small", key="board"):
        for column in columns:
            with st.container(width=270, gap="xsmall", key=f"board-{column.stage_id}"):
                _draw_column(view, column)


def _draw_nothing(view: View) -> None:
    if view.ask(newest_deal_on) is None:
        nothing_yet(view, _("There are no deals yet. Log the first one, or import your company's deals."), log=False)
    else:
        st.info(_("No deals match. Clear the filters, or log a deal."), icon=":material/inbox:")


def _draw_column(view: View, column: BoardColumn) -> None:
    st.markdown(f"**{plain(column.stage)}**")
    value = format_money(column.value, view.currency, compact=True)
    st.caption(plain(f"{_n('{n} deal', '{n} deals', column.count)} · {value}"))
    for card in column.cards.to_dict("records"):
        with st.container(border=True, gap="xxsmall", key=f"card-{card['id']}"):
            title = beside_customer(card["name"], card["customer"])
            st.page_link(page("deal").file, label=plain(title), query_params={"id": str(card["id"])})
            st.caption(plain(f"{card['customer']} · {card['owner']}"))
            amount = plain(format_money(card["amount"], card["currency"], compact=True))
            due = plain(format_date(card["expected_close_on"]))
            late = card["expected_close_on"] < view.today
            st.markdown(f"**{amount}** · {f':red[{due}]' if late else f':gray[{due}]'}")
    left = column.count - len(column.cards)
    if left and st.button(_("and {n} more", n=left), type="tertiary", key=f"more-{column.stage_id}"):
        go("deals", stage=column.stage_id, state="open", sort="amount", down=1)


def columns_of(view: View) -> list[Column]:
    """Return the columns of the table of deals."""
    return [
        Column("name", _("Deal")),
        Column("base_amount", _("Amount"), "money", currency=view.currency),
        Column("stage", _("Stage")),
        Column("expected_close_on", _("Expected close"), "date"),
        Column("customer", _("Customer")),
        Column("owner", _("Owner")),
        Column("state", _("State")),
        Column("closed_on", _("Closed"), "date"),
        Column("channel", _("Channel")),
    ]


def _told_already(wanted: DealFilter) -> set[str]:
    """Return the columns that say the same in every row: the filter has said it."""
    if len(wanted.states) != 1:
        return set()
    return {"state", "closed_on" if wanted.states[0] is StageKind.OPEN else "expected_close_on"}


def spoken(view: View, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the deals with their states in the reader's words, and the day they closed."""
    closed: list[Any] = [None if is_missing(at) else day_of(at, view.zone) for at in frame["closed_at"]]
    return frame.assign(
        state=[_(STATE_NAMES[state]) for state in frame["state"]],
        closed_on=closed,
    )


def draw_table(view: View, wanted: DealFilter, sort: str, *, descending: bool) -> None:
    """Draw one page of the table, the sum of all of it, the pages and the files."""
    number = int(st.session_state.get(_PAGE, 1))
    found: DealsPage = view.ask(deals_page, wanted=wanted, sort=sort, descending=descending, size=SIZE, page=number)
    pages = max(1, -(-found.total // SIZE))
    if number > pages:
        st.session_state[_PAGE] = pages
        st.rerun()
    value = format_money(found.value, view.currency, compact=True)
    st.caption(plain(f"{_n('{n} deal', '{n} deals', found.total)} · {value}"))
    if found.total == 0:
        _draw_nothing(view)
        return
    height = height_of(len(found.rows), most=_ROWS)
    columns = [column for column in columns_of(view) if column.key not in _told_already(wanted)]
    rows = spoken(view, found.rows)
    with wide("deals"):
        titles = [beside_customer(*pair) for pair in zip(rows["name"], rows["customer"], strict=True)]
        table(view, rows.assign(name=titles), columns, name="deals", opens="deal", export=False, height=height)
    draw_rows([_phone_row(view, row, wanted) for row in rows.to_dict("records")], name="deals", opens="deal")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        if pages > 1:
            st.pagination(pages, key=_PAGE)
        if view.may(Action.EXPORT):
            _draw_files(view, wanted, sort, descending=descending)


def _phone_row(view: View, row: dict[Any, Any], wanted: DealFilter) -> PhoneRow:
    still_open = row["closed_on"] is None
    told = _told_already(wanted)
    words = [
        row["stage"] if still_open or "state" in told else row["state"],
        format_date(row["expected_close_on"] if still_open else row["closed_on"]),
        "" if view.actor.role is Role.REP else row["owner"],
    ]
    amount = format_money(row["base_amount"], view.currency, compact=True)
    return PhoneRow(int(row["id"]), row["name"], amount, " · ".join(word for word in words if word))


def _draw_files(view: View, wanted: DealFilter, sort: str, *, descending: bool) -> None:
    """Offer the whole list, not the one page, as files made on the click."""
    speech, columns, later = language(), columns_of(view), view.later()
    stem = f"luopan-deals-{view.today.isoformat()}"

    def whole() -> pd.DataFrame:
        with speaking(speech):  # the click is served by a thread that speaks no language yet
            answer: DealsPage = later().ask(deals_page, wanted=wanted, sort=sort, descending=descending, size=None)
            return spoken(view, answer.rows)

    files = {
        "csv": lambda: csv_bytes(whole(), columns, view.zone),
        "xlsx": lambda: xlsx_bytes(whole(), columns, view.zone, title="deals"),
    }
    with st.container(horizontal=True, width="content"):
        for kind, make in files.items():
            st.download_button(
                kind.upper(),
                make,
                f"{stem}.{kind}",
                on_click="ignore",
                type="tertiary",
                icon=":material/download:",
                key=f"{kind}-deals",
            )
