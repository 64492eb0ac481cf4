"""Ways between stages as bits of whole numbers, so that a few numbers say what a deal did: docs/methods/flow.md."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from sqlalchemy import BigInteger, func, literal_column

from core.analytics.stage_measures import from_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement

WORD: Final = 62
"""Bits of a number of 64 that are used."""

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


@dataclass(frozen=True)
class Places:
    """The ways of a process; each has its place among them."""

    ways: tuple[Way, ...]

    @property
    def words(self) -> int:
        """How many numbers hold a bit for each way."""
        return max(1, -(-len(self.ways) // WORD))

    def bits(self, moves: Any) -> list[ColumnElement[int]]:
        """Return of each word the bit of a move's way, 0 where that is another word's or is not known."""
        stages = sorted({stage for way in self.ways for stage in way} | {0})
        row, cell = ({stage: number for number, stage in enumerate(stages, start)} for start in (1, 0))
        one = _looked_up([row.get(stage, 0) * len(stages) for stage in range(stages[-1] + 1)], from_id(moves))
        two = _looked_up([cell.get(stage, 0) for stage in range(stages[-1] + 1)], moves.to_stage_id)
        found = []
        for word in range(self.words):
            bits = [0] * len(stages) * (len(stages) + 1)  # the first row is that of stages that are not known
            for place, (origin, end) in enumerate(self.ways[word * WORD : (word + 1) * WORD]):
                bits[row[origin] * len(stages) + cell[end]] = 1 << place
            found.append(_looked_up(bits, one + two))
        return found


def _looked_up(values: Sequence[int], index: ColumnElement[int]) -> ColumnElement[int]:
    """Return the value at a place, from 0; 0 beyond the last."""
    listed: ColumnElement[Any] = literal_column(f"[{', '.join(map(str, values))}]")
    return func.coalesce(func.list_extract(listed, index + 1, type_=BigInteger), literal_column("0"))


class Moved(NamedTuple):
    """What moved: deals (each once), moves, and the value of the deals in hundredths."""

    deals: int
    moves: int
    value: int


class Flow:
    """The deals that moved in a period, by the ways that they took.

    rows: the columns of `funnel_flow.taken`; moves_of: how often deals took each way, for those of which `rows` do not
    say it, who are few.
    """

    def __init__(
        self, places: Places, rows: Mapping[str, NDArray[Any]], moves_of: Callable[[list[int]], Mapping[Way, int]]
    ) -> None:
        self._places = places
        self._taken, self._even = (
            [np.asarray(rows[f"{name}_{word}"], dtype=np.int64) for word in range(places.words)]
            for name in ("way", "even")
        )  # fmt: skip
        self._deals, self._value = (np.asarray(rows[name], dtype=np.int64) for name in ("deals", "value"))
        again = np.asarray(rows["again"], dtype=np.int64)
        self._told = again == 0
        ids = again[~self._told].tolist()
        self._more = moves_of(ids) if ids else {}

    def of(self, ways: Iterable[Way]) -> Moved:
        """Count those that took any of the ways."""
        wanted = set(ways)
        took = np.zeros(len(self._deals), dtype=np.bool_)
        moves = 0
        for place, way in enumerate(self._places.ways):
            if way in wanted:
                word, bit = divmod(place, WORD)
                here, twice = ((each[word] >> bit) & 1 for each in (self._taken, self._even))
                took |= here == 1
                moves += int((self._deals * (here + twice))[self._told].sum()) + self._more.get(way, 0)
        return Moved(int(self._deals[took].sum()), moves, int(self._value[took].sum()))
