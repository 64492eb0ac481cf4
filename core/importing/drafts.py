"""One deal on its way in: what it is, everything that happened to it, and the rows that say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from core.domain.money import convert
from core.domain.periods import day_of
from core.domain.stages import DealField, StageKind
from core.errors import SalesError
from core.importing.currencies import rate_for
from core.importing.process import Process
from core.queries.imports import Reference
from core.services.deal_costs import total_cost
from core.services.imports import ImportPlan


class NoRate(SalesError):
    """No exchange rate for a currency of the deal."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        super().__init__(currency=currency)


@dataclass(frozen=True)
class Move:
    """One step: the stage entered, and when it was so."""

    stage: int
    at: datetime
    lost_reason: int | None = None


@dataclass(frozen=True)
class Line:
    """A product in the deal."""

    product: int
    sku: int | None
    quantity: int
    unit_price: Decimal
    discount_rate: float
    amount: Decimal


@dataclass
class DealDraft:
    """A deal with its history.

    `amounts`, `owners` and `closes` are (since when, value), the first one since the deal opened.
    """

    external_id: str
    name: str
    customer: int
    currency: str
    moves: list[Move]
    owners: list[tuple[datetime, int]]
    amounts: list[tuple[datetime, Decimal]]
    closes: list[tuple[datetime, date]]
    lines: list[Line] = field(default_factory=list)
    channel: int | None = None
    note: str = ""
    auto_named: bool = False


CostOf = Callable[[int, int | None, date], Decimal | None]
"""What a piece of a product and SKU costs on a day, in the base currency; None where that is not known."""


def write(draft: DealDraft, plan: ImportPlan, process: Process, reference: Reference, cost_of: CostOf) -> int:
    """Put the deal and its whole history into the plan; a won one with what it cost. Raises NoRate."""
    moves = sorted(draft.moves, key=lambda move: move.at)
    last = moves[-1]
    state = process.kind_of(last.stage)
    closed_at = credited = None
    for index, move in enumerate(moves):
        kind, before = process.kind_of(move.stage), process.kind_of(moves[index - 1].stage) if index else None
        if kind is StageKind.OPEN:
            closed_at = credited = None
        elif not (kind is StageKind.WON and before is StageKind.WON):
            closed_at = move.at
            credited = _at(draft.owners, move.at) if kind is StageKind.WON else None
    day = day_of(closed_at or reference.now, reference.zone)
    rate = rate_for(reference, draft.currency, day)
    if rate is None:
        raise NoRate(draft.currency)
    amount = draft.amounts[-1][1]
    won = state is StageKind.WON
    costs = [cost_of(line.product, line.sku, day) if won else None for line in draft.lines]
    number = plan.add(
        "deal", name=draft.name[:200], auto_named=draft.auto_named, customer_id=draft.customer,
        pipeline_id=process.pipeline, stage_id=last.stage, stage_entered_at=last.at, state=state,
        owner_id=draft.owners[-1][1], credited_id=credited, channel_id=draft.channel, amount=amount,
        currency=draft.currency,
        base_amount=convert(amount, rate=rate), expected_close_on=draft.closes[-1][1], opened_at=moves[0].at,
        closed_at=closed_at, lost_reason_id=last.lost_reason if state is StageKind.LOST else None,
        note=draft.note[:4000], external_id=draft.external_id[:120],
        base_cost=total_cost([(line.quantity, cost) for line, cost in zip(draft.lines, costs, strict=True)]),
    )  # fmt: skip
    before_stage: int | None = None
    for move in moves:
        plan.add(
            "stage_move", deal_id=number, from_stage_id=before_stage, to_stage_id=move.stage, effective_at=move.at,
            lost_reason_id=move.lost_reason,
        )  # fmt: skip
        before_stage = move.stage
    _changes(plan, number, DealField.AMOUNT, [(at, f"{value:.2f} {draft.currency}") for at, value in draft.amounts])
    _changes(plan, number, DealField.OWNER, [(at, str(owner)) for at, owner in draft.owners])
    _changes(plan, number, DealField.EXPECTED_CLOSE, [(at, on.isoformat()) for at, on in draft.closes])
    for line, cost in zip(draft.lines, costs, strict=True):
        plan.add(
            "deal_line", deal_id=number, product_id=line.product, sku_id=line.sku, quantity=line.quantity,
            unit_price=line.unit_price, discount_rate=line.discount_rate, amount=line.amount, unit_cost=cost,
        )  # fmt: skip
    return number


def _at(values: list[tuple[datetime, int]], at: datetime) -> int:
    so_far = [value for since, value in values if since <= at]
    return so_far[-1] if so_far else values[0][1]


def _changes(plan: ImportPlan, deal: int, name: DealField, values: list[tuple[datetime, str]]) -> None:
    before: str | None = None
    for at, after in values:
        if after != before:
            plan.add("deal_change", deal_id=deal, field=name, before=before, after=after, effective_at=at)
        before = after
