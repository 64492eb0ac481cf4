"""Customers, the people there, and every meeting with them."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from core.domain.stages import ActivityKind
from core.model.base import Record, sa
from core.model.types import Instant, choice


class Customer(Record, table=True):
    """A company or person who buys or may buy."""

    __table_args__ = (CheckConstraint("length(name) > 0", name="has_a_name"),)

    name: str = Field(max_length=200, index=True)
    name_en: str = Field(default="", max_length=200)
    name_key: str = Field(
        default="",
        max_length=200,
        index=True,
        description="name folded for finding doubles",
    )
    external_id: str | None = Field(default=None, max_length=120, unique=True)
    owner_id: int | None = Field(default=None, foreign_key="rep.id", index=True)
    territory_id: int | None = Field(default=None, foreign_key="territory.id", index=True)
    segment: str = Field(
        default="",
        max_length=60,
        description="kind of customer: enterprise, SME, consumer …",
    )
    size: str = Field(default="", max_length=60)
    industry: str = Field(default="", max_length=80)
    country: str = Field(default="", max_length=60)
    city: str = Field(default="", max_length=80)
    address: str = Field(default="", max_length=300)
    phone: str = Field(default="", max_length=60)
    website: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=4000)
    import_batch_id: int | None = Field(default=None, foreign_key="import_batch.id", index=True)


class Contact(Record, table=True):
    """A person at a customer."""

    customer_id: int = Field(foreign_key="customer.id", index=True)
    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=80)
    title: str = Field(default="", max_length=80)
    phone: str = Field(default="", max_length=60)
    email: str = Field(default="", max_length=200)
    is_primary: bool = False
    note: str = Field(default="", max_length=1000)


class Activity(Record, table=True):
    """A meeting with a customer, done or due: exactly one of the two."""

    __table_args__ = (
        CheckConstraint(
            "(done_at IS NULL) <> (due_on IS NULL) OR done_at IS NOT NULL",
            name="done_or_due",
        ),
    )

    kind: ActivityKind = Field(sa_type=sa(choice(ActivityKind)))
    subject: str = Field(default="", max_length=200)
    note: str = Field(default="", max_length=4000)
    customer_id: int = Field(foreign_key="customer.id", index=True)
    contact_id: int | None = Field(default=None, foreign_key="contact.id")
    deal_id: int | None = Field(default=None, foreign_key="deal.id", index=True)
    rep_id: int = Field(foreign_key="rep.id", index=True)
    due_on: date | None = Field(default=None, index=True)
    done_at: datetime | None = Field(default=None, sa_type=sa(Instant), index=True)
    import_batch_id: int | None = Field(default=None, foreign_key="import_batch.id", index=True)
