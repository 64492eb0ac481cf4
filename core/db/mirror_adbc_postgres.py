"""Reading PostgreSQL by ADBC, which copies in binary and gives columns without a Python object a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from adbc_driver_postgresql import connect  # type: ignore[import-untyped]
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from core.db.mirror_adbc_columns import ColumnsConnection
from core.db.mirror_source import PostgresSource, kinds_of

if TYPE_CHECKING:
    from sqlalchemy import Select


class AdbcPostgresSource(PostgresSource):
    """A PostgreSQL that is read whole."""

    def __init__(self, url: str) -> None:
        self._dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
        address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = ColumnsConnection(connect(address))
        self._seen = ""
        self._execute("SET TIME ZONE 'UTC'")

    def read(self, statement: Select[Any], *, whole: bool = False) -> pa.Table:  # noqa: ARG002 - one way for both
        """Return the rows, batch by batch as what they are."""
        kinds = kinds_of(statement, flag=pa.bool_())
        with self._connection.columns(self._sql(statement)) as reader:
            return reader.read_all().rename_columns(list(kinds)).cast(pa.schema(kinds.items()))
