"""Ways between the stages of a process, and the deals that took them: docs/methods/flow.md."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from core.analytics.numbers import places_among

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

Way = tuple[int, int]
"""From which stage to which; 0 is from nowhere."""


class Step(NamedTuple):
    """A way between two stages of a process, and what a move on it is: one of `stage_measures.KINDS`."""

    from_id: int
    to_id: int
    kind: str
    from_stage: str
    to_stage: str
    from_position: int
    to_position: int


def steps_between(stages: Sequence[Any]) -> list[Step]:
    """Return every way into the stages (rows of `funnel_flow.stages_met`), as `stage_measures.ways` does in SQL."""
    found = [Step(0, two.id, "entered", "", two.stage, 0, two.position) for two in stages]
    for one, two in permutations(stages, 2):
        kind = _kind(one, two, stages)
        found.append(Step(one.id, two.id, kind, one.stage, two.stage, one.position, two.position))
    return sorted(found, key=lambda step: (step.from_position, step.to_position, step.from_id, step.to_id))


def _kind(one: Any, two: Any, stages: Sequence[Any]) -> str:
    if two.kind in ("lost", "won"):
        return str(two.kind)
    if one.kind != "open":
        return "reopened"
    if two.position < one.position:
        return "back"
    passed = any(stage.active and one.position < stage.position < two.position for stage in stages)
    return "skipped" if passed else "forward"


class Moved(NamedTuple):
    """What moved: deals (each once), moves, and the value of the deals in hundredths."""

    deals: int
    moves: int
    value: int


class Flow:
    """The deals that moved in a period, by the ways that they took.

    moves, deals: the columns of `funnel_flow.moved` and `funnel_flow.movers`. Moves of deals that are none of these,
    and those on ways that are none of `ways`, do not count.
    """

    def __init__(
        self, ways: Iterable[Way], moves: Mapping[str, NDArray[Any]], deals: Mapping[str, NDArray[Any]]
    ) -> None:
        known = [*ways]
        self._place = {way: place for place, way in enumerate(known)}
        self._value = deals["value"]
        deal, way = places_among(deals["id"], moves["deal_id"]), _places_of(known, moves)
        counted = (deal >= 0) & (way >= 0)
        deal, way = deal[counted], way[counted]
        order = np.argsort(way.astype(np.min_scalar_type(len(known))), kind="stable")  # small ones by their digits
        ends = np.cumsum(np.bincount(way, minlength=len(known)))
        self._took = np.split(deal[order], ends[:-1]) if known else []
        self._last = np.zeros(self._value.shape, np.int64)

    def of(self, ways: Iterable[Way]) -> Moved:
        """Count those that took any of the ways."""
        took = [self._took[self._place[way]] for way in ways]
        moved = np.concatenate(took) if took else np.zeros(0, np.int64)
        numbers = np.arange(moved.size)
        self._last[moved] = numbers  # of a deal's moves one stays written down, whichever that is
        once = moved[self._last[moved] == numbers]
        return Moved(once.size, moved.size, int(self._value[once].sum()))


def _places_of(ways: Sequence[Way], moves: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return which of the ways each move took, -1 for none."""
    stages = np.unique(np.array(ways, np.int64))
    place = np.full((stages.size + 1, stages.size + 1), -1)  # the last row and column are those of unknown stages
    one, two = places_among(stages, np.array(ways, np.int64).reshape(-1, 2)).T
    place[one, two] = np.arange(len(ways))
    return place[tuple(places_among(stages, moves[name]) for name in ("from_id", "to_id"))]
