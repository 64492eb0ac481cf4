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
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Float, Integer, LargeBinary, Select, cast, func, text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine
    from sqlalchemy.types import TypeEngine

_AT_ONCE = 50_000
"""Numbers of a table's rows that SQLite makes one text of."""


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
    def changes(self) -> list[Changed] | None:
        """Return, inside a snapshot, what changed since the mark; None where that cannot be told."""

    @abstractmethod
    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:
        """Return the rows of a statement, inside a snapshot; instants and days as ISO text or as what they are.

        `whole`: all or nearly all rows of one table that has a column `id`, so that it may be read in the way
        that is fast for many.
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
        self._seen = self._one("SELECT coalesce(max(id), 0) FROM change_log")

    def changes(self) -> list[Changed] | None:
        """Return the rows logged after the mark; None where the log was emptied meanwhile."""
        if self._one("SELECT coalesce(max(id), 0) FROM change_log") < self._seen:
            return None
        found = self._connection.execute("SELECT DISTINCT subject, key FROM change_log WHERE id > ?", (self._seen,))
        return [Changed(*row) for row in found.fetchall()]

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:
        """Return the rows by the standard library's cursor; of whole tables, without a Python object a value."""
        kinds = {column.name: _arrow(column.type, flag=pa.int64()) for column in statement.selected_columns}
        if whole and pa.float64() not in kinds.values():  # SQLite writes 15 digits of a float as JSON
            return self._read_as_json(statement)
        rows = self._connection.execute(self._sql(statement)).fetchall()
        return _of_rows(rows, kinds)

    def _read_as_json(self, statement: Select[Any]) -> pa.Table:
        """Return the rows, which SQLite writes as lines of JSON: three times as fast as row by row."""
        (table,) = statement.get_final_froms()
        kinds = {
            column.name: _arrow(column.type, flag=pa.int64(), days=pa.date32(), instants=pa.timestamp("us"))
            for column in statement.selected_columns
        }
        lines = func.group_concat(func.json_array(*statement.selected_columns), text("char(10)"))
        written = self._sql(
            statement.with_only_columns(cast(lines, LargeBinary)).where(text(f"{table}.id BETWEEN ? AND ?"))
        )
        first, last = self._connection.execute(f"SELECT min(id), max(id) FROM {table}").fetchone()
        parts = [
            self._connection.execute(written, (start, start + _AT_ONCE - 1)).fetchone()[0]
            for start in (range(first, last + 1, _AT_ONCE) if last is not None else ())
        ]
        tables = [_of_json(part, kinds) for part in parts if part is not None]
        return pa.concat_tables([*tables, _of_rows([], kinds)])

    def _one(self, sql: str) -> Any:
        return self._connection.execute(sql).fetchone()[0]


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
        kinds = {column.name: _arrow(column.type, flag=pa.bool_()) for column in statement.selected_columns}
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
        return arrow_csv.read_csv(
            buffer,
            read_options=arrow_csv.ReadOptions(column_names=list(kinds)),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=kinds,
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                true_values=["t"],
                false_values=["f"],
            ),
        )

    def _execute(self, sql: str) -> Any:
        return self._connection.execute(sql)

    def _one(self, sql: str) -> Any:
        return self._execute(sql).fetchone()[0]


def _of_rows(rows: list[Any], kinds: dict[str, pa.DataType]) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    arrays = []
    for values, kind in zip(columns, kinds.values(), strict=True):
        timed = pa.types.is_temporal(kind)
        array = pa.array(values, type=pa.string() if timed else kind)
        arrays.append(array.cast(kind) if timed else array)
    return pa.table(arrays, names=list(kinds))


def _of_json(lines: bytes, kinds: dict[str, pa.DataType]) -> pa.Table:
    """Return the table of rows that are one JSON array each.

    Without a backslash they are CSV in brackets, which Arrow reads faster; JSON keeps no raw line end.
    """
    if b"\\" in lines:
        return _of_rows(json.loads(b"[" + lines.replace(b"]\n[", b"],\n[") + b"]"), kinds)
    return arrow_csv.read_csv(
        io.BytesIO(lines.replace(b"]\n[", b"\n")[1:-1]),
        read_options=arrow_csv.ReadOptions(column_names=list(kinds)),
        parse_options=arrow_csv.ParseOptions(double_quote=False),
        convert_options=arrow_csv.ConvertOptions(
            column_types=kinds, null_values=["null"], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )


def _arrow(
    kind: TypeEngine[Any],
    *,
    flag: pa.DataType,
    days: pa.DataType | None = None,
    instants: pa.DataType | None = None,
) -> pa.DataType:
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, Boolean):
        return flag
    if isinstance(kind, (Integer, BigInteger)):
        return pa.int64()
    if isinstance(kind, Float):
        return pa.float64()
    if isinstance(kind, Date):
        return days or pa.string()
    if isinstance(kind, DateTime):
        return instants or pa.string()
    return pa.string()
