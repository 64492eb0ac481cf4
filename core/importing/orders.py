"""Order lines: each order of a customer one won deal, with its lines."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from core.domain.periods import day_of
from core.domain.stages import StageKind
from core.i18n import N_
from core.importing.choices import Choices
from core.importing.cleaning import instant_in, number_in, rate_in
from core.importing.currencies import NO_RATE, currency_of
from core.importing.deals import NO_REP, PRESENT, PRESENT_OTHERWISE, house_rep
from core.importing.drafts import DealDraft, Line, Move, NoRate, write
from core.importing.history_log import IN_THE_FUTURE, OTHER_ROW
from core.importing.ledger import Ledger, Outcome, Row
from core.importing.parties import NEGATIVE, NOT_A_DAY, NOT_A_NUMBER, rep_of
from core.importing.process import Process
from core.importing.records import Records, fingerprint
from core.queries.imports import KnownDeal

MISSING = N_("The value is missing.")
NOT_WHOLE = N_("The quantity must be a whole number of 1 or more.")
NOT_A_DISCOUNT = N_("“{value}” is not a discount between 0 and 100 %.")
OTHER_CUSTOMERS = N_("The order number {order} stands for {count} customers; each gets a deal of its own.")
OTHER_DAYS = N_("The order's lines have different days; the deal is won on the last of them.")
OTHER_TERRITORIES = N_("The customer's orders go to {count} territories; the most frequent, {name}, is kept.")
OTHER_NAME = N_("The product {code} has another name in other rows; “{name}” is kept.")
ROUNDED = N_("The value has more than two decimals and is rounded to {amount}.")
OTHER_CURRENCY = N_("The order's first line is in {currency}; one order has one currency.")
LINE_TWICE = N_("Row {row} has the same line number.")
_CENT = Decimal("0.01")


class OrderNumbers:
    """Tells lines of one order from those of another."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def number_of(self, row: Row) -> str:
        """Return the outside number of the deal that a line belongs to: order and customer.

        A row without an order number is an order of its own, known by its values; its n-th double
        gets another number.
        """
        order = row.text("order", 60)
        if order:
            return f"{order}/{customer_key(row)[:58]}"
        number = fingerprint(sorted(f"{name}={row.joined(name)}" for name in row.cells))
        self.seen[number] += 1
        return f"{number}#{self.seen[number]}"


def customer_name(row: Row) -> str:
    """Return the customer's name: its own column, else first and last name, else its number."""
    named = row.text("customer")
    if named:
        return named
    parts = [row.text("first_name"), row.text("last_name")]
    if any(letter >= "\u2e80" for part in parts for letter in part):
        return "".join(reversed(parts))
    return " ".join(part for part in parts if part) or row.text("customer_id")


def customer_key(row: Row) -> str:
    """Return what tells a customer from another: its number, else its name."""
    return row.text("customer_id") or customer_name(row)


