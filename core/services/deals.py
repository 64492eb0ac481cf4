"""Logging and editing deals."""

from __future__ import annotations

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, TypedDict, cast

from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import select

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.money import CENT
from core.domain.periods import day_of
from core.domain.stages import DealField, StageKind
from core.errors import InvalidFields
from core.gate import command
from core.i18n import _
from core.model import (
    Customer,
    Deal,
    DealLine,
    Stage,
    StageMove,
)
from core.services.customers import CustomerFields, add_customer
from core.services.deal_costs import Piece, keep_costs
from core.services.deal_history import (
    BeforeTheLastEvent,
    DayInTheFuture,
    RateMissing,
    change,
    enter,
    instant_of,
    revalue,
    said_amount,
)
from core.services.deal_rules import (
    LineFields,
    check_contact,
    check_lost_reason,
    chosen_owner,
    chosen_stage,
    deal_problems,
    editable_deal,
    first_stage,
    made_name,
    put_lines,
    saved,
    sum_of,
)
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.db.work import Work


class DealEdit(TypedDict, total=False):
    """What an edit changes; fields left out keep what they have."""

    name: str
    customer_id: int
    contact_id: int | None
    channel_id: int | None
    amount: Decimal
    currency: str
    expected_close_on: date
    competitor: str
    note: str
    lines: Sequence[LineFields]


@command(Action.DEAL_LOG)
def log_deal(
    work: Work,
    *,
    key: str,
    customer_id: int | None = None,
    new_customer: CustomerFields | None = None,
    name: str = "",
    lines: Sequence[LineFields] = (),
    amount: Decimal | None = None,
    currency: str | None = None,
    stage_id: int | None = None,
    expected_close_on: date | None = None,
    channel_id: int | None = None,
    contact_id: int | None = None,
    note: str = "",
    owner_id: int | None = None,
    opened_on: date | None = None,
    closed_on: date | None = None,
    lost_reason_id: int | None = None,
    competitor: str = "",
) -> Deal:
    """Log a deal with its lines and the beginning of its history.

    Without a name it is called after the customer and its main product; without an amount it is worth
    the sum of its lines; without a stage it stands in the first of the default process. A deal
    logged as won or lost opened on `opened_on` in the process's first stage and closed on
    `closed_on` (today by default). Raises InvalidFields naming the fields, NotFound outside the
    scope. A second call with the same `key` returns the first one's deal.
    """
    before = saved_before(work, key=key, command="log_deal")
    if before is not None:
        return get_visible(work, Deal, before)
    money = currency or work.base_currency
    values: dict[str, Any] = {
        "name": name,
        "note": note,
        "competitor": competitor,
        "currency": money,
        "amount": amount,
        "channel_id": channel_id,
        "lines": lines,
    }
    problems = deal_problems(work, values)
    stage = chosen_stage(work, stage_id, problems)
    owner = chosen_owner(work, owner_id, opened_on or work.today, problems)
    problems |= _customer_problem(customer_id, new_customer)
    if amount is None and not lines:
        problems["amount"] = _("Please give the amount, or at least one product.")
    kind = stage.kind if stage is not None else StageKind.OPEN
    if kind is StageKind.LOST:
        check_lost_reason(work, lost_reason_id, problems)
    opened = opened_on or (None if kind is StageKind.OPEN else closed_on)
    opened_at, closed_at = _days(work, opened, closed_on, problems)
    expected = _expected(work, kind, expected_close_on, opened, closed_on, problems)
    if problems or stage is None or owner is None:
        raise InvalidFields(problems)
    if new_customer is not None:
        customer = add_customer(work, new_customer, owner_id=owner, prefix="customer_")
    else:
        customer = get_visible(work, Customer, customer_id)
    check_contact(work, contact_id, customer.id)
    deal = Deal(  # type: ignore[call-arg]  # `enter` gives stage, state and base amount
        name=name.strip() or made_name(work, customer, lines),
        auto_named=not name.strip(),
        customer_id=customer.id,
        contact_id=contact_id,
        pipeline_id=stage.pipeline_id,
        owner_id=owner,
        channel_id=channel_id,
        amount=amount.quantize(CENT, rounding=ROUND_HALF_UP) if amount is not None else sum_of(lines),
        currency=money,
        expected_close_on=expected,
        opened_at=opened_at,
        competitor=competitor.strip(),
        note=note.strip(),
    )
    try:
        moves = _first_moves(work, deal, stage, opened_at, closed_at, lost_reason_id)
    except RateMissing as error:
        raise InvalidFields({"currency": error.message()}) from error
    _begin(work, deal, moves, lines)
    remember(work, key=key, command="log_deal", record_id=deal.id)
    work.session.flush()
    return deal


def _customer_problem(customer_id: int | None, new_customer: CustomerFields | None) -> dict[str, str]:
    if customer_id is None and new_customer is None:
        return {"customer_id": _("Please choose a customer, or make a new one.")}
    if new_customer is not None and not str(new_customer.get("name", "")).strip():
        return {"customer_name": _("Please give the customer's name.")}
    return {}


def _days(work: Work, opened: date | None, closed: date | None, problems: dict[str, str]) -> tuple[datetime, datetime]:
    """Return when the deal opened and closed (the latter counts for closed deals alone)."""
    opened_at = closed_at = work.now
    try:
        opened_at = instant_of(work, opened)
    except DayInTheFuture as error:
        problems["opened_on"] = error.message()
    try:
        closed_at = instant_of(work, closed, not_before=opened_at)
    except DayInTheFuture as error:
        problems["closed_on"] = error.message()
    except BeforeTheLastEvent:
        problems["closed_on"] = _("A deal cannot close before it opened.")
    return opened_at, closed_at


