"""What holds for every deal, new or changed: its fields, lines, stage, owner and contact."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import select

from core.db.work import get_visible
from core.domain.money import CENT
from core.domain.names import deal_title, named
from core.domain.stages import StageKind
from core.errors import InvalidFields, NotAllowed
from core.i18n import _
from core.model import (
    Channel,
    Contact,
    Currency,
    Customer,
    Deal,
    DealLine,
    LostReason,
    Pipeline,
    Product,
    Rep,
    Sku,
    Stage,
)
from core.services.customers import choose_owner, lengths_exceeded
from core.services.deal_history import (
    StageRetired,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.db.work import Work

MOST_MONEY = Decimal(10) ** 13
_LONGEST = {"name": 200, "note": 4000, "competitor": 120}


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


def editable_deal(work: Work, deal_id: int, version: int) -> Deal:
    """Return the deal, locked. Raises NotFound, EditedMeanwhile, NotAllowed (another team's by now)."""
    deal = get_visible(work, Deal, deal_id, version=version)
    if not work.actor.scope.allows_rep(deal.owner_id):
        raise NotAllowed  # one sees what one won, but it is somebody else's now
    return deal


def saved(work: Work, deal: Deal) -> Deal:
    """Write the deal and return it with its new version."""
    work.session.add(deal)
    work.session.flush()
    return deal


def deal_problems(
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


def sum_of(lines: Sequence[LineFields]) -> Decimal:
    """Return what the lines come to."""
    return sum((line.amount for line in lines), Decimal(0))


def put_lines(work: Work, deal_id: int, lines: Sequence[LineFields]) -> list[DealLine]:
    """Add the lines to a deal and return them."""
    added = [
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
    ]
    work.session.add_all(added)
    return added


def first_stage(work: Work, pipeline_id: int | None) -> Stage:
    """Return the first open stage of a process, the default one's where none is named. Raises InvalidFields."""
    statement = select(Stage).where(Stage.kind == StageKind.OPEN, Stage.active)
    if pipeline_id is None:
        statement = statement.join(Pipeline, cast("Any", Pipeline.id == Stage.pipeline_id)).where(Pipeline.is_default)
    else:
        statement = statement.where(Stage.pipeline_id == pipeline_id)
    found = work.session.exec(statement.order_by(cast("Any", Stage.position))).first()
    if found is None:
        raise InvalidFields({"stage_id": _("The sales process has no open stage. Sales operations can add one.")})
    return found


def chosen_stage(work: Work, stage_id: int | None, problems: dict[str, str]) -> Stage | None:
    """Return the stage, the first one where none is named; what is wrong with it goes into `problems`."""
    if stage_id is None:
        return first_stage(work, None)
    stage = work.session.get(Stage, stage_id)
    if stage is None:
        problems["stage_id"] = _("Please choose a stage from the list.")
    elif not stage.active:
        problems["stage_id"] = StageRetired(stage=named(stage)).message()
    return stage


def chosen_owner(work: Work, owner_id: int | None, on: date, problems: dict[str, str]) -> int | None:
    """Return the rep who is to own a deal from `on`; what speaks against it goes into `problems`."""
    try:
        chosen = choose_owner(work, owner_id)
    except InvalidFields as error:
        problems.update(error.problems)
        return None
    rep = work.session.get(Rep, chosen)
    if rep is not None and rep.left_on is not None and rep.left_on <= on:
        problems["owner_id"] = _("This person has left the company.")
    return chosen


def check_lost_reason(work: Work, lost_reason_id: int | None, problems: dict[str, str]) -> None:
    """Put into `problems` that a lost deal needs a reason in use."""
    reason = work.session.get(LostReason, lost_reason_id) if lost_reason_id is not None else None
    if reason is None or not reason.active:
        problems["lost_reason_id"] = _("Please say why the deal was lost.")


def check_contact(work: Work, contact_id: int | None, customer_id: int) -> None:
    """Raise InvalidFields where the contact is not the customer's, NotFound outside the scope."""
    if contact_id is not None and get_visible(work, Contact, contact_id).customer_id != customer_id:
        raise InvalidFields({"contact_id": _("This contact is at another customer.")})


def made_name(work: Work, customer: Customer, lines: Sequence[LineFields | DealLine]) -> str:
    """Return the title of a deal that nobody named, as it is stored."""
    main = max(lines, key=lambda line: line.amount, default=None)
    product = work.session.get(Product, main.product_id) if main else None
    return deal_title(customer.name, product.name if product else "")[:200]
