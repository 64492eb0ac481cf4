"""What a new customer cost and what a customer is worth over the years, with what the figures are made of."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from math import isnan
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.access.actions import Action
from core.analytics.customer_kpis import RFM_DAYS
from core.analytics.lifetime import LEAST_CUSTOMERS
from core.analytics.rates import rate
from core.i18n import N_, _, _n, format_money, format_number, format_rate
from core.queries.acquisition_costs import acquired_customers, acquisition_cost
from core.queries.customer_kpis import customer_lifetime_value, customers_behind
from core.reports.tables import Column
from core.ui import routes
from core.ui.cards import Card, draw_cards
from core.ui.filters import address, write_address
from core.ui.table_widths import LAPTOP
from core.ui.tables import table
from core.ui.way_back import follow

if TYPE_CHECKING:
    import pandas as pd

    from core.analytics.as_of import AsOf
    from core.analytics.filters import Filters
    from core.domain.periods import Period
    from core.ui.page import View

OPEN = "worth"
"""In the page's address: the figure whose parts lie open, `cac` or `clv`."""
CUSTOMERS = "customers"
"""In the page's address: whose customers lie open."""
ACQUIRED = "acquired:"
"""There, before a channel's number: the new customers of the channel."""
WHOSE = "whose"
"""In the page's address: which of `LISTS` lies below how a lifetime value comes about."""
_FRAMES = 75  # pixels that the frames around a table take
LISTS: dict[str, str] = {
    "held": N_("Customers of a year ago"), "kept": N_("Of these, bought again since"), "active": N_("Active customers"),
}  # fmt: skip


def draw(view: View, period: Period, filters: Filters, as_of: AsOf | None) -> None:
    """Draw the cards, and what one of them is made of where it is open."""
    asked: dict[str, Any] = {"period": period, "filters": filters, "as_of": as_of}
    worth = cast("dict[str, Any]", view.ask(customer_lifetime_value, **asked).iloc[0].to_dict())
    costs = view.ask(acquisition_cost, **asked) if view.may(Action.ACQUISITION_COST_VIEW) else None
    entered = costs is not None and len(costs) and costs["months_with"].iloc[0]
    offers = {"cac": _("Cost by channel")} if entered else {}
    if view.may(Action.DEAL_VIEW):
        offers["clv"] = _("How it comes about")
    named = (address(view).get(OPEN) or [""])[0]
    cards = [*_costs_card(view, costs), *_worth_cards(view, worth), *_ratio_card(costs, worth)]
    draw_cards(view, [_opening(card, offers, named) for card in cards], key="customer-worth")
    if view.large:
        return
    missing = costs is not None and len(costs) and not entered and view.may(Action.ACQUISITION_COST_EDIT)
    enter = _("Enter acquisition costs")
    if missing and st.button(enter, key="worth-enter", type="tertiary", icon=":material/edit:"):
        routes.go("acquisition_costs")
    if named in offers:
        with st.container(border=True, key=f"worth-{named}-parts"):
            if named == "cac" and costs is not None:
                _cost_parts(view, costs, asked)
            else:
                _worth_parts(view, worth, asked)


def _opening(card: Card, offers: dict[str, str], named: str) -> Card:
    """Return the card with the button that opens what its figure is made of, where there is such a list."""
    kind = card.key.split("-")[0] if card.key != "clv-cac" else ""
    if kind not in offers:
        return card
    return replace(card, label=offers[kind], turn=partial(_turn, kind, kind == named), is_open=kind == named)


def _turn(kind: str, is_open: bool) -> None:
    write_address(**{OPEN: None if is_open else kind, WHOSE: None})


def _costs_card(view: View, costs: pd.DataFrame | None) -> list[Card]:
    if costs is None:
        return []
    about = _("Acquisition costs of the period, divided by the customers whose first purchase ever lies in it.")
    if costs.empty:
        note = _("Costs are not split by team, product and the like: clear those filters to see it.")
        return [Card("cac", _("Cost of a new customer"), "money", None, note=note, help=about)]
    row = costs.iloc[0]
    count = int(row["customers"])
    months, entered = int(row["months"]), int(row["months_with"])
    if not entered:
        note = _("No costs are entered for these days.")
    elif not count:
        note = _("Nobody bought for the first time.")
    elif entered < months:
        note = _("Too low: costs are entered for {n} of {months} months.", n=entered, months=months)
    else:
        spent = format_money(row["costs"], view.currency, compact=True)
        note = _n("{costs} for {n} new customer", "{costs} for {n} new customers", count, costs=spent)
    return [Card("cac", _("Cost of a new customer"), "money", float(row["cac"]), note=note, help=about)]


