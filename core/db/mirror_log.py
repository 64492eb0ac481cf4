"""When a mirror on disk writes what its log holds into its tables: once nothing has changed for a while.

DuckDB would do so within the commit that fills the log, which then takes three times as long as any other.
"""

from __future__ import annotations

import logging
from pathlib import Path
from threading import Event, Thread
from typing import Final

import duckdb

_LOG = logging.getLogger(__name__)

_FULL: Final = 16_000_000
"""Bytes of the log from which on it is written into the tables at the next lull."""
_LATEST: Final = "SET checkpoint_threshold = '64MB'"
"""Where no lull comes, a commit does it: a start reads a longer log for more than half a second."""
_FILE: Final = "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
_LULL: Final = 2.0
"""Seconds without a change."""


class Log:
    """The log of one mirror, whose connection this is; used by one thread at a time."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, full: int = _FULL, lull: float = _LULL) -> None:
        connection.execute(_LATEST)
        self._connection = connection
        self._full = full
        self._lull = lull
        ((file,),) = connection.execute(_FILE).fetchall()
        self._path = Path(f"{file}.wal")
        self._stopping = Event()
        self._writer: Thread | None = None

    def grew(self) -> None:
        """Wait for a lull, from now on, if there is enough to write."""
        self.stop()
        if self._path.is_file() and self._path.stat().st_size >= self._full:
            self._stopping = Event()
            self._writer = Thread(target=self._write, args=(self._stopping,), name="mirror log", daemon=True)
            self._writer.start()

    def stop(self) -> None:
        """Wait no more; where the tables are being written, until they are."""
        if self._writer is not None:
            self._stopping.set()
            self._writer.join()
            self._writer = None

    def _write(self, stopping: Event) -> None:
        """Write in the first lull in which nobody changes, or still reads what was before the last change."""
        while not stopping.wait(self._lull):
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("CHECKPOINT")
            except duckdb.Error as error:
                _LOG.info("The mirror's log stays for now: %s", error)
            else:
                return
