"""Settings, currencies, audit, imports, links, and what makes forms safe to send twice."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.model.base import Record, Table, sa
from core.model.types import Instant, Rate, TransactionNumber, choice


class Setting(Record, table=True):
    """One of the company's settings; names and defaults are in core.queries.settings."""

    name: str = Field(max_length=60, unique=True)
    value: str = Field(max_length=2000)


class WordPair(Record, table=True):
    """A word of the company's data in both languages (词表), for showing it alone."""

    __table_args__ = (CheckConstraint("length(name) > 0 AND length(name_en) > 0", name="both_words"),)

    name: str = Field(max_length=200, unique=True)
    name_en: str = Field(max_length=200, index=True)


class Currency(SQLModel, table=True):
    """A currency by its ISO 4217 code."""

    audited: ClassVar[bool] = True
    secrets: ClassVar[frozenset[str]] = frozenset()
    __table_args__ = (CheckConstraint("length(code) = 3", name="iso_code"),)

    code: str = Field(primary_key=True, max_length=3)
    name: str = Field(default="", max_length=40)
    active: bool = True


class FxRate(Record, table=True):
    """What one unit of a currency is worth in the base currency from a day on."""

    __table_args__ = (
        UniqueConstraint("currency", "on"),
        CheckConstraint("rate > 0", name="rate_positive"),
    )

    currency: str = Field(foreign_key="currency.code", max_length=3)
    on: date
    rate: Decimal = Field(sa_type=sa(Rate))


class AuditEntry(Table, table=True):
    """Who changed what, when, from where; chained by hash in the order of the numbers.

    `algorithm`: `sha256`, or `hmac-sha256/…` with the name of the key.
    """

    audited: ClassVar[bool] = False

    at: datetime = Field(sa_type=sa(Instant), index=True)
    user_id: int | None = Field(default=None, index=True)
    username: str = Field(max_length=80)
    action: str = Field(max_length=60, index=True)
    kind: str = Field(max_length=40, index=True)
    record_id: int | None = Field(default=None, index=True)
    before: dict[str, Any] | None = Field(default=None, sa_type=sa(JSON))
    after: dict[str, Any] | None = Field(default=None, sa_type=sa(JSON))
    origin: str = Field(default="", max_length=120)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64, unique=True)
    algorithm: str = Field(default="sha256", max_length=40)


class BatchState(StrEnum):
    """Where an import stands."""

    PREVIEW = "preview"
    APPLIED = "applied"
    UNDONE = "undone"


class ImportBatch(Record, table=True):
    """One file brought in, and what became of its rows."""

    kind: str = Field(max_length=40)
    file_name: str = Field(max_length=200)
    file_hash: str = Field(max_length=64, index=True)
    state: BatchState = Field(sa_type=sa(choice(BatchState)))
    user_id: int | None = Field(default=None, foreign_key="app_user.id")
    rows_read: int = 0
    rows_imported: int = 0
    rows_merged: int = 0
    rows_refused: int = 0
    report: dict[str, Any] = Field(default_factory=dict, sa_type=sa(JSON))


class ImportMapping(Record, table=True):
    """A remembered mapping of a file's columns and words to ours."""

    __table_args__ = (UniqueConstraint("kind", "signature"),)

    kind: str = Field(max_length=40)
    signature: str = Field(max_length=64, description="SHA-256 of the sorted column names")
    mapping: dict[str, Any] = Field(sa_type=sa(JSON))


class ShareLink(Record, table=True):
    """A page with its filters, open to whoever holds the address; only the token's hash is kept."""

    secrets: ClassVar[frozenset[str]] = frozenset({"token_hash", "frozen"})  # the audit's readers need not see sales

    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="app_user.id", index=True)
    page: str = Field(max_length=40)
    title: str = Field(default="", max_length=120)
    query: dict[str, Any] = Field(sa_type=sa(JSON))
    language: str = Field(default="zh", max_length=5)
    frozen: dict[str, Any] | None = Field(default=None, sa_type=sa(JSON))
    frozen_at: datetime | None = Field(default=None, sa_type=sa(Instant))
    expires_at: datetime = Field(sa_type=sa(Instant))
    revoked_at: datetime | None = Field(default=None, sa_type=sa(Instant))
    opened_count: int = 0
    last_opened_at: datetime | None = Field(default=None, sa_type=sa(Instant))


class IdempotencyKey(Table, table=True):
    """A form that was sent, and the record it made: sent again, it makes no second one."""

    audited: ClassVar[bool] = False

    key: str = Field(max_length=64, unique=True)
    user_id: int | None = Field(default=None)
    command: str = Field(max_length=60)
    record_id: int
    at: datetime = Field(sa_type=sa(Instant))


class Draft(Table, table=True):
    """What somebody typed into a form and has not sent yet."""

    audited: ClassVar[bool] = False
    __table_args__ = (UniqueConstraint("user_id", "form"),)

    user_id: int = Field(foreign_key="app_user.id", index=True)
    form: str = Field(max_length=80)
    values: dict[str, Any] = Field(sa_type=sa(JSON))
    saved_at: datetime = Field(sa_type=sa(Instant))


class ChangeLog(SQLModel, table=True):
    """Which rows changed, in the order of change; written by triggers, read by the mirror.

    `subject` is a table's name and `key` the row's number (the deal's, for what hangs on a
    deal); a NULL key says that the whole table changed. `xid` is PostgreSQL's transaction number.
    """

    __tablename__ = "change_log"
    audited: ClassVar[bool] = False

    id: int | None = Field(default=None, primary_key=True, sa_type=sa(BigInteger))
    subject: str = Field(max_length=40)
    key: int | None = None
    xid: int | None = Field(
        default=None,
        sa_type=sa(BigInteger),
        sa_column_kwargs={"server_default": TransactionNumber()},
        index=True,
    )
