"""What the mirror reads of the database, table by table."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy import Select, func, select, text

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
    from collections.abc import Collection

    from sqlalchemy import Column, ColumnElement

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


def statement_of(subject: str, keys: Collection[int] | None) -> Select[Any]:
    """Return the rows of a subject with these keys (a range: all between its ends), or all.

    `recorded_at` is NULL where it is `effective_at`, as it nearly always is: half the instants need not be read.
    """
    whole, key = _whole(subject)
    if keys is None:
        return whole
    if isinstance(keys, range):
        return whole.where(key.between(keys.start, keys.stop - 1))
    numbers = ", ".join(str(int(number)) for number in sorted(keys)) or "NULL"
    return whole.where(text(f"{key} IN ({numbers})"))  # a thousand values of their own take longer than the rows


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
