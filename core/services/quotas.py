"""Changing what reps and teams owe, a whole grid at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from sqlmodel import col, select

from core.access.actions import Action
from core.domain.money import CENT
from core.errors import EditedMeanwhile, InvalidField, NotFound
from core.gate import command
from core.i18n import N_, _
from core.model import Quota, Rep, Team
from core.services.deal_rules import MOST_MONEY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from core.db.work import Work

QuotaOf = Literal["rep", "team"]
REP_KIND, TEAM_KIND = N_("rep"), N_("team")


@dataclass(frozen=True)
class QuotaChange:
    """One cell of the grid: what an owner owes in a month; `amount` None takes the quota away.

    `version` is the stored row's when the grid was opened, None where there was none.
    """

    owner_id: int
    month: date
    amount: Decimal | None
    version: int | None


@command(Action.QUOTA_EDIT)
def save_quotas(work: Work, *, of: QuotaOf, changes: Sequence[QuotaChange]) -> int:
    """Save the changed cells of the reps' or the teams' grid, all or none; return how many.

    Raises NotFound (no such rep or team), InvalidField (an amount below zero or beyond bounds),
    EditedMeanwhile where somebody changed one of the cells since.
    """
    owners: Any = Rep if of == "rep" else Team
    known = set(work.session.exec(select(owners.id)))
    column: Any = Quota.rep_id if of == "rep" else Quota.team_id
    months = {change.month for change in changes}
    statement = select(Quota).where(column.in_({change.owner_id for change in changes}), col(Quota.month).in_(months))
    stored = {(getattr(row, column.key), row.month): row for row in work.session.exec(statement.with_for_update())}
    for change in changes:
        if change.owner_id not in known:
            raise NotFound(kind=_(REP_KIND if of == "rep" else TEAM_KIND), number=change.owner_id)
        _check(change)
        row = stored.get((change.owner_id, change.month))
        if (row.version if row is not None else None) != change.version:
            raise EditedMeanwhile
        _put(work, column.key, change, row)
    return len(changes)


def _check(change: QuotaChange) -> None:
    if change.month.day != 1:
        message = f"a quota is of a month, not of {change.month}"
        raise ValueError(message)
    if change.amount is not None and not 0 <= change.amount < MOST_MONEY:
        raise InvalidField(
            name="amount",
            label=_("Quota"),
            reason=_("An amount is zero or more, and below ten trillion."),
        )


def _put(work: Work, owner: str, change: QuotaChange, row: Quota | None) -> None:
    if change.amount is None:
        if row is not None:
            work.session.delete(row)
    elif row is not None:
        row.amount = change.amount.quantize(CENT)
    else:
        fields = {owner: change.owner_id, "month": change.month, "amount": change.amount.quantize(CENT)}
        work.session.add(Quota(**cast("Any", fields)))
