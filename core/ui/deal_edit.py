"""Editing a deal, with a comparison where somebody else saved in between."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import streamlit as st

from core.errors import EditedMeanwhile, InvalidFields
from core.i18n import _, format_date, format_money
from core.queries.customers import contacts_of
from core.services.deal_rules import LineFields
from core.services.deals import DealEdit, edit_deal
from core.ui.conflict import compare, differences
from core.ui.deal_lines import deal_lines, line_defaults
from core.ui.deal_panels import open_panel, say_saved
from core.ui.forms import Form, names_of, read_money

if TYPE_CHECKING:
    from core.queries.deals import DealRecord
    from core.queries.reference import FormChoices
    from core.ui.page import View

_FIELDS = (
    "name",
    "amount",
    "currency",
    "expected_close_on",
    "channel_id",
    "contact_id",
    "competitor",
    "note",
    "lines",
)


def draw_edit(view: View, record: DealRecord, choices: FormChoices) -> None:
    """Draw the form, or the comparison where the deal was saved since it was opened."""
    now = _facts(record)
    form = Form(
        view,
        f"edit_deal_{record.deal.id}",
        {**_defaults(record), **line_defaults(record.lines)},
        unkept=frozenset({"mine"}),
    )
    if form["version"] is None:
        form["version"], form["base"], form["mine"] = record.deal.version, _packed(now), None
    form.offer_draft()
    contacts = dict(view.ask(contacts_of, customer_id=record.deal.customer_id))
    if form["mine"] is not None:
        _compare(form, record, now, choices, contacts)
        return
    lines, whole = _fields(form, record, choices, contacts)
    form.show_refusal()
    with st.container(horizontal=True):
        save = st.button(_("Save"), type="primary", icon=":material/check:", key="edit-save")
        st.button(_("Cancel"), on_click=_cancel, args=(form,), key="edit-cancel")
    form.keep_draft()
    if not save:
        return
    if form.unread("amount") or not whole:
        marked = _("Please complete or remove the marked product.")
        form.refuse(InvalidFields({"amount": _("This is not an amount.")} if whole else {"lines": marked}))
        st.rerun()
    mine, base = _mine(form, lines), _unpacked(form["base"])
    _save(
        form,
        record,
        {name: mine[name] for name in _FIELDS if mine[name] != base[name]},
        mine,
        form["version"],
    )


def _fields(
    form: Form, record: DealRecord, choices: FormChoices, contacts: dict[int, str]
) -> tuple[list[LineFields], bool]:
    form.text("name", _("Deal name"), max_chars=200, placeholder=record.title)
    lines, whole = deal_lines(form, choices, str(form["currency"]))
    with st.container(horizontal=True, vertical_alignment="top"):
        with st.container(width=220, gap="xxsmall"):
            form.money("amount", _("Amount"), currency=str(form["currency"]))
        with st.container(width=110, gap="xxsmall"):
            form.choose(
                "currency",
                _("Currency"),
                {code: code for code in {*choices.currencies, record.deal.currency}},
            )
        with st.container(width=180, gap="xxsmall"):
            form.day("expected_close_on", _("Expected close"))
        with st.container(width=200, gap="xxsmall"):
            known = {record.deal.channel_id: record.channel} if record.deal.channel_id else {}
            form.choose("channel_id", _("Channel"), {**known, **names_of(choices.channels)}, optional=True)
        with st.container(width=220, gap="xxsmall"):
            form.choose("contact_id", _("Contact"), contacts, optional=True)
        with st.container(width=220, gap="xxsmall"):
            form.text("competitor", _("Competitor"), max_chars=120)
    form.area("note", _("Note"), max_chars=4000)
    return lines, whole


def _defaults(record: DealRecord) -> dict[str, Any]:
    deal = record.deal
    return {
        "name": "" if deal.auto_named else deal.name,
        "amount": f"{deal.amount:.2f}",
        "currency": deal.currency,
        "expected_close_on": deal.expected_close_on,
        "channel_id": deal.channel_id,
        "contact_id": deal.contact_id,
        "competitor": deal.competitor,
        "note": deal.note,
        "version": None,
    }


def _facts(record: DealRecord) -> dict[str, Any]:
    deal = record.deal
    lines = tuple(
        LineFields(line.product_id, line.quantity, line.unit_price, line.discount_rate, line.sku_id)
        for line in record.lines
    )
    facts = {name: getattr(deal, name) for name in _FIELDS if name != "lines"}
    return facts | {"name": "" if deal.auto_named else deal.name, "lines": lines}


def _packed(facts: dict[str, Any]) -> dict[str, Any]:
    """Return a deal's facts as a draft can keep them."""
    lines = [
        [line.product_id, line.quantity, str(line.unit_price), line.discount_rate, line.sku_id]
        for line in facts["lines"]
    ]
    return {**facts, "amount": str(facts["amount"]), "lines": lines}


