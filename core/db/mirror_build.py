"""Building a mirror whole: in this process, or in a child that leaves it as a file (`core.db.mirror_builder`)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from core.db.mirror_load import DERIVED_BY, Loader

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.db.mirror_source import Source


class Stopped(Exception):
    """The mirror was closed while it was built."""


@dataclass(frozen=True)
class Plan:
    """What is built: of which database, in whose days and money."""

    url: str
    zone: str
    base: str

    @property
    def fingerprint(self) -> str:
        """A text that changes with whatever a mirror's content depends on besides the database's rows."""
        found = hashlib.sha256(f"{duckdb.__version__}\n{self.url}\n{self.zone}\n{self.base}".encode())
        for path in DERIVED_BY:
            found.update(path.read_bytes())
        return found.hexdigest()


def build(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: Plan, tables: list[str],
    *, progress: Callable[[float], None],
) -> None:  # fmt: skip
    """Fill an empty connection with version 1, inside a snapshot of the source, and mark what it holds.

    tables: the statements that make the tables.
    Where several threads wrote one table they would leave row groups half filled.
    """
    connection.execute("SET threads TO 1")
    connection.execute("SET write_buffer_row_group_count TO 1")
    loader = Loader(source, connection, plan.zone, plan.base)
    connection.execute("BEGIN TRANSACTION")
    loader.create(tables)
    loader.load_small()
    connection.execute("COMMIT")
    loader.load_large(progress)
    source.mark()
    said = [source.position(), plan.fingerprint]
    connection.execute("BEGIN TRANSACTION")
    connection.execute("UPDATE mirror_state SET version = 1")
    connection.execute("CREATE TABLE mirror_mark AS SELECT ? AS mark, ? AS fingerprint, 0 AS followed", said)
    connection.execute("COMMIT")
    connection.execute("RESET threads")
