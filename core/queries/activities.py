"""Reading activities: what is due, and what was done with a customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select

from core.access.actions import Action
from core.domain.names import named
from core.gate import query
from core.model import Activity, Customer
from core.queries.reference import rep_names
from core.queries.titles import titles_of

if TYPE_CHECKING:
    from datetime import date

    from sqlmodel import Session

    from core.db.work import Work


@dataclass(frozen=True)
class ActivityRow:
    """An activity with the names of customer, deal and rep."""

    activity: Activity
    customer: str
    deal: str
    rep: str


@query(Action.ACTIVITY_VIEW, askable=True)
def due_activities(work: Work, *, until: date | None = None, own: bool = False, limit: int = 50) -> list[ActivityRow]:
    """Return what is due up to and with `until` (all, by default), the longest due first.

    `own`: those of the actor's own rep alone.
    """
    activity = cast("Any", Activity)
    statement = select(Activity).where(activity.done_at.is_(None))
    if until is not None:
        statement = statement.where(activity.due_on <= until)
    if own:
        statement = statement.where(activity.rep_id == work.actor.rep_id)
    return _rows_of(
        work.session, list(work.session.scalars(statement.order_by(activity.due_on, activity.id).limit(limit)))
    )


@query(Action.ACTIVITY_VIEW, askable=True)
def activities_of(work: Work, *, customer_id: int, limit: int = 100) -> list[ActivityRow]:
    """Return a customer's activities: due ones first, soonest first, then done ones, latest first."""
    activity = cast("Any", Activity)
    at_customer = select(Activity).where(activity.customer_id == customer_id)
    due = work.session.scalars(at_customer.where(activity.done_at.is_(None)).order_by(activity.due_on).limit(limit))
    done = work.session.scalars(
        at_customer.where(activity.done_at.is_not(None)).order_by(activity.done_at.desc()).limit(limit)
    )
    return _rows_of(work.session, [*due, *done])


def _rows_of(session: Session, activities: list[Activity]) -> list[ActivityRow]:
    """Return activities with their names; what lies outside the scope stays nameless."""
    customers = {
        row.id: named(row)
        for row in session.scalars(
            select(Customer).where(cast("Any", Customer.id).in_({a.customer_id for a in activities}))
        )
    }
    deals = titles_of(session, {a.deal_id for a in activities if a.deal_id})
    reps = rep_names(session)
    return [
        ActivityRow(a, customers.get(a.customer_id, ""), deals.get(a.deal_id or 0, ""), reps.get(a.rep_id, ""))
        for a in activities
    ]
