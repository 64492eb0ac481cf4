"""The columnar mirror: DuckDB in the process, kept up with the database, read in an actor's scope.

A refresh is one DuckDB transaction, so a reader sees the state before it or after it, never between. Where the
database has a folder for it the mirror lies on disk: a start opens it and catches up, and it is built anew by a
child process while the old state is served.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from math import inf
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

import duckdb

from core.db.kept_up import KeptUp
from core.db.mirror_build import Stopped, build
from core.db.mirror_builder import BuildFailed, build_by_child
from core.db.mirror_definitions import table_definitions
from core.db.mirror_files import MirrorFiles, mark_of
from core.db.mirror_follow import MOST_KEYS, follow, needs_rebuild
from core.db.mirror_load import Loader
from core.db.mirror_log import Log
from core.db.mirror_reading import ScopedMirror
from core.db.mirror_source import Changed, Source
from core.db.mirror_waiting import ROW_GROUP

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from core.access.actors import Scope
    from core.db.work import Database

__all__ = ["MOST_KEYS", "Mirror", "ScopedMirror"]

_LOG = logging.getLogger(__name__)

_LARGE = 100_000
"""Stage moves above which a mirror on disk is built by a child process."""
_SURE = "SET GLOBAL debug_enable_caching_operators = false"
"""DuckDB 2.0 else puts small parts of joins together whose dictionaries differ, and gives up the whole database."""
_LEAN = "SET memory_limit = '256MB'"
"""What of a mirror on disk stays in the process; the rest is read again from the system's own cache of files."""
_WORN = 0.05
"""The share of deals loaded again from which on a large mirror is built anew at the next lull: their rows lie behind
all others and leave gaps, and with a tenth of them so questions take up to half as long again."""
_MOMENT = 1.0
"""Seconds for which a connection that is in use is asked again to close."""
_LULL = 600.0
"""Seconds without a change, as at night: what changes while it is built is taken over after that."""