def _expected(
    work: Work,
    kind: StageKind,
    expected: date | None,
    opened: date | None,
    closed: date | None,
    problems: dict[str, str],
) -> date:
    if kind is not StageKind.OPEN:
        return expected or closed or work.today
    if expected is None:
        problems["expected_close_on"] = _("Please say when you expect the deal to close.")
    elif expected < (opened or work.today):
        problems["expected_close_on"] = _("The expected close cannot lie before the day the deal opened.")
    return expected or work.today


def _first_moves(
    work: Work, deal: Deal, stage: Stage, opened_at: datetime, closed_at: datetime, lost_reason_id: int | None
) -> list[StageMove]:
    if stage.kind is StageKind.OPEN:
        return [enter(work, deal, stage, at=opened_at)]
    reason = lost_reason_id if stage.kind is StageKind.LOST else None
    return [
        enter(work, deal, first_stage(work, stage.pipeline_id), at=opened_at),
        enter(work, deal, stage, at=closed_at, lost_reason_id=reason),
    ]


def _begin(work: Work, deal: Deal, moves: list[StageMove], lines: Sequence[LineFields]) -> None:
    """Save a new deal with its lines, its first moves and the values that it begins with."""
    work.session.add(deal)
    work.session.flush()
    for field, after in (
        (DealField.AMOUNT, said_amount(deal.amount, deal.currency)),
        (DealField.OWNER, str(deal.owner_id)),
        (DealField.EXPECTED_CLOSE, deal.expected_close_on.isoformat()),
    ):
        work.session.add(change(work, deal, field, before=None, after=after, at=deal.opened_at))
    for move in moves:
        move.deal_id = deal.id
        work.session.add(move)
    keep_costs(work, deal, put_lines(work, deal.id, lines))


@command(Action.DEAL_EDIT)
def edit_deal(work: Work, *, deal_id: int, version: int, changes: DealEdit) -> Deal:
    """Change the given fields; amount and expected close go into the history.

    New lines without an amount make the amount their sum. An empty name calls the deal after its
    customer and main product from here on. Raises NotFound, NotAllowed (the deal is
    with another team now), EditedMeanwhile, InvalidFields.
    """
    deal = editable_deal(work, deal_id, version)
    values = cast("dict[str, Any]", dict(changes))
    if "lines" in values and "amount" not in values:
        values["amount"] = sum_of(values["lines"]) if values["lines"] else deal.amount
    _check_edit(work, deal, values)
    _change_amount(work, deal, values.get("amount", deal.amount), values.get("currency", deal.currency))
    after: date = values.get("expected_close_on", deal.expected_close_on)
    if after != deal.expected_close_on:
        before = deal.expected_close_on.isoformat()
        work.session.add(change(work, deal, DealField.EXPECTED_CLOSE, before=before, after=after.isoformat()))
        deal.expected_close_on = after
    if "name" in values:
        deal.auto_named = not str(values["name"]).strip()
    for name in ("name", "customer_id", "contact_id", "channel_id", "competitor", "note"):
        if name in values and not (name == "name" and deal.auto_named):
            value = values[name]
            setattr(deal, name, value.strip() if isinstance(value, str) else value)
    if "lines" in values:
        costs: dict[Piece, Decimal | None] = {}
        for line in work.session.exec(select(DealLine).where(DealLine.deal_id == deal.id)):
            costs[line.product_id, line.sku_id] = line.unit_cost
            work.session.delete(line)
        keep_costs(work, deal, put_lines(work, deal_id, values["lines"]), costs)
        flag_modified(deal, "amount")
    if deal.auto_named and values.keys() & {"name", "customer_id", "lines"}:
        stored = work.session.exec(select(DealLine).where(DealLine.deal_id == deal.id)).all()
        deal.name = made_name(work, get_visible(work, Customer, deal.customer_id), values.get("lines", stored))
    return saved(work, deal)


def _check_edit(work: Work, deal: Deal, values: dict[str, Any]) -> None:
    problems = deal_problems(work, values, whole=False, kept_channel=deal.channel_id)
    if "expected_close_on" in values:
        expected = values["expected_close_on"]
        if expected is None or (deal.state is StageKind.OPEN and expected < day_of(deal.opened_at, work.zone)):
            problems["expected_close_on"] = _("The expected close cannot lie before the day the deal opened.")
    if problems:
        raise InvalidFields(problems)
    if values.get("customer_id", deal.customer_id) != deal.customer_id:
        get_visible(work, Customer, values["customer_id"])
        values.setdefault("contact_id", None)  # who was named works at the customer before
    if values.get("contact_id") is not None:
        check_contact(work, values["contact_id"], values.get("customer_id", deal.customer_id))


@command(Action.DEAL_EDIT)
def change_amount(work: Work, *, deal_id: int, version: int, amount: Decimal, currency: str | None = None) -> Deal:
    """Change what a deal is worth. Raises as `edit_deal`."""
    deal = editable_deal(work, deal_id, version)
    problems = deal_problems(work, {"amount": amount, "currency": currency or deal.currency}, whole=False)
    if problems:
        raise InvalidFields(problems)
    _change_amount(work, deal, amount, currency or deal.currency)
    return saved(work, deal)


def _change_amount(work: Work, deal: Deal, amount: Decimal, currency: str) -> None:
    amount = amount.quantize(CENT, rounding=ROUND_HALF_UP)
    if (amount, currency) == (deal.amount, deal.currency):
        return
    before = said_amount(deal.amount, deal.currency)
    work.session.add(change(work, deal, DealField.AMOUNT, before=before, after=said_amount(amount, currency)))
    deal.amount, deal.currency = amount, currency
    try:
        revalue(work, deal)
    except RateMissing as error:
        raise InvalidFields({"currency": error.message()}) from error
