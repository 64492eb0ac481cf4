"""Many rows at once, for imports: numbers set aside beforehand, inserts in chunks, no audit entry by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Table, func, insert, select, text
from sqlalchemy.orm import Session

from core.access.actors import Actor, Reach
from core.db.scoping import UnscopedStatement

CHUNK = 2_000
FEW = 500


def reserve_numbers(session: Session, table: Table, count: int) -> list[int]:
    """Return `count` numbers that no row of `table` has, ascending.

    SQLite: the transaction is the only writer. PostgreSQL: taken from the table's sequence.
    """
    connection = _connection(session)
    if connection.dialect.name == "postgresql":
        statement = text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
        return sorted(connection.scalars(statement, {"name": table.name, "count": count}))
    last = connection.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0
    return list(range(last + 1, last + 1 + count))


def insert_rows(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all name the same columns."""
    connection = _connection(session)
    for chunk in chunks(rows, CHUNK):
        connection.execute(insert(table), list(chunk))


def chunks(rows: Sequence[Any], size: int = FEW) -> Iterator[Sequence[Any]]:
    """Yield `rows` in pieces of at most `size`."""
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _connection(session: Session) -> Any:
    actor: Actor = session.info["actor"]
    if actor.scope.reach is not Reach.ALL:
        message = "rows are loaded in bulk only by who may see all of them"
        raise UnscopedStatement(message)
    return session.connection()
