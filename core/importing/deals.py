"""The rows of deals: each one a deal with the history that its days tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from core.domain.periods import day_of, day_start
from core.domain.stages import StageKind
from core.i18n import N_
from core.importing.choices import Choices
from core.importing.cleaning import day_in, instant_in, number_in
from core.importing.currencies import NO_RATE, currency_of, exchanged, rate_for
from core.importing.drafts import DealDraft, Line, Move, NoRate, write
from core.importing.history_log import Event, amounts_in
from core.importing.ledger import Ledger, Outcome, Row
from core.importing.parties import MERGED_WORD, NEGATIVE, NOT_A_DAY, NOT_A_NUMBER, rep_of
from core.importing.process import Process
from core.importing.records import Records, fingerprint
from core.queries.imports import KnownDeal

NO_CUSTOMER = N_("The customer is missing.")
PUT_UNDER = N_("The customer is missing: the deal is put under “{name}”.")
CUSTOMER_ADDED = N_("The customer “{name}” stands in no list of customers; it is added.")
PRODUCT_ADDED = N_("The product “{name}” stands in no list of products; it is added without a list price.")
NO_STAGE = N_("The stage is missing.")
UNKNOWN_STAGE = N_("The stage “{value}” is not matched with a stage of the process.")
NO_DAY = N_("The deal has no day on which it was opened.")
DAY_SET = N_("No opening day: the deal is taken to have been opened on {day}.")
OPENED_AT_CLOSE = N_("No opening day: the deal is taken to have been opened on the day it closed.")
NO_CLOSE = N_("A won or lost deal needs the day on which it closed.")
OPEN_WITH_CLOSE = N_("The deal is open, so its closing day is taken for the expected one.")
CLOSES_EARLY = N_("The deal closes ({closed}) before it opens ({opened}).")
IN_THE_FUTURE = N_("The day {day} has not come yet.")
NO_VALUE = N_("The value is missing.")
LIST_PRICE = N_("No value: the product's list price {price} is taken.")
ZERO_VALUE = N_("No value and no list price: 0 is taken.")
TOO_LARGE = N_("The value is larger than the program keeps.")
NO_REP = N_("No rep: the deal goes to {name}.")
TWICE = N_("Row {row} has the same deal number with other values.")
SAME_ROW = N_("The row says the same as row {row}.")
PRESENT = N_("The deal was imported before and is left as it is.")
PRESENT_OTHERWISE = N_("The deal was imported before and is left as it is: here {here}, in Luopan {there}.")
_LARGEST = Decimal(10) ** 13
_USUAL_DAYS = 90


@dataclass(frozen=True)
class Rules:
    """The defaults worked out from the files: the day for undated deals, the days to the expected close."""

    undated_on: date
    expected_days: int


class DealRows:
    """Takes deal rows one by one into the plan."""

    def __init__(
        self,
        records: Records,
        ledger: Ledger,
        choices: Choices,
        process: Process,
        rules: Rules,
        known: Mapping[str, KnownDeal],
        events: Mapping[str, Sequence[Event]],
    ) -> None:
        self.records, self.ledger, self.choices, self.process = records, ledger, choices, process
        self.rules, self.known, self.events = rules, known, events
        self.zone = records.reference.zone
        self.seen: dict[str, tuple[int, tuple[str, ...]]] = {}
        self.numbered: Counter[str] = Counter()

    def take(self, row: Row) -> None:
        """Plan the row's deal, or refuse the row with every reason against it."""
        texts = tuple(sorted(f"{name}={row.joined(name)}" for name in row.cells))
        external = row.text("external_id", 120) or self.number_from(row, self.numbered)
        if external in self.seen:
            first, said = self.seen[external]
            if said == texts:
                self.ledger.warn(row, "external_id", SAME_ROW, row=first)
                self.ledger.settle(row, Outcome.MERGED)
            else:
                self.ledger.refuse(row, "external_id", TWICE, row=first)
            return
        self.seen[external] = (row.number, texts)
        if external in self.known:
            self._present(row, self.known[external])
            return
        draft = self._draft(row, external)
        if draft is None:
            return
        try:
            self._lay_events(draft, external)
            write(draft, self.records.plan, self.process, self.records.reference, self.records.cost_of)
        except NoRate as error:
            self.ledger.refuse(row, "currency", NO_RATE, currency=error.currency)
            return
        self.ledger.settle(row, Outcome.IMPORTED)

    @staticmethod
    def number_from(row: Row, seen: Counter[str]) -> str:
        """Return a number worked out from the row's values; its n-th double gets another."""
        number = fingerprint(sorted(f"{name}={row.joined(name)}" for name in row.cells))
        seen[number] += 1
        return f"{number}#{seen[number]}"

    def _present(self, row: Row, deal: KnownDeal) -> None:
        stage = self.process.stage(row.text("stage"))
        here, there = [], []
        if row.cell("amount") is not None:
            amount = self._number(row, "amount")
            if amount is not None and amount != deal.amount:
                here.append(f"{amount:.2f}")
                there.append(f"{deal.amount:.2f}")
        if stage is not None and self.process.kind_of(stage) is not deal.state:
            here.append(row.text("stage"))
            there.append(deal.stage)
        if here:
            self.ledger.warn(row, "external_id", PRESENT_OTHERWISE, here=", ".join(here), there=", ".join(there))
        else:
            self.ledger.warn(row, "external_id", PRESENT)
        self.ledger.settle(row, Outcome.PRESENT)

    def _draft(self, row: Row, external: str) -> DealDraft | None:
        stage = self._stage(row)
        opened, closed = self._instants(row, stage)
        amount = self._amount(row)
        currency = currency_of(row, self.ledger, self.records.reference)
        customer_named = row.cell("customer") is not None or row.cell("customer_id") is not None
        if not customer_named and self.choices.no_customer == "refuse":
            self.ledger.refuse(row, "customer", NO_CUSTOMER)
        if stage is None or opened is None or self.ledger.is_refused(row):
            return None
        product = self._product(row)
        if amount is None:
            amount = self._missing_amount(row, product, currency, day_of(opened, self.zone))
            if amount is None:
                return None
        owner = self._owner(row)
        customer = self._customer(row)
        expected = self._expected(row, opened, closed)
        quantity = self._quantity(row)
        lines = []
        if product is not None:
            price = (amount / quantity).quantize(Decimal("0.01"))
            lines.append(Line(product, self.records.sku_of(product), quantity, price, 0.0, amount))
        moves = self._moves(row, stage, opened, closed)
        started = moves[0].at
        draft = DealDraft(
            external_id=external, name=self._name(row, external), customer=customer, currency=currency,
            moves=moves, owners=[(started, owner)], amounts=[(started, amount)], closes=[(started, expected)],
            lines=lines, note=row.joined("note"), auto_named=self._is_unnamed(row),
        )  # fmt: skip
        if row.cell("channel") is not None:
            draft.channel = self.records.channel(row.text("channel", 80))
        return draft

    def _stage(self, row: Row) -> int | None:
        if row.cell("stage") is None:
            self.ledger.refuse(row, "stage", NO_STAGE)
            return None
        stage = self.process.stage(row.text("stage"))
        if stage is None:
            self.ledger.refuse(row, "stage", UNKNOWN_STAGE)
        return stage

    def _instants(self, row: Row, stage: int | None) -> tuple[datetime | None, datetime | None]:
        is_closed = stage is not None and self.process.kind_of(stage) is not StageKind.OPEN
        opened, closed = self._instant(row, "opened_on"), self._instant(row, "closed_on")
        if self.ledger.is_refused(row):
            return None, None
        if is_closed and closed is None:
            self.ledger.refuse(row, "closed_on", NO_CLOSE)
            return None, None
        if opened is None and is_closed:
            self.ledger.warn(row, "opened_on", OPENED_AT_CLOSE)
            opened = closed
        elif opened is None and self.choices.undated == "refuse":
            self.ledger.refuse(row, "opened_on", NO_DAY)
        elif opened is None:
            self.ledger.warn(row, "opened_on", DAY_SET, day=self.rules.undated_on.isoformat())
            opened = day_start(self.rules.undated_on, self.zone)
        if is_closed and opened and closed and closed < opened:
            if day_of(closed, self.zone) == day_of(opened, self.zone):
                closed = opened
            else:
                self.ledger.refuse(
                    row, "closed_on", CLOSES_EARLY, closed=row.text("closed_on"), opened=row.text("opened_on")
                )
        for field, at in (("opened_on", opened), ("closed_on", closed if is_closed else None)):
            if at is not None and at > self.records.reference.now:
                self.ledger.refuse(row, field, IN_THE_FUTURE, day=day_of(at, self.zone).isoformat())
        return opened, closed

    def _instant(self, row: Row, field: str) -> datetime | None:
        cell = row.cell(field)
        if cell is None:
            return None
        try:
            return instant_in(cell, order=self.choices.day_order, zone=self.zone)
        except ValueError:
            self.ledger.refuse(row, field, NOT_A_DAY, value=row.text(field))
            return None

    def _number(self, row: Row, field: str) -> Decimal | None:
        try:
            return number_in(row.cell(field))
        except ValueError:
            return None

    def _amount(self, row: Row) -> Decimal | None:
        if row.cell("amount") is None:
            return None
        amount = self._number(row, "amount")
        if amount is None:
            self.ledger.refuse(row, "amount", NOT_A_NUMBER)
        elif amount < 0:
            self.ledger.refuse(row, "amount", NEGATIVE)
        elif amount >= _LARGEST:
            self.ledger.refuse(row, "amount", TOO_LARGE)
        else:
            return amount.quantize(Decimal("0.01"))
        return None

    def _missing_amount(self, row: Row, product: int | None, currency: str, day: date) -> Decimal | None:
        if self.choices.no_amount == "refuse":
            self.ledger.refuse(row, "amount", NO_VALUE)
            return None
        listed = self.records.prices.get(product) if product is not None else None
        if self.choices.no_amount == "list_price" and listed is not None:
            price = exchanged(*listed, currency, day, self.records.reference)
            if price is None:
                missing = next(
                    code for code in (listed[1], currency) if rate_for(self.records.reference, code, day) is None
                )
                self.ledger.refuse(row, "amount", NO_RATE, currency=missing)
                return None
            self.ledger.warn(row, "amount", LIST_PRICE, price=f"{price:.2f}")
            return price * self._quantity(row)
        self.ledger.warn(row, "amount", ZERO_VALUE)
        return Decimal("0.00")

    def _quantity(self, row: Row) -> int:
        number = self._number(row, "quantity") if row.cell("quantity") is not None else None
        return int(number) if number is not None and 1 <= number < 10**9 and number == int(number) else 1

    def _product(self, row: Row) -> int | None:
        if row.cell("product") is None:
            return None
        written = row.text("product")
        name = self.choices.merged("product", written)
        if name != written:
            self.ledger.warn(row, "product", MERGED_WORD, written=written, known=name)
        found = self.records.products.find(name)
        if found is None:
            self.ledger.warn(row, "product", PRODUCT_ADDED, name=name)
            found = self.records.add_product(name)
        return found

    def _customer(self, row: Row) -> int:
        external = row.text("customer_id", 120) or None
        written = row.text("customer")
        name = self.choices.merged("customer", written)
        if name != written:
            self.ledger.warn(row, "customer", MERGED_WORD, written=written, known=name)
        if not name and not external:
            name = self.choices.no_customer_name
            self.ledger.warn(row, "customer", PUT_UNDER, name=name)
            return self.records.customers.find(name) or self.records.add_customer(name)
        found = self.records.customers.find(name, external)
        if found is None:
            self.ledger.warn(row, "customer", CUSTOMER_ADDED, name=name or external)
            found = self.records.add_customer(name or external or "", external)
        return found

    def _owner(self, row: Row) -> int:
        if row.cell("owner") is not None:
            return rep_of(row, "owner", self.records, self.ledger, self.choices)
        self.ledger.warn(row, "owner", NO_REP, name=self.choices.house_rep)
        return house_rep(self.records, self.choices)

    def _expected(self, row: Row, opened: datetime, closed: datetime | None) -> date:
        for field in ("expected_close_on", "closed_on"):
            if row.cell(field) is not None:
                try:
                    day = day_in(row.cell(field), order=self.choices.day_order, zone=self.zone)
                except ValueError:
                    self.ledger.warn(row, field, NOT_A_DAY, value=row.text(field))
                    continue
                if field == "closed_on" and closed is None:
                    self.ledger.warn(row, field, OPEN_WITH_CLOSE)
                return day
        if closed is not None:
            return day_of(closed, self.zone)
        return day_of(opened, self.zone) + timedelta(days=self.rules.expected_days)

    def _moves(self, row: Row, stage: int, opened: datetime, closed: datetime | None) -> list[Move]:
        kind = self.process.kind_of(stage)
        if kind is StageKind.OPEN:
            return [Move(stage, opened)]
        first = self.process.stage(self.choices.opened_stage) or self.process.first_of(StageKind.OPEN)
        reason = self.records.lost_reason(row.text("lost_reason", 80)) if kind is StageKind.LOST else None
        last = Move(stage, closed or opened, reason)
        return [last] if first is None else [Move(first, opened), last]

    def _lay_events(self, draft: DealDraft, external: str) -> None:
        """Put the log's own steps in place of those that the deal's days tell."""
        found = self.events.get(external)
        if not found:
            return
        reason = draft.moves[-1].lost_reason
        draft.moves = [
            Move(event.stage, event.at, event.lost_reason or reason or self.records.lost_reason(""))
            if self.process.kind_of(event.stage) is StageKind.LOST
            else Move(event.stage, event.at)
            for event in found
        ]
        started = draft.moves[0].at
        draft.owners = changing([(e.at, e.owner) for e in found if e.owner is not None], (started, draft.owners[0][1]))
        said = amounts_in(found, draft.currency, self.records.reference)
        draft.amounts = changing(said, (started, draft.amounts[0][1]))
        draft.closes = [(started, draft.closes[0][1])]

    def _is_unnamed(self, row: Row) -> bool:
        """Say whether the deal is called after its customer and product."""
        return not row.text("name") and bool(row.text("customer") or row.text("product"))

    def _name(self, row: Row, external: str) -> str:
        given = row.text("name")
        if given:
            return given
        parts = [self.choices.merged(subject, row.text(subject)) for subject in ("customer", "product")]
        return " · ".join(part for part in parts if part) or external


Value = TypeVar("Value")


def changing(values: Sequence[tuple[datetime, Value]], first: tuple[datetime, Value]) -> list[tuple[datetime, Value]]:
    """Return the values where they change; `first` stands in where none is said at the start."""
    if not values:
        return [first]
    kept = [(first[0], values[0][1])]
    for at, value in values[1:]:
        if value != kept[-1][1]:
            kept.append((at, value))
    return kept


def house_rep(records: Records, choices: Choices) -> int:
    """Return the rep to whom deals without one go, planned where there is none."""
    return records.reps.find(choices.house_rep) or records.add_rep(choices.house_rep)


def usual_days(cycles: Sequence[int]) -> int:
    """Return the median cycle in days, 90 where no deal closed."""
    return sorted(cycles)[len(cycles) // 2] if cycles else _USUAL_DAYS
