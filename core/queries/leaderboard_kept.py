"""What leaderboards rest on, kept for a state of the mirror: one period's sums serve each measure and adjustment."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np

from core.access.actors import Scope
from core.analytics import fairness
from core.analytics import leaderboard_fair as grounds
from core.analytics.numbers import places_among, whole
from core.analytics.standings import Standings
from core.i18n import language
from core.queries.standpoint import looked_at

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray

    from core.analytics.as_of import AsOf
    from core.analytics.facts import Facts, Statement
    from core.analytics.leaderboard import Contest
    from core.db.mirror import ScopedMirror
    from core.db.work import AnyMirror, Work
    from core.domain.periods import Period

KEPT: Final = 8
_NO_DAY: Final = np.datetime64("NaT", "D")
Made = TypeVar("Made")

_lock = Lock()
_made: WeakKeyDictionary[AnyMirror, OrderedDict[tuple[Hashable, ...], Any]] = WeakKeyDictionary()
"""Of each mirror, what was made last, by its version, the scope it is about, and what was asked."""


def standings_of(
    work: Work,
    mirror: ScopedMirror,
    contest: Contest,
    *,
    as_of: AsOf | None,
    everyone: bool = False,
    history: Period | None = None,
) -> Standings:
    """Return the standings of a contest in the actor's scope, or (to compare people by) everybody's.

    All of it is of the one state that `mirror` reads.
    """

    def answer(build: Callable[[Facts], Statement]) -> dict[str, NDArray[Any]]:
        return _columns(mirror, lambda facts: build(looked_at(work, as_of, facts).facts), everyone=everyone)

    asked = (everyone, contest, as_of, history)
    return _kept(work, mirror, lambda: Standings(answer, contest, history=history).complete(), *asked)


@dataclass(frozen=True)
class People:
    """All reps: `ids`, their numbers, rising; `presence` and `territory` (-1: none) are theirs, a place each."""

    ids: NDArray[np.int64]
    presence: fairness.Presence
    territory: NDArray[np.int64]


def people_of(work: Work, mirror: ScopedMirror, *, everyone: bool) -> People:
    """Return the reps of today, with the territories of their customers in the scope, or of all customers."""
    return _kept(work, mirror, lambda: _people(mirror, everyone=everyone), everyone)


def forget(mirror: AnyMirror) -> None:
    """Let go of what was made of a mirror, as a change of the data does: so that a first answer can be timed."""
    with _lock:
        _made.pop(mirror, None)


def _people(mirror: ScopedMirror, *, everyone: bool) -> People:
    leaves: dict[int, list[fairness.Leave]] = {}
    for row in mirror.rows(grounds.leaves(mirror.facts)):
        leaves.setdefault(row.rep_id, []).append((row.from_on, row.until_on))
    found = mirror.columns(grounds.presence(mirror.facts))
    ids = whole(found["id"])
    days = (np.ma.filled(found[name].astype("datetime64[D]"), _NO_DAY) for name in ("joined_on", "left_on"))
    away = {place: leaves[rep] for place, rep in enumerate(ids.tolist()) if rep in leaves}
    lying = _columns(mirror, grounds.territories, everyone=everyone)
    whose, first = np.unique(whole(lying["rep_id"]), return_index=True)
    at = places_among(ids, whose)
    territory = np.full(ids.shape, -1, np.int64)
    territory[at[at >= 0]] = lying["territory_id"][first[at >= 0]]
    return People(ids, fairness.Presence.between(*days, leaves=away), territory)


def _columns(
    mirror: ScopedMirror, build: Callable[[Facts], Statement], *, everyone: bool
) -> dict[str, NDArray[Any]]:  # fmt: skip
    return mirror.columns_of_everyone(build) if everyone else mirror.columns(build(mirror.facts))


def _kept(work: Work, mirror: ScopedMirror, make: Callable[[], Made], everyone: bool, *asked: Hashable) -> Made:
    """Return what `make` makes, once for all who ask for the same of the same state in the same language."""
    scope = Scope.everything() if everyone else mirror.scope
    key = (mirror.version, scope, language(), work.today, *asked)
    with _lock:
        made = _made.setdefault(work.database.mirror, OrderedDict())
        if key in made:
            made.move_to_end(key)
            return cast("Made", made[key])
    found = make()
    with _lock:
        for passed in [each for each in made if each[0] != mirror.version]:
            del made[passed]
        made[key] = found
        while len(made) > KEPT:
            made.popitem(last=False)
    return found
