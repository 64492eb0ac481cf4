"""When Python looks for unreachable objects while pages are served.

A full look holds everybody up, by about 1 ms for each thousand objects that live. Most of these are modules, which
pages import when they are first opened: so what the first full looks kept is put out of sight too.
"""

from __future__ import annotations

import gc
from typing import Any, Final

_YOUNG: Final = 5_000
"""New objects after which the youngest are looked through; Python's own 700 cost a page some 6 ms of its time."""
_MANY: Final = 20_000
"""Objects that a full look kept from which on they are put out of sight: 20 ms and more."""
_MOST_TIMES: Final = 8
"""A session that lives at that moment is never looked at again, and may stay in memory: so this is done seldom."""


class Spared:
    """Puts what lives out of the collector's sight: at once, and after the first full looks that keep much."""

    def __init__(self) -> None:
        self._left = _MOST_TIMES

    def begin(self) -> None:
        """Put all that start-up made out of sight, and watch what is made from now on."""
        gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
        gc.collect()
        gc.freeze()
        gc.callbacks.append(self.looked)

    def end(self) -> None:
        """Watch no more."""
        gc.callbacks.remove(self.looked)

    def looked(self, phase: str, told: dict[str, Any]) -> None:
        """Be told by the collector that it begins or has ended a look."""
        if phase == "stop" and told["generation"] == 2 and self._left and len(gc.get_objects(generation=2)) >= _MANY:
            self._left -= 1
            gc.freeze()
