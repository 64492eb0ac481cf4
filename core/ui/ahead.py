"""Answers that are worked out while the page above them is still being drawn.

A page asks a question and draws, asks the next one and draws. DuckDB and numpy let other threads run meanwhile, so
what a page will ask further down is begun by another thread, and taken over where the page gets to it.
"""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

_THREADS: Final = 1
_KNOWN: Final = 2_000
"""As many questions as the page's cache keeps answers."""
_MOST: Final = 64
"""Answers that may be under way or wait for who asks: of more the oldest are forgotten, whose pages have ended."""


@dataclass
class _Begun:
    """An answer that is under way, and how many pages mean to ask for it."""

    answer: Future[Any]
    pages: int = 1


class Ahead:
    """The answers that are under way, by the key under which they will be kept; for all threads of the process."""

    def __init__(self, threads: int = _THREADS, *, known: int = _KNOWN, most: int = _MOST) -> None:
        self._threads, self._most_known, self._most = threads, known, most
        self._pool = self._new_pool()
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="ahead")

    def begin(self, key: str, answer: Callable[[], Any]) -> bool:
        """Have `answer` called by another thread, in this one's language, unless that key is known or under way.

        Says whether it is under way: who then does not ask for it lets it `drop`.
        """
        with self._lock:
            if key in self._known:
                return False
            if key in self._begun:
                self._begun[key].pages += 1
            else:
                self._begun[key] = _Begun(self._pool.submit(copy_context().run, answer))
                while len(self._begun) > self._most:
                    _key, oldest = self._begun.popitem(last=False)
                    oldest.answer.cancel()
            return True

    def taken(self, key: str, answer: Callable[[], Any]) -> Any:
        """Return the answer that was begun; where none was, no thread has come to it or it failed, call `answer`.

        What failed is tried again by who asks: the cause may have gone, and the refusal is the asker's to see.
        """
        begun = self._begun.get(key)
        if begun is None or begun.answer.cancel() or begun.answer.exception() is not None:
            return answer()
        return begun.answer.result()

    def done(self, key: str) -> None:
        """Forget what was begun: the answer is kept elsewhere from now on."""
        with self._lock:
            self._begun.pop(key, None)
            self._known[key] = None
            self._known.move_to_end(key)
            while len(self._known) > self._most_known:
                self._known.popitem(last=False)

    def drop(self, keys: Iterable[str]) -> None:
        """Forget what a page that began it asks for no more, unless another page means to."""
        with self._lock:
            for key in keys:
                begun = self._begun.get(key)
                if begun is None:
                    continue
                begun.pages -= 1
                if begun.pages <= 0:
                    begun.answer.cancel()
                    del self._begun[key]

    def stop(self) -> None:
        """Begin nothing that waits, and wait for what is under way: before the data are closed."""
        with self._lock:
            ending, self._pool = self._pool, self._new_pool()
            self._begun.clear()
        ending.shutdown(cancel_futures=True)
