"""Pages are drawn a few at a time: many at once pass Python's lock around, and each takes several times as long."""

from __future__ import annotations

import os
from collections import deque
from contextlib import contextmanager
from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LEASE = 1.0
"""Seconds after which a page that is still being drawn holds nobody up any more: an import, a long wait."""


class Turns:
    """Lets `at_once` through at a time, first come first served; a turn counts for `lease` seconds at most."""

    def __init__(self, at_once: int, lease: float = LEASE) -> None:
        self.at_once, self.lease = at_once, lease
        self._lock, self._left = Lock(), Event()
        self._waiting: deque[Event] = deque()
        self._begun: dict[Event, float] = {}

    @property
    def is_crowded(self) -> bool:
        """Say whether more than one page is being drawn or waits for its turn."""
        with self._lock:
            now = monotonic()
            drawn = sum(now - begun < self.lease for begun in self._begun.values())
            return drawn + len(self._waiting) > 1

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and give it back at the end."""
        mine = Event()
        with self._lock:
            self._waiting.append(mine)
            if self._waiting[0] is mine:
                mine.set()
        mine.wait()
        while (pause := self._begin(mine)) > 0:
            self._left.wait(pause)
        try:
            yield
        finally:
            with self._lock:
                self._begun.pop(mine, None)
                self._left.set()

    def _begin(self, mine: Event) -> float:
        """Begin if there is room, and call the next in the line; else return how long to wait at most."""
        with self._lock:
            now = monotonic()
            ages = [now - begun for begun in self._begun.values() if now - begun < self.lease]
            if len(ages) >= self.at_once:
                self._left.clear()
                return max(self.lease - max(ages), 0.001)
            self._begun[mine] = now
            self._waiting.popleft()
            if self._waiting:
                self._waiting[0].set()
            return 0.0


PAGES = Turns(max(2, os.cpu_count() or 1))
"""Of all pages of this process."""
