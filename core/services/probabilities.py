"""Stages' probabilities set to what has been observed, and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.stages import StageKind
from core.errors import EditedMeanwhile, SalesError
from core.gate import command
from core.i18n import N_
from core.model import Stage

if TYPE_CHECKING:
    from core.db.work import Work


class NoProbability(SalesError):
    """A stage's probability lies between 0 and 1, and only open stages have one of their own."""

    text = N_("{stage} cannot have that probability.")


@dataclass(frozen=True)
class ProbabilityChange:
    """A stage's probability of winning, as its reader saw it and as it shall be; both in [0, 1]."""

    stage_id: int
    before: float
    after: float

    def undone(self) -> ProbabilityChange:
        """The change that takes this one back."""
        return ProbabilityChange(self.stage_id, self.after, self.before)


@command(Action.PROCESS_EDIT)
def set_probabilities(work: Work, *, changes: tuple[ProbabilityChange, ...]) -> None:
    """Set the probabilities of open stages, all or none.

    Raises NotFound, NoProbability, EditedMeanwhile where one is not what its reader saw.
    """
    for change in changes:
        stage = get_visible(work, Stage, change.stage_id)
        if stage.kind is not StageKind.OPEN or not 0 <= change.after <= 1:
            raise NoProbability(stage=stage.name)
        if not math.isclose(stage.probability, change.before, abs_tol=1e-6):
            raise EditedMeanwhile
        stage.probability = change.after
