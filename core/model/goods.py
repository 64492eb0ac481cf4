"""Products and what of them can be sold."""

from decimal import Decimal

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from core.model.base import Record, sa
from core.model.types import Money


class Product(Record, table=True):
    """Something sold, in one or more specifications."""

    code: str = Field(max_length=80, unique=True)
    name: str = Field(max_length=200)
    name_en: str = Field(default="", max_length=200)
    category: str = Field(default="", max_length=80)
    active: bool = True
    import_batch_id: int | None = Field(default=None, foreign_key="import_batch.id", index=True)


class Sku(Record, table=True):
    """The smallest thing sold: a product in one specification, with its list price.

    `cost` is what one piece costs the company, in the price's currency; None where nobody said.
    """

    __table_args__ = (
        CheckConstraint("list_price >= 0", name="list_price_not_negative"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
    )

    product_id: int = Field(foreign_key="product.id", index=True)
    code: str = Field(max_length=80, unique=True)
    specification: str = Field(default="", max_length=200)
    unit: str = Field(default="", max_length=20)
    list_price: Decimal = Field(default=Decimal(0), sa_type=sa(Money))
    currency: str = Field(default="CNY", foreign_key="currency.code", max_length=3)
    active: bool = True
    cost: Decimal | None = Field(default=None, sa_type=sa(Money))
