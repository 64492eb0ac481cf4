"""Reading a SQLite file by ADBC, which gives columns without a Python object a value.

ADBC carries a SQLite library of its own, and two of them on one database in one process lose commits
(docs/adr/0004-mirror-on-disk.md): only a process that opens the file in no other way may use this, and nothing of it
is imported where the program itself runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import pyarrow as pa
from adbc_driver_sqlite import StatementOptions, connect
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from core.db.mirror_adbc_columns import ColumnsConnection
from core.db.mirror_source import SqliteSource, kinds_of

if TYPE_CHECKING:
    from sqlalchemy import Select

_ROWS_AT_ONCE: Final = "65536"
_MAPPED: Final = 2**40
"""Bytes of the file that SQLite reads as memory, a tenth cheaper than copying pages; it takes as many as it may."""


class AdbcSource(SqliteSource):
    """A SQLite file that nothing else in this process opens."""

    def __init__(self, path: str) -> None:
        self._dialect = SQLiteDialect_pysqlite()
        database = connect(f"file:{quote(path)}?mode=ro")
        self._connection = ColumnsConnection(database, **{StatementOptions.BATCH_ROWS.value: _ROWS_AT_ONCE})
        self._connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
        self._data_version = -1
        self._seen = 0

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:  # noqa: ARG002 - one way for both
        """Return the rows, batch by batch as what they are.

        A row of its own comes first, since ADBC takes a column's kind from its first rows, which may hold nothing.
        """
        kinds = kinds_of(statement, flag=pa.int64())
        first = ", ".join(_EXAMPLE.get(kind, "''") for kind in kinds.values())
        schema = pa.schema(kinds.items())
        with self._connection.columns(f"SELECT {first} UNION ALL {self._sql(statement)}") as reader:
            batches = [batch.rename_columns(schema.names).cast(schema) for batch in reader]
        return pa.Table.from_batches(batches, schema).slice(1)


_EXAMPLE: Final = {
    pa.int64(): "0", pa.float64(): "0.5", pa.date32(): "'1970-01-01'", pa.timestamp("us"): "'1970-01-01 00:00:00'",
}  # fmt: skip
"""A value of each kind, as SQLite stores it; any other kind is a text."""