def _worth_cards(view: View, worth: dict[str, Any]) -> list[Card]:
    about = _("What a customer books over the years: this year's value, as long as customers stay, discounted.")
    if isnan(worth["value"]):
        note = (
            _("Too few to say who stays: {n} customers a year ago, {least} are needed.",
              n=format_number(worth["held"]), least=LEAST_CUSTOMERS)
            if worth["held"] < LEAST_CUSTOMERS
            else _("Nobody has bought in the last year.")
        )  # fmt: skip
        return [Card("clv", _("Lifetime value"), "money", None, note=note, help=about)]
    low, high = (format_money(worth[end], view.currency, compact=True) for end in ("low", "high"))
    found = [
        Card("clv", _("Lifetime value"), "money", worth["value"], help=about,
             note=_("95% interval {low} to {high}", low=low, high=high)),
    ]  # fmt: skip
    if not isnan(worth["margin"]):
        note = _("Margin {rate}, costs known of {share} of the value",
                 rate=format_rate(worth["margin_rate"]), share=format_rate(worth["margin_of"], 0))  # fmt: skip
        found.append(Card("clv-margin", _("Lifetime value in margin"), "money", worth["margin"], note=note))
    return found


def _ratio_card(costs: pd.DataFrame | None, worth: dict[str, Any]) -> list[Card]:
    cac = float("nan") if costs is None or costs.empty else float(costs["cac"].iloc[0])
    in_margin = not isnan(worth["margin"])
    times = rate(worth["margin"] if in_margin else worth["value"], cac)
    if isnan(times):
        return []
    note = _("In margin") if in_margin else _("In booked value; costs of goods are not known")
    about = _("Lifetime value divided by the cost of a new customer.")
    return [Card("clv-cac", _("Lifetime value to cost"), "times", times, note=note, help=about)]


def _cost_parts(view: View, costs: pd.DataFrame, asked: dict[str, Any]) -> None:
    whole, parts = costs.iloc[0], costs.iloc[1:]
    spent = format_money(whole["costs"], view.currency)
    count = int(whole["customers"])
    st.text(
        _n("{costs} spent, {n} new customer: {cac} each.", "{costs} spent, {n} new customers: {cac} each.", count,
           costs=spent, cac=format_money(whole["cac"], view.currency))
    )  # fmt: skip
    known = [str(key) for key in parts["key"]]

    def on_cell(row: int, _column: str) -> None:
        write_address(**{CUSTOMERS: f"{ACQUIRED}{known[row]}"})

    columns = [
        Column("name", _("Channel")), Column("costs", _("Costs"), "money", currency=view.currency),
        Column("customers", _("New customers"), "count"),
        Column("cac", _("Cost of a new customer"), "money", currency=view.currency),
    ]  # fmt: skip
    opens = view.may(Action.DEAL_VIEW)
    table(view, parts, columns, name="cac-by-channel", on_cell=on_cell if opens else None)
    st.caption(
        _("A customer is of the channel of the first won deal ever. What is of no channel counts in the whole alone. "
          "A month that the period cuts counts by its days.")
    )  # fmt: skip
    if opens:
        st.caption(_("Click a number to see the customers that it counts."))
    found = view.ask(acquired_customers, **asked)
    st.text(_n("{n} new customer", "{n} new customers", len(found), n=format_number(len(found))))
    _acquired(view, found, name="cac-customers")


def acquired_names(view: View, asked: dict[str, Any]) -> dict[str, str]:
    """Return what the new customers of each channel are called, by the kind that stands in the address."""
    if not view.may(Action.ACQUISITION_COST_VIEW):
        return {}
    parts = view.ask(acquisition_cost, **asked).iloc[1:]
    title = _("New customers")
    return {f"{ACQUIRED}{row['key']}": f"{title} · {row['name']}" for row in parts.to_dict("records")}


def draw_acquired(view: View, kind: str, asked: dict[str, Any]) -> None:
    """Draw the new customers of a channel, their count and the sum of their first purchases."""
    found = view.ask(acquired_customers, **asked)
    found = found[found["key"] == kind.removeprefix(ACQUIRED)]
    counted = _n("{n} customer", "{n} customers", len(found), n=format_number(len(found)))
    st.text(f"{counted}, {format_money(found['value'].sum(), view.currency)}")
    _acquired(view, found, name="customers-behind")


