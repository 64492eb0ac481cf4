"""The list of customers: filters in the address, sorting, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.access.actions import Action
from core.access.policy import Role
from core.domain.periods import day_of
from core.i18n import N_, _, _n, format_date, format_money
from core.queries.customers import customers_page, segments_in_use
from core.queries.reference import form_choices, word_list
from core.reports.tables import Column, is_missing
from core.ui.customer_form import draw_new_customer
from core.ui.filters import address, write_address
from core.ui.page import plain
from core.ui.phone import PhoneRow, draw_rows, wide
from core.ui.tables import height_of, table
from core.ui.way_back import follow

if TYPE_CHECKING:
    import pandas as pd

    from core.ui.page import View

SIZE = 50
_PAGE = "customers-page"
SORTS = {
    "name": N_("Name"),
    "won_value": N_("Won value"),
    "open_value": N_("Open value"),
    "last_activity": N_("Last activity"),
    "owner": N_("Owner"),
}


def draw_customers(view: View) -> None:
    """Draw the filters, and one page of the customers that they leave."""
    choices, segments, words = view.ask(form_choices), view.ask(segments_in_use), view.ask(word_list)
    if view.may(Action.CUSTOMER_EDIT):
        with st.popover(_("New customer"), icon=":material/add:", type="primary", key="new-customer"):
            draw_new_customer(view, choices)
    offered = {
        "rep": (_("Owner"), {str(rep.id): rep.name for rep in choices.reps}),
        "territory": (_("Territory"), {str(row.id): row.name for row in choices.territories}),
        "segment": (_("Segment"), {text: words(text) for text in segments}),
    }
    search, sort, found = _filters(view, offered)
    write_address(q=search, sort="" if sort == "name" else sort, **found)
    page = int(st.session_state.get(_PAGE, 1))
    answer = view.ask(
        customers_page,
        search=search,
        rep_ids=tuple(int(value) for value in found["rep"]),
        territory_ids=tuple(int(value) for value in found["territory"]),
        segments=tuple(found["segment"]),
        sort=sort,
        descending=sort not in ("name", "owner"),
        size=SIZE,
        page=page,
    )
    pages = max(1, -(-answer.total // SIZE))
    if page > pages:
        st.session_state[_PAGE] = pages
        st.rerun()
    st.caption(plain(_n("{n} customer", "{n} customers", answer.total)))
    rows = answer.rows.assign(last_activity_on=_days(view, answer.rows["last_activity_at"]))
    if rows.empty:
        told = (
            _("No customers match. Clear the search, or make a new customer.")
            if search or any(found.values())
            else _("There are no customers yet. Make the first one here; logging or importing deals brings theirs too.")
        )
        st.info(plain(told), icon=":material/inbox:")
        return
    with wide("customers"):
        height = height_of(len(rows), most=18)
        table(view, rows, _columns(view), name="customers", opens="customer", height=height)
    draw_rows([_phone_row(view, row) for row in rows.to_dict("records")], name="customers", opens="customer")
    if pages > 1:
        st.pagination(pages, key=_PAGE)


def _filters(view: View, offered: dict[str, tuple[str, dict[str, str]]]) -> tuple[str, str, dict[str, list[str]]]:
    params = address(view)
    first = {name: (params.get(name) or [""])[0] for name in ("q", "sort")}
    ordered = first["sort"] if first["sort"] in SORTS else "name"
    found: dict[str, list[str]] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", key="customer-filters"):
        search = st.text_input(
            _("Search"),
            value=first["q"],
            type="search",
            live="300ms",
            icon=":material/search:",
            key=follow("customers-search", first["q"]),
            placeholder=_("Name or city"),
            width=240,
        )
        with st.popover(_("Filters"), icon=":material/tune:", key="customers-more"):
            for name, (label, options) in offered.items():
                known = [value for value in params.get(name, []) if value in options]
                found[name] = st.multiselect(
                    label,
                    list(options),
                    default=known,
                    format_func=options.__getitem__,
                    key=follow(f"customers-{name}", known),
                    placeholder=_("All"),
                    select_all=False,
                )
        sort = st.selectbox(
            _("Sort by"),
            list(SORTS),
            index=list(SORTS).index(ordered),
            format_func=lambda key: _(SORTS[key]),
            key=follow("customers-sort", ordered),
            width=180,
        )
    return (search or "").strip(), str(sort), found


def _days(view: View, instants: pd.Series) -> list[Any]:
    return [None if is_missing(at) else day_of(at, view.zone) for at in instants]


def _phone_row(view: View, row: dict[Any, Any]) -> PhoneRow:
    labels = {"won_value": _("Won value"), "open_value": _("Open value")}
    worth = [
        _("{label}: {value}", label=label, value=format_money(row[name], view.currency, compact=True))
        for name, label in labels.items()
        if row[name]
    ]
    last = "" if row["last_activity_on"] is None else format_date(row["last_activity_on"])
    words = (row["city"], "" if view.actor.role is Role.REP else row["owner"], *worth, last)
    return PhoneRow(int(row["id"]), row["name"], more=" · ".join(word for word in words if word))


def _columns(view: View) -> list[Column]:
    return [
        Column("name", _("Customer")),
        Column("city", _("City")),
        Column("owner", _("Owner")),
        Column("won_value", _("Won value"), "money", currency=view.currency),
        Column("open_value", _("Open value"), "money", currency=view.currency),
        Column("open_count", _("Open deals"), "count"),
        Column("last_activity_on", _("Last activity"), "date"),
        Column("segment", _("Segment")),
        Column("industry", _("Industry")),
        Column("territory", _("Territory")),
    ]
