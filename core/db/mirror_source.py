"""Following a database for the mirror: one state of it at a time, and which rows changed since the last look.

How rows are read differs: `core.db.mirror_asked` does so in the program, `core.db.mirror_adbc` in a child process and
`core.db.mirror_told` in both. A child loads as little as it can: nothing here may import SQLAlchemy.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from core.db.mirror_packed import read_packed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    import pyarrow as pa

_LAST_CHANGE = "SELECT coalesce(max(id), 0) FROM change_log"
_OWN_NUMBER = "SELECT oid::bigint FROM pg_database WHERE datname = current_database()"


class Changed(NamedTuple):
    """A row that changed: the subject of its `change_log`, and its number; None is the whole table."""

    subject: str
    key: int | None


class Source(ABC):
    """A connection of the mirror's own; used by one thread at a time."""

    _connection: Any

    @abstractmethod
    def moved(self) -> bool:
        """Say cheaply whether anything may have been committed since the last `snapshot`."""

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[None]:
        """Hold one state of the database for everything that is read inside."""

    @abstractmethod
    def mark(self) -> None:
        """Remember, inside a snapshot, that everything up to here is known."""

    @abstractmethod
    def position(self) -> str:
        """Return, inside a snapshot, what `mark` remembers, with the end of the audit's chain, as a text to keep."""

    @abstractmethod
    def resume(self, position: str) -> bool:
        """Go on, inside a snapshot, from a position kept earlier; False where this database did not pass it."""

    def count_moves(self) -> int:
        """Return about how many stage moves there are, as a measure of size."""
        return int(self._one("SELECT coalesce(max(id), 0) FROM stage_move"))

    def extent(self, table: str) -> tuple[int, int]:
        """Return the first and the last number of a table's rows; (1, 0) where it has none."""
        first = self._one(f"SELECT min(id) FROM {table}")
        return (1, 0) if first is None else (int(first), int(self._one(f"SELECT max(id) FROM {table}")))

    @abstractmethod
    def _one(self, sql: str) -> Any:
        """Return the one value that a statement gives, None where it gives no row."""

    def _audit_end(self) -> list[Any]:
        number = self._one("SELECT max(id) FROM audit_entry")
        return [number, self._one(f"SELECT hash FROM audit_entry WHERE id = {int(number)}") if number else None]

    def _passed(self, audit_end: list[Any]) -> bool:
        """Say whether the audit's chain holds this entry: else it is another database, or an older state of it."""
        number, said = audit_end
        return number is None or self._one(f"SELECT hash FROM audit_entry WHERE id = {int(number)}") == said

    @abstractmethod
    def changes(self) -> list[Changed] | None:
        """Return, inside a snapshot, what changed since the mark; None where that cannot be told."""

    @abstractmethod
    def rows(self, subject: str, keys: Collection[int] | None) -> pa.Table:
        """Return, inside a snapshot, a subject's rows with these keys (a range: all between its ends), or all.

        Instants are in UTC without a zone.
        """

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class SqliteSource(Source):
    """SQLite: one writer at a time, so the log's numbers are the order of the commits."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._data_version = -1
        self._seen = 0

    def moved(self) -> bool:
        """Say whether another connection committed: `data_version` costs two microseconds."""
        return bool(self._one("PRAGMA data_version") != self._data_version)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold a read transaction; where what is done with it fails, its commits are as if never seen."""
        self._data_version = self._one("PRAGMA data_version")
        self._connection.execute("BEGIN").close()
        try:
            yield
        except BaseException:
            self._data_version = -1
            raise
        finally:
            self._connection.execute("ROLLBACK").close()

    def mark(self) -> None:
        """Remember the highest number of the log."""
        self._seen = self._one(_LAST_CHANGE)

    def position(self) -> str:
        """Return the highest number of the log and the audit's end."""
        return json.dumps([self._one(_LAST_CHANGE), self._audit_end()])

    def resume(self, position: str) -> bool:
        """Take the number over; whether something came since is asked anew."""
        self._seen, audit_end = json.loads(position)
        self._data_version = -1
        return self._one(_LAST_CHANGE) >= self._seen and self._passed(audit_end)

    def changes(self) -> list[Changed] | None:
        """Return the rows logged after the mark; None where the log was emptied meanwhile."""
        if self._one(_LAST_CHANGE) < self._seen:
            return None
        found = self._connection.execute("SELECT DISTINCT subject, key FROM change_log WHERE id > ?", (self._seen,))
        return [Changed(*row) for row in found.fetchall()]

    def _one(self, sql: str) -> Any:
        return _first(self._connection.execute(sql).fetchone())


class PostgresSource(Source):
    """PostgreSQL: commits come in any order, so what was not visible at the mark is what changed."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._connection.autocommit = True
        self._execute("SET TIME ZONE 'UTC'")
        self._execute("SET max_parallel_workers_per_gather = 0")  # several hand on rows out of order
        self._seen = ""

    def moved(self) -> bool:
        """Say whether a transaction has ended since the mark."""
        return bool(self._one("SELECT pg_current_snapshot()::text") != self._seen)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold a repeatable read transaction."""
        self._execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield
        finally:
            self._execute("ROLLBACK")

    def mark(self) -> None:
        """Remember which transactions are visible here."""
        self._seen = self._one("SELECT pg_current_snapshot()::text")

    def position(self) -> str:
        """Return the snapshot, the database's own number and the audit's end."""
        said = [self._one("SELECT pg_current_snapshot()::text"), self._one(_OWN_NUMBER), self._audit_end()]
        return json.dumps(said)

    def resume(self, position: str) -> bool:
        """Take the snapshot over; transactions count on within one database alone."""
        self._seen, own_number, audit_end = json.loads(position)
        same = self._one(_OWN_NUMBER) == own_number
        ahead = f"SELECT pg_snapshot_xmax(pg_current_snapshot()) >= pg_snapshot_xmax('{self._seen}'::pg_snapshot)"
        return same and bool(self._one(ahead)) and self._passed(audit_end)

    def changes(self) -> list[Changed] | None:
        """Return the rows of transactions that were not visible at the mark and are now."""
        cursor = self._connection.execute(
            "SELECT DISTINCT subject, key FROM change_log "
            "WHERE xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot)::text::bigint "
            "AND NOT pg_visible_in_snapshot(xid::text::xid8, %(seen)s::pg_snapshot)",
            {"seen": self._seen},
        )
        return [Changed(*row) for row in cursor.fetchall()]

    def _packed(self, sql: str, kinds: dict[str, pa.DataType]) -> pa.Table:
        """Return the rows of a statement, whose columns come packed."""
        with self._connection.cursor(binary=True) as cursor:
            return read_packed(lambda packed: cursor.execute(packed).fetchone(), sql, kinds)

    def _execute(self, sql: str) -> Any:
        return self._connection.execute(sql)

    def _one(self, sql: str) -> Any:
        return _first(self._execute(sql).fetchone())


def _first(row: Any) -> Any:
    return None if row is None else row[0]
