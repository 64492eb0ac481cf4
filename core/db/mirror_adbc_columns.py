"""An ADBC connection that gives columns; ADBC's own one for rows loads pandas, a fifth of a second of a start."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adbc_driver_manager import AdbcDatabase


class Rows(NamedTuple):
    """What a cursor of a driver for rows offers, as far as a source needs it."""

    rows: list[tuple[Any, ...]]

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the first row."""
        return self.rows[0] if self.rows else None

    def close(self) -> None:
        """Let go of nothing: the rows have been read."""


class ColumnsConnection:
    """A connection to a database that it closes too; used by one thread at a time."""

    def __init__(self, database: AdbcDatabase, **options: str) -> None:
        self._database = database
        self._connection = AdbcConnection(database)
        self._options = options

    def execute(self, sql: str) -> Rows:
        """Run a statement and return its few rows."""
        with self.columns(sql) as reader:
            return Rows(list(zip(*(column.to_pylist() for column in reader.read_all().columns), strict=True)))

    @contextmanager
    def columns(self, sql: str) -> Iterator[pa.RecordBatchReader]:
        """Run a statement and give a reader of Arrow's batches."""
        statement = AdbcStatement(self._connection)
        try:
            statement.set_options(**self._options)
            statement.set_sql_query(sql)
            stream, _count = statement.execute_query()
            with pa.RecordBatchReader.from_stream(stream) as reader:
                yield reader
        finally:
            statement.close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
        self._database.close()
