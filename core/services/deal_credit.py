"""Who is credited with a deal, where that is not only whoever owned it when it was won."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import select

from core.access.actions import Action
from core.domain.periods import day_of
from core.domain.stages import StageKind
from core.errors import InvalidFields, SalesError
from core.gate import command
from core.i18n import N_, _, format_rate
from core.model import CreditShare, Deal, Rep
from core.services.deal_rules import editable_deal, saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.db.work import Work

WHOLE = 10_000
MOST_PEOPLE = 10


class LostDealHasNoCredit(SalesError):
    """Nobody is credited with a deal that was lost."""

    text = N_("A lost deal is credited to nobody.")


@dataclass(frozen=True)
class CreditPart:
    """Somebody's part of a deal, in ten-thousandths."""

    rep_id: int
    share: int


@command(Action.DEAL_EDIT)
def split_credit(work: Work, *, deal_id: int, version: int, parts: Sequence[CreditPart]) -> Deal:
    """Credit several people with a deal from its winning on; without parts, again whoever owned it then.

    What was said before stays in the history. Saying the same again changes nothing. Raises NotFound, NotAllowed,
    EditedMeanwhile, LostDealHasNoCredit, InvalidFields.
    """
    deal = editable_deal(work, deal_id, version)
    if deal.state is StageKind.LOST and parts:
        raise LostDealHasNoCredit
    problem = _problem(work, deal, parts)
    if problem:
        raise InvalidFields({"parts": problem})
    with work.session.no_autoflush:
        now = work.session.exec(
            select(CreditShare).where(CreditShare.deal_id == deal_id, cast("Any", CreditShare.until_at).is_(None))
        ).all()
    if {(row.rep_id, row.share) for row in now} == {(part.rep_id, part.share) for part in parts}:
        return deal
    for row in now:
        row.until_at = work.now
    work.session.add_all(
        CreditShare(
            deal_id=deal_id, rep_id=part.rep_id, share=part.share, effective_at=deal.closed_at or work.now,
            recorded_at=work.now, by_user_id=work.actor.user_id,
        )
        for part in parts
    )  # fmt: skip
    flag_modified(deal, "credited_id")
    return saved(work, deal)


def _problem(work: Work, deal: Deal, parts: Sequence[CreditPart]) -> str | None:
    if not parts:
        return None
    if not 2 <= len(parts) <= MOST_PEOPLE:
        return _("Credit is shared by {least} to {most} people.", least=2, most=MOST_PEOPLE)
    if max(Counter(part.rep_id for part in parts).values()) > 1:
        return _("Somebody is named twice.")
    if any(part.share <= 0 for part in parts):
        return _("Everybody named has a share above 0 %.")
    total = sum(part.share for part in parts)
    if total != WHOLE:
        made = format_rate(total / WHOLE, decimals=2)
        return _("The shares add up to {sum}; they must make exactly 100 %.", sum=made)
    numbers = [part.rep_id for part in parts]
    reps = {rep.id: rep for rep in work.session.exec(select(Rep).where(cast("Any", Rep.id).in_(numbers)))}
    on = work.today if deal.closed_at is None else day_of(deal.closed_at, work.zone)
    if any(number not in reps for number in numbers):
        return _("Please choose somebody from the list.")
    if any(rep.left_on is not None and rep.left_on < on for rep in reps.values()):
        return _("This person has left the company.")
    return None
