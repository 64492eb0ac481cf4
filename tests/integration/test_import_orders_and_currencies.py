"""Amounts without a currency column, and orders that come without numbers or products."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.db.work import Database
from core.domain.periods import day_of
from core.domain.stages import StageKind
from core.importing.batches import deal_numbers, open_sources, prepare, suggest_choices
from core.importing.fields import FileKind
from core.importing.ledger import Outcome
from core.importing.readers import SourceFile
from core.model import AuditEntry, Contact, Customer, Deal, DealLine, FxRate, ImportBatch, Sku
from core.queries.imports import import_batches, import_reference, known_deals
from core.services.imports import undo_import
from tests.integration.test_import_files import NOW, SHARED, apply, deals_csv, preview_of

ORDERS = SHARED / "rfm_orders" / "rfm_data_orders.csv"
needs_orders = pytest.mark.skipif(not ORDERS.is_file(), reason="../shared/data is not here")
ONE = "A1,Moses,GTX,Acme,Won,2024-01-05,2024-02-01,100"


def in_currency(database: Database, files: dict[str, bytes], currency: str, **said: Any) -> Any:
    reference = gate.answer(database, SYSTEM, import_reference, NOW)
    sources = open_sources([SourceFile(name, content) for name, content in files.items()], reference, currency=currency)
    known = gate.answer(database, SYSTEM, known_deals, NOW, external_ids=deal_numbers(sources))
    return prepare(sources, reference, known, replace(suggest_choices(sources, reference), **said))


def set_rate(database: Database, currency: str, rate: str, on: date = date(2020, 1, 1)) -> None:
    with database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.add(FxRate(currency=currency, on=on, rate=Decimal(rate)))


def deals(database: Database) -> list[Deal]:
    with database.reading(SYSTEM, now=NOW) as work:
        return list(work.session.exec(select(Deal).order_by(Deal.external_id)))


def test_amounts_without_a_currency_are_the_base_currencys_and_the_import_says_so(database: Database) -> None:
    preview = preview_of(database, deals_csv(ONE))
    batch_id = apply(database, preview)

    with database.reading(SYSTEM, now=NOW) as work:
        batch = work.session.get(ImportBatch, batch_id)
        said = [e.after["currencies"] for e in work.session.exec(select(AuditEntry)) if e.action == "import.apply"]
    assert preview.sources[0].mapping.undenominated == "close_value"
    assert [deal.currency for deal in deals(database)] == ["CNY"]
    assert [file["currency"] for file in batch.report["files"]] == ["CNY"]
    assert said == [{"deals.csv": "CNY"}]
    assert [row["currencies"] for row in gate.answer(database, SYSTEM, import_batches, NOW)] == ["CNY"]


def test_the_chosen_currency_is_kept_with_the_mapping_and_used_again(database: Database) -> None:
    set_rate(database, "USD", "7.2")
    batch_id = apply(database, in_currency(database, deals_csv(ONE), "USD"))

    again = preview_of(database, deals_csv(ONE, "A2,Moses,GTX,Acme,Won,2024-01-05,2024-02-01,10"))
    apply(database, again, "b")

    first, second = deals(database)
    assert again.sources[0].mapping.remembered
    assert [(deal.currency, deal.amount, deal.base_amount) for deal in (first, second)] == [
        ("USD", Decimal(100), Decimal(720)), ("USD", Decimal(10), Decimal(72)),
    ]  # fmt: skip
    with database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(ImportBatch, batch_id).report["files"][0]["currency"] == "USD"


def test_a_column_that_names_the_currency_is_not_asked_about(database: Database) -> None:
    set_rate(database, "USD", "7")
    rows = [
        f"{name},Won,2024-02-01,10,{code}"
        for name, code in (("Acme", "usd"), ("Beta", ""), ("Gamma", "XYZ"), ("Delta", "dollar"))
    ]
    files = {"deals.csv": "\n".join(["account,deal stage,close date,close value,currency", *rows]).encode()}

    preview = preview_of(database, files)
    batch_id = apply(database, preview)

    assert preview.sources[0].mapping.undenominated is None
    assert Counter(deal.currency for deal in deals(database)) == {"USD": 1, "CNY": 1}
    assert {one.row: one.message() for one in preview.problems if one.is_error} == {
        4: "The currency XYZ is not set up. Add it in Settings first.", 5: "DOLLAR is not a currency code.",
    }  # fmt: skip
    with database.reading(SYSTEM, now=NOW) as work:
        assert "currency" not in work.session.get(ImportBatch, batch_id).report["files"][0]


def test_deals_without_a_rate_for_their_currency_are_refused(database: Database) -> None:
    preview = in_currency(database, deals_csv(ONE), "USD")

    assert preview.counts[Outcome.REFUSED] == 1
    assert [one.message() for one in preview.problems if one.is_error] == [
        "There is no exchange rate for USD on the deal's day. Add one in Settings first."
    ]


def test_a_list_price_taken_for_a_missing_value_is_exchanged(database: Database) -> None:
    set_rate(database, "USD", "8")
    products = {"products.csv": b"product,sales_price,currency\nGTX,80,CNY\n"}

    apply(database, in_currency(database, products | deals_csv("A1,Ann,GTX,Acme,Engaging,2024-01-05,,"), "USD"))

    (deal,) = deals(database)
    with database.reading(SYSTEM, now=NOW) as work:
        assert [(sku.list_price, sku.currency) for sku in work.session.exec(select(Sku))] == [(Decimal(80), "CNY")]
    assert (deal.amount, deal.currency, deal.base_amount) == (Decimal(10), "USD", Decimal(80))


def test_a_logs_amounts_come_into_the_deals_currency(database: Database) -> None:
    set_rate(database, "USD", "8")
    files = {
        "log.csv": b"deal,stage,time,person,amount,currency\n1,Offer,2024-01-05,Ann,100,USD\n"
        b"1,Won,2024-01-09,Ann,1600,CNY\n"
    }

    apply(database, preview_of(database, files))

    assert [(deal.amount, deal.currency) for deal in deals(database)] == [(Decimal(200), "USD")]


def test_an_order_is_in_one_currency(database: Database) -> None:
    set_rate(database, "USD", "8")
    head = b"order id,order date,customer name,product name,sales,currency\n"
    files = {
        "orders.csv": head + b"1,2024-01-05,Acme,Pen,10,USD\n1,2024-01-05,Acme,Ink,5,CNY\n2,2024-01-05,Acme,Ink,5,\n"
    }

    preview = preview_of(database, files)
    apply(database, preview)

    assert preview.counts == {Outcome.REFUSED: 2, Outcome.IMPORTED: 1}
    assert "The order's first line is in USD; one order has one currency." in {
        one.message() for one in preview.problems if one.is_error
    }
    assert [deal.currency for deal in deals(database)] == ["CNY"]


@needs_orders
def test_orders_without_numbers_or_products_become_won_deals(database: Database) -> None:
    """The figures come straight from the file."""
    rows = list(csv.DictReader(ORDERS.open(encoding="utf-8")))
    by_customer: dict[str, Decimal] = {}
    for row in rows:
        by_customer[row["customer_id"]] = by_customer.get(row["customer_id"], Decimal(0)) + Decimal(row["revenue"])
    files = {ORDERS.name: ORDERS.read_bytes()}

    preview = preview_of(database, files)
    batch_id = apply(database, preview)

    assert preview.sources[0].mapping.kind is FileKind.ORDERS
    assert dict(preview.sources[0].mapping.columns) == {
        "customer_id": "customer_id", "order_date": "day", "revenue": "amount", "first_name": "first_name",
        "last_name": "last_name", "email": "email",
    }  # fmt: skip
    assert preview.counts == {Outcome.IMPORTED: len(rows)}
    with database.reading(SYSTEM, now=NOW) as work:
        found = work.session.exec(select(Deal)).all()
        customers = {row.id: row for row in work.session.exec(select(Customer))}
        emails = {row.customer_id: row.email for row in work.session.exec(select(Contact))}
        assert work.session.exec(select(DealLine)).all() == []
    assert {deal.state for deal in found} == {StageKind.WON}
    booked: Counter[str] = Counter()
    for deal in found:
        booked[customers[deal.customer_id].external_id] += deal.amount
    assert booked == by_customer
    assert {customers[number].external_id: email for number, email in emails.items()} == {
        row["customer_id"]: row["email"] for row in rows
    }
    assert Counter(day_of(deal.closed_at, database.zone).isoformat() for deal in found) == Counter(
        row["order_date"] for row in rows
    )

    again = preview_of(database, files)
    gate.perform(database, SYSTEM, undo_import, NOW, batch_id=batch_id)

    assert again.counts == {Outcome.PRESENT: len(rows)}
    assert deals(database) == []
    with database.reading(SYSTEM, now=NOW) as work:
        assert work.session.exec(select(Contact)).all() == []


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Brion", "Stark", "Brion Stark"), ("爱丽", "王", "王爱丽"), ("José", "García", "José García")],
)
def test_a_customers_name_is_put_together_in_the_order_of_its_language(
    database: Database, first: str, last: str, name: str
) -> None:
    text = f"order_date,revenue,first_name,last_name\n2024-01-05,10,{first},{last}\n"

    apply(database, preview_of(database, {"orders.csv": text.encode()}))

    with database.reading(SYSTEM, now=NOW) as work:
        assert [row.name for row in work.session.exec(select(Customer))] == [name]
    assert [deal.name for deal in deals(database)] == [f"{name} · 2024-01-05"]


def test_columns_that_only_sound_like_orders_are_left_alone(database: Database) -> None:
    """Days that are no days and sums that are no numbers are no orders, whatever their headings say."""
    files = {"a.csv": b"order date,revenue,customer name\nsoon,much,Acme\nlater,little,Beta\n"}

    preview = preview_of(database, files)

    assert preview.sources[0].mapping.kind is not FileKind.ORDERS
