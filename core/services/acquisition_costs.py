"""Entering what it cost to win customers, a whole grid at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from core.access.actions import Action
from core.gate import command
from core.i18n import N_, _
from core.model import AcquisitionCost, Channel
from core.model.costs import NO_CHANNEL
from core.services.month_amounts import put_amounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from core.db.work import Work
    from core.services.month_amounts import AmountChange

CHANNEL_KIND = N_("channel")


@command(Action.ACQUISITION_COST_EDIT)
def save_acquisition_costs(work: Work, *, changes: Sequence[AmountChange]) -> int:
    """Save the changed cells of the grid of channels by months, all or none; return how many.

    The row `NO_CHANNEL` is of what belongs to no channel. Raises NotFound (no such channel), InvalidField (an amount
    below zero or beyond bounds), EditedMeanwhile where somebody changed one of the cells since.
    """
    months = {change.month for change in changes}
    statement = select(AcquisitionCost).where(col(AcquisitionCost.month).in_(months)).with_for_update()
    stored = {(row.channel_id or NO_CHANNEL, row.month): row for row in work.session.exec(statement)}

    def make(channel: int, month: date, amount: Decimal) -> AcquisitionCost:
        return AcquisitionCost(channel_id=channel or None, month=month, amount=amount)

    return put_amounts(
        work, changes, stored=stored, known={NO_CHANNEL, *work.session.exec(select(Channel.id))}, make=make,
        kind=_(CHANNEL_KIND), label=_("Acquisition cost"),
    )  # fmt: skip
