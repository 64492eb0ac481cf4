"""What may happen to a deal, and how each event is written down beside the row it changes.

Every event has `effective_at` (when it was so) and `recorded_at` (when we learned it). Replaying a
deal's events in the order of (effective, recorded, number) gives the row.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import select

from core.domain.money import convert
from core.domain.periods import day_of, day_start
from core.domain.stages import DealField, StageKind
from core.errors import SalesError
from core.i18n import N_
from core.model import Deal, DealChange, FxRate, Stage, StageMove

if TYPE_CHECKING:
    from datetime import date, datetime

    from core.db.work import Work


class DayInTheFuture(SalesError):
    """Something is said to have happened on a day that has not come yet."""

    text = N_("This day has not come yet: choose today or an earlier day.")
    field = "effective_on"


class BeforeTheLastEvent(SalesError):
    """Something is said to have happened before what happened last."""

    text = N_("The deal's last change was on {day}: choose that day or a later one.")
    field = "effective_on"


class RateMissing(SalesError):
    """No exchange rate says what an amount is worth in the company's currency."""

    text = N_("There is no exchange rate for {currency} on {day}. Sales operations can add one in Settings.")
    field = "currency"


class StageRetired(SalesError):
    """A stage that is no longer in use takes no deals."""

    text = N_("The stage “{stage}” is no longer in use. Choose another one.")
    field = "stage_id"


class StageMoveNotAllowed(SalesError):
    """The deal's process does not lead there in this way."""

    text = N_("A deal cannot be moved to “{stage}” in this way.")
    field = "stage_id"


def rate_on(work: Work, currency: str, day: date) -> Decimal:
    """Return what one unit of `currency` is worth in the base currency on `day`; raises RateMissing."""
    if currency == work.base_currency:
        return Decimal(1)
    rate = work.session.exec(
        select(cast("Any", FxRate.rate))
        .where(FxRate.currency == currency, FxRate.on <= day)
        .order_by(cast("Any", FxRate.on).desc())
        .limit(1)
    ).one_or_none()
    if rate is None:
        raise RateMissing(currency=currency, day=day.isoformat())
    return cast("Decimal", rate)


def revalue(work: Work, deal: Deal) -> None:
    """Set `base_amount`: at the closing day's rate once closed, at today's while open."""
    day = work.today if deal.closed_at is None else day_of(deal.closed_at, work.zone)
    deal.base_amount = convert(deal.amount, rate=rate_on(work, deal.currency, day))


def instant_of(work: Work, day: date | None, *, not_before: datetime | None = None) -> datetime:
    """Return the instant at which something of `day` is taken to have happened.

    Today (or None) is now; a past day its first instant, or `not_before` where that lies later on
    the same day. Raises DayInTheFuture, BeforeTheLastEvent.
    """
    if day is None or day == work.today:
        at = work.now
    elif day > work.today:
        raise DayInTheFuture
    else:
        at = day_start(day, work.zone)
    if not_before is not None and at < not_before:
        last_day = day_of(not_before, work.zone)
        if day_of(at, work.zone) < last_day:
            raise BeforeTheLastEvent(day=last_day.isoformat())
        return not_before
    return at


def last_event_at(work: Work, deal: Deal) -> datetime:
    """Return when the deal last moved or changed hands: nothing can have happened before that."""
    moved = work.session.exec(
        select(StageMove.effective_at)
        .where(StageMove.deal_id == deal.id)
        .order_by(cast("Any", StageMove.effective_at).desc())
    ).first()
    handed = work.session.exec(
        select(DealChange.effective_at)
        .where(DealChange.deal_id == deal.id, DealChange.field == DealField.OWNER)
        .order_by(cast("Any", DealChange.effective_at).desc())
    ).first()
    return max(at for at in (moved, handed, deal.opened_at) if at is not None)


def enter(
    work: Work, deal: Deal, stage: Stage, *, at: datetime, lost_reason_id: int | None = None, note: str = ""
) -> StageMove:
    """Put the deal into `stage` and return the move, which the caller adds once the deal has a number.

    Winning credits the present owner. Going from one won stage to another keeps the close.
    """
    move = StageMove(
        deal_id=deal.id or 0,
        from_stage_id=deal.stage_id,
        to_stage_id=stage.id,
        effective_at=at,
        recorded_at=work.now,
        by_user_id=work.actor.user_id,
        lost_reason_id=lost_reason_id,
        note=note,
    )
    stays_won = deal.state is StageKind.WON and stage.kind is StageKind.WON
    deal.stage_id = stage.id
    deal.stage_entered_at = at
    if not stays_won:
        deal.state = stage.kind
        deal.closed_at = None if stage.kind is StageKind.OPEN else at
        deal.credited_id = deal.owner_id if stage.kind is StageKind.WON else None
        deal.lost_reason_id = lost_reason_id
        revalue(work, deal)
    return move


def change(
    work: Work, deal: Deal, field: DealField, *, before: str | None, after: str, at: datetime | None = None
) -> DealChange:
    """Return the event that a fact of the deal became `after`, effective now unless `at` is given."""
    return DealChange(
        deal_id=deal.id or 0,
        field=field,
        before=before,
        after=after,
        effective_at=at or work.now,
        recorded_at=work.now,
        by_user_id=work.actor.user_id,
    )


def said_amount(amount: Decimal, currency: str) -> str:
    """Return an amount as the history keeps it: `1234.50 CNY`."""
    return f"{amount:.2f} {currency}"
