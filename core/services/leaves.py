"""Keeping the days on which reps are on leave, which their quotas are not asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlmodel import select

from core.access.actions import Action
from core.db.work import get_visible
from core.errors import InvalidFields, NotFound
from core.gate import command
from core.i18n import N_, _
from core.model import Rep, RepLeave
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from core.db.work import Work

LONGEST = timedelta(days=366)
LONGEST_NOTE = 200
REP = N_("rep")


@command(Action.LEAVE_EDIT)
def record_leave(
    work: Work, *, key: str, rep_id: int, from_on: date | None, until_on: date | None, note: str = ""
) -> int:  # fmt: skip
    """Keep a leave, both days counted; return its number. A second call with the same `key` returns the first.

    Raises NotFound outside the scope, InvalidFields where the days are none, too many, or taken already.
    """
    before = saved_before(work, key=key, command="record_leave")
    if before is not None:
        return before
    if work.session.get(Rep, rep_id) is None or not work.actor.scope.allows_rep(rep_id):
        raise NotFound(kind=REP, number=rep_id)
    if from_on is None or until_on is None:
        raise InvalidFields({"from_on": _("This is needed.")})
    if until_on < from_on:
        raise InvalidFields({"until_on": _("The last day comes before the first.")})
    if until_on - from_on >= LONGEST:
        raise InvalidFields({"until_on": _("A leave has at most 366 days; keep a longer one in parts.")})
    if len(note.strip()) > LONGEST_NOTE:
        raise InvalidFields({"note": _("At most {n} characters, please.", n=LONGEST_NOTE)})
    known = work.session.exec(select(RepLeave).where(RepLeave.rep_id == rep_id)).all()
    if any(one.from_on <= until_on and from_on <= one.until_on for one in known):
        raise InvalidFields({"from_on": _("Some of these days are kept as leave already.")})
    leave = RepLeave(rep_id=rep_id, from_on=from_on, until_on=until_on, note=note.strip())
    work.session.add(leave)
    work.session.flush()
    assert leave.id is not None  # noqa: S101 - just flushed
    remember(work, key=key, command="record_leave", record_id=leave.id)
    return leave.id


@command(Action.LEAVE_EDIT)
def take_back_leave(work: Work, *, leave_id: int, version: int) -> None:
    """Take a leave away again. Raises NotFound, EditedMeanwhile."""
    work.session.delete(get_visible(work, RepLeave, leave_id, version=version))