def _acquired(view: View, found: pd.DataFrame, *, name: str) -> None:
    listed = [
        Column("name", _("Customer")), Column("first_on", _("First purchase"), "date"), Column("channel", _("Channel")),
        Column("value", _("First purchase, booked"), "money", currency=view.currency),
    ]  # fmt: skip
    table(
        view, found, listed, name=name, opens="customer", id_column="customer_id",
        height=320 if len(found) > 8 else None, empty=_("Nobody bought for the first time."),
    )  # fmt: skip


def _worth_parts(view: View, worth: dict[str, Any], asked: dict[str, Any]) -> None:
    for sentence in _arithmetic(view, worth):
        st.text(sentence)
    names = {kind: f"{_(label)} ({format_number(worth[kind])})" for kind, label in LISTS.items()}
    said = (address(view).get(WHOSE) or [""])[0]
    said = said if said in names else "held"
    kind = st.segmented_control(
        _("Show the customers"), list(names), default=said, required=True, format_func=names.__getitem__,
        key=follow("worth-list", said), wrap=True,
    ) or said  # fmt: skip
    write_address(**{WHOSE: None if kind == "held" else kind})
    draw_list(view, kind, asked, name="clv-customers", room=LAPTOP - _FRAMES)


def _arithmetic(view: View, worth: dict[str, Any]) -> list[str]:
    """Return how the figure comes about, in sentences."""
    money = {name: format_money(worth[name], view.currency) for name in ("yearly", "value", "low", "high", "margin")}
    rates = {name: format_rate(worth[name]) for name in
             ("retention", "retention_low", "retention_high", "margin_rate", "margin_of")}  # fmt: skip
    if isnan(worth["yearly"]):
        return [_("Nobody has bought in the last year.")]
    active = int(worth["active"])
    found = [
        _n("An active customer booked {yearly} in the last 365 days ({n} customer).",
           "An active customer booked {yearly} in the last 365 days ({n} customers).", active, yearly=money["yearly"])
    ]  # fmt: skip
    if isnan(worth["value"]):
        return [*found, _("Too few to say who stays: {n} customers a year ago, {least} are needed.",
                          n=format_number(worth["held"]), least=LEAST_CUSTOMERS)]  # fmt: skip
    discount = format_rate(worth["discount"], 0)
    found += [
        _("Of {held} customers who bought in the 365 days before those, {kept} bought again since: {retention} stay a "
          "year (95% interval {low} to {high}).", held=format_number(worth["held"]), kept=format_number(worth["kept"]),
          retention=rates["retention"], low=rates["retention_low"], high=rates["retention_high"]),
        _("A year's wait divides what is booked by 1 + {discount}: "
          "{yearly} × (1 + {discount}) ÷ (1 + {discount} − {retention}) = {value}; by the ends of the interval "
          "{low} to {high}.", discount=discount, yearly=money["yearly"], retention=rates["retention"],
          value=money["value"], low=money["low"], high=money["high"]),
    ]  # fmt: skip
    if not isnan(worth["margin"]):
        found.append(
            _("The costs are known of {share} of the year's value, and {rate} of that is margin: "
              "{value} × {rate} = {margin}.", share=rates["margin_of"], rate=rates["margin_rate"],
              value=money["value"], margin=money["margin"])
        )  # fmt: skip
    return found


def draw_list(view: View, kind: str, asked: dict[str, Any], *, name: str, room: int = LAPTOP) -> None:
    """Draw the customers behind a number, each opening its page."""
    found = view.ask(customers_behind, kind=kind, **asked)
    days = format_number(RFM_DAYS)
    counted = (
        [Column("frequency", _("Won deals in {days} days", days=days), "count"),
         Column("monetary", _("Booked in {days} days", days=days), "money", currency=view.currency)]
        if kind.startswith("rfm:")
        else [Column("period_wins", _("Won in the period"), "count"),
              Column("period_value", _("Booked in the period"), "money", currency=view.currency)]
    )  # fmt: skip
    columns = [
        Column("name", _("Customer")), Column("first_on", _("First purchase"), "date"),
        Column("last_on", _("Last purchase"), "date"), *counted,
        Column("wins", _("Won deals"), "count"), Column("value", _("Booked"), "money", currency=view.currency),
    ]  # fmt: skip
    height = 420 if len(found) > 10 else None
    table(view, found, columns, name=name, opens="customer", id_column="customer_id", height=height, room=room)