def _unpacked(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that `_packed` made of a deal's."""
    lines = tuple(
        LineFields(product, quantity, Decimal(price), rate, sku)
        for product, quantity, price, rate, sku in kept["lines"]
    )
    return {**kept, "amount": Decimal(kept["amount"]), "lines": lines}


def _mine(form: Form, lines: list[LineFields]) -> dict[str, Any]:
    """Return the fields as typed; an amount left as it was follows changed lines."""
    base = _unpacked(form["base"])
    amount = read_money(form["amount"])
    if lines and tuple(lines) != base["lines"] and amount == base["amount"]:
        amount = sum((line.amount for line in lines), Decimal(0))
    typed = {name: form[name] for name in ("currency", "expected_close_on", "channel_id", "contact_id")}
    texts = {name: (form[name] or "").strip() for name in ("name", "competitor", "note")}
    return {**typed, **texts, "amount": amount, "lines": tuple(lines)}


def _save(form: Form, record: DealRecord, changes: dict[str, Any], mine: dict[str, Any], version: int) -> None:
    if not changes:
        _cancel(form)
        st.rerun()
    try:
        deal = form.send(edit_deal, deal_id=record.deal.id, version=version, changes=cast("DealEdit", changes))
    except EditedMeanwhile:
        form["mine"] = mine
        deal = None
    else:
        if deal is None:
            form["mine"] = None
    if deal is not None:
        say_saved(deal.id, deal.version, _("Your changes are saved."))
        open_panel(None)
    st.rerun()


def _compare(
    form: Form, record: DealRecord, theirs: dict[str, Any], choices: FormChoices, contacts: dict[int, str]
) -> None:
    mine = form["mine"]
    found = differences(_unpacked(form["base"]), mine, theirs)
    labels = {
        "name": _("Deal name"),
        "amount": _("Amount"),
        "currency": _("Currency"),
        "expected_close_on": _("Expected close"),
        "channel_id": _("Channel"),
        "contact_id": _("Contact"),
        "competitor": _("Competitor"),
        "note": _("Note"),
        "lines": _("Products"),
    }
    products = {choice.product_id: choice.name for choice in choices.products}
    channels = names_of(choices.channels)

    def shown(name: str, value: Any) -> str:
        if name == "lines":
            return "; ".join(
                f"{products.get(line.product_id, '?')} × {line.quantity} = {line.amount:,.2f}" for line in value
            ) or _("None")
        if name == "amount" and value is not None:
            return format_money(value, mine["currency"])
        if isinstance(value, date):
            return format_date(value)
        known = {"channel_id": channels, "contact_id": contacts}.get(name)
        return str(known.get(value, "") if known else value) or _("None")

    changes = compare(found, labels=labels, shown=shown, who=record.last_editor, key=f"conflict-{record.deal.id}")
    if changes is not None:
        _save(form, record, changes, mine, record.deal.version)
    st.button(_("Throw my changes away"), on_click=_cancel, args=(form,), type="tertiary", key="conflict-cancel")


def _cancel(form: Form) -> None:
    form.forget()
    open_panel(None)
