"""What deals went through, as the mirror keeps it: moves, stays in stages, and what every deal was on every day.

Columns in, columns out, by numpy: the same code derives a million deals and one, so an increment equals a rebuild.
docs/methods/as-of.md says what the two readings of a deal's past are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.db.mirror_runs import Runs, earlier_sum, places_of, rows_in_order, running_maximum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.db.mirror_days import Days
    from core.db.mirror_runs import Flags, Numbers

KINDS: Final = ("open", "won", "lost")
OPEN: Final = KINDS.index("open")
LOST: Final = KINDS.index("lost")
_NEVER: Final = np.iinfo(np.int64).min


class Stages(NamedTuple):
    """Position, kind (a place in KINDS), process, expected days and probability of each stage, by its number.

    -1 where there is none.
    """

    position: Numbers
    kind: Numbers
    pipeline: Numbers
    expected_days: Numbers
    probability: NDArray[np.float64]

    @classmethod
    def of(cls, rows: list[tuple[int, int, str, int, int | None, float]]) -> Stages:
        """Return them of rows (id, position, kind, pipeline_id, expected_days, probability)."""
        size = max((row[0] for row in rows), default=0) + 1
        none = np.full(size, -1)
        made = cls(none, none.copy(), none.copy(), none.copy(), np.zeros(size))
        for number, position, kind, pipeline, expected, probability in rows:
            made.position[number], made.kind[number], made.pipeline[number] = position, KINDS.index(kind), pipeline
            made.expected_days[number] = -1 if expected is None else expected
            made.probability[number] = probability
        return made


@dataclass(frozen=True)
class Moves:
    """The stage moves of some deals, in the order of deal, instant and number; a deal without one has made one."""

    id: Numbers
    deal: Numbers
    came_from: Numbers
    stage: Numbers
    at: Numbers
    recorded: Numbers
    reason: Numbers
    on: Numbers
    owner: Numbers
    credited: Numbers
    runs: Runs

    @classmethod
    def of(cls, moves: pa.Table, deals: pa.Table, days: Days) -> Moves:
        """Return them of the database's rows."""
        found = [whole_numbers(moves[name]) for name in ("id", "deal_id", "from_stage_id", "to_stage_id")]
        at = instants(moves["effective_at"])
        found += [at, recorded_instants(moves["recorded_at"], at)]
        found.append(whole_numbers(moves["lost_reason_id"]))
        numbers = whole_numbers(deals["id"])
        still = ~np.isin(numbers, found[1])
        if still.any():
            since = instants(deals["stage_entered_at"])[still]
            none = np.zeros(len(since), np.int64)
            reasons = whole_numbers(deals["lost_reason_id"])[still]
            stages = whole_numbers(deals["stage_id"])[still]
            made = (none, numbers[still], none - 1, stages, since, since, reasons)
            found = [np.concatenate(pair) for pair in zip(found, made, strict=True)]
        order = rows_in_order(found[1], found[4], found[0])
        if order is not None:
            found = [column[order] for column in found]
        number, deal, came_from, stage, at, recorded, reason = found
        place = places_of(deal, numbers)
        owner, credited = (whole_numbers(deals[name])[place] for name in ("owner_id", "credited_id"))
        return cls(
            number, deal, came_from, stage, at, recorded, reason, days.of(at), owner, credited, Runs.of(deal)
        )  # fmt: skip

    def late_table(self, days: Days) -> pa.Table:
        """Return the mirror's `late_moves`."""
        late = np.flatnonzero((self.recorded > self.at) & (self.id > 0))
        known_on = days.of(self.recorded[late])
        later = known_on > self.on[late]
        chosen = late[later]
        return pa.table({
            "id": small(self.id[chosen]), "deal_id": small(self.deal[chosen]), "moved_on": dates(self.on[chosen]),
            "known_on": dates(known_on[later]),
        })  # fmt: skip

    def spans_table(self, stages: Stages) -> pa.Table:
        """Return the mirror's `spans`."""
        runs, kind, position = self.runs, stages.kind[self.stage], stages.position[self.stage]
        furthest = running_maximum(np.where(kind == LOST, 1, np.maximum(position, 1)), runs)
        before = np.where(runs.first, 0, np.roll(furthest, 1))
        seconds = np.where(runs.last, 0, _seconds_between(self.at, np.roll(self.at, -1)))
        arrivals = np.flatnonzero(furthest > before)
        arrived = self.at[arrivals]
        goes_on = np.full(len(self.at), _NEVER)
        goes_on[arrivals] = np.where(
            Runs.of(self.deal[arrivals]).last, _NEVER, _seconds_between(arrived, np.roll(arrived, -1))
        )
        same_stage = self.deal * len(stages.kind) + self.stage
        again = np.argsort(same_stage, kind="stable")
        same = Runs.of(same_stage[again])
        next_same, earlier = np.full(len(self.at), _NEVER), np.zeros(len(self.at), np.int64)
        next_same[again] = np.where(same.last, _NEVER, np.roll(self.at[again], -1))
        earlier[again] = earlier_sum(seconds[again], same)
        return pa.table({
            "deal_id": small(self.deal), "owner_id": small(self.owner),
            "credited_id": small(self.credited, self.credited < 0), "pipeline_id": small(stages.pipeline[self.stage]),
            "stage_id": small(self.stage), "position": small(position), "furthest": small(furthest),
            "move_id": small(self.id), "from_stage_id": small(self.came_from, self.came_from < 0),
            "lost_reason_id": small(self.reason, self.reason < 0), "kind": kinds(kind), "entered_at": moments(self.at),
            "left_at": moments(np.roll(self.at, -1), runs.last),
            "next_same_at": moments(next_same, next_same == _NEVER), "seconds_before": pa.array(earlier),
            "seconds": pa.array(seconds, mask=runs.last), "entered_on": dates(self.on),
            "furthest_before": pa.array(before.astype(np.int16)), "advance_seconds": small(goes_on, goes_on == _NEVER),
        })  # fmt: skip

    def reached(self, stages: Stages) -> tuple[Numbers, Numbers]:
        """Return the deals, ascending, and the furthest position that each ever had, lost apart, at least 1."""
        found = np.where(stages.kind[self.stage] == LOST, 1, np.maximum(stages.position[self.stage], 1))
        starts = self.runs.starts
        return self.deal[starts], np.maximum.reduceat(found, starts) if len(starts) else starts


