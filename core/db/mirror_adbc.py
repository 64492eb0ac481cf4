"""Reading a SQLite file by ADBC, which gives columns without a Python object a value.

ADBC carries a SQLite library of its own, and two of them on one database in one process lose commits
(docs/adr/0004-mirror-on-disk.md): only a process that opens the file in no other way may use this, and nothing of it
is imported where the program itself runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pyarrow as pa
from adbc_driver_sqlite import dbapi
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from core.db.mirror_source import SqliteSource, kinds_of

if TYPE_CHECKING:
    from sqlalchemy import Select

_ROWS_AT_ONCE: Final = "65536"
_MAPPED: Final = 2**40
"""Bytes of the file that SQLite reads as memory, a tenth cheaper than copying pages; it takes as many as it may."""


class _Cursor:
    """What the standard library's connection offers, as far as a source needs it."""

    def __init__(self, path: str) -> None:
        self._connection = dbapi.connect(f"file:{quote(path)}?mode=ro", autocommit=True)
        self.execute(f"PRAGMA mmap_size = {_MAPPED}").close()

    def execute(self, sql: str, values: tuple[Any, ...] = ()) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(sql, values or None)
        return cursor

    def columns(self, sql: str) -> Any:
        """Return a reader of Arrow's batches."""
        cursor = self._connection.cursor()
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": _ROWS_AT_ONCE})
        cursor.execute(sql)
        return cursor

    def close(self) -> None:
        self._connection.close()


class AdbcSource(SqliteSource):
    """A SQLite file that nothing else in this process opens."""

    def __init__(self, path: str) -> None:
        self._dialect = SQLiteDialect_pysqlite()
        self._connection = _Cursor(path)
        self._data_version = -1
        self._seen = 0

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:  # noqa: ARG002 - one way for both
        """Return the rows, batch by batch as what they are.

        A row of its own comes first, since ADBC takes a column's kind from its first rows, which may hold nothing.
        """
        kinds = kinds_of(statement, flag=pa.int64())
        first = ", ".join(_EXAMPLE.get(kind, "''") for kind in kinds.values())
        schema = pa.schema(kinds.items())
        with self._connection.columns(f"SELECT {first} UNION ALL {self._sql(statement)}") as cursor:
            batches = [batch.rename_columns(schema.names).cast(schema) for batch in cursor.fetch_record_batch()]
        return pa.Table.from_batches(batches, schema).slice(1)


_EXAMPLE: Final = {
    pa.int64(): "0", pa.float64(): "0.5", pa.date32(): "'1970-01-01'", pa.timestamp("us"): "'1970-01-01 00:00:00'",
}  # fmt: skip
"""A value of each kind, as SQLite stores it; any other kind is a text."""
