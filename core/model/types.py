"""Column types that keep money exact, instants in UTC and choices closed, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Enum,
    Float,
    Integer,
    SmallInteger,
    String,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeDecorator

from core.domain.money import from_minor, to_minor


class Money(TypeDecorator[Decimal]):
    """A `Decimal` of two places, kept as a whole number of hundredths."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Return hundredths; refuse floats, which have already lost cents."""
        if value is None:
            return None
        if not isinstance(value, Decimal):
            message = f"money must be a Decimal, not {type(value).__name__}"
            raise TypeError(message)
        return to_minor(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Return the amount."""
        return None if value is None else from_minor(value)


class Rate(TypeDecorator[Decimal]):
    """A `Decimal` of eight places (an exchange rate), kept as a whole number."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Return hundred-millionths."""
        return None if value is None else int((Decimal(value) * 10**8).to_integral_value())

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Return the rate."""
        return None if value is None else Decimal(value).scaleb(-8)


class Instant(TypeDecorator[datetime]):
    """An aware UTC `datetime`; naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant in UTC, naive for SQLite, which keeps no offset."""
        if value is None:
            return None
        if value.tzinfo is None:
            message = "an instant needs its time zone"
            raise ValueError(message)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the aware instant."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def choice(words: type[StrEnum]) -> Any:
    """Return a column type that holds the words' values, with a CHECK."""
    return Enum(
        words,
        name=snake_case(words.__name__),
        native_enum=False,
        create_constraint=True,
        length=20,
        values_callable=lambda enum: [word.value for word in enum],
    )


class TransactionNumber(ColumnElement[int]):
    """A column default: PostgreSQL's number of the running transaction; NULL on SQLite."""

    inherit_cache = True


@compiles(TransactionNumber, "postgresql")
def _on_postgresql(element: object, compiler: object, **kw: object) -> str:
    return "(pg_current_xact_id()::text::bigint)"


@compiles(TransactionNumber)
def _elsewhere(element: object, compiler: object, **kw: object) -> str:
    return "NULL"


def snake_case(name: str) -> str:
    """Return `StageMove` as `stage_move`."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


def _in_strict_tables(kind: type, name: str) -> None:
    """Have SQLite tables declare `kind` as one of the names that STRICT allows."""

    @compiles(kind, "sqlite")
    def _name(element: object, compiler: object, **kw: object) -> str:
        return name


for _kind, _name in (
    (String, "TEXT"), (Enum, "TEXT"), (Date, "TEXT"), (DateTime, "TEXT"), (JSON, "TEXT"), (Integer, "INTEGER"),
    (BigInteger, "INTEGER"), (SmallInteger, "INTEGER"), (Boolean, "INTEGER"), (Float, "REAL"),
):  # fmt: skip
    _in_strict_tables(_kind, _name)
