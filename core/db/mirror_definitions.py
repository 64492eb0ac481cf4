"""The statements that make the mirror's tables in DuckDB."""

from __future__ import annotations

from functools import cache

import duckdb_engine
from sqlalchemy.schema import CreateTable

from core.analytics.tables import MIRRORED


@cache
def table_definitions() -> list[str]:
    """Return a statement for each table."""
    dialect = duckdb_engine.Dialect()
    return [str(CreateTable(table).compile(dialect=dialect)) for table in MIRRORED.sorted_tables]
