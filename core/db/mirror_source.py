"""Reading the database for the mirror: rows as Arrow tables, and which rows changed since the last look.

SQLite is read by the standard library alone: a second SQLite library in the process loses commits
(docs/architecture.md). PostgreSQL is read by COPY.
"""

from __future__ import annotations

import io
import json
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as arrow_csv
from sqlalchemy import LargeBinary, Select, cast, func, text

from core.db.mirror_arrow import arrow_kind, of_json, of_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

_AT_ONCE = 50_000
"""Numbers of a table's rows that SQLite makes one text of."""

_PLAIN, _WITH_ZONE = pa.timestamp("us"), pa.timestamp("us", "UTC")
_LAST_CHANGE = "SELECT coalesce(max(id), 0) FROM change_log"
_OWN_NUMBER = "SELECT oid::bigint FROM pg_database WHERE datname = current_database()"


class Changed(NamedTuple):
    """A row that changed: the subject of its `change_log`, and its number; None is the whole table."""

    subject: str
    key: int | None


class Source(ABC):
    """A connection of the mirror's own; used by one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        connection = engine.raw_connection()
        connection.detach()
        self._connection: Any = connection.dbapi_connection

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
    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:
        """Return the rows of a statement, inside a snapshot; instants in UTC without a zone.

        `whole`: very many rows of one table that has a column `id`, so that it may be read in the way that is fast
        for them.
        """

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _sql(self, statement: Select[Any]) -> str:
        compiled = statement.compile(dialect=self._dialect, compile_kwargs={"literal_binds": True})
        return str(compiled)


def open_source(engine: Engine) -> Source:
    """Return the source that reads the engine's kind of database."""
    return SqliteSource(engine) if engine.dialect.name == "sqlite" else PostgresSource(engine)


class SqliteSource(Source):
    """SQLite: one writer at a time, so the log's numbers are the order of the commits."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        # pages are read once; room for more of them costs a fifth
        self._connection.execute("PRAGMA cache_size = -2000").close()
        self._data_version = -1
        self._seen = 0

    def moved(self) -> bool:
        """Say whether another connection committed: `data_version` costs two microseconds."""
        return bool(self._one("PRAGMA data_version") != self._data_version)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Hold a read transaction."""
        self._data_version = self._one("PRAGMA data_version")
        self._connection.execute("BEGIN").close()
        try:
            yield
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

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:
        """Return the rows by the standard library's cursor; of whole tables, without a Python object a value."""
        kinds = kinds_of(statement, flag=pa.int64())
        if whole and pa.float64() not in kinds.values():  # SQLite writes 15 digits of a float as JSON
            return self._read_as_json(statement)
        rows = self._connection.execute(self._sql(statement)).fetchall()
        return of_rows(rows, kinds)

    def _read_as_json(self, statement: Select[Any]) -> pa.Table:
        """Return the rows, which SQLite writes as lines of JSON: three times as fast as row by row."""
        (table,) = statement.get_final_froms()
        kinds = kinds_of(statement, flag=pa.int64())
        lines = func.group_concat(func.json_array(*statement.selected_columns), text("char(10)"))
        written = self._sql(
            statement.with_only_columns(cast(lines, LargeBinary)).where(text(f"{table}.id BETWEEN ? AND ?"))
        )
        ends = self._sql(statement.with_only_columns(func.min(table.c.id), func.max(table.c.id)))
        first, last = self._connection.execute(ends).fetchone()
        parts = [
            self._connection.execute(written, (start, start + _AT_ONCE - 1)).fetchone()[0]
            for start in (range(first, last + 1, _AT_ONCE) if last is not None else ())
        ]
        tables = [of_json(part, kinds) for part in parts if part is not None]
        return pa.concat_tables([*tables, of_rows([], kinds)])

    def _one(self, sql: str) -> Any:
        return _first(self._connection.execute(sql).fetchone())


class PostgresSource(Source):
    """PostgreSQL: commits come in any order, so what was not visible at the mark is what changed."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._connection.autocommit = True
        self._execute("SET TIME ZONE 'UTC'")
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

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:  # noqa: ARG002 - one way for both
        """Return the rows by COPY."""
        kinds = kinds_of(statement, flag=pa.bool_())
        told = {name: _WITH_ZONE if kind == _PLAIN else kind for name, kind in kinds.items()}
        buffer = io.BytesIO()
        with (
            self._connection.cursor() as cursor,
            cursor.copy(f"COPY ({self._sql(statement)}) TO STDOUT (FORMAT csv)") as copy,
        ):
            for block in copy:
                buffer.write(block)
        if buffer.tell() == 0:
            return pa.table({name: pa.array([], type=kind) for name, kind in kinds.items()})
        buffer.seek(0)
        found = arrow_csv.read_csv(
            buffer,
            read_options=arrow_csv.ReadOptions(column_names=list(kinds)),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=told,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )
        return found.cast(pa.schema(kinds.items()))

    def _execute(self, sql: str) -> Any:
        return self._connection.execute(sql)

    def _one(self, sql: str) -> Any:
        return _first(self._execute(sql).fetchone())


def kinds_of(statement: Select[Any], *, flag: pa.DataType) -> dict[str, pa.DataType]:
    """Return Arrow's kind of each column of what `read` returns. flag: of a truth value, as the driver gives it."""
    return {
        column.name: arrow_kind(column.type, flag=flag, days=pa.date32(), instants=_PLAIN)
        for column in statement.selected_columns
    }


def _first(row: Any) -> Any:
    return None if row is None else row[0]
