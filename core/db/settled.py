"""Reading several answers of one state, without a look for commits before each."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_settled: ContextVar[bool] = ContextVar("luopan_mirror_settled", default=False)


class Settling:
    """What a mirror lets its readers do within a run of a page."""

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Let what is read within go on with the state there is, without a look for commits before each question."""
        token = _settled.set(True)
        try:
            yield
        finally:
            _settled.reset(token)

    @property
    def is_settled(self) -> bool:
        """Whether the caller stands within `settled`."""
        return _settled.get()
