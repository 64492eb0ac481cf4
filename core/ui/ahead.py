"""Answers that are worked out while the page above them is still being drawn.

A page asks a question and draws, asks the next one and draws. DuckDB and numpy let other threads run meanwhile, so
what a page will ask further down is begun by another thread, and taken over where the page gets to it.
"""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_THREADS: Final = 1
_KNOWN: Final = 2_000
"""As many questions as the page's cache keeps answers."""


class Ahead:
    """The answers that are under way, by the key under which they will be kept; for all threads of the process."""

    def __init__(self, threads: int = _THREADS, *, known: int = _KNOWN) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ahead")
        self._begun: dict[str, Future[Any]] = {}
        self._known: OrderedDict[str, None] = OrderedDict()
        self._most = known
        self._lock = Lock()

    def begin(self, key: str, answer: Callable[[], Any]) -> None:
        """Have `answer` called by another thread, in this one's language, unless that key is known or under way."""
        with self._lock:
            if key not in self._known and key not in self._begun:
                self._begun[key] = self._pool.submit(copy_context().run, answer)

    def taken(self, key: str, answer: Callable[[], Any]) -> Any:
        """Return the answer that was begun; where none was, or no thread has come to it yet, call `answer` here."""
        begun = self._begun.get(key)
        return answer() if begun is None or begun.cancel() else begun.result()

    def done(self, key: str) -> None:
        """Forget what was begun: the answer is kept elsewhere from now on."""
        with self._lock:
            self._begun.pop(key, None)
            self._known[key] = None
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)

    def drop(self, keys: Iterable[str]) -> None:
        """Forget what nobody waits for any more."""
        with self._lock:
            for key in keys:
                begun = self._begun.pop(key, None)
                if begun is not None:
                    begun.cancel()
