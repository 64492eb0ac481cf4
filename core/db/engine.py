"""Opening the database: SQLite with its pragmas, or PostgreSQL."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

if TYPE_CHECKING:
    from sqlalchemy.pool import ConnectionPoolEntry

WRITING = "luopan_writing"
_BUSY_TIMEOUT_MS = 30_000


def open_engine(url: str) -> Engine:
    """Return an engine on `url`.

    SQLite: write-ahead log, foreign keys, a busy timeout; a connection whose execution option
    `WRITING` is set begins IMMEDIATE, so that two writers queue instead of failing.
    """
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_size=20, max_overflow=40, pool_pre_ping=True)
    _make_private(make_url(url).database)
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=20,
        max_overflow=80,
        connect_args={"check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(name: str | None) -> None:
    """Make a SQLite file that is not there yet, for this user alone; SQLite gives its log the same mode."""
    if name and name != ":memory:" and not name.startswith("file:") and Path(name).parent.is_dir():
        with suppress(FileExistsError):
            os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={_BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON",
        "temp_store=MEMORY", "cache_size=-32000",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
