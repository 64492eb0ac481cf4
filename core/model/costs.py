"""What it cost to win customers."""

from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, column
from sqlmodel import Field

from core.model.base import Record, sa
from core.model.types import Money

NO_CHANNEL: Final = 0
"""What costs of no channel are kept under where a channel's number is asked for."""

_OF_NO_CHANNEL = column("channel_id").is_(None)


class AcquisitionCost(Record, table=True):
    """What winning customers cost in one month through one channel, or through none, in the base currency."""

    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        UniqueConstraint("channel_id", "month"),
        Index(
            "uq_acquisition_cost_month_of_no_channel", "month", unique=True,
            sqlite_where=_OF_NO_CHANNEL, postgresql_where=_OF_NO_CHANNEL,
        ),
    )  # fmt: skip

    channel_id: int | None = Field(default=None, foreign_key="channel.id", index=True)
    month: date = Field(index=True, description="the month's first day")
    amount: Decimal = Field(sa_type=sa(Money))
