"""What the mirror reads of the database, table by table: as statements, and as texts for a builder."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

import pyarrow as pa
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Float, Integer, Select, func, select, text
from sqlalchemy.types import TypeDecorator

from core.db.mirror_told import KEYS, Told
from core.model import (
    Activity,
    Channel,
    CreditShare,
    Customer,
    Deal,
    DealChange,
    DealLine,
    FxRate,
    LostReason,
    Pipeline,
    Product,
    Quota,
    Rep,
    RepLeave,
    Stage,
    StageMove,
    Team,
    Territory,
    WordPair,
)

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, Dialect
    from sqlalchemy.types import TypeEngine

READ: Final[dict[str, tuple[type, str, tuple[str, ...]]]] = {
    "deal": (Deal, "id", (
        "id", "name", "auto_named", "pipeline_id", "stage_id", "stage_entered_at", "state", "owner_id", "credited_id",
        "customer_id", "channel_id", "amount", "currency", "base_amount", "expected_close_on", "opened_at", "closed_at",
        "lost_reason_id", "competitor", "base_cost")),
    "deal_line": (DealLine, "deal_id", ("id", "deal_id", "product_id", "quantity", "amount")),
    "stage_move": (StageMove, "deal_id", (
        "id", "deal_id", "from_stage_id", "to_stage_id", "effective_at", "recorded_at", "lost_reason_id")),
    "deal_change": (DealChange, "deal_id", (
        "id", "deal_id", "field", "before", "after", "effective_at", "recorded_at")),
    "credit_share": (CreditShare, "deal_id", ("id", "deal_id", "rep_id", "share", "recorded_at", "until_at")),
    "fx_rate": (FxRate, "id", ("id", "currency", "on", "rate")),
    "activity": (Activity, "id", ("id", "kind", "customer_id", "deal_id", "rep_id", "due_on", "done_at")),
    "customer": (Customer, "id", ("id", "owner_id", "territory_id", "name", "name_en", "segment", "industry")),
    "quota": (Quota, "id", ("id", "rep_id", "team_id", "month", "amount")),
    "rep": (Rep, "id", ("id", "team_id", "name", "name_en", "joined_on", "left_on")),
    "rep_leave": (RepLeave, "id", ("id", "rep_id", "from_on", "until_on")),
    "team": (Team, "id", ("id", "parent_id", "name", "name_en")),
    "territory": (Territory, "id", ("id", "name", "name_en")),
    "product": (Product, "id", ("id", "name", "name_en")),
    "channel": (Channel, "id", ("id", "name", "name_en")),
    "lost_reason": (LostReason, "id", ("id", "name", "name_en")),
    "word_pair": (WordPair, "id", ("id", "name", "name_en")),
    "pipeline": (Pipeline, "id", ("id", "name", "name_en", "is_default")),
    "stage": (Stage, "id", (
        "id", "pipeline_id", "position", "expected_days", "name", "name_en", "kind", "probability", "active")),
}  # fmt: skip
"""Of each table: its model, the column that `keys` are of, and the columns."""


def statement_of(subject: str, keys: range | None) -> Select[Any]:
    """Return the rows of a subject with the keys between these ends, or all.

    `recorded_at` is NULL where it is `effective_at`, as it nearly always is: half the instants need not be read.
    """
    whole, key = _whole(subject)
    return whole if keys is None else whole.where(key.between(keys.start, keys.stop - 1))


@cache
def _whole(subject: str) -> tuple[Select[Any], Column[int]]:
    """Return the rows of a subject, and the column that `keys` are of."""
    model, key, names = READ[subject]
    columns = cast("Any", model).__table__.c
    chosen: list[ColumnElement[Any]] = [columns[name] for name in names]
    if "effective_at" in names:
        recorded, effective = columns["recorded_at"], columns["effective_at"]
        place = names.index("recorded_at")
        chosen[place] = func.nullif(recorded, effective, type_=recorded.type).label("recorded_at")
    statement = select(*chosen)
    return statement.where(columns.before.is_not(None)) if subject == "deal_change" else statement, columns[key]


def told_of(dialect: Dialect) -> dict[str, Told]:
    """Return how each subject is read, in the words of a database."""
    sqlite = dialect.name == "sqlite"
    flag, integer = (pa.int64(), pa.int64()) if sqlite else (pa.bool_(), pa.int32())
    found = {}
    for subject in READ:
        whole, key = _whole(subject)
        compiled = whole.where(text(f"{key} {KEYS}")).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        found[subject] = Told(str(compiled), kinds_of(whole, flag=flag, integer=integer))
    return found


def kinds_of(
    statement: Select[Any], *, flag: pa.DataType, integer: pa.DataType | None = None
) -> dict[str, pa.DataType]:
    """Return Arrow's kind of each column of what is read, days and instants as themselves.

    flag: of a truth value, as the driver gives it; integer: of a number of 32 bits.
    """
    return {
        column.name: arrow_kind(column.type, flag=flag, integer=integer, days=pa.date32(), instants=pa.timestamp("us"))
        for column in statement.selected_columns
    }


def arrow_kind(
    kind: TypeEngine[Any],
    *,
    flag: pa.DataType,
    integer: pa.DataType | None = None,
    days: pa.DataType | None = None,
    instants: pa.DataType | None = None,
) -> pa.DataType:
    """Return Arrow's kind of a column; a flag, a day, an instant and a number of 32 bits as the driver gives them."""
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, Boolean):
        return flag
    if isinstance(kind, Integer):
        return pa.int64() if integer is None or isinstance(kind, BigInteger) else integer
    if isinstance(kind, Float):
        return pa.float64()
    if isinstance(kind, Date):
        return days or pa.string()
    if isinstance(kind, DateTime):
        return instants or pa.string()
    return pa.string()
