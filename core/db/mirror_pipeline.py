"""Three steps of many parts at once: one is read while the one before is derived and the one before that written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

_Part = TypeVar("_Part")
_Rows = TypeVar("_Rows")
_Taken_contra = TypeVar("_Taken_contra", contravariant=True)


class Writer(Protocol[_Taken_contra]):
    """Writes what it wants of each part."""

    def add(self, rows: _Taken_contra) -> None:
        """Take a part."""

    def end(self) -> None:
        """Write what is left, after the last part."""


class _Going(Generic[_Rows]):
    """One writer in a thread of its own, for which no more than two parts wait."""

    def __init__(self, writer: Writer[_Rows], thread: ThreadPoolExecutor) -> None:
        self._writer = writer
        self._thread = thread
        self._going: list[Future[None]] = []

    def add(self, rows: _Rows) -> None:
        if len(self._going) == _WAITING:
            self._going.pop(0).result()
        self._going.append(self._thread.submit(self._writer.add, rows))

    def last(self) -> Future[None]:
        return self._thread.submit(self._end)

    def _end(self) -> None:
        for each in self._going:
            each.result()
        self._writer.end()


def in_turn(
    parts: Sequence[_Part],
    *,
    read: Callable[[_Part], _Rows],
    derive: Callable[[_Rows], _Rows],
    writers: Sequence[Writer[_Rows]],
    progress: Callable[[float], None],
) -> None:
    """Take the parts through the three steps, in their order; reading and each writer have a thread of their own.

    progress: called with the share derived.
    """
    with ThreadPoolExecutor(1) as reader, ExitStack() as threads:
        going = [_Going(writer, threads.enter_context(ThreadPoolExecutor(1))) for writer in writers]
        coming: list[Future[_Rows]] = [reader.submit(read, part) for part in parts[:_WAITING]]
        for done, _part in enumerate(parts, start=1):
            rows = coming.pop(0).result()
            coming += [reader.submit(read, part) for part in parts[done + _WAITING - 1 : done + _WAITING]]
            derived = derive(rows)
            del rows
            for each in going:
                each.add(derived)
            del derived
            progress(done / len(parts))
        for ended in [each.last() for each in going]:
            ended.result()


_WAITING = 2
