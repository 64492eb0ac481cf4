"""How long won deals stayed in each stage: the same for every filter and period, so kept for whoever asks next."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from core.analytics.stage_measures import usual_stays

if TYPE_CHECKING:
    from core.access.actors import Scope
    from core.analytics.as_of import AsOf
    from core.analytics.facts import Facts
    from core.analytics.stage_measures import Usual
    from core.db.work import AnyMirror, Work

KEPT: Final = 64

_Asked = tuple[int, "Scope", "AsOf | None"]

_lock = Lock()
_told: WeakKeyDictionary[AnyMirror, OrderedDict[_Asked, tuple[Usual, ...]]] = WeakKeyDictionary()
"""Of each mirror, what it told, by its version, the scope and the day."""


def known_usual_stays(work: Work, facts: Facts, as_of: AsOf | None) -> tuple[Usual, ...]:
    """Return the rows of `stage_measures.usual_stays`; facts: as they stood at the end of the day `as_of`."""
    asked = (work.mirror.version, facts.scope, as_of)
    with _lock:
        told = _told.setdefault(work.database.mirror, OrderedDict())
        if asked in told:
            told.move_to_end(asked)
            return told[asked]
    found = tuple((row.stage_id, row.stays, row.days) for row in work.mirror.rows(usual_stays(facts)))
    with _lock:
        told[asked] = found
        while len(told) > KEPT:
            told.popitem(last=False)
    return found
