"""Who is credited with a deal in parts, now and before."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import select

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.money import allocate, from_minor, to_minor
from core.domain.periods import day_of
from core.gate import query
from core.i18n import format_rate
from core.model import CreditShare, Deal, Rep
from core.queries.reference import Choice, choices_by_name, rep_names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal

    from sqlmodel import Session

    from core.db.work import Work

WHOLE = 10_000


@dataclass(frozen=True)
class CreditRow:
    """Somebody's part of a deal: the share in ten-thousandths, and the amount in the base currency."""

    rep_id: int
    name: str
    share: int
    amount: Decimal


@dataclass(frozen=True)
class CreditRecord:
    """The parts of a deal as they are now, none where it counts whole for its winner, and who could have one."""

    parts: tuple[CreditRow, ...]
    people: tuple[Choice, ...]


class CreditEvent(NamedTuple):
    """A split that was said: since when it is so, when and by which user it was written down, and what stood before."""

    at: datetime
    recorded_at: datetime
    by_user_id: int | None
    before: str
    after: str


@query(Action.DEAL_VIEW)
def credit_record(work: Work, *, deal_id: int) -> CreditRecord:
    """Return a deal's parts, the largest first, and the reps who had not left when it was won. Raises NotFound."""
    deal = get_visible(work, Deal, deal_id)
    found = work.session.scalars(
        select(CreditShare)
        .where(cast("Any", CreditShare.deal_id) == deal_id, cast("Any", CreditShare.until_at).is_(None))
        .order_by(cast("Any", CreditShare.rep_id))
    ).all()
    names = rep_names(work.session)
    spread = allocate(to_minor(deal.base_amount), [row.share for row in found])
    rows = [
        CreditRow(row.rep_id, names.get(row.rep_id, ""), row.share, from_minor(part))
        for row, part in zip(found, spread, strict=True)
    ]
    on = work.today if deal.closed_at is None else day_of(deal.closed_at, work.zone)
    held = {row.rep_id for row in found}
    reps = work.session.scalars(select(Rep)).all()
    there = (rep for rep in reps if rep.left_on is None or rep.left_on >= on or rep.id in held)
    return CreditRecord(tuple(sorted(rows, key=lambda row: -row.share)), choices_by_name(there))


def credit_events(session: Session, deal_id: int, names: dict[int, str]) -> list[CreditEvent]:
    """Return every split that was said of a deal, in order; `before` and `after` name people and shares."""
    rows = list(session.scalars(select(CreditShare).where(cast("Any", CreditShare.deal_id) == deal_id)))
    said: dict[datetime, list[CreditShare]] = defaultdict(list)
    for row in rows:
        said[row.recorded_at].append(row)
    ends = {row.until_at for row in rows if row.until_at is not None}
    found, before = [], ""
    for at in sorted({*said, *ends}):
        now = said.get(at, [])
        after = shares_said((names.get(row.rep_id, ""), row.share) for row in now)
        first = now[0] if now else None
        found.append(
            CreditEvent(first.effective_at if first else at, at, first.by_user_id if first else None, before, after)
        )
        before = after
    return found


def shares_said(parts: Iterable[tuple[str, int]]) -> str:
    """Return people and their shares as people say it, the largest first."""
    ordered = sorted(parts, key=lambda part: (-part[1], part[0]))
    return ", ".join(f"{name} {format_rate(share / WHOLE, 2 if share % 100 else 0)}" for name, share in ordered)
