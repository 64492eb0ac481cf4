"""What the mirrors have in common: one thread at a time keeps them up with the database, all others read on."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

import psycopg

from core.db.mirror_asked import AskedSource, open_source
from core.db.mirror_build import Plan, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.db.work import Database

_settled: ContextVar[bool] = ContextVar("luopan_mirror_settled", default=False)


class KeptUp(ABC):
    """A mirror of one database, for all threads of the process."""

    broken: ClassVar[tuple[type[Exception], ...]] = (sqlite3.Error, psycopg.Error)
    """What a lost or broken connection raises; the mirror then starts over once."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._plan = Plan(database.url, str(database.zone), database.base_currency)
        self._lock = Lock()
        self._source: AskedSource | None = None
        self._built = 1.0
        self._stopping = False

    @property
    @abstractmethod
    def version(self) -> int:
        """A number that grows whenever a change has been taken over; 0 before the first load."""

    @property
    @abstractmethod
    def _is_loaded(self) -> bool:
        """Whether there is a state to read."""

    @abstractmethod
    def _catch_up(self) -> None:
        """Take over what was committed since the last time; called by one thread at a time."""

    @property
    def built(self) -> float:
        """The share of a building under way that is done, 1.0 where there is none."""
        return self._built

    def refresh(self, *, wait: bool = True) -> int:
        """Take over what was committed since the last time, and return the version.

        Costs microseconds where nothing was. With `wait=False` another thread's refresh is not waited for,
        except for the very first load. While a mirror is built anew the old state stays.
        """
        if not self._lock.acquire(blocking=wait or not self._is_loaded):
            return self.version
        try:
            self._catch_up()
        except self.broken:
            self._start_over()
            self._catch_up()
        finally:
            self._lock.release()
        return self.version

    def open(self) -> None:
        """Load what the first reader will want, unless the mirror is closed meanwhile."""
        with suppress(Stopped):
            self.refresh()

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Let what is read within go on with the state there is, without a look for commits before each question."""
        token = _settled.set(True)
        try:
            yield
        finally:
            _settled.reset(token)

    def _refresh_for_reader(self) -> None:
        """Look for commits before a question, except within `settled` where there is a state."""
        if not _settled.get() or not self._is_loaded:
            self.refresh(wait=False)

    def _opened(self) -> AskedSource:
        if self._source is None:
            self._source = open_source(self._engine)
        return self._source

    def _start_over(self) -> None:
        """Give up a connection to the database that broke."""
        if self._source is not None:
            with suppress(*self.broken):
                self._source.close()
        self._source = None
