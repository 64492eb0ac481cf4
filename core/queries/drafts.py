"""Reading what somebody typed and has not sent yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from core.access.actions import Action
from core.gate import query
from core.model import Draft

if TYPE_CHECKING:
    from core.db.work import Work


@query(Action.ACCOUNT)
def kept_draft(work: Work, *, form: str) -> Draft | None:
    """Return the actor's draft of `form`, if there is one."""
    return work.session.exec(select(Draft).where(Draft.user_id == work.actor.user_id, Draft.form == form)).one_or_none()
