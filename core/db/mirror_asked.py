"""Reading the database in the program itself, by SQLAlchemy's statements or their texts: rows as Arrow tables.

SQLite is read by the standard library alone: a second SQLite library in the process loses commits
(docs/architecture.md). PostgreSQL packs each column into a byte string (`core.db.mirror_packed`).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import LargeBinary, Select, cast, func, text

from core.db.mirror_arrow import of_json, of_rows
from core.db.mirror_columns import kinds_of, statement_of, told_of
from core.db.mirror_source import Source, SqliteSource
from core.db.mirror_told import ToldPostgres

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Dialect, Engine

_AT_ONCE = 50_000
"""Numbers of a table's rows that SQLite makes one text of."""


class AskedSource(Source):
    """A source that reads what any statement asks for, over a connection of its own."""

    _dialect: Dialect

    @abstractmethod
    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:
        """Return the rows of a statement, inside a snapshot; instants in UTC without a zone.

        `whole`: very many rows of one table that has a column `id`, so that it may be read in the way that is fast
        for them.
        """

    def _sql(self, statement: Select[Any]) -> str:
        compiled = statement.compile(dialect=self._dialect, compile_kwargs={"literal_binds": True})
        return str(compiled)


def open_source(engine: Engine) -> AskedSource:
    """Return the source that reads the engine's kind of database."""
    return AskedSqlite(engine) if engine.dialect.name == "sqlite" else AskedPostgres(engine)


class AskedSqlite(SqliteSource, AskedSource):
    """SQLite by the standard library."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        self._told = told_of(engine.dialect)
        super().__init__(_own_connection(engine))
        # pages are read once; room for more of them costs a fifth
        self._connection.execute("PRAGMA cache_size = -2000").close()

    def rows(self, subject: str, keys: Collection[int] | None) -> pa.Table:
        """Return a subject's rows with these keys (a range: all between its ends), or all."""
        if keys is None or isinstance(keys, range):
            return self.read(statement_of(subject, keys), whole=True)
        told = self._told[subject]
        return of_rows(self._connection.execute(told.among(keys)).fetchall(), told.kinds)

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


class AskedPostgres(ToldPostgres, AskedSource):
    """PostgreSQL by psycopg."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect
        super().__init__(_own_connection(engine), told_of(engine.dialect))

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:  # noqa: ARG002 - one way for both
        """Return the rows, whose columns come packed."""
        sent = kinds_of(statement, flag=pa.bool_(), integer=pa.int32())
        found = self._packed(self._sql(statement), sent)
        return found.cast(pa.schema(kinds_of(statement, flag=pa.bool_()).items()))


def _own_connection(engine: Engine) -> Any:
    connection = engine.raw_connection()
    connection.detach()
    return connection.dbapi_connection
