"""One process of several at a time: a lock that ends with whoever holds it."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

_NUMBER: Final = 7_205_759_403_792
_LONG_SECONDS: Final = 3_600


@contextmanager
def single_writer(engine: Engine, *, wait: bool) -> Iterator[bool]:
    """Hold the lock of a database's mirror inside; False where another process holds it and `wait` is not set.

    On PostgreSQL an advisory lock; beside an SQLite file a lock file of SQLite's own.
    """
    if engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(f"{engine.url.database}-mirror-lock", isolation_level=None)) as held:
            held.execute(f"PRAGMA busy_timeout = {_LONG_SECONDS * 1_000 if wait else 0}").close()
            yield _taken(held)
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if wait:
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _NUMBER})
        elif not connection.scalar(text("SELECT pg_try_advisory_lock(:number)"), {"number": _NUMBER}):
            yield False
            return
        try:
            yield True
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _NUMBER})


def _taken(held: sqlite3.Connection) -> bool:
    try:
        held.execute("BEGIN EXCLUSIVE").close()
    except sqlite3.OperationalError:
        return False
    return True


def queue_up(connection: Connection, number: int) -> None:
    """Wait until no other transaction that queued up for `number` is open; the place is left by the commit.

    SQLite's writers queue by themselves.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})