class OrderRows:
    """Reads every line, then writes a deal for each order of each customer."""

    def __init__(
        self, records: Records, ledger: Ledger, choices: Choices, process: Process, known: Mapping[str, KnownDeal]
    ) -> None:
        self.records, self.ledger, self.choices, self.process, self.known = records, ledger, choices, process, known
        self.orders: dict[str, list[tuple[Row, datetime, Decimal, int, float]]] = defaultdict(list)
        self.refused: dict[str, int] = {}
        self.customers_of: dict[str, set[str]] = defaultdict(set)
        self.facts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self.product_names: dict[str, Counter[str]] = defaultdict(Counter)
        self.lines: dict[str, int] = {}
        self.currencies: dict[str, str] = {}
        self.numbers = OrderNumbers()

    def read(self, row: Row) -> None:
        """Keep one line for its order, or refuse it and with it the order."""
        self._refuse_blanks(row)
        number = self.numbers.number_of(row)
        currency = currency_of(row, self.ledger, self.records.reference)
        if currency != self.currencies.setdefault(number, currency):
            self.ledger.refuse(row, "currency", OTHER_CURRENCY, currency=self.currencies[number])
        line = row.text("line", 60)
        if line and line in self.lines:
            self.ledger.refuse(row, "line", LINE_TWICE, row=self.lines[line])
        elif line:
            self.lines[line] = row.number
        at, amount, quantity, discount = self._day(row), self._amount(row), self._quantity(row), self._discount(row)
        if self.ledger.is_refused(row) or at is None or amount is None:
            self.refused.setdefault(number, row.number)
            return
        self.orders[number].append((row, at, amount, quantity, discount))
        if row.cell("order") is not None:
            self.customers_of[row.text("order")].add(number)
        for field in ("segment", "territory", "city", "address", "country"):
            if row.cell(field) is not None:
                self.facts[customer_key(row)][field][row.text(field)] += 1
        if row.cell("product") is not None:
            self.product_names[row.text("product_id") or row.text("product")][row.text("product")] += 1

    def _refuse_blanks(self, row: Row) -> None:
        mapped = set(self.ledger.sources[row.file].mapping.columns.values())
        for field in ("order", "day", "product", "amount"):
            if row.cell(field) is None and field in mapped:
                self.ledger.refuse(row, field, MISSING)
        if not customer_key(row):
            self.ledger.refuse(row, "customer", MISSING)

    def write(self) -> None:
        """Plan every order without a refused line, and not there already."""
        for number, lines in self.orders.items():
            rows = [row for row, *_rest in lines]
            if number in self.refused:
                for row in rows:
                    self.ledger.refuse(row, "order", OTHER_ROW, row=self.refused[number])
            elif number in self.known:
                self._present(rows, sum((line[2] for line in lines), Decimal(0)), self.known[number])
            else:
                self._write_order(number, lines, rows)

    def _write_order(
        self, number: str, lines: Sequence[tuple[Row, datetime, Decimal, int, float]], rows: Sequence[Row]
    ) -> None:
        first = rows[0]
        order = first.text("order")
        if len(self.customers_of.get(order, ())) > 1:
            self.ledger.warn(first, "order", OTHER_CUSTOMERS, order=order, count=len(self.customers_of[order]))
        days = sorted(at for _row, at, *_rest in lines)
        if days[0] != days[-1]:
            self.ledger.warn(first, "day", OTHER_DAYS)
        won = self.process.first_of(StageKind.WON)
        assert won is not None  # noqa: S101 - every process has a won stage
        if first.cell("owner") is not None:
            owner = rep_of(first, "owner", self.records, self.ledger, self.choices)
        else:
            self.ledger.warn(first, "owner", NO_REP, name=self.choices.house_rep)
            owner = house_rep(self.records, self.choices)
        day = day_of(days[-1], self.records.reference.zone)
        total = sum((amount for _row, _at, amount, *_rest in lines), Decimal(0))
        draft = DealDraft(
            external_id=number, name=f"{customer_name(first)} · {order or first.text('product', 80) or day}",
            customer=self._customer(first), currency=self.currencies[number],
            moves=[Move(won, days[-1])], owners=[(days[-1], owner)], amounts=[(days[-1], total)],
            closes=[(days[-1], day)],
            lines=[self._line(*line, self.currencies[number]) for line in lines if line[0].cell("product") is not None],
            note=self._note(lines),
        )  # fmt: skip
        if first.cell("channel") is not None:
            draft.channel = self.records.channel(first.text("channel", 80))
        try:
            write(draft, self.records.plan, self.process, self.records.reference, self.records.cost_of)
        except NoRate as error:
            for row in rows:
                self.ledger.refuse(row, "order", NO_RATE, currency=error.currency)
        for row in rows:
            self.ledger.settle(row, Outcome.IMPORTED)

    def _present(self, rows: Sequence[Row], total: Decimal, deal: KnownDeal) -> None:
        for row in rows:
            if total != deal.amount:
                self.ledger.warn(row, "order", PRESENT_OTHERWISE, here=f"{total:.2f}", there=f"{deal.amount:.2f}")
            else:
                self.ledger.warn(row, "order", PRESENT)
            self.ledger.settle(row, Outcome.PRESENT)

    def _line(self, row: Row, _at: datetime, amount: Decimal, quantity: int, discount: float, currency: str) -> Line:
        code = row.text("product_id", 80)
        names = self.product_names[code or row.text("product")]
        name = self.choices.merged("product", names.most_common(1)[0][0])
        if code and row.text("product") != name:
            self.ledger.warn(row, "product", OTHER_NAME, code=code, name=name)
        share = Decimal(1) - Decimal(str(discount))
        price = (amount / quantity / share).quantize(_CENT) if share else Decimal("0.00")
        product = self.records.products.find(name, code or None)
        if product is None:
            category = row.joined("category", 80, labelled=False)
            product = self.records.add_product(name, code, price, currency=currency, category=category)
        return Line(product, self.records.sku_of(product), quantity, price, discount, amount)

    def _customer(self, row: Row) -> int:
        external = row.text("customer_id", 120) or None
        name = self.choices.merged("customer", customer_name(row))
        found = self.records.customers.find(name, external)
        if found is not None:
            return found
        facts = self.facts[customer_key(row)]
        usual = {field: facts[field].most_common(1)[0][0] for field in facts}
        territory = usual.pop("territory", None)
        if len(facts["territory"]) > 1:
            self.ledger.warn(row, "territory", OTHER_TERRITORIES, count=len(facts["territory"]), name=territory)
        number = self.records.add_customer(
            name, external, territory_id=self.records.territory(territory) if territory else None,
            **{field: value[:60] for field, value in usual.items() if field != "territory"},
        )  # fmt: skip
        if row.cell("email") is not None:
            self.records.plan.add(
                "contact", customer_id=number, name=name[:80], email=row.text("email"), is_primary=True
            )
        return number

    def _note(self, lines: Sequence[tuple[Row, datetime, Decimal, int, float]]) -> str:
        profits = []
        for row, *_rest in lines:
            try:
                profits.append(number_in(row.cell("profit")))
            except ValueError:
                continue
        source = self.ledger.sources[lines[0][0].file]
        said = []
        if profits:
            said.append(f"{source.mapping.column_of('profit')}: {sum(profits, Decimal(0)).quantize(_CENT)}")
        said += [text for row, *_rest in lines[:1] if (text := row.joined("note", 2000))]
        return "\n".join(said)

    def _day(self, row: Row) -> datetime | None:
        cell = row.cell("day")
        if cell is None:
            return None
        zone = self.records.reference.zone
        try:
            at = instant_in(cell, order=self.choices.day_order, zone=zone)
        except ValueError:
            self.ledger.refuse(row, "day", NOT_A_DAY, value=row.text("day"))
            return None
        if at > self.records.reference.now:
            self.ledger.refuse(row, "day", IN_THE_FUTURE, day=day_of(at, zone).isoformat())
        return at

    def _amount(self, row: Row) -> Decimal | None:
        if row.cell("amount") is None:
            return None
        try:
            exact = number_in(row.cell("amount"))
        except ValueError:
            self.ledger.refuse(row, "amount", NOT_A_NUMBER, value=row.text("amount"))
            return None
        if exact < 0:
            self.ledger.refuse(row, "amount", NEGATIVE)
            return None
        amount = exact.quantize(_CENT, rounding="ROUND_HALF_UP")
        if amount != exact:
            self.ledger.warn(row, "amount", ROUNDED, amount=f"{amount:.2f}")
        return amount

    def _quantity(self, row: Row) -> int:
        if row.cell("quantity") is None:
            return 1
        try:
            number = number_in(row.cell("quantity"))
        except ValueError:
            self.ledger.refuse(row, "quantity", NOT_A_NUMBER, value=row.text("quantity"))
            return 1
        if number < 1 or number != int(number):
            self.ledger.refuse(row, "quantity", NOT_WHOLE)
            return 1
        return int(number)

    def _discount(self, row: Row) -> float:
        if row.cell("discount") is None:
            return 0.0
        try:
            return float(rate_in(row.cell("discount")))
        except ValueError:
            self.ledger.refuse(row, "discount", NOT_A_DISCOUNT, value=row.text("discount"))
            return 0.0
