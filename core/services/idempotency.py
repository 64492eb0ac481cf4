"""Forms that may arrive twice: the second arrival finds the first one's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import select

from core.model import IdempotencyKey

if TYPE_CHECKING:
    from core.db.work import Work


def saved_before(work: Work, *, key: str, command: str) -> int | None:
    """Return the number of the record that this form's key made, where it already came in."""
    statement = select(IdempotencyKey).where(
        IdempotencyKey.key == key,
        IdempotencyKey.command == command,
        IdempotencyKey.user_id == work.actor.user_id,
    )
    found = work.session.exec(statement).one_or_none()
    return None if found is None else found.record_id


def remember(work: Work, *, key: str, command: str, record_id: int) -> None:
    """Keep the form's key with the record that it made, in the same transaction."""
    work.session.add(
        IdempotencyKey(
            key=key,
            user_id=work.actor.user_id,
            command=command,
            record_id=record_id,
            at=work.now,
        )
    )
