"""Overview's customers: who is new, active, returning or lost, and what they are worth to the company."""

from __future__ import annotations

from datetime import timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.access.actions import Action
from core.analytics.customer_kpis import INACTIVE_DAYS, RFM_DAYS
from core.i18n import N_, _, _n, format_date, format_money, format_number
from core.queries.customer_kpis import customer_kpis, customers_behind, rfm_segments
from core.reports.tables import Column
from core.ui import session
from core.ui.cards import said
from core.ui.drill import DRILL
from core.ui.filters import address, write_address
from core.ui.folds import folded_by
from core.ui.page import plain
from core.ui.screens import overview_customer_worth
from core.ui.tables import table

if TYPE_CHECKING:
    from core.analytics.as_of import AsOf
    from core.analytics.filters import Filters
    from core.domain.periods import Period
    from core.ui.cards import Unit
    from core.ui.page import View

KINDS: dict[str, tuple[str, str]] = {
    "new": (N_("New customers"), N_("Bought for the first time in the period.")),
    "buyers": (N_("Buying customers"), N_("Bought in the period.")),
    "repeat": (N_("Returning customers"), N_("Bought in the period, and not for the first time.")),
    "active": (N_("Active customers"), N_("Bought in the 365 days before the period's end.")),
    "churned": (N_("Lost customers"), N_("In the period their last purchase became older than 365 days.")),
}
SEGMENTS: dict[str, str] = {
    "champions": N_("Champions"), "loyal": N_("Loyal"), "promising": N_("Promising"),
    "attention": N_("Need attention"), "at_risk": N_("At risk"), "lost": N_("Hardly left"),
}  # fmt: skip
_LIST = overview_customer_worth.CUSTOMERS
_UNFOLDED = "shown"
"""In the page's address: whose customers lie open, or that the section is unfolded."""


def draw(view: View, period: Period, filters: Filters, as_of: AsOf | None) -> None:
    """Draw the section, folded; it asks for nothing until it is unfolded, which the page's address says."""
    is_named = any(address(view).get(name) for name in (_LIST, overview_customer_worth.OPEN))
    unfolded = folded_by(
        view, _("Customers"), icon=":material/groups:", key="overview-customers", is_named=is_named, keep=_keep
    )  # fmt: skip
    if unfolded is None:
        return
    with unfolded:
        row = view.ask(customer_kpis, period=period, filters=filters, as_of=as_of).iloc[0].to_dict()
        opens = not view.large and view.may(Action.DEAL_VIEW)
        _figures(view, cast("dict[str, Any]", row), opens=opens)
        overview_customer_worth.draw(view, period, filters, as_of)
        segments = view.ask(rfm_segments, period=period, filters=filters, as_of=as_of)
        st.caption(
            _("By recency, frequency and money of the last {days} days, in fifths: champions bought lately and often, "
              "who is at risk bought often and not lately.", days=format_number(RFM_DAYS))
        )  # fmt: skip
        shown = segments.assign(name=[_(SEGMENTS[name]) for name in segments["segment"]])
        columns = [
            Column("name", _("RFM segment")), Column("customers", _("Customers"), "count"),
            Column("value", _("Booked in {days} days", days=format_number(RFM_DAYS)), "money", currency=view.currency),
            Column("recency_days", _("Last purchase, median days ago"), "days"),
        ]  # fmt: skip
        known = [str(name) for name in segments["segment"]]

        def on_cell(row: int, _column: str) -> None:
            _open(f"rfm:{known[row]}")

        empty = _("Nobody has bought in these days.")
        table(view, shown, columns, name="rfm", empty=empty, on_cell=on_cell if opens else None)
        if opens and known:
            st.caption(_("Click a number to see the customers that it counts."))
    names = {kind: _(title) for kind, (title, _about) in KINDS.items()}
    names |= {f"rfm:{name}": _(SEGMENTS[name]) for name in known}
    kind = (address(view).get(_LIST) or [""])[0]
    asked: dict[str, Any] = {"period": period, "filters": filters, "as_of": as_of}
    if kind.startswith(overview_customer_worth.ACQUIRED):
        names |= overview_customer_worth.acquired_names(view, asked)
    if opens and kind in names and DRILL not in address(view):
        _behind(view, kind, names[kind], asked)


def _open(kind: str) -> None:
    """Lay the customers behind a figure open: the page's address says so, and a copy of it opens the same list."""
    write_address(**{_LIST: kind})


def _close() -> None:
    write_address(**{_LIST: _UNFOLDED})


def _keep(is_open: bool) -> None:
    if is_open:
        write_address(**{_LIST: _UNFOLDED})
    else:
        write_address(**dict.fromkeys((_LIST, overview_customer_worth.OPEN, overview_customer_worth.WHOSE)))


def _figures(view: View, row: dict[str, Any], *, opens: bool) -> None:
    rates: dict[str, tuple[str, str, Unit, str]] = {
        "repeat_rate": (_("Repeat rate"), _("Returning customers among the buying ones."), "rate", "buyers"),
        "booked_a_customer": (
            _("Booked a customer"), _("Booked in the period divided by buying customers."), "money", "buyers",
        ),
    }  # fmt: skip
    figures: dict[str, tuple[str, str, Unit, str]] = {
        kind: (_(title), _(about), "count", kind) for kind, (title, about) in KINDS.items()
    }
    with st.grid(4, min_column_width=150, gap="small", key="cards-page-customers"):
        for name, (title, about, unit, kind) in (figures | rates).items():
            with st.container(border=True, gap="xxsmall", height="stretch", key=f"card-customers-{name}"):
                shown = "–" if isnan(float(row[name])) else said(row[name], unit, view.currency)
                st.metric(title, shown, help=about)
                if opens:
                    count = int(row[kind])
                    label = _n("{n} customer", "{n} customers", count, n=format_number(count))
                    st.button(
                        label, key=f"customers-{name}", type="tertiary", icon=":material/list:", on_click=_open,
                        args=(kind,), help=_("Show the customers"),
                    )  # fmt: skip
    st.caption(
        plain(_("Counted to {day}. A customer counts as lost after {days} days without a purchase.",
                day=format_date(row["until"] - timedelta(days=1)), days=format_number(INACTIVE_DAYS)))
    )  # fmt: skip


def _behind(view: View, kind: str, title: str, asked: dict[str, Any]) -> None:
    """Open a dialog with the customers behind a number."""

    @session.dialog(plain(title), width="large", on_dismiss=_close)
    def opened() -> None:
        if kind.startswith(overview_customer_worth.ACQUIRED):
            overview_customer_worth.draw_acquired(view, kind, asked)
            return
        found = view.ask(customers_behind, kind=kind, **asked)
        counted = _n("{n} customer", "{n} customers", len(found), n=format_number(len(found)))
        booked = found["monetary"].sum() if "monetary" in found else None
        st.text(counted if booked is None else f"{counted}, {format_money(booked, view.currency)}")
        overview_customer_worth.draw_list(view, kind, asked, name="customers-behind")

    opened()
