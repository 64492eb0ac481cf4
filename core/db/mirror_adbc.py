"""Reading a SQLite file by ADBC, which gives columns without a Python object a value.

ADBC carries a SQLite library of its own, and two of them on one database in one process lose commits
(docs/adr/0004-mirror-on-disk.md): only a process that opens the file in no other way may use this, and nothing of it
is imported where the program itself runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pyarrow as pa
from adbc_driver_sqlite import StatementOptions, connect

from core.db.mirror_adbc_columns import ColumnsConnection
from core.db.mirror_source import SqliteSource

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.db.mirror_told import Told

_ROWS_AT_ONCE: Final = "65536"
_MAPPED: Final = 2**40
"""Bytes of the file that SQLite reads as memory, a tenth cheaper than copying pages; it takes as many as it may."""


class AdbcSource(SqliteSource):
    """A SQLite file that nothing else in this process opens."""

    def __init__(self, path: str, told: dict[str, Told]) -> None:
        database = connect(f"file:{quote(path)}?mode=ro")
        super().__init__(ColumnsConnection(database, **{StatementOptions.BATCH_ROWS.value: _ROWS_AT_ONCE}))
        self._connection.execute(f"PRAGMA mmap_size = {_MAPPED}")
        self._told = told

    def rows(self, subject: str, keys: Collection[int] | None) -> pa.Table:
        """Return a subject's rows with these keys, or all, batch by batch as what they are.

        A row of its own comes first, since ADBC takes a column's kind from its first rows, which may hold nothing.
        """
        told = self._told[subject]
        first = ", ".join(_EXAMPLE.get(kind, "''") for kind in told.kinds.values())
        schema = pa.schema(told.kinds.items())
        with self._connection.columns(f"SELECT {first} UNION ALL {told.among(keys)}") as reader:
            batches = [batch.rename_columns(schema.names).cast(schema) for batch in reader]
        return pa.Table.from_batches(batches, schema).slice(1)


_EXAMPLE: Final = {
    pa.int64(): "0", pa.float64(): "0.5", pa.date32(): "'1970-01-01'", pa.timestamp("us"): "'1970-01-01 00:00:00'",
}  # fmt: skip
"""A value of each kind, as SQLite stores it; any other kind is a text."""
