"""Saving a grid of amounts by rows and months, all or none: what quotas and costs have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from core.domain.money import CENT
from core.errors import EditedMeanwhile, InvalidField, NotFound
from core.i18n import _
from core.services.deal_rules import MOST_MONEY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from core.db.work import Work


@dataclass(frozen=True)
class AmountChange:
    """One cell of a grid: the amount of a row in a month; `amount` None takes it away.

    `version` is the stored row's when the grid was opened, None where there was none.
    """

    row_id: int
    month: date
    amount: Decimal | None
    version: int | None


class Stored(Protocol):
    """What a cell is kept as."""

    amount: Decimal
    version: int


def put_amounts(
    work: Work,
    changes: Sequence[AmountChange],
    *,
    stored: Mapping[tuple[int, date], Any],
    known: Collection[int],
    make: Callable[[int, date, Decimal], Stored],
    kind: str,
    label: str,
) -> int:
    """Put the changed cells in place of the stored ones; return how many.

    `stored`: the rows by grid row and month, read for update; `make` makes a new one. `kind` is what a grid row is,
    `label` what its amounts are, both in the reader's language. Raises NotFound (no such grid row), InvalidField
    (an amount below zero or beyond bounds), EditedMeanwhile where somebody changed one of the cells since.
    """
    for change in changes:
        if change.row_id not in known:
            raise NotFound(kind=kind, number=change.row_id)
        _check(change, label)
        row = stored.get((change.row_id, change.month))
        if (row.version if row is not None else None) != change.version:
            raise EditedMeanwhile
        if change.amount is None:
            if row is not None:
                work.session.delete(row)
        elif row is not None:
            row.amount = change.amount.quantize(CENT)
        else:
            work.session.add(make(change.row_id, change.month, change.amount.quantize(CENT)))
    return len(changes)


def _check(change: AmountChange, label: str) -> None:
    if change.month.day != 1:
        message = f"amounts are of a month, not of {change.month}"
        raise ValueError(message)
    if change.amount is not None and not 0 <= change.amount < MOST_MONEY:
        raise InvalidField(
            name="amount",
            label=label,
            reason=_("An amount is zero or more, and below ten trillion."),
        )
