"""Products and their specifications: two grids that are edited in place and saved at once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from core.i18n import _, _n
from core.queries.administration import currency_lines, product_categories, product_page, specifications
from core.queries.reference import word_list
from core.services.deal_costs import cost_won_deals
from core.services.goods import ProductRow, SkuRow, save_products, save_skus
from core.ui.administration import (
    do,
    grid_key,
    is_touched,
    show_what_was_told,
    tell,
    typed_number,
    typed_text,
)
from core.ui.administration_grid import save_grid

if TYPE_CHECKING:
    from core.model import Product, Sku
    from core.ui.page import View

_ROWS = 50
_SPOKEN = ("specification", "unit")
"""Columns whose words the word list says in the reader's language."""
_GRIDS = ("products", "skus")


def draw(view: View) -> None:
    """Draw the page."""
    show_what_was_told()
    st.caption(
        _("What is sold. Type into the grid, add lines at its end, then save. Retired products stay on old deals.")
    )
    busy = any(is_touched(name) for name in _GRIDS)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(
            _("Search"), placeholder=_("Code, name or category"), disabled=busy, key="goods-search", width=320
        )
        retired = st.toggle(_("Show retired ones"), disabled=busy, key="goods-retired")
    total, found = view.ask(product_page, search=search, retired=retired, limit=_ROWS, offset=0)
    pages = max(1, -(-total // _ROWS))
    page = 1
    if pages > 1:
        page = min(st.pagination(pages, disabled=busy, key="goods-page"), pages)
        if page > 1:
            total, found = view.ask(
                product_page, search=search, retired=retired, limit=_ROWS, offset=(page - 1) * _ROWS
            )
    st.caption(_n("{n} product", "{n} products", total))
    products, skus = st.tabs([_("Products"), _("Specifications and prices")])
    with products:
        _products(view, found)
    with skus:
        _skus(view, found, retired=retired)


def _products(view: View, found: list[Product]) -> None:
    fields = ("code", "name", "name_en", "category", "active")
    words, categories = view.ask(word_list), view.ask(product_categories)
    start = pd.DataFrame([{name: getattr(row, name) for name in fields} for row in found], columns=list(fields))
    start["category"] = start["category"].map(words)
    text, tick = st.column_config.TextColumn, st.column_config.CheckboxColumn
    labels = {
        "code": _("Code"),
        "name": _("Chinese name"),
        "name_en": _("English name"),
        "category": _("Category"),
        "active": _("In use"),
    }
    typed = st.data_editor(
        start.astype({"active": bool}),
        num_rows="add",
        hide_index=True,
        key=grid_key("products"),
        height=min(36 * (len(found) + 2) + 3, 640),
        column_config={
            "code": text(labels["code"], required=True, max_chars=80),
            "name": text(labels["name"], required=True, max_chars=200, width="medium"),
            "name_en": text(labels["name_en"], max_chars=200, width="medium"),
            "category": text(labels["category"], max_chars=80),
            "active": tick(labels["active"], default=True),
        },
    )
    rows: list[ProductRow] = []
    for index, line in enumerate(cast("Any", typed).to_dict("records")):
        known = found[index] if index < len(found) else None
        row = ProductRow(
            row=index + 1,
            code=typed_text(line["code"]),
            name=typed_text(line["name"]),
            name_en=typed_text(line["name_en"]),
            category=words.stored(typed_text(line["category"]), [*([known.category] if known else []), *categories]),
            active=bool(line["active"]) if line["active"] is not None else True,
            number=known.id if known else None,
            version=known.version if known else None,
        )
        if known is None or any(getattr(row, name) != getattr(known, name) for name in fields):
            rows.append(row)
    save_grid("products", len(rows), labels, lambda: do(view, save_products, rows=rows))


def _skus(view: View, found: list[Product], *, retired: bool) -> None:
    if not found:
        st.info(_("There is no product yet. Add the first one under Products."), icon=":material/inbox:")
        return
    codes = {product.id: product.code for product in found}
    skus = view.ask(specifications, product_ids=tuple(codes), retired=retired)
    currencies = [line.currency.code for line in view.ask(currency_lines) if line.currency.active]
    fields = ("product_code", "code", "specification", "unit", "list_price", "cost", "currency", "active")
    words = view.ask(word_list)
    start = pd.DataFrame([_sku_line(sku, codes) for sku in skus], columns=list(fields))
    for name in _SPOKEN:
        start[name] = start[name].map(words)
    text = st.column_config.TextColumn
    choose = st.column_config.SelectboxColumn
    labels = {
        "product_code": _("Product"),
        "code": _("SKU"),
        "specification": _("Specification"),
        "unit": _("Unit"),
        "list_price": _("List price"),
        "cost": _("Cost"),
        "currency": _("Currency"),
        "active": _("In use"),
    }
    typed = st.data_editor(
        start.astype({"active": bool}),
        num_rows="add",
        hide_index=True,
        key=grid_key("skus"),
        height=min(36 * (len(skus) + 2) + 3, 640),
        column_config={
            "product_code": choose(labels["product_code"], options=list(codes.values()), required=True),
            "code": text(labels["code"], required=True, max_chars=80),
            "specification": text(labels["specification"], max_chars=200, width="medium"),
            "unit": text(labels["unit"], max_chars=20, width="small"),
            "list_price": text(labels["list_price"], required=True, alignment="right", width="small"),
            "cost": text(
                labels["cost"],
                alignment="right",
                width="small",
                help=_("What one piece costs the company, in the price's currency; empty where not known."),
            ),
            "currency": choose(
                labels["currency"], options=currencies, required=True, default=view.currency, width="small"
            ),
            "active": st.column_config.CheckboxColumn(labels["active"], default=True),
        },
    )
    rows: list[SkuRow] = []
    for index, line in enumerate(cast("Any", typed).to_dict("records")):
        known = skus[index] if index < len(skus) else None
        before = _sku_line(known, codes) if known else dict.fromkeys(_SPOKEN, "")
        line |= {name: words.stored(typed_text(line[name]), [before[name]]) for name in _SPOKEN}
        if known and all(line[name] == before[name] for name in fields):
            continue
        try:
            price = typed_number(line["list_price"])
        except ValueError:
            price = None
        try:
            cost = typed_number(line["cost"])
        except ValueError:
            cost = Decimal(-1)  # refused with what a cost may be
        rows.append(
            SkuRow(
                row=index + 1,
                product_code=typed_text(line["product_code"]),
                code=typed_text(line["code"]),
                specification=typed_text(line["specification"]),
                unit=typed_text(line["unit"]),
                list_price=price,
                cost=cost,
                currency=typed_text(line["currency"]),
                active=bool(line["active"]) if line["active"] is not None else True,
                number=known.id if known else None,
                version=known.version if known else None,
            )
        )
    save_grid("skus", len(rows), labels, lambda: do(view, save_skus, rows=rows))
    _cost_won(view)


def _cost_won(view: View) -> None:
    """Offer to give deals won before the costs were known the present ones."""
    with st.expander(_("Deals won before their costs were known"), icon=":material/price_check:"):
        st.caption(
            _(
                "A deal keeps the costs of the day on which it was won. "
                "Deals won without a cost can take the present ones here."
            )
        )
        year = view.calendar.year(view.calendar.year_of(view.today))
        since = st.date_input(
            _("Won since"), year.start, max_value=view.today, key="goods-cost-since", format="YYYY-MM-DD", width=200
        )
        if st.button(_("Fill in costs"), icon=":material/price_check:", key="goods-cost-won"):
            done, left = do(view, cost_won_deals, since=since)
            told = _n("{n} deal has its cost now.", "{n} deals have their cost now.", done)
            rest = _n("{n} won since then has none.", "{n} won since then have none.", left)
            tell(f"{told} {rest}" if left else told)
            st.rerun()


def _sku_line(sku: Sku, codes: dict[int, str]) -> dict[str, Any]:
    return {
        "product_code": codes[sku.product_id],
        "code": sku.code,
        "specification": sku.specification,
        "unit": sku.unit,
        "list_price": f"{sku.list_price:,.2f}",
        "cost": "" if sku.cost is None else f"{sku.cost:,.2f}",
        "currency": sku.currency,
        "active": sku.active,
    }
