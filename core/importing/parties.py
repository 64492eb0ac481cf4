"""The rows of customers, products and people."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from core.i18n import N_
from core.importing.choices import Choices
from core.importing.cleaning import day_in, number_in
from core.importing.currencies import currency_of
from core.importing.ledger import Ledger, Outcome, Row
from core.importing.records import Records

NO_NAME = N_("The name is missing.")
STANDS_ALREADY = N_("There is one of this name already; the row adds nothing to it.")
NOT_A_NUMBER = N_("“{value}” is not a number.")
NOT_A_DAY = N_("“{value}” is not a day.")
NEGATIVE = N_("The number cannot be negative.")
MERGED_WORD = N_("“{written}” is taken for “{known}”, as you chose.")
REP_UNKNOWN = N_("There is no rep named {name}; one is added without a team.")
LEFT_BEFORE = N_("The day of leaving lies before the day of joining.")

Take = Callable[[Row, Records, Ledger, Choices], None]


def take_person(row: Row, records: Records, ledger: Ledger, choices: Choices) -> None:
    """Add a rep with team and territory."""
    name = choices.merged("rep", row.text("name", 80))
    if not name:
        ledger.refuse(row, "name", NO_NAME)
        return
    external = row.text("external_id", 120) or None
    zone = records.reference.zone
    days = {}
    for field in ("joined_on", "left_on"):
        cell = row.cell(field)
        if cell is not None:
            try:
                days[field] = day_in(cell, order=choices.day_order, zone=zone)
            except ValueError:
                ledger.warn(row, field, NOT_A_DAY, value=row.text(field))
    if len(days) == 2 and days["left_on"] < days["joined_on"]:
        ledger.warn(row, "left_on", LEFT_BEFORE)
        days.pop("left_on")
    territory = records.territory(row.text("territory")) if row.cell("territory") is not None else None
    team = records.team(row.text("team", 80), territory) if row.cell("team") is not None else None
    if records.reps.find(name, external) is not None:
        ledger.warn(row, "name", STANDS_ALREADY)
        ledger.settle(row, Outcome.MERGED)
        return
    number = records.add_rep(name, external, team_id=team, email=row.text("email"), **days)
    if territory is not None:
        records.new[number]["_territory"] = territory
    ledger.settle(row, Outcome.IMPORTED)


def _money(row: Row, field: str, ledger: Ledger) -> Decimal | None:
    """Return an amount of the row, None for an empty cell or where the row is refused for it."""
    if row.cell(field) is None:
        return None
    try:
        amount = number_in(row.cell(field))
    except ValueError:
        ledger.refuse(row, field, NOT_A_NUMBER, value=row.text(field))
        return None
    if amount < 0:
        ledger.refuse(row, field, NEGATIVE)
    return amount


def take_product(row: Row, records: Records, ledger: Ledger, choices: Choices) -> None:
    """Add a product with its list price, and its cost where the file says it."""
    name = choices.merged("product", row.text("name"))
    if not name:
        ledger.refuse(row, "name", NO_NAME)
        return
    price, cost = (_money(row, field, ledger) for field in ("price", "cost"))
    currency = currency_of(row, ledger, records.reference)
    if ledger.is_refused(row):
        return
    code = row.text("external_id", 80)
    if records.products.find(name, code or None) is not None:
        ledger.warn(row, "name", STANDS_ALREADY)
        ledger.settle(row, Outcome.MERGED)
        return
    records.add_product(
        name, code, price, name_en=row.text("name_en"), category=row.joined("category", 80, labelled=False),
        specification=row.text("specification"), unit=row.text("unit", 20), currency=currency, cost=cost,
    )  # fmt: skip
    ledger.settle(row, Outcome.IMPORTED)


def take_account(row: Row, records: Records, ledger: Ledger, choices: Choices) -> None:
    """Add a customer with what the file knows of it."""
    name = choices.merged("customer", row.text("name"))
    if not name:
        ledger.refuse(row, "name", NO_NAME)
        return
    external = row.text("external_id", 120) or None
    if records.customers.find(name, external) is not None:
        ledger.warn(row, "name", STANDS_ALREADY)
        ledger.settle(row, Outcome.MERGED)
        return
    facts = {
        field: row.text(field, longest)
        for field, longest in (
            ("name_en", 200), ("segment", 60), ("size", 60), ("city", 80), ("address", 300), ("phone", 60),
            ("website", 200),
        )
    }  # fmt: skip
    for field in ("industry", "country"):
        written = row.text(field, 60)
        facts[field] = choices.merged(field, written)
        if facts[field] != written:
            ledger.warn(row, field, MERGED_WORD, written=written, known=facts[field])
    owner = None
    if row.cell("owner") is not None:
        owner = rep_of(row, "owner", records, ledger, choices)
    territory = records.territory(row.text("territory")) if row.cell("territory") is not None else None
    records.add_customer(name, external, owner_id=owner, territory_id=territory, note=row.joined("note"), **facts)
    ledger.settle(row, Outcome.IMPORTED)


def rep_of(row: Row, field: str, records: Records, ledger: Ledger, choices: Choices) -> int:
    """Return the rep that a row names, planned without a team where there is none."""
    written = row.text(field, 80)
    name = choices.merged("rep", written)
    if name != written:
        ledger.warn(row, field, MERGED_WORD, written=written, known=name)
    found = records.reps.find(name)
    if found is None:
        ledger.warn(row, field, REP_UNKNOWN, name=name)
        found = records.add_rep(name)
    return found
