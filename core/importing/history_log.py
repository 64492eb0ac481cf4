"""The log that another system kept of its deals: deal, stage, time, person, amount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.domain.periods import day_of
from core.domain.stages import StageKind
from core.i18n import N_
from core.importing.choices import Choices
from core.importing.cleaning import day_in, instant_in, number_in
from core.importing.currencies import NO_RATE, currency_of, exchanged
from core.importing.drafts import DealDraft, Line, Move, NoRate, write
from core.importing.ledger import Ledger, Outcome, Row
from core.importing.parties import MERGED_WORD, NEGATIVE, NOT_A_DAY, NOT_A_NUMBER, rep_of
from core.importing.process import Process
from core.importing.records import Records
from core.queries.imports import KnownDeal, Reference

NO_DEAL = N_("The deal's number is missing.")
NO_TIME = N_("The time is missing.")
NO_STAGE = N_("The stage is missing.")
UNKNOWN_STAGE = N_("The stage “{value}” is not matched with a stage of the process.")
IN_THE_FUTURE = N_("The day {day} has not come yet.")
STAYS = N_("The deal was in this stage already.")
PRESENT = N_("The deal was imported before and is left as it is.")
OTHER_ROW = N_("Another row of this deal was refused (row {row}).")


@dataclass(frozen=True)
class Event:
    """One row of the log; its amount is in `currency`."""

    stage: int
    at: datetime
    owner: int | None
    amount: Decimal | None
    currency: str
    expected: date | None = None
    lost_reason: int | None = None


@dataclass
class LogRows:
    """Takes a log's rows: first all are read, then each deal is written with its steps in time."""

    records: Records
    ledger: Ledger
    choices: Choices
    process: Process
    expected_days: int
    known: Mapping[str, KnownDeal]

    def __post_init__(self) -> None:
        self.events: dict[str, list[tuple[Event, Row]]] = defaultdict(list)
        self.refused: dict[str, int] = {}

    def read(self, row: Row) -> None:  # noqa: C901 - one check a field
        """Keep one row for its deal, or refuse it."""
        deal = row.text("deal", 120)
        stage = self.process.stage(row.text("stage"))
        if not deal:
            self.ledger.refuse(row, "deal", NO_DEAL)
        if row.cell("stage") is None:
            self.ledger.refuse(row, "stage", NO_STAGE)
        elif stage is None:
            self.ledger.refuse(row, "stage", UNKNOWN_STAGE, value=row.text("stage"))
        at = self._at(row)
        amount = None
        if row.cell("amount") is not None:
            try:
                amount = number_in(row.cell("amount")).quantize(Decimal("0.01"))
            except ValueError:
                self.ledger.refuse(row, "amount", NOT_A_NUMBER)
            if amount is not None and amount < 0:
                self.ledger.refuse(row, "amount", NEGATIVE)
        currency = currency_of(row, self.ledger, self.records.reference)
        expected = None
        if row.cell("expected_close_on") is not None:
            try:
                expected = day_in(
                    row.cell("expected_close_on"), order=self.choices.day_order, zone=self.records.reference.zone
                )
            except ValueError:
                self.ledger.warn(row, "expected_close_on", NOT_A_DAY)
        if self.ledger.is_refused(row) or stage is None or at is None:
            if deal:
                self.refused.setdefault(deal, row.number)
            return
        owner = (
            rep_of(row, "person", self.records, self.ledger, self.choices) if row.cell("person") is not None else None
        )
        lost = None
        if self.process.kind_of(stage) is StageKind.LOST:
            lost = self.records.lost_reason(row.text("lost_reason", 80))
        self.events[deal].append((Event(stage, at, owner, amount, currency, expected, lost), row))

    def settle(self) -> dict[str, list[Event]]:
        """Drop deals with a refused row and those there already; return each other deal's events in time."""
        ready: dict[str, list[Event]] = {}
        for deal, found in self.events.items():
            if deal in self.refused:
                for _event, row in found:
                    self.ledger.refuse(row, "deal", OTHER_ROW, row=self.refused[deal])
            elif deal in self.known:
                for _event, row in found:
                    self.ledger.warn(row, "deal", PRESENT)
                    self.ledger.settle(row, Outcome.PRESENT)
            else:
                ready[deal] = self._in_time(found)
        return ready

    def _in_time(self, found: Sequence[tuple[Event, Row]]) -> list[Event]:
        ordered = sorted(found, key=lambda pair: (pair[0].at, self.process.position_of(pair[0].stage)))
        for index, (event, row) in enumerate(ordered):
            if index and event.stage == ordered[index - 1][0].stage:
                self.ledger.warn(row, "stage", STAYS)
                self.ledger.settle(row, Outcome.MERGED)
            else:
                self.ledger.settle(row, Outcome.IMPORTED)
        return [event for event, _row in ordered]

    def write_rest(self, ready: Mapping[str, Sequence[Event]], taken: set[str]) -> None:
        """Plan the deals that the log alone knows."""
        for deal, events in ready.items():
            if deal in taken:
                continue
            first_row = self.events[deal][0][1]
            try:
                draft = self._draft(deal, events, first_row)
                write(draft, self.records.plan, self.process, self.records.reference, self.records.cost_of)
            except NoRate as error:
                for _event, row in self.events[deal]:
                    self.ledger.refuse(row, "deal", NO_RATE, currency=error.currency)

    def _draft(self, deal: str, events: Sequence[Event], row: Row) -> DealDraft:
        started = events[0].at
        house = self.records.reps.find(self.choices.house_rep)
        owners = [(e.at, e.owner) for e in events if e.owner is not None]
        if not owners:
            owners = [(started, house if house is not None else self.records.add_rep(self.choices.house_rep))]
        owners[0] = (started, owners[0][1])
        currency = next((e.currency for e in events if e.amount is not None), events[0].currency)
        amounts = amounts_in(events, currency, self.records.reference) or [(started, Decimal("0.00"))]
        amounts[0] = (started, amounts[0][1])
        closes = [(e.at, e.expected) for e in events if e.expected is not None]
        if not closes:
            zone = self.records.reference.zone
            closed = [e.at for e in events if self.process.kind_of(e.stage) is not StageKind.OPEN]
            day = day_of(closed[-1], zone) if closed else day_of(started, zone) + timedelta(days=self.expected_days)
            closes = [(started, day)]
        closes[0] = (started, closes[0][1])
        customer_name = self.choices.merged("customer", row.text("customer")) or self.choices.no_customer_name
        customer = self.records.customers.find(customer_name) or self.records.add_customer(customer_name)
        lines = []
        if row.cell("product") is not None:
            written = row.text("product")
            name = self.choices.merged("product", written)
            if name != written:
                self.ledger.warn(row, "product", MERGED_WORD, written=written, known=name)
            product = self.records.products.find(name) or self.records.add_product(name)
            lines = [Line(product, self.records.sku_of(product), 1, amounts[-1][1], 0.0, amounts[-1][1])]
        return DealDraft(
            external_id=deal, name=deal, customer=customer, currency=currency,
            moves=steps(events), owners=owners, amounts=amounts, closes=closes, lines=lines,
        )  # fmt: skip

    def _at(self, row: Row) -> datetime | None:
        if row.cell("at") is None:
            self.ledger.refuse(row, "at", NO_TIME)
            return None
        zone = self.records.reference.zone
        try:
            at = instant_in(row.cell("at"), order=self.choices.day_order, zone=zone)
        except ValueError:
            self.ledger.refuse(row, "at", NOT_A_DAY, value=row.text("at"))
            return None
        if at > self.records.reference.now:
            self.ledger.refuse(row, "at", IN_THE_FUTURE, day=day_of(at, zone).isoformat())
        return at


def amounts_in(events: Sequence[Event], currency: str, reference: Reference) -> list[tuple[datetime, Decimal]]:
    """Return the amounts that the events say, in one currency by each day's rates. Raises NoRate."""
    found: list[tuple[datetime, Decimal]] = []
    for event in events:
        if event.amount is not None:
            amount = exchanged(event.amount, event.currency, currency, day_of(event.at, reference.zone), reference)
            if amount is None:
                raise NoRate(event.currency if event.currency != reference.base_currency else currency)
            found.append((event.at, amount))
    return found


def steps(events: Sequence[Event]) -> list[Move]:
    """Return the events that enter another stage."""
    moves: list[Move] = []
    for event in events:
        if not moves or moves[-1].stage != event.stage:
            moves.append(Move(event.stage, event.at, event.lost_reason))
    return moves
