"""Changing what reps and teams owe, a whole grid at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sqlmodel import col, select

from core.access.actions import Action
from core.gate import command
from core.i18n import N_, _
from core.model import Quota, Rep, Team
from core.services.month_amounts import put_amounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from core.db.work import Work
    from core.services.month_amounts import AmountChange

QuotaOf = Literal["rep", "team"]
REP_KIND, TEAM_KIND = N_("rep"), N_("team")


@command(Action.QUOTA_EDIT)
def save_quotas(work: Work, *, of: QuotaOf, changes: Sequence[AmountChange]) -> int:
    """Save the changed cells of the reps' or the teams' grid, all or none; return how many.

    Raises NotFound (no such rep or team), InvalidField (an amount below zero or beyond bounds),
    EditedMeanwhile where somebody changed one of the cells since.
    """
    owners: Any = Rep if of == "rep" else Team
    column: Any = Quota.rep_id if of == "rep" else Quota.team_id
    months = {change.month for change in changes}
    statement = select(Quota).where(column.in_({change.row_id for change in changes}), col(Quota.month).in_(months))
    stored = {(getattr(row, column.key), row.month): row for row in work.session.exec(statement.with_for_update())}

    def make(owner: int, month: date, amount: Decimal) -> Quota:
        given: dict[str, Any] = {column.key: owner}
        return Quota(**given, month=month, amount=amount)

    return put_amounts(
        work, changes, stored=stored, known=set(work.session.exec(select(owners.id))), make=make,
        kind=_(REP_KIND if of == "rep" else TEAM_KIND), label=_("Quota"),
    )  # fmt: skip
