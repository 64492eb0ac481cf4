"""Changing what is sold: products, and the specifications in which they are sold."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import select, update

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.money import CENT
from core.errors import InvalidFields
from core.gate import command
from core.i18n import _
from core.model import Currency, Product, Sku
from core.services.deal_rules import MOST_MONEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.db.work import Work


@dataclass(frozen=True)
class ProductRow:
    """A product as typed into the grid; without `number` a new one. `row` names it in refusals."""

    row: int
    code: str
    name: str
    name_en: str = ""
    category: str = ""
    active: bool = True
    number: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class SkuRow:
    """A specification as typed into the grid, of the product with the code `product_code`."""

    row: int
    product_code: str
    code: str
    list_price: Decimal | None
    specification: str = ""
    unit: str = ""
    currency: str = "CNY"
    active: bool = True
    number: int | None = None
    version: int | None = None
    cost: Decimal | None = None
    """Of one piece, in the price's currency; None where nobody says."""


@command(Action.PRODUCT_EDIT)
def save_products(work: Work, *, rows: Sequence[ProductRow]) -> int:
    """Save changed and new products, all or none; return how many. Codes may change places.

    Raises NotFound, EditedMeanwhile, and InvalidFields whose fields are `row:column`.
    """
    problems: dict[str, str] = {}
    taken = {code: number for number, code in work.session.exec(select(Product.id, Product.code))}
    for row in rows:
        problems |= _lengths(row.row, row, {"code": 80, "name": 200, "name_en": 200, "category": 80})
        problems |= _needed(row.row, row, ("code", "name"))
        problems |= _doubled(row, row.code.strip(), rows, taken)
    if problems:
        raise InvalidFields(problems)
    products = [
        Product(code=row.code, name=row.name)
        if row.number is None
        else get_visible(work, Product, row.number, version=row.version)
        for row in rows
    ]
    _free_codes(work, Product, rows, products)
    for row, product in zip(rows, products, strict=True):
        product.code, product.name, product.name_en = row.code.strip(), row.name.strip(), row.name_en.strip()
        product.category, product.active = row.category.strip(), row.active
        work.session.add(product)
    return len(rows)


@command(Action.PRODUCT_EDIT)
def save_skus(work: Work, *, rows: Sequence[SkuRow]) -> int:
    """Save changed and new specifications with their prices, all or none; return how many. Codes may change places.

    Raises NotFound, EditedMeanwhile, and InvalidFields whose fields are `row:column`.
    """
    problems: dict[str, str] = {}
    taken = {code: number for number, code in work.session.exec(select(Sku.id, Sku.code))}
    products = {code: number for number, code in work.session.exec(select(Product.id, Product.code))}
    currencies = set(work.session.exec(select(Currency.code).where(Currency.active)))
    for row in rows:
        problems |= _lengths(row.row, row, {"code": 80, "specification": 200, "unit": 20})
        problems |= _needed(row.row, row, ("code",))
        problems |= _doubled(row, row.code.strip(), rows, taken)
        if row.product_code.strip() not in products:
            problems[f"{row.row}:product_code"] = _("Please choose a product from the list.")
        if row.list_price is None or not 0 <= row.list_price < MOST_MONEY:
            problems[f"{row.row}:list_price"] = _("A price is zero or more, and below ten trillion.")
        if row.cost is not None and not 0 <= row.cost < MOST_MONEY:
            problems[f"{row.row}:cost"] = _("A cost is zero or more, and below ten trillion, or empty where not known.")
        if row.currency not in currencies:
            problems[f"{row.row}:currency"] = _("Please choose a currency from the list.")
    if problems:
        raise InvalidFields(problems)
    skus = [
        Sku(product_id=products[row.product_code.strip()], code=row.code)
        if row.number is None
        else get_visible(work, Sku, row.number, version=row.version)
        for row in rows
    ]
    _free_codes(work, Sku, rows, skus)
    for row, sku in zip(rows, skus, strict=True):
        sku.product_id, sku.code = products[row.product_code.strip()], row.code.strip()
        sku.specification, sku.unit = row.specification.strip(), row.unit.strip()
        sku.list_price = (row.list_price or Decimal(0)).quantize(CENT)
        sku.cost = None if row.cost is None else row.cost.quantize(CENT)
        sku.currency, sku.active = row.currency, row.active
        work.session.add(sku)
    return len(rows)


def _lengths(number: int, row: object, longest: dict[str, int]) -> dict[str, str]:
    return {
        f"{number}:{field}": _("At most {n} characters, please.", n=most)
        for field, most in longest.items()
        if len(getattr(row, field).strip()) > most
    }


def _needed(number: int, row: object, fields: tuple[str, ...]) -> dict[str, str]:
    return {f"{number}:{field}": _("This is needed.") for field in fields if not getattr(row, field).strip()}


def _free_codes(work: Work, table: type[Product | Sku], rows: Sequence[Any], records: Sequence[Any]) -> None:
    """Take away the codes that change places, which are unique at every moment, until all are given anew.

    The records keep in memory what they were, so the audit tells of one change, from the old code to the new.
    """
    wanted = {row.code.strip(): row.number for row in rows}
    moving = [
        record.id
        for record in records
        if record.id is not None and record.code in wanted and wanted[record.code] != record.id
    ]
    column = cast("Any", table)
    for number in moving:
        away = update(column).where(column.id == number).values(code=f"~{secrets.token_hex(16)}")
        work.session.execute(away, execution_options={"synchronize_session": False})


def _doubled(row: Any, code: str, rows: Sequence[Any], taken: dict[str, int]) -> dict[str, str]:
    """Return a problem where the code is another row's: in the grid, or stored and not given up in the grid."""
    inside = any(other.code.strip() == code and other is not row for other in rows)
    holder = taken.get(code, row.number)
    given_up = any(other.number == holder and other.code.strip() != code for other in rows)
    if inside or (holder != row.number and not given_up):
        return {f"{row.row}:code": _("This code is taken already.")}
    return {}
