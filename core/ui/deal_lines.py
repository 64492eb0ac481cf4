"""The products of a deal in a form: as many lines as there are, each priced from the list."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.i18n import _, format_money
from core.services.deal_rules import LineFields
from core.ui.forms import read_money
from core.ui.page import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.queries.deals import LineRow
    from core.queries.reference import FormChoices, ProductChoice
    from core.ui.forms import Form

_MOST_LINES = 30


def line_defaults(lines: Sequence[LineRow]) -> dict[str, Any]:
    """Return a form's defaults for the lines of a deal."""
    found: dict[str, Any] = {"rows": list(range(1, len(lines) + 1))}
    for row, line in enumerate(lines, start=1):
        found |= {
            f"product{row}": _code(line.product_id, line.sku_id),
            f"quantity{row}": line.quantity,
            f"price{row}": f"{line.unit_price:.2f}",
            f"discount{row}": round(line.discount_rate * 100, 2),
        }
    return found


def deal_lines(form: Form, choices: FormChoices, currency: str) -> tuple[list[LineFields], bool]:
    """Draw the lines; return those that are complete, and whether every one is."""
    products = {_code(choice.product_id, choice.sku_id): choice for choice in choices.products}
    _follow_currency(form, products, currency)
    found: list[LineFields] = []
    whole = True
    for row in form["rows"] or []:
        line = _line(form, int(row), products, currency)
        whole = whole and line is not None
        if line is not None:
            found.append(line)
    form.problem("lines")
    label = _("Add another product") if form["rows"] else _("Add a product")
    if products and len(form["rows"] or []) < _MOST_LINES:
        st.button(label, icon=":material/add:", on_click=_add, args=(form,), key=f"{form.name}-add-line")
    elif not products:
        st.caption(_("No products have been set up yet; the amount alone will do."))
    return found, whole


def _code(product_id: int, sku_id: int | None) -> str:
    return f"{product_id}/{sku_id or ''}"


def _add(form: Form) -> None:
    rows = list(form["rows"] or [])
    form["rows"] = [*rows, max(rows, default=0) + 1]


def _remove(form: Form, row: int) -> None:
    form["rows"] = [other for other in form["rows"] if other != row]
    for name in ("product", "quantity", "price", "discount"):
        form[f"{name}{row}"] = None


def _price_from_list(form: Form, row: int, products: dict[str, ProductChoice], currency: str) -> None:
    product = products.get(form[f"product{row}"])
    priced = product is not None and product.list_price is not None and product.currency == currency
    form[f"price{row}"] = f"{product.list_price:.2f}" if product is not None and priced else ""


def _follow_currency(form: Form, products: dict[str, ProductChoice], currency: str) -> None:
    """Where the currency changed, take list prices of the other one out, and put those of this one in."""
    before = form["priced_in"]
    form["priced_in"] = currency
    if before in (None, currency):
        return
    for row in form["rows"] or []:
        product = products.get(form[f"product{row}"])
        if product is None or product.list_price is None:
            continue
        typed = str(form[f"price{row}"] or "").strip()
        listed = product.currency == before and read_money(typed) == product.list_price
        if listed or not typed:
            _price_from_list(form, row, products, currency)


def _line(form: Form, row: int, products: dict[str, ProductChoice], currency: str) -> LineFields | None:
    if form[f"quantity{row}"] is None:
        form[f"quantity{row}"] = 1
    if form[f"discount{row}"] is None:
        form[f"discount{row}"] = 0.0
    known = form[f"product{row}"]
    options = [*products, *([known] if known and known not in products else [])]
    with st.container(border=True, gap="xsmall", key=f"line-{form.name}-{row}"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            code = st.selectbox(
                _("Product"),
                options,
                index=None,
                placeholder=_("Choose a product"),
                format_func=lambda code: products[code].name if code in products else _("A product no longer sold"),
                on_change=_price_from_list,
                args=(form, row, products, currency),
                width=260,
                **form.widget(f"product{row}"),
            )
            quantity = st.number_input(_("Quantity"), min_value=1, step=1, width=120, **form.widget(f"quantity{row}"))
            price = st.text_input(
                _("Unit price ({currency})", currency=currency), width=140, **form.widget(f"price{row}")
            )
            discount = st.number_input(
                _("Discount (%)"),
                min_value=0.0,
                max_value=100.0,
                step=5.0,
                format="%.1f",
                width=120,
                **form.widget(f"discount{row}"),
            )
            st.button(
                _("Remove"),
                icon=":material/delete:",
                type="tertiary",
                on_click=_remove,
                args=(form, row),
                key=f"{form.name}-remove-{row}",
            )
        listed = products.get(code) if code else None
        if listed is not None and listed.list_price is not None and listed.currency != currency:
            st.caption(plain(_("List price: {amount}", amount=format_money(listed.list_price, listed.currency))))
        amount = read_money(price)
        if code is None or quantity is None or amount is None or not 0 <= amount < Decimal(10) ** 13:
            if code is not None:
                st.markdown(f":red[:material/error: {plain(_('Please give the unit price.'))}]")
            return None
        product_id, _slash, sku_id = code.partition("/")
        line = LineFields(
            int(product_id),
            int(quantity),
            amount,
            round(float(discount or 0) / 100, 6),
            int(sku_id) if sku_id else None,
        )
        st.caption(plain(_("Line amount: {amount}", amount=format_money(line.amount, currency))))
    return line