class Mirror(KeptUp):
    """The mirror of one database in this process: a DuckDB file or memory."""

    broken = (*KeptUp.broken, duckdb.Error)

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._files = MirrorFiles(database.mirror_folder) if database.mirror_folder else None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._log: Log | None = None
        self._version = 0
        self._trusted = False
        self._sound_for = inf
        self._changed_at = monotonic()
        self._builder: Thread | None = None

    @property
    def version(self) -> int:
        """A number that grows whenever a change has been taken over; 0 before the first load."""
        return self._version

    @property
    def _is_loaded(self) -> bool:
        return self._connection is not None

    def rebuild(self) -> int:
        """Load everything anew beside the present state, put it in its place, and return the version."""
        with self._lock:
            self._build()
        return self._version

    def scoped(self, scope: Scope) -> ScopedMirror:
        """Return the mirror as a scope may see it, up to date, or as it stands within `settled`."""
        self._refresh_for_reader()
        return ScopedMirror(self._filled(), scope)

    def close(self) -> None:
        """Forget everything and give the connections back; a building under way ends at its next step."""
        self._stopping = True
        builder = self._builder
        if builder is not None:
            builder.join()
        try:
            with self._lock:
                source, self._source = self._source, None
                if source is not None:
                    source.close()
                self._let_go()
        finally:
            self._stopping = False

    def _let_go(self) -> None:
        log, connection = self._log, self._connection
        self._connection = self._log = None
        if log is not None:
            log.stop()
        if connection is not None:
            _close(connection)

    def _filled(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise RuntimeError("the mirror was closed")
        return self._connection

    def _start_over(self) -> None:
        """Give up a connection that broke; what it had told is not trusted, so the next look loads everything."""
        super()._start_over()
        self._trusted = False

    def _catch_up(self) -> None:
        if self._builder is not None:
            return
        if self._connection is not None and not _answers(self._connection):
            self._let_go()
            self._trusted = False
        if self._connection is None and self._files is not None:
            self._take_over(self._files.newest(self._plan.fingerprint))
        if self._connection is None:
            self._build()
        elif not self._trusted or not self._follow():
            self._build_meanwhile()
        elif self._is_worn():
            self._build_meanwhile(only_worn=True)

    def _follow(self) -> bool:
        """Take over the changes one by one; False where everything has to be loaded."""
        source = self._opened()
        if not source.moved():
            return True
        with source.snapshot():
            changes = source.changes()
            if changes is None or needs_rebuild(changes):
                return False
            if changes:
                self._apply(source, changes)
            source.mark()
        return True

    def _is_worn(self) -> bool:
        """Say whether it is time to build anew what so many changes left out of order."""
        return self._sound_for <= 0 and monotonic() - self._changed_at >= _LULL

    def _take_over(self, found: tuple[duckdb.DuckDBPyConnection, str] | None) -> None:
        """Go on from a mirror on disk, where the database still holds all that it has seen."""
        if found is None:
            return
        connection, mark = found
        source = self._opened()
        with source.snapshot():
            known = source.resume(mark)
        if known:
            self._put(connection)
        else:
            connection.close()

    def _build(self) -> None:
        """Build, and put the new mirror in the old one's place."""
        self._built = 0.0
        try:
            self._put(self._made())
        finally:
            self._built = 1.0

    def _made(self) -> duckdb.DuckDBPyConnection:
        source = self._opened()
        if self._files is None:
            connection = duckdb.connect(":memory:")
            with source.snapshot():
                build(connection, source, self._plan, table_definitions(), progress=self._progressed)
            return connection
        made = self._made_by_child(self._files) if source.count_moves() > _LARGE else None
        if made is not None:
            path, connection = made
            with source.snapshot():
                source.resume(mark_of(connection))
        else:
            path = self._files.fresh()
            connection = duckdb.connect(str(path))
            with source.snapshot():
                build(connection, source, self._plan, table_definitions(), progress=self._progressed)
        if self._log is not None:
            self._log.stop()
        self._files.hold(path)
        return connection

    def _made_by_child(self, files: MirrorFiles) -> tuple[Path, duckdb.DuckDBPyConnection] | None:
        unfinished = files.unfinished()
        try:
            build_by_child(self._plan, unfinished, progress=self._progressed)
            path = files.finished(unfinished)
            return path, duckdb.connect(str(path))
        except (BuildFailed, OSError, duckdb.IOException) as error:
            _LOG.warning("The mirror is built in the server's own process, since a child could not: %s", error)
            unfinished.unlink(missing_ok=True)
            return None

    def _build_meanwhile(self, *, only_worn: bool = False) -> None:
        """Build a mirror on disk in a thread, and serve the old state meanwhile; another at once.

        Of one that is only worn no more is tried where that fails: it can be followed as before.
        """
        if self._files is None or self._opened().count_moves() <= _LARGE:
            self._build()
            return
        self._builder = Thread(target=self._build_behind, args=(only_worn,), name="mirror", daemon=True)
        self._builder.start()

    def _build_behind(self, only_worn: bool) -> None:
        try:
            self._built = 0.0
            connection = self._made()
            with self._lock:
                self._put(connection)
        except Stopped:
            pass
        except self.broken as error:
            with self._lock:
                if not only_worn or not self._goes_on():
                    self._start_over()
                    raise
            _LOG.warning("The mirror could not be built anew and goes on as it is: %s", error)
        finally:
            self._built, self._builder = 1.0, None

    def _goes_on(self) -> bool:
        """Follow on from where the present mirror stands; False where that cannot be."""
        self._sound_for = inf
        try:
            with self._opened().snapshot():
                return self._opened().resume(mark_of(self._filled()))
        except self.broken:
            return False

    def _progressed(self, share: float) -> None:
        if self._stopping:
            raise Stopped
        self._built = share

    def _put(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._version += 1
        connection.execute("UPDATE mirror_state SET version = ?", [self._version])
        counts = "SELECT (SELECT count(*) FROM deals), followed FROM mirror_mark"
        ((deals, followed),) = connection.execute(counts).fetchall()
        self._sound_for = _WORN * deals - followed if self._files is not None and deals > ROW_GROUP else inf
        if deals <= ROW_GROUP:  # as few are counted by one; handing them round costs a fifth
            connection.execute("SET threads TO 1")
        connection.execute(_SURE)
        if self._files is not None:
            connection.execute(_LEAN)
            self._log = Log(connection)
        self._connection, self._trusted = connection, True

    def _apply(self, source: Source, changes: Iterable[Changed]) -> None:
        with self._filled().cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            # one that has written keeps the log from being written into the tables, which would move their rows
            cursor.execute("UPDATE mirror_state SET version = ?", [self._version + 1])
            deals = follow(Loader(source, cursor, self._plan.zone, self._plan.base), cursor, changes)
            cursor.execute("UPDATE mirror_mark SET mark = ?, followed = followed + ?", [source.position(), deals])
            cursor.execute("COMMIT")
        self._version += 1
        self._sound_for -= deals
        self._changed_at = monotonic()
        if self._log is not None:
            self._log.grew()


def _close(connection: duckdb.DuckDBPyConnection) -> None:
    """Close a connection, of which a reader may just be making a cursor: DuckDB refuses it for that moment."""
    until = monotonic() + _MOMENT
    while monotonic() < until:
        with suppress(duckdb.ResourceInUseException):
            connection.close()
            return
        sleep(0.001)
    connection.close()


def _answers(connection: duckdb.DuckDBPyConnection) -> bool:
    """Say whether a database still answers: after an error inside the engine it refuses everything for good."""
    try:
        connection.execute("SELECT 1").fetchall()
    except duckdb.Error as error:
        _LOG.warning("The mirror's engine gave up and is opened anew: %s", error)
        return False
    return True
