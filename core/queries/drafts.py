"""Reading what somebody typed and has not sent yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

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


@query(Action.ACCOUNT)
def kept_drafts(work: Work, *, forms: tuple[str, ...]) -> dict[str, Draft]:
    """Return the actor's drafts of these forms, by the form's name."""
    wanted = cast("Any", Draft.form).in_(forms)
    rows = work.session.exec(select(Draft).where(Draft.user_id == work.actor.user_id, wanted).order_by(Draft.form))
    return {draft.form: draft for draft in rows}
