"""Which deals the bars and the table's cells of a cohort's stages count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

PIECES: Final = {"still_open": "still_open_at", "lost_here": "lost_at"}
"""What the pieces of a stage's bar count; the others count the deals that reached it."""
_COUNTS: Final = {"reached": "reached", "value": "reached", **PIECES}
_OF_PREVIOUS: Final = {"rate_from_previous", "rate", "low", "high", "value_rate_from_previous"}
_OF_START: Final = {"rate_from_start", "value_rate_from_start"}
_WITHIN: Final = {"reached": "reached_within", "still_open_at": "open_within", "lost_at": "lost_within"}


def stage_measure(name: str, stage_key: object, days: int) -> str:
    """Return the measure of a stage's deals, followed for so many `days`, 0 to now."""
    return f"{_WITHIN[name]}:{stage_key}:{days}" if days else f"{name}:{stage_key}"


@dataclass(frozen=True)
class StageCell:
    """A cell of a table of stages, of deals that are followed for so many `days`."""

    stage_key: str
    column: str
    days: int

    def measure(self, stages: pd.DataFrame) -> str:
        """Return whose deals the cell counts, of the `stages` in order, "" where it counts none.

        A count has its own; a rate has those that it is a share of: of the stage before, or of the first one.
        """
        order = list(dict.fromkeys(stages["stage_key"].astype(str)))
        if self.column in _COUNTS:
            return stage_measure(_COUNTS[self.column], self.stage_key, self.days)
        if self.column in _OF_START:
            return stage_measure("reached", order[0], self.days)
        if self.column in _OF_PREVIOUS and self.stage_key in order[1:]:
            return stage_measure("reached", order[order.index(self.stage_key) - 1], self.days)
        return ""