def _seconds_between(earlier: Numbers, later: Numbers) -> Numbers:
    found: Numbers = np.rint(later / 1e6 - earlier / 1e6).astype(np.int64)
    return found


def whole_numbers(column: pa.ChunkedArray) -> Numbers:
    """Return a column as int64, -1 for NULL."""
    return _plain(column.cast(pa.int64()), -1)


def instants(column: pa.ChunkedArray) -> Numbers:
    """Return instants, as text or as themselves, in microseconds since 1970; NULL is the smallest number."""
    found = column.cast(pa.timestamp("us")) if pa.types.is_string(column.type) else column
    return _plain(found.cast(pa.int64()), _NEVER)


def recorded_instants(column: pa.ChunkedArray, at: Numbers) -> Numbers:
    """Return when something was written down; NULL where that was when it happened."""
    if column.null_count == len(column):
        return at
    found = instants(column)
    return np.where(found == _NEVER, at, found)


def _plain(column: pa.ChunkedArray, missing: int) -> Numbers:
    return cast("Numbers", (pc.fill_null(column, missing) if column.null_count else column).to_numpy())


def small(values: Numbers, missing: Flags | None = None) -> pa.Array:
    """Return 32-bit whole numbers."""
    return pa.array((values if missing is None else np.where(missing, 0, values)).astype(np.int32), mask=missing)


def moments(values: Numbers, missing: Flags | None = None) -> pa.Array:
    """Return instants of microseconds since 1970."""
    return pa.array(values, mask=missing).view(pa.timestamp("us"))


def dates(values: Numbers, missing: Flags | None = None) -> pa.Array:
    """Return days of numbers since 1970."""
    return small(values, missing).view(pa.date32())


def kinds(values: Numbers, missing: Flags | None = None) -> pa.Array:
    """Return the words of places in KINDS."""
    places = pa.array((values if missing is None else np.where(missing, 0, values)).astype(np.int8), mask=missing)
    return pa.DictionaryArray.from_arrays(places, pa.array(KINDS))
