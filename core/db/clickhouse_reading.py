"""The mirror in ClickHouse as one actor may see it: the same statements, the same rows, one version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
from sqlalchemy import Boolean

from core.db.clickhouse_sql import compiled
from core.db.mirror_reading import ScopedMirror

if TYPE_CHECKING:
    import duckdb

    from core.access.actors import Scope
    from core.analytics.facts import Statement
    from core.db.clickhouse_server import Server
    from core.db.clickhouse_tables import Version


class RemoteMirror(ScopedMirror):
    """One actor's view of the mirror in ClickHouse: a single version, for as long as this object lives."""

    def __init__(self, server: Server, version: Version, scope: Scope, answers: duckdb.DuckDBPyConnection) -> None:
        super().__init__(answers, scope)
        self._server = server
        self._version = version

    @property
    def version(self) -> int:
        """The version that is read here."""
        return self._version.number

    def _run(self, statement: Statement) -> duckdb.DuckDBPyConnection:
        """Give the answer to DuckDB, so that its values come out as if they were its own."""
        cursor = self._connection.cursor()
        cursor.register("answer", read(self._server, self._version, statement))
        return cursor.execute("FROM answer")


def read(server: Server, version: Version, statement: Statement) -> pa.Table:
    """Return a statement's rows as of a version, its columns of the kinds that DuckDB would give."""
    found = server.read(*compiled(statement, version))
    columns = [
        _as_duckdb(column, is_flag=isinstance(wanted.type, Boolean))
        for column, wanted in zip(found.columns, statement.selected_columns, strict=True)
    ]
    return pa.table(columns, names=[column.name for column in statement.selected_columns])


def _as_duckdb(column: pa.ChunkedArray, *, is_flag: bool) -> pa.ChunkedArray:
    kind = column.type
    if is_flag:
        return column.cast(pa.bool_())
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp("us"))
    if pa.types.is_integer(kind) and kind != pa.int32():
        return column.cast(pa.int64())
    return column.cast(pa.int64()) if pa.types.is_null(kind) else column
