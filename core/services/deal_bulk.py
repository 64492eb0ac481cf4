"""Many deals at once: a new expected close each, or all of them lost, and back again.

A deal that cannot be changed, because somebody changed it meanwhile or its history forbids, is left as it is and
named with the reason; the others are changed, all in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from core.access.actions import Action
from core.db.work import get_visible
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed, SalesError
from core.gate import command
from core.i18n import _
from core.model import Deal, LostReason
from core.services.deal_history import BeforeTheLastEvent, RateMissing, StageRetired, rate_on
from core.services.deal_moves import DealIsClosed, NothingToUndo, lose_deal, undo_last_move
from core.services.deals import edit_deal

if TYPE_CHECKING:
    from core.db.work import Work

MOST_DEALS = 500
_LEFT = (BeforeTheLastEvent, DealIsClosed, EditedMeanwhile, InvalidFields, NotAllowed, NothingToUndo, RateMissing)


@dataclass(frozen=True)
class DealAt:
    """A deal as somebody saw it; `expected_close_on` is the day it gets, where it gets one."""

    deal_id: int
    version: int
    expected_close_on: date | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of many deals: those changed, as they are now with the day they had before; those left, and why."""

    done: tuple[DealAt, ...] = ()
    left: tuple[tuple[int, str], ...] = ()


@command(Action.DEAL_EDIT)
def expect_deals(work: Work, *, deals: Sequence[DealAt]) -> Outcome:
    """Give each deal its new expected close; each change stands in the deal's history.

    Raises NotFound outside the scope, InvalidFields for more than MOST_DEALS.
    """

    def expect(one: DealAt) -> DealAt:
        before = get_visible(work, Deal, one.deal_id).expected_close_on
        if one.expected_close_on is None:
            raise InvalidFields({"expected_close_on": _("Please say when you expect the deal to close.")})
        changes = {"expected_close_on": one.expected_close_on}
        deal = edit_deal(work, deal_id=one.deal_id, version=one.version, changes=changes)  # type: ignore[arg-type]
        return DealAt(deal.id, deal.version, before)

    return _each(deals, expect)


@command(Action.DEAL_ADVANCE)
def lose_deals(
    work: Work, *, deals: Sequence[DealAt], lost_reason_id: int | None, note: str = "", effective_on: date | None = None
) -> Outcome:
    """Close open deals as lost for one reason.

    Raises NotFound outside the scope, InvalidFields without a reason, DayInTheFuture, StageRetired.
    """
    reason = work.session.get(LostReason, lost_reason_id) if lost_reason_id is not None else None
    if reason is None or not reason.active:
        raise InvalidFields({"lost_reason_id": _("Please say why the deal was lost.")})
    if len(note) > 1000:
        raise InvalidFields({"note": _("At most {n} characters, please.", n=1000)})

    def lose(one: DealAt) -> DealAt:
        found = get_visible(work, Deal, one.deal_id)
        rate_on(work, found.currency, effective_on or work.today)
        deal = lose_deal(
            work, deal_id=one.deal_id, version=one.version, lost_reason_id=lost_reason_id, note=note,
            effective_on=effective_on,
        )  # fmt: skip
        return DealAt(deal.id, deal.version)

    return _each(deals, lose)


@command(Action.DEAL_ADVANCE)
def undo_last_moves(work: Work, *, deals: Sequence[DealAt]) -> Outcome:
    """Take each deal back to where it was, as `undo_last_move` does. Raises NotFound outside the scope."""

    def undo(one: DealAt) -> DealAt:
        deal = undo_last_move(work, deal_id=one.deal_id, version=one.version)
        return DealAt(deal.id, deal.version)

    return _each(deals, undo)


def _each(deals: Iterable[DealAt], change: Callable[[DealAt], DealAt]) -> Outcome:
    asked = sorted(deals, key=lambda one: one.deal_id)  # locked in one order, so that two never wait for each other
    if len(asked) > MOST_DEALS:
        raise InvalidFields({"deals": _("At most {n} deals at once, please.", n=MOST_DEALS)})
    done: list[DealAt] = []
    left: list[tuple[int, str]] = []
    for one in asked:
        try:
            done.append(change(one))
        except StageRetired:
            raise
        except _LEFT as error:
            left.append((one.deal_id, _why(error)))
    return Outcome(tuple(done), tuple(left))


def _why(error: SalesError) -> str:
    if isinstance(error, EditedMeanwhile):
        return _("Somebody changed it meanwhile.")
    return " ".join(error.problems.values()) if isinstance(error, InvalidFields) else error.message()
