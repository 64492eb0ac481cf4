"""The company's deals with their whole history and everything that they hang on, table by table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from core.access.actions import Action
from core.gate import query
from core.model import (
    Activity,
    Channel,
    Contact,
    CreditShare,
    Currency,
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
    Setting,
    Sku,
    Stage,
    StageMove,
    Team,
    Territory,
    TerritoryAssignment,
    WordPair,
    metadata,
)

if TYPE_CHECKING:
    from core.db.work import Work

TABLES: tuple[Any, ...] = (
    Currency, FxRate, Setting, WordPair, Territory, Team, Rep, TerritoryAssignment, Channel, LostReason, Pipeline,
    Stage, Product, Sku, Customer, Contact, Deal, DealLine, StageMove, DealChange, CreditShare, Activity,
    Quota,
)  # fmt: skip
LEFT_OUT = frozenset({"import_batch_id", "by_user_id", "updated_at", "version"})
"""Columns that mean something in one database only."""


@query(Action.IMPORT)
def company_history(work: Work) -> dict[str, list[dict[str, Any]]]:
    """Return every row of each table by the table's name, its columns in their Python types."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in TABLES:
        columns = [column for column in metadata.tables[table.__tablename__].columns if column.name not in LEFT_OUT]
        names = [column.name for column in columns]
        order = table.id if hasattr(table, "id") else table.code
        rows = work.session.execute(select(*(getattr(table, name) for name in names)).order_by(order))
        found[table.__tablename__] = [dict(zip(names, row, strict=True)) for row in rows]
    return found
