"""Three steps of many parts at once: one is read while the one before is derived and the one before that written."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

_Part = TypeVar("_Part")
_Rows = TypeVar("_Rows")


def in_turn(
    parts: Sequence[_Part],
    *,
    read: Callable[[_Part], _Rows],
    derive: Callable[[_Rows], _Rows],
    write: Callable[[_Rows], None],
    progress: Callable[[float], None],
) -> None:
    """Take the parts through the three steps, each step in a thread of its own and in the order of the parts.

    No more than two parts wait between two steps. progress: called with the share derived.
    """
    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        coming: list[Future[_Rows]] = [reader.submit(read, part) for part in parts[:_WAITING]]
        going: list[Future[None]] = []
        for done, _part in enumerate(parts, start=1):
            rows = coming.pop(0).result()
            coming += [reader.submit(read, part) for part in parts[done + _WAITING - 1 : done + _WAITING]]
            derived = derive(rows)
            del rows
            if len(going) == _WAITING:
                going.pop(0).result()
            going.append(writer.submit(write, derived))
            del derived
            progress(done / len(parts))
        for each in going:
            each.result()


_WAITING = 2
