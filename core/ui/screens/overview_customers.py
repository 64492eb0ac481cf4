"""Overview's customers: who is new, active, returning or lost, and what they are worth to the company."""

from __future__ import annotations

from datetime import timedelta
from math import isnan
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.access.actions import Action
from core.analytics.customer_kpis import INACTIVE_DAYS, RFM_DAYS
from core.i18n import N_, _, _n, format_date, format_number
from core.queries.customer_kpis import customer_kpis, customers_behind, rfm_segments
from core.reports.tables import Column
from core.ui.cards import said
from core.ui.filters import address, write_address
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
_LIST = "customers"


def draw(view: View, period: Period, filters: Filters, as_of: AsOf | None) -> None:
    """Draw the section, folded; it asks for nothing until it is unfolded."""
    named = (address(view).get(_LIST) or [""])[0]
    folded = st.expander(
        _("Customers"),
        icon=":material/groups:",
        key="overview-customers",
        on_change="rerun",
        expanded=bool(named or address(view).get(overview_customer_worth.OPEN)),
    )
    if not folded.open:
        return
    with folded:
        row = view.ask(customer_kpis, period=period, filters=filters, as_of=as_of).iloc[0].to_dict()
        _figures(view, cast("dict[str, Any]", row))
        overview_customer_worth.draw(view, period, filters, as_of)
        segments = view.ask(rfm_segments, period=period, filters=filters, as_of=as_of)
        st.caption(
            _("By recency, frequency and money of the last {days} days, in fifths: champions bought lately and often, "
              "who is at risk bought often and not lately.", days=format_number(RFM_DAYS))
        )  # fmt: skip
        shown = segments.assign(name=[_(SEGMENTS[name]) for name in segments["segment"]])
        columns = [
            Column("name", _("Segment")), Column("customers", _("Customers"), "count"),
            Column("value", _("Booked"), "money", currency=view.currency),
            Column("recency_days", _("Last purchase, median days ago"), "days"),
        ]  # fmt: skip
        table(view, shown, columns, name="rfm", empty=_("Nobody has bought in these days."))
        if not view.large and view.may(Action.DEAL_VIEW):
            _behind(view, period, filters, as_of, known=list(segments["segment"]))


def _figures(view: View, row: dict[str, Any]) -> None:
    with st.grid(min_column_width=130, gap="small", key="customer-cards"):
        for kind, (title, about) in KINDS.items():
            _figure(view, _(title), row[kind], "count", _(about))
        _figure(view, _("Repeat rate"), row["repeat_rate"], "rate", _("Returning customers among the buying ones."))
        _figure(
            view, _("Booked a customer"), row["booked_a_customer"], "money",
            _("Booked in the period divided by buying customers."),
        )  # fmt: skip
    st.caption(
        plain(_("Counted to {day}. A customer counts as lost after {days} days without a purchase.",
                day=format_date(row["until"] - timedelta(days=1)), days=format_number(INACTIVE_DAYS)))
    )  # fmt: skip


def _figure(view: View, title: str, value: float, unit: Unit, about: str) -> None:
    shown = "–" if isnan(float(value)) else said(value, unit, view.currency)
    st.metric(title, shown, help=about, border=True, height="stretch")


def _behind(view: View, period: Period, filters: Filters, as_of: AsOf | None, *, known: list[str]) -> None:
    """Offer the customers behind each number."""
    names = {"": _("Choose"), **{kind: _(title) for kind, (title, _about) in KINDS.items()}}
    names |= {f"rfm:{name}": _(SEGMENTS[name]) for name in known}
    named = (address(view).get(_LIST) or [""])[0]
    kind = st.selectbox(
        _("Show the customers"), list(names), index=list(names).index(named) if named in names else 0,
        format_func=names.__getitem__, key="overview-customers-kind", width=260,
    )  # fmt: skip
    write_address(**{_LIST: kind or None})
    if not kind:
        return
    asked: dict[str, Any] = {"period": period, "filters": filters, "as_of": as_of}
    count = len(view.ask(customers_behind, kind=kind, **asked))
    st.text(f"{names[kind]}: " + _n("{n} customer", "{n} customers", count, n=format_number(count)))
    overview_customer_worth.draw_list(view, kind, asked, name="customers-behind")
