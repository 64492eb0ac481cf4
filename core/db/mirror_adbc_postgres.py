"""Reading PostgreSQL by ADBC, which copies in binary and gives columns without a Python object a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from core.db.mirror_source import PostgresSource, kinds_of

if TYPE_CHECKING:
    from sqlalchemy import Select


class AdbcPostgresSource(PostgresSource):
    """A PostgreSQL that is read whole."""

    def __init__(self, url: str) -> None:
        self._dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = dbapi.connect(address, autocommit=True)
        self._seen = ""
        self._execute("SET TIME ZONE 'UTC'")

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:  # noqa: ARG002 - one way for both
        """Return the rows, batch by batch as what they are."""
        kinds = kinds_of(statement, flag=pa.bool_())
        with self._connection.cursor() as cursor:
            cursor.execute(self._sql(statement))
            return cursor.fetch_arrow_table().rename_columns(list(kinds)).cast(pa.schema(kinds.items()))

    def _execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def _one(self, sql: str) -> Any:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            row = cursor.fetchone()
        return None if row is None else row[0]
