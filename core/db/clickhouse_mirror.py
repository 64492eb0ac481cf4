"""The mirror in ClickHouse: one for all processes of a company, written by whichever of them sees a change first.

docs/adr/0006-clickhouse.md says how. The processes hold a part of the deals while they write and nothing else.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

import duckdb

from core.db.clickhouse_feed import Feed, newest, prepare
from core.db.clickhouse_reading import RemoteMirror
from core.db.kept_up import KeptUp
from core.db.mirror_asked import AskedSource
from core.db.mirror_build import Stopped
from core.db.mirror_follow import needs_rebuild
from core.db.single_writer import single_writer

if TYPE_CHECKING:
    from core.access.actors import Scope
    from core.db.clickhouse_server import Server
    from core.db.clickhouse_tables import Version
    from core.db.mirror_source import Changed
    from core.db.work import Database

_LOOK_SECONDS: Final = 60.0
"""How long at most until a version that another process wrote of an unmoved database is seen."""


class ClickHouseMirror(KeptUp):
    """The mirror of one database, for all threads of the process; what `core.db.mirror.Mirror` is in the process."""

    def __init__(self, database: Database, server: Server) -> None:
        super().__init__(database)
        self._server = server
        self._answers = duckdb.connect(":memory:")
        self._seen: Version | None = None
        self._marked = ""
        self._looked = 0.0

    @property
    def version(self) -> int:
        """A number that grows whenever a change has been taken over; 0 before the first load."""
        return self._seen.number if self._seen else 0

    @property
    def _is_loaded(self) -> bool:
        return self._seen is not None

    def rebuild(self) -> int:
        """Write everything anew, and return the version."""
        with self._lock, single_writer(self._engine, wait=True):
            self._write(anew=True)
        return self.version

    def scoped(self, scope: Scope) -> RemoteMirror:
        """Return the mirror as a scope may see it, up to date, or as it stands within `settled`."""
        self._refresh_for_reader()
        if self._seen is None:
            raise RuntimeError("the mirror was closed")
        return RemoteMirror(self._server, self._seen, scope, self._answers)

    def close(self) -> None:
        """Give the connections back; a building under way ends at its next step."""
        self._stopping = True
        with self._lock:
            self._start_over()
            self._server.close()
            self._seen = None
        self._stopping = False

    def _start_over(self) -> None:
        super()._start_over()
        self._marked = ""

    def _catch_up(self) -> None:
        source = self._opened()
        if self._seen is not None and not source.moved() and monotonic() < self._looked + _LOOK_SECONDS:
            return
        if self._seen is None:
            prepare(self._server)
        with single_writer(self._engine, wait=self._seen is None) as alone:
            if alone:
                self._write(anew=False)
            else:
                self._seen = newest(self._server, self._plan) or self._seen
        self._looked = monotonic()

    def _write(self, *, anew: bool) -> None:
        """Write the next version where the database is ahead; only while nobody else does."""
        source = self._opened()
        before = newest(self._server, self._plan)
        try:
            with source.snapshot():
                changes = None if anew or before is None else self._changes(source, before)
                if before is not None and changes is not None:
                    self._seen = self._follow(source, before, changes) if changes else before
                else:
                    self._seen = self._build(source)
                source.mark()
        except BaseException:
            self._start_over()  # or the next look would find nothing new
            raise
        self._marked = self._seen.mark

    def _changes(self, source: AskedSource, before: Version) -> list[Changed] | None:
        """Return what changed since a version; None where everything is to be written anew."""
        if before.mark != self._marked and not source.resume(before.mark):
            return None
        changes = source.changes()
        if changes is None or needs_rebuild(changes):
            return None
        return None if any(c.subject == "rep" and c.key is None for c in changes) else changes

    def _build(self, source: AskedSource) -> Version:
        self._built = 0.0
        feed = Feed(self._server, source, self._plan)
        try:
            return feed.build(self._progressed)
        finally:
            self._built = 1.0
            feed.close()

    def _follow(self, source: AskedSource, before: Version, changes: list[Changed]) -> Version:
        feed = Feed(self._server, source, self._plan)
        try:
            return feed.follow(before, changes)
        finally:
            feed.close()

    def _progressed(self, share: float) -> None:
        if self._stopping:
            raise Stopped
        self._built = share
