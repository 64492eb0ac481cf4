"""Rows of the mirror that wait until they are enough to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import pyarrow as pa

from core.db.mirror_order import deals_in_bins, states_in_bins

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

_Rows: TypeAlias = dict[str, pa.Table]

ROW_GROUP: Final = 122_880
"""What DuckDB writes and hands to a thread together."""
_BINS: Final = {"deals": deals_in_bins, "states": states_in_bins}


def in_bins(rows: _Rows) -> _Rows:
    """Return rows with those of some tables in bins, that wait and are written apart: `states 000012`."""
    cut = {name: bins(rows.pop(name)) for name, bins in _BINS.items()}
    return rows | {f"{name} {number:06}": table for name, bins in cut.items() for number, table in bins.items()}


class Waiting:
    """Rows of some tables that wait until they fill whole row groups, so that none is written twice; by table, or bin.

    They are written in one transaction of the cursor's.
    """

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection,
        write: Callable[[duckdb.DuckDBPyConnection, str, pa.Table], None], tables: frozenset[str],
    ) -> None:  # fmt: skip
        self._cursor = cursor
        self._write = write
        self._tables = tables
        self._kept: dict[str, list[pa.Table]] = {}
        cursor.execute("BEGIN TRANSACTION")

    def add(self, rows: _Rows) -> None:
        """Keep rows, and write those that are enough."""
        for name, table in rows.items():
            if _table_of(name) not in self._tables:
                continue
            kept = self._kept.setdefault(name, [])
            kept.append(table)
            together = sum(each.num_rows for each in kept)
            if together >= ROW_GROUP:
                full = together - together % ROW_GROUP
                whole = pa.concat_tables(kept)
                self._write(self._cursor, _table_of(name), whole.slice(0, full))
                kept[:] = [whole.slice(full)]

    def end(self) -> None:
        """Write the rest, that of all bins together, and commit."""
        rest: dict[str, list[pa.Table]] = {}
        for name in sorted(self._kept):
            rest.setdefault(_table_of(name), []).extend(self._kept.pop(name))
        for name, tables_left in rest.items():
            self._write(self._cursor, name, pa.concat_tables(tables_left))
        self._cursor.execute("COMMIT")


def _table_of(name: str) -> str:
    return name.partition(" ")[0]
