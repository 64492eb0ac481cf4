"""Advancing, losing, reopening and handing over deals, and taking the last such step back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import select

from core.access.actions import Action
from core.domain.names import named
from core.domain.stages import DealField, StageKind
from core.errors import InvalidFields, SalesError
from core.gate import command
from core.i18n import N_, _
from core.model import (
    Deal,
    DealChange,
    Stage,
    StageMove,
)
from core.services.customers import lengths_exceeded
from core.services.deal_costs import keep_costs, lines_of
from core.services.deal_history import (
    StageMoveNotAllowed,
    StageRetired,
    change,
    enter,
    instant_of,
    last_event_at,
)
from core.services.deal_rules import (
    check_lost_reason,
    chosen_owner,
    editable_deal,
    saved,
)

if TYPE_CHECKING:
    from core.db.work import Work

_UNDO_WITHIN = timedelta(days=1)


class NothingToUndo(SalesError):
    """The last step is somebody else's, a day old, the deal's first, or left a closed stage."""

    text = N_("There is no step of yours from today that could be undone.")


class DealIsOpen(SalesError):
    """Only a closed deal is reopened."""

    text = N_("This deal is open already.")


class DealIsClosed(SalesError):
    """A closed deal is reopened before it moves on."""

    text = N_("This deal is closed. Reopen it first.")


@command(Action.DEAL_ADVANCE)
def advance_deal(
    work: Work,
    *,
    deal_id: int,
    to_stage_id: int,
    version: int,
    effective_on: date | None = None,
    note: str = "",
) -> Deal:
    """Move an open deal to another open stage of its process, forward or back, or win it.

    A won deal goes on to another won stage where there is one: out of a retired one, or in a process that an import
    brought with several (those made here have one). Its close and its credit stay. Raises NotFound, NotAllowed,
    EditedMeanwhile, DealIsClosed, StageMoveNotAllowed (another process, a lost stage, where it stands already),
    StageRetired, DayInTheFuture, BeforeTheLastEvent, RateMissing.
    """
    deal = editable_deal(work, deal_id, version)
    stage = _stage_of_process(work, deal, to_stage_id)
    if deal.state is not StageKind.OPEN and not (deal.state is StageKind.WON and stage.kind is StageKind.WON):
        raise DealIsClosed
    if stage.kind is StageKind.LOST:
        raise StageMoveNotAllowed(stage=named(stage))
    return _move(work, deal, stage, effective_on=effective_on, note=note)


@command(Action.DEAL_ADVANCE)
def lose_deal(
    work: Work,
    *,
    deal_id: int,
    version: int,
    lost_reason_id: int | None,
    competitor: str = "",
    note: str = "",
    effective_on: date | None = None,
) -> Deal:
    """Close an open deal as lost. Raises as `advance_deal`, and InvalidFields without a reason."""
    deal = editable_deal(work, deal_id, version)
    if deal.state is not StageKind.OPEN:
        raise DealIsClosed
    problems = lengths_exceeded({"competitor": competitor, "note": note}, {"competitor": 120, "note": 1000})
    check_lost_reason(work, lost_reason_id, problems)
    if problems:
        raise InvalidFields(problems)
    stage = work.session.exec(
        select(Stage)
        .where(Stage.pipeline_id == deal.pipeline_id, Stage.kind == StageKind.LOST, Stage.active)
        .order_by(cast("Any", Stage.position))
    ).first()
    if stage is None:
        raise StageRetired(stage=_("Lost"))
    if competitor.strip():
        deal.competitor = competitor.strip()
    return _move(work, deal, stage, effective_on=effective_on, lost_reason_id=lost_reason_id, note=note)


@command(Action.DEAL_ADVANCE)
def reopen_deal(
    work: Work,
    *,
    deal_id: int,
    to_stage_id: int,
    version: int,
    effective_on: date | None = None,
    note: str = "",
) -> Deal:
    """Open a won or lost deal again in an open stage. Raises as `advance_deal`, and DealIsOpen."""
    deal = editable_deal(work, deal_id, version)
    if deal.state is StageKind.OPEN:
        raise DealIsOpen
    stage = _stage_of_process(work, deal, to_stage_id)
    if stage.kind is not StageKind.OPEN:
        raise StageMoveNotAllowed(stage=named(stage))
    return _move(work, deal, stage, effective_on=effective_on, note=note)


@command(Action.DEAL_ADVANCE)
def undo_last_move(work: Work, *, deal_id: int, version: int) -> Deal:
    """Take the deal back to the open stage it came from, by an opposite move; history keeps both.

    Only one's own move, recorded within a day, from an open stage: else NothingToUndo. Raises
    NotFound, NotAllowed, EditedMeanwhile.
    """
    deal = editable_deal(work, deal_id, version)
    moves = cast("Any", StageMove)
    last = work.session.exec(
        select(StageMove)
        .where(StageMove.deal_id == deal.id)
        .order_by(moves.effective_at.desc(), moves.recorded_at.desc(), moves.id.desc())
    ).first()
    origin = work.session.get(Stage, last.from_stage_id) if last and last.from_stage_id else None
    if (
        last is None
        or origin is None
        or origin.kind is not StageKind.OPEN
        or last.by_user_id != work.actor.user_id
        or work.now - last.recorded_at > _UNDO_WITHIN
    ):
        raise NothingToUndo
    return _move(work, deal, origin, effective_on=None)


@command(Action.DEAL_REASSIGN)
def reassign_deal(work: Work, *, deal_id: int, version: int, owner_id: int) -> Deal:
    """Give a deal to another rep in the actor's scope; a won deal's credit stays.

    Raises NotFound, NotAllowed, EditedMeanwhile, InvalidFields (nobody in scope, has left, has it
    already).
    """
    deal = editable_deal(work, deal_id, version)
    problems: dict[str, str] = {}
    owner = chosen_owner(work, owner_id, work.today, problems)
    if owner == deal.owner_id:
        problems["owner_id"] = _("The deal is with this person already.")
    if problems or owner is None:
        raise InvalidFields(problems)
    work.session.add(change(work, deal, DealField.OWNER, before=str(deal.owner_id), after=str(owner)))
    deal.owner_id = owner
    return saved(work, deal)


@command(Action.DEAL_REASSIGN)
def undo_hand_over(work: Work, *, deal_id: int, version: int) -> Deal:
    """Give the deal back to whoever had it before, by an opposite change; history keeps both.

    Only one's own hand-over, recorded within a day, from a rep in one's scope: else NothingToUndo. Raises NotFound,
    NotAllowed, EditedMeanwhile.
    """
    deal = editable_deal(work, deal_id, version)
    changes = cast("Any", DealChange)
    last = work.session.exec(
        select(DealChange)
        .where(DealChange.deal_id == deal.id, DealChange.field == DealField.OWNER)
        .order_by(changes.recorded_at.desc(), changes.id.desc())
    ).first()
    if (
        last is None
        or last.before is None
        or last.after != str(deal.owner_id)
        or last.by_user_id != work.actor.user_id
        or work.now - last.recorded_at > _UNDO_WITHIN
        or not work.actor.scope.allows_rep(int(last.before))
    ):
        raise NothingToUndo
    work.session.add(change(work, deal, DealField.OWNER, before=last.after, after=last.before))
    deal.owner_id = int(last.before)
    return saved(work, deal)


def _move(
    work: Work,
    deal: Deal,
    stage: Stage,
    *,
    effective_on: date | None,
    lost_reason_id: int | None = None,
    note: str = "",
) -> Deal:
    if stage.id == deal.stage_id:
        raise StageMoveNotAllowed(stage=named(stage))
    if not stage.active:
        raise StageRetired(stage=named(stage))
    if len(note) > 1000:
        raise InvalidFields({"note": _("At most {n} characters, please.", n=1000)})
    at = instant_of(work, effective_on, not_before=last_event_at(work, deal))
    work.session.add(enter(work, deal, stage, at=at, lost_reason_id=lost_reason_id, note=note.strip()))
    keep_costs(work, deal, lines_of(work, deal.id)[deal.id])
    return saved(work, deal)


def _stage_of_process(work: Work, deal: Deal, stage_id: int) -> Stage:
    stage = work.session.get(Stage, stage_id)
    if stage is None or stage.pipeline_id != deal.pipeline_id:
        raise StageMoveNotAllowed(stage=named(stage) if stage is not None else "?")
    return stage
