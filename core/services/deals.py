"""Logging, editing, advancing, losing, reopening and handing over deals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, TypedDict, cast

from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import select

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.money import CENT
from core.domain.names import deal_title, named
from core.domain.periods import day_of
from core.domain.stages import DealField, StageKind
from core.errors import InvalidFields, NotAllowed, SalesError
from core.gate import command
from core.i18n import N_, _
from core.model import (
    Channel,
    Contact,
    Currency,
    Customer,
    Deal,
    DealChange,
    DealLine,
    LostReason,
    Pipeline,
    Product,
    Rep,
    Sku,
    Stage,
    StageMove,
)
from core.services.customers import CustomerFields, add_customer, choose_owner, lengths_exceeded
from core.services.deal_history import (
    BeforeTheLastEvent,
    DayInTheFuture,
    RateMissing,
    StageMoveNotAllowed,
    StageRetired,
    change,
    enter,
    instant_of,
    last_event_at,
    revalue,
    said_amount,
)
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.db.work import Work

MOST_MONEY = Decimal(10) ** 13
_LONGEST = {"name": 200, "note": 4000, "competitor": 120}
_UNDO_WITHIN = timedelta(days=1)


class NothingToUndo(SalesError):
    """The last step is somebody else's, a day old, the deal's first, or left a closed stage."""

    text = N_("There is no step of yours from today that could be undone.")


class DealIsOpen(SalesError):
    """Only a closed deal is reopened."""

    text = N_("This deal is open already.")


class DealIsClosed(SalesError):
    """A closed deal is reopened before it moves on."""

    text = N_("This deal is closed. Reopen it first.")


@dataclass(frozen=True)
class LineFields:
    """A product in a deal: price a unit in the deal's currency, discount in [0, 1]."""

    product_id: int
    quantity: int
    unit_price: Decimal
    discount_rate: float = 0.0
    sku_id: int | None = None

    @property
    def amount(self) -> Decimal:
        """Quantity × price less the discount, to the cent."""
        rate = 1 - Decimal(str(self.discount_rate))
        return (self.quantity * self.unit_price * rate).quantize(CENT, rounding=ROUND_HALF_UP)


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
    problems = _problems(work, values)
    stage = _stage(work, stage_id, problems)
    owner = _owner(work, owner_id, opened_on or work.today, problems)
    problems |= _customer_problem(customer_id, new_customer)
    if amount is None and not lines:
        problems["amount"] = _("Please give the amount, or at least one product.")
    kind = stage.kind if stage is not None else StageKind.OPEN
    if kind is StageKind.LOST:
        _check_lost_reason(work, lost_reason_id, problems)
    opened = opened_on or (None if kind is StageKind.OPEN else closed_on)
    opened_at, closed_at = _days(work, opened, closed_on, problems)
    expected = _expected(work, kind, expected_close_on, opened, closed_on, problems)
    if problems or stage is None or owner is None:
        raise InvalidFields(problems)
    if new_customer is not None:
        customer = add_customer(work, new_customer, owner_id=owner, prefix="customer_")
    else:
        customer = get_visible(work, Customer, customer_id)
    _check_contact(work, contact_id, customer.id)
    deal = Deal(  # type: ignore[call-arg]  # `enter` gives stage, state and base amount
        name=name.strip() or _made_name(work, customer, lines),
        auto_named=not name.strip(),
        customer_id=customer.id,
        contact_id=contact_id,
        pipeline_id=stage.pipeline_id,
        owner_id=owner,
        channel_id=channel_id,
        amount=amount.quantize(CENT, rounding=ROUND_HALF_UP) if amount is not None else _sum(lines),
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
        enter(work, deal, _first_stage(work, stage.pipeline_id), at=opened_at),
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
    _put_lines(work, deal.id, lines)


@command(Action.DEAL_EDIT)
def edit_deal(work: Work, *, deal_id: int, version: int, changes: DealEdit) -> Deal:
    """Change the given fields; amount and expected close go into the history.

    New lines without an amount make the amount their sum. An empty name calls the deal after its
    customer and main product from here on. Raises NotFound, NotAllowed (the deal is
    with another team now), EditedMeanwhile, InvalidFields.
    """
    deal = _editable(work, deal_id, version)
    values = cast("dict[str, Any]", dict(changes))
    if "lines" in values and "amount" not in values:
        values["amount"] = _sum(values["lines"]) if values["lines"] else deal.amount
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
        for line in work.session.exec(select(DealLine).where(DealLine.deal_id == deal.id)):
            work.session.delete(line)
        _put_lines(work, deal_id, values["lines"])
        flag_modified(deal, "amount")
    if deal.auto_named and values.keys() & {"name", "customer_id", "lines"}:
        stored = work.session.exec(select(DealLine).where(DealLine.deal_id == deal.id)).all()
        deal.name = _made_name(work, get_visible(work, Customer, deal.customer_id), values.get("lines", stored))
    return _saved(work, deal)


def _check_edit(work: Work, deal: Deal, values: dict[str, Any]) -> None:
    problems = _problems(work, values, whole=False, kept_channel=deal.channel_id)
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
        _check_contact(work, values["contact_id"], values.get("customer_id", deal.customer_id))


@command(Action.DEAL_ADVANCE)
def advance_deal(
    work: Work,
    *,
    deal_id: int,
    to_stage_id: int,
    version: int,
    effective_on: date | None = None,
    note: str = "",
) -> Deal:
    """Move an open deal to another open stage of its process, forward or back, or win it.

    A won deal goes on to another won stage where there is one: out of a retired one, or in a process that an import
    brought with several (those made here have one). Its close and its credit stay. Raises NotFound, NotAllowed,
    EditedMeanwhile, DealIsClosed, StageMoveNotAllowed (another process, a lost stage, where it stands already),
    StageRetired, DayInTheFuture, BeforeTheLastEvent, RateMissing.
    """
    deal = _editable(work, deal_id, version)
    stage = _stage_of_process(work, deal, to_stage_id)
    if deal.state is not StageKind.OPEN and not (deal.state is StageKind.WON and stage.kind is StageKind.WON):
        raise DealIsClosed
    if stage.kind is StageKind.LOST:
        raise StageMoveNotAllowed(stage=named(stage))
    return _move(work, deal, stage, effective_on=effective_on, note=note)


@command(Action.DEAL_ADVANCE)
def lose_deal(
    work: Work,
    *,
    deal_id: int,
    version: int,
    lost_reason_id: int | None,
    competitor: str = "",
    note: str = "",
    effective_on: date | None = None,
) -> Deal:
    """Close an open deal as lost. Raises as `advance_deal`, and InvalidFields without a reason."""
    deal = _editable(work, deal_id, version)
    if deal.state is not StageKind.OPEN:
        raise DealIsClosed
    problems = lengths_exceeded({"competitor": competitor, "note": note}, {"competitor": 120, "note": 1000})
    _check_lost_reason(work, lost_reason_id, problems)
    if problems:
        raise InvalidFields(problems)
    stage = work.session.exec(
        select(Stage)
        .where(Stage.pipeline_id == deal.pipeline_id, Stage.kind == StageKind.LOST, Stage.active)
        .order_by(cast("Any", Stage.position))
    ).first()
    if stage is None:
        raise StageRetired(stage=_("Lost"))
    if competitor.strip():
        deal.competitor = competitor.strip()
    return _move(work, deal, stage, effective_on=effective_on, lost_reason_id=lost_reason_id, note=note)


@command(Action.DEAL_ADVANCE)
def reopen_deal(
    work: Work,
    *,
    deal_id: int,
    to_stage_id: int,
    version: int,
    effective_on: date | None = None,
    note: str = "",
) -> Deal:
    """Open a won or lost deal again in an open stage. Raises as `advance_deal`, and DealIsOpen."""
    deal = _editable(work, deal_id, version)
    if deal.state is StageKind.OPEN:
        raise DealIsOpen
    stage = _stage_of_process(work, deal, to_stage_id)
    if stage.kind is not StageKind.OPEN:
        raise StageMoveNotAllowed(stage=named(stage))
    return _move(work, deal, stage, effective_on=effective_on, note=note)


@command(Action.DEAL_ADVANCE)
def undo_last_move(work: Work, *, deal_id: int, version: int) -> Deal:
    """Take the deal back to the open stage it came from, by an opposite move; history keeps both.

    Only one's own move, recorded within a day, from an open stage: else NothingToUndo. Raises
    NotFound, NotAllowed, EditedMeanwhile.
    """
    deal = _editable(work, deal_id, version)
    moves = cast("Any", StageMove)
    last = work.session.exec(
        select(StageMove)
        .where(StageMove.deal_id == deal.id)
        .order_by(moves.effective_at.desc(), moves.recorded_at.desc(), moves.id.desc())
    ).first()
    origin = work.session.get(Stage, last.from_stage_id) if last and last.from_stage_id else None
    if (
        last is None
        or origin is None
        or origin.kind is not StageKind.OPEN
        or last.by_user_id != work.actor.user_id
        or work.now - last.recorded_at > _UNDO_WITHIN
    ):
        raise NothingToUndo
    return _move(work, deal, origin, effective_on=None)


@command(Action.DEAL_REASSIGN)
def reassign_deal(work: Work, *, deal_id: int, version: int, owner_id: int) -> Deal:
    """Give a deal to another rep in the actor's scope; a won deal's credit stays.

    Raises NotFound, NotAllowed, EditedMeanwhile, InvalidFields (nobody in scope, has left, has it
    already).
    """
    deal = _editable(work, deal_id, version)
    problems: dict[str, str] = {}
    owner = _owner(work, owner_id, work.today, problems)
    if owner == deal.owner_id:
        problems["owner_id"] = _("The deal is with this person already.")
    if problems or owner is None:
        raise InvalidFields(problems)
    work.session.add(change(work, deal, DealField.OWNER, before=str(deal.owner_id), after=str(owner)))
    deal.owner_id = owner
    return _saved(work, deal)


@command(Action.DEAL_REASSIGN)
def undo_hand_over(work: Work, *, deal_id: int, version: int) -> Deal:
    """Give the deal back to whoever had it before, by an opposite change; history keeps both.

    Only one's own hand-over, recorded within a day, from a rep in one's scope: else NothingToUndo. Raises NotFound,
    NotAllowed, EditedMeanwhile.
    """
    deal = _editable(work, deal_id, version)
    changes = cast("Any", DealChange)
    last = work.session.exec(
        select(DealChange)
        .where(DealChange.deal_id == deal.id, DealChange.field == DealField.OWNER)
        .order_by(changes.recorded_at.desc(), changes.id.desc())
    ).first()
    if (
        last is None
        or last.before is None
        or last.after != str(deal.owner_id)
        or last.by_user_id != work.actor.user_id
        or work.now - last.recorded_at > _UNDO_WITHIN
        or not work.actor.scope.allows_rep(int(last.before))
    ):
        raise NothingToUndo
    work.session.add(change(work, deal, DealField.OWNER, before=last.after, after=last.before))
    deal.owner_id = int(last.before)
    return _saved(work, deal)


@command(Action.DEAL_EDIT)
def change_amount(work: Work, *, deal_id: int, version: int, amount: Decimal, currency: str | None = None) -> Deal:
    """Change what a deal is worth. Raises as `edit_deal`."""
    deal = _editable(work, deal_id, version)
    problems = _problems(work, {"amount": amount, "currency": currency or deal.currency}, whole=False)
    if problems:
        raise InvalidFields(problems)
    _change_amount(work, deal, amount, currency or deal.currency)
    return _saved(work, deal)


def _editable(work: Work, deal_id: int, version: int) -> Deal:
    deal = get_visible(work, Deal, deal_id, version=version)
    if not work.actor.scope.allows_rep(deal.owner_id):
        raise NotAllowed  # one sees what one won, but it is somebody else's now
    return deal


def _saved(work: Work, deal: Deal) -> Deal:
    work.session.add(deal)
    work.session.flush()
    return deal


def _move(
    work: Work,
    deal: Deal,
    stage: Stage,
    *,
    effective_on: date | None,
    lost_reason_id: int | None = None,
    note: str = "",
) -> Deal:
    if stage.id == deal.stage_id:
        raise StageMoveNotAllowed(stage=named(stage))
    if not stage.active:
        raise StageRetired(stage=named(stage))
    if len(note) > 1000:
        raise InvalidFields({"note": _("At most {n} characters, please.", n=1000)})
    at = instant_of(work, effective_on, not_before=last_event_at(work, deal))
    work.session.add(enter(work, deal, stage, at=at, lost_reason_id=lost_reason_id, note=note.strip()))
    return _saved(work, deal)


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


def _problems(
    work: Work, values: dict[str, Any], *, whole: bool = True, kept_channel: int | None = None
) -> dict[str, str]:
    """Return the sentence for each given field that breaks a rule."""
    problems = lengths_exceeded(values, _LONGEST)
    amount = values.get("amount")
    if amount is not None and not 0 <= amount < MOST_MONEY:
        problems["amount"] = _("An amount is zero or more, and below ten trillion.")
    elif "amount" in values and amount is None and not whole:
        problems["amount"] = _("Please give the amount.")
    if "currency" in values:
        currency = work.session.get(Currency, values["currency"])
        if currency is None or not currency.active:
            problems["currency"] = _("Please choose a currency from the list.")
    channel_id = values.get("channel_id")
    if channel_id is not None and channel_id != kept_channel:
        channel = work.session.get(Channel, channel_id)
        if channel is None or not channel.active:
            problems["channel_id"] = _("Please choose a channel from the list.")
    for line in values.get("lines", ()):
        sentence = _line_problem(work, line)
        if sentence:
            problems["lines"] = sentence
    return problems


def _line_problem(work: Work, line: LineFields) -> str | None:
    if work.session.get(Product, line.product_id) is None:
        return _("Please choose a product from the list.")
    if line.sku_id is not None:
        sku = work.session.get(Sku, line.sku_id)
        if sku is None or sku.product_id != line.product_id:
            return _("Please choose a product from the list.")
    if not 1 <= line.quantity <= 10**9:
        return _("A quantity is a whole number from 1 up.")
    if not 0 <= line.unit_price < MOST_MONEY or line.amount >= MOST_MONEY:
        return _("A price is zero or more, and below ten trillion.")
    if not 0 <= line.discount_rate <= 1:
        return _("A discount lies between 0 % and 100 %.")
    return None


def _sum(lines: Sequence[LineFields]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def _put_lines(work: Work, deal_id: int, lines: Sequence[LineFields]) -> None:
    work.session.add_all(
        DealLine(
            deal_id=deal_id,
            product_id=line.product_id,
            sku_id=line.sku_id,
            quantity=line.quantity,
            unit_price=line.unit_price,
            discount_rate=line.discount_rate,
            amount=line.amount,
        )
        for line in lines
    )


def _first_stage(work: Work, pipeline_id: int | None) -> Stage:
    statement = select(Stage).where(Stage.kind == StageKind.OPEN, Stage.active)
    if pipeline_id is None:
        statement = statement.join(Pipeline, cast("Any", Pipeline.id == Stage.pipeline_id)).where(Pipeline.is_default)
    else:
        statement = statement.where(Stage.pipeline_id == pipeline_id)
    found = work.session.exec(statement.order_by(cast("Any", Stage.position))).first()
    if found is None:
        raise InvalidFields({"stage_id": _("The sales process has no open stage. Sales operations can add one.")})
    return found


def _stage(work: Work, stage_id: int | None, problems: dict[str, str]) -> Stage | None:
    if stage_id is None:
        return _first_stage(work, None)
    stage = work.session.get(Stage, stage_id)
    if stage is None:
        problems["stage_id"] = _("Please choose a stage from the list.")
    elif not stage.active:
        problems["stage_id"] = StageRetired(stage=named(stage)).message()
    return stage


def _stage_of_process(work: Work, deal: Deal, stage_id: int) -> Stage:
    stage = work.session.get(Stage, stage_id)
    if stage is None or stage.pipeline_id != deal.pipeline_id:
        raise StageMoveNotAllowed(stage=named(stage) if stage is not None else "?")
    return stage


def _owner(work: Work, owner_id: int | None, on: date, problems: dict[str, str]) -> int | None:
    try:
        chosen = choose_owner(work, owner_id)
    except InvalidFields as error:
        problems.update(error.problems)
        return None
    rep = work.session.get(Rep, chosen)
    if rep is not None and rep.left_on is not None and rep.left_on <= on:
        problems["owner_id"] = _("This person has left the company.")
    return chosen


def _check_lost_reason(work: Work, lost_reason_id: int | None, problems: dict[str, str]) -> None:
    reason = work.session.get(LostReason, lost_reason_id) if lost_reason_id is not None else None
    if reason is None or not reason.active:
        problems["lost_reason_id"] = _("Please say why the deal was lost.")


def _check_contact(work: Work, contact_id: int | None, customer_id: int) -> None:
    if contact_id is not None and get_visible(work, Contact, contact_id).customer_id != customer_id:
        raise InvalidFields({"contact_id": _("This contact is at another customer.")})


def _made_name(work: Work, customer: Customer, lines: Sequence[LineFields | DealLine]) -> str:
    """Return the title of a deal that nobody named, as it is stored."""
    main = max(lines, key=lambda line: line.amount, default=None)
    product = work.session.get(Product, main.product_id) if main else None
    return deal_title(customer.name, product.name if product else "")[:200]
