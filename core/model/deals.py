"""Deals, what is in them, and everything that ever happened to them."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from core.domain.stages import DealField, StageKind
from core.model.base import Record, Table, sa
from core.model.types import Instant, Money, choice


class Deal(Record, table=True):
    """A possible sale (商机). `amount` is net of tax, in the deal's currency.

    `state` repeats the kind of the present stage. `credited_id` is the rep who owned the deal
    when it was won. `base_amount` is in the company's currency: at the last rate while open,
    frozen at the closing day's rate; so is `base_cost`, what a won deal's lines cost (`core.services.deal_costs`),
    None where that is not known of all of them. `opened_at` and `closed_at` are when it was so. Where nobody typed
    a name (`auto_named`) the deal is shown by its customer and its main product, in the reader's language;
    `name` then keeps the Chinese of it.
    """

    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("base_amount >= 0", name="base_amount_not_negative"),
        CheckConstraint("base_cost >= 0", name="base_cost_not_negative"),
        CheckConstraint("length(name) > 0", name="has_a_name"),
        CheckConstraint("(state = 'open') = (closed_at IS NULL)", name="closed_when_not_open"),
        CheckConstraint("(state = 'won') = (credited_id IS NOT NULL)", name="a_won_deal_is_credited"),
        CheckConstraint(
            "(state = 'lost') = (lost_reason_id IS NOT NULL)",
            name="a_lost_deal_has_a_reason",
        ),
        CheckConstraint("closed_at IS NULL OR closed_at >= opened_at", name="closes_after_it_opens"),
        Index("ix_deal_owner_state", "owner_id", "state"),
        Index("ix_deal_state_expected", "state", "expected_close_on"),
    )

    name: str = Field(max_length=200)
    auto_named: bool = False
    customer_id: int = Field(foreign_key="customer.id", index=True)
    contact_id: int | None = Field(default=None, foreign_key="contact.id")
    pipeline_id: int = Field(foreign_key="pipeline.id", index=True)
    stage_id: int = Field(foreign_key="stage.id", index=True)
    stage_entered_at: datetime = Field(sa_type=sa(Instant))
    state: StageKind = Field(sa_type=sa(choice(StageKind)))
    owner_id: int = Field(foreign_key="rep.id", index=True)
    credited_id: int | None = Field(default=None, foreign_key="rep.id", index=True)
    channel_id: int | None = Field(default=None, foreign_key="channel.id", index=True)
    amount: Decimal = Field(sa_type=sa(Money))
    currency: str = Field(default="CNY", foreign_key="currency.code", max_length=3)
    base_amount: Decimal = Field(sa_type=sa(Money))
    expected_close_on: date = Field(index=True)
    opened_at: datetime = Field(sa_type=sa(Instant), index=True)
    closed_at: datetime | None = Field(default=None, sa_type=sa(Instant), index=True)
    lost_reason_id: int | None = Field(default=None, foreign_key="lost_reason.id")
    competitor: str = Field(default="", max_length=120)
    note: str = Field(default="", max_length=4000)
    external_id: str | None = Field(default=None, max_length=120, unique=True)
    import_batch_id: int | None = Field(default=None, foreign_key="import_batch.id", index=True)
    base_cost: Decimal | None = Field(default=None, sa_type=sa(Money))


class DealLine(Table, table=True):
    """A product in a deal; `amount` is quantity × price less the discount, net.

    `unit_cost` is what one piece cost when the deal was won, in the company's currency; None before, or unknown.
    """

    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        CheckConstraint("unit_price >= 0", name="unit_price_not_negative"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        CheckConstraint("discount_rate >= 0 AND discount_rate <= 1", name="discount_is_a_rate"),
        CheckConstraint("unit_cost >= 0", name="unit_cost_not_negative"),
    )

    deal_id: int = Field(foreign_key="deal.id", index=True)
    product_id: int = Field(foreign_key="product.id", index=True)
    sku_id: int | None = Field(default=None, foreign_key="sku.id")
    quantity: int = 1
    unit_price: Decimal = Field(sa_type=sa(Money))
    discount_rate: float = 0.0
    amount: Decimal = Field(sa_type=sa(Money))
    unit_cost: Decimal | None = Field(default=None, sa_type=sa(Money))


class StageMove(Table, table=True):
    """One step taken by a deal (阶段变更); never edited. The first has no `from_stage_id`."""

    audited: ClassVar[bool] = False
    __table_args__ = (Index("ix_stage_move_deal_effective", "deal_id", "effective_at", "id"),)

    deal_id: int = Field(foreign_key="deal.id")
    from_stage_id: int | None = Field(default=None, foreign_key="stage.id")
    to_stage_id: int = Field(foreign_key="stage.id")
    effective_at: datetime = Field(sa_type=sa(Instant))
    recorded_at: datetime = Field(sa_type=sa(Instant))
    by_user_id: int | None = Field(default=None, foreign_key="app_user.id")
    lost_reason_id: int | None = Field(default=None, foreign_key="lost_reason.id")
    note: str = Field(default="", max_length=1000)


class DealChange(Table, table=True):
    """A change of amount, owner or expected close; never edited.

    `before` and `after` are text: amounts as `1234.50 CNY`, owners as the rep's number, days as
    ISO; `before` is None for the value that the deal began with.
    """

    audited: ClassVar[bool] = False
    __table_args__ = (Index("ix_deal_change_deal_effective", "deal_id", "effective_at", "id"),)

    deal_id: int = Field(foreign_key="deal.id")
    field: DealField = Field(sa_type=sa(choice(DealField)))
    before: str | None = Field(default=None, max_length=40)
    after: str = Field(max_length=40)
    effective_at: datetime = Field(sa_type=sa(Instant))
    recorded_at: datetime = Field(sa_type=sa(Instant))
    by_user_id: int | None = Field(default=None, foreign_key="app_user.id")


class CreditShare(Table, table=True):
    """How much of a deal one person is credited with (业绩拆分), in ten-thousandths; edited in nothing but its end.

    A deal's shares that nobody replaced (`until_at` None) add up to 10,000; a deal without any counts for whoever owned
    it when it was won. They count from the winning on: `effective_at` is when it was won, or when a deal that was open
    then was split; `recorded_at` when we learned it, `until_at` when we learned otherwise.
    """

    __table_args__ = (
        CheckConstraint("share > 0 AND share <= 10000", name="share_is_a_part"),
        CheckConstraint("until_at IS NULL OR until_at >= recorded_at", name="ends_after_it_begins"),
    )

    deal_id: int = Field(foreign_key="deal.id", index=True)
    rep_id: int = Field(foreign_key="rep.id")
    share: int
    effective_at: datetime = Field(sa_type=sa(Instant))
    recorded_at: datetime = Field(sa_type=sa(Instant))
    until_at: datetime | None = Field(default=None, sa_type=sa(Instant))
    by_user_id: int | None = Field(default=None, foreign_key="app_user.id")
