"""Keeping what somebody typed and has not sent yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlmodel import select

from core.access.actions import Action
from core.gate import command
from core.model import Draft

if TYPE_CHECKING:
    from core.db.work import Work


@command(Action.ACCOUNT)
def save_draft(work: Work, *, form: str, values: dict[str, Any]) -> None:
    """Keep `values` (plain JSON) as the actor's draft of `form`, in place of an earlier one."""
    draft = _draft(work, form)
    if draft is None:
        draft = Draft(user_id=cast("int", work.actor.user_id), form=form, values=values, saved_at=work.now)
    draft.values, draft.saved_at = dict(values), work.now
    work.session.add(draft)


@command(Action.ACCOUNT)
def clear_draft(work: Work, *, form: str) -> None:
    """Throw the actor's draft of `form` away; harmless where there is none."""
    draft = _draft(work, form)
    if draft is not None:
        work.session.delete(draft)


def _draft(work: Work, form: str) -> Draft | None:
    return work.session.exec(select(Draft).where(Draft.user_id == work.actor.user_id, Draft.form == form)).one_or_none()
