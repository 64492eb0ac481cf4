"""Products and their specifications: saved all or none, each code once, codes free to change places."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlmodel import select

from core.access.actors import SYSTEM
from core.errors import EditedMeanwhile, InvalidFields
from core.model import AuditEntry, Product, Sku
from core.services.goods import ProductRow, SkuRow, save_products, save_skus
from tests.factories import NOW


def products(company):
    with company.database.reading(SYSTEM, now=NOW) as work:
        return {row.code: row for row in work.session.exec(select(Product))}


def said(row, product, code=None, **more):
    return ProductRow(row, code or product.code, product.name, number=product.id, version=product.version, **more)


def test_two_products_change_their_codes_in_one_save(company, perform_as):
    before = products(company)
    compass, sextant = before["compass"], before["sextant"]
    perform_as("operations", save_products, rows=(said(1, compass, "sextant"), said(2, sextant, "compass")))
    after = products(company)
    assert (after["sextant"].id, after["compass"].id) == (compass.id, sextant.id)
    assert after["sextant"].version == compass.version + 1, "one change, not two"
    with company.database.reading(SYSTEM, now=NOW) as work:
        entries = work.session.exec(select(AuditEntry).where(AuditEntry.kind == "product").order_by(AuditEntry.id))
        told = [(entry.before["code"], entry.after["code"]) for entry in entries if entry.before]
    assert sorted(told) == [("compass", "sextant"), ("sextant", "compass")], "no code that was never typed"


def test_codes_go_round_and_a_new_product_takes_the_one_that_is_left(company, perform_as):
    before = products(company)
    rows = (
        said(1, before["compass"], "sextant"),
        said(2, before["sextant"], "astrolabe"),
        ProductRow(3, "compass", "新"),
    )
    perform_as("operations", save_products, rows=rows)
    after = products(company)
    assert after["sextant"].id == before["compass"].id
    assert after["astrolabe"].id == before["sextant"].id
    assert after["compass"].name == "新"


def test_a_code_that_somebody_keeps_is_refused_beside_its_row(company, perform_as):
    before = products(company)
    for rows in (
        (said(7, before["compass"], "sextant"),),
        (said(7, before["compass"], "sextant"), said(8, before["sextant"])),
        (ProductRow(7, "sextant", "新"),),
    ):
        with pytest.raises(InvalidFields) as refusal:
            perform_as("operations", save_products, rows=rows)
        assert "7:code" in refusal.value.problems
    assert {code: row.id for code, row in products(company).items()} == {code: row.id for code, row in before.items()}


def test_codes_do_not_change_places_under_somebody_elses_edit(company, perform_as):
    before = products(company)
    compass, sextant = before["compass"], before["sextant"]
    perform_as("operations", save_products, rows=(said(1, sextant, name_en="Changed"),))
    with pytest.raises(EditedMeanwhile):
        perform_as("operations", save_products, rows=(said(1, compass, "sextant"), said(2, sextant, "compass")))
    assert products(company)["compass"].id == compass.id


def test_two_specifications_change_their_codes_in_one_save(company, perform_as):
    with company.database.reading(SYSTEM, now=NOW) as work:
        first, second = work.session.exec(select(Sku).order_by(Sku.id)).all()[:2]
        code = {product.id: product.code for product in work.session.exec(select(Product))}

    def row(number, sku, new):
        price = Decimal(sku.list_price)
        return SkuRow(number, code[sku.product_id], new, price, number=sku.id, version=sku.version)

    perform_as("operations", save_skus, rows=(row(1, first, second.code), row(2, second, first.code)))
    with company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(Sku, first.id).code == second.code
        assert work.session.get(Sku, second.id).code == first.code
