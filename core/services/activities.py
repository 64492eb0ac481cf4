"""Logging meetings with customers, done or due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, cast

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.stages import ActivityKind
from core.errors import InvalidFields, SalesError
from core.gate import command
from core.i18n import N_, _
from core.model import Activity, Contact, Customer, Deal
from core.services.customers import CustomerFields, add_customer, choose_owner, lengths_exceeded
from core.services.deal_history import DayInTheFuture, instant_of
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from datetime import date

    from core.db.work import Work

_LONGEST = {"subject": 200, "note": 4000}


class AlreadyDone(SalesError):
    """A done activity has no due day to move and cannot be done twice."""

    text = N_("This activity is done already.")


class ActivitySnapshot(TypedDict):
    """All that brings a deleted activity back."""

    kind: ActivityKind
    subject: str
    note: str
    customer_id: int
    contact_id: int | None
    deal_id: int | None
    rep_id: int
    due_on: date | None
    done_at: Any


@command(Action.ACTIVITY_LOG)
def log_activity(
    work: Work,
    *,
    key: str,
    kind: ActivityKind,
    customer_id: int | None = None,
    new_customer: CustomerFields | None = None,
    deal_id: int | None = None,
    contact_id: int | None = None,
    subject: str = "",
    note: str = "",
    done_on: date | None = None,
    due_on: date | None = None,
    rep_id: int | None = None,
) -> Activity:
    """Keep a meeting that took place on `done_on` (today by default), or one due on `due_on`.

    The customer is chosen, new, or the deal's. Raises NotFound outside the scope, InvalidFields
    (no customer, a done day in the future, a due day in the past, a contact or deal of another
    customer, nobody responsible). A second call with the same `key` returns the first activity.
    """
    before = saved_before(work, key=key, command="log_activity")
    if before is not None:
        return get_visible(work, Activity, before)
    deal = get_visible(work, Deal, deal_id) if deal_id is not None else None
    if deal is not None and customer_id is None and new_customer is None:
        customer_id = deal.customer_id
    problems = lengths_exceeded({"subject": subject, "note": note}, _LONGEST)
    problems |= _problems_of_place(work, customer_id, new_customer, deal, contact_id)
    problems |= _problems_of_days(work, done_on, due_on)
    if problems:
        raise InvalidFields(problems)
    done_at = None if due_on is not None else instant_of(work, done_on)
    responsible = choose_owner(work, rep_id if rep_id is not None else _fallback_rep(work, deal))
    if new_customer is not None:
        customer_id = add_customer(work, new_customer, owner_id=responsible, prefix="customer_").id
    else:
        customer_id = get_visible(work, Customer, customer_id).id
    activity = Activity(
        kind=kind,
        subject=subject.strip(),
        note=note.strip(),
        customer_id=customer_id,
        contact_id=contact_id,
        deal_id=deal_id,
        rep_id=responsible,
        due_on=due_on,
        done_at=done_at,
    )
    work.session.add(activity)
    work.session.flush()
    remember(work, key=key, command="log_activity", record_id=activity.id)
    return activity


def _problems_of_place(
    work: Work,
    customer_id: int | None,
    new_customer: CustomerFields | None,
    deal: Deal | None,
    contact_id: int | None,
) -> dict[str, str]:
    found = {}
    if customer_id is None and new_customer is None:
        found["customer_id"] = _("Please choose a customer.")
    if deal is not None and customer_id != deal.customer_id:
        found["deal_id"] = _("This deal is with another customer.")
    if contact_id is not None and get_visible(work, Contact, contact_id).customer_id != customer_id:
        found["contact_id"] = _("This contact is at another customer.")
    return found


def _problems_of_days(work: Work, done_on: date | None, due_on: date | None) -> dict[str, str]:
    if due_on is not None and done_on is not None:
        return {"due_on": _("An activity is either done or due.")}
    if due_on is not None and due_on < work.today:
        return {"due_on": _("A due day cannot lie in the past.")}
    if done_on is not None and done_on > work.today:
        return {"done_on": DayInTheFuture().message()}
    return {}


def _fallback_rep(work: Work, deal: Deal | None) -> int | None:
    return deal.owner_id if work.actor.rep_id is None and deal is not None else None


@command(Action.ACTIVITY_LOG)
def complete_activity(
    work: Work, *, activity_id: int, version: int, done_on: date | None = None, note: str | None = None
) -> Activity:
    """Say that a due activity took place. Raises NotFound, EditedMeanwhile, AlreadyDone, DayInTheFuture."""
    activity = get_visible(work, Activity, activity_id, version=version)
    if activity.done_at is not None:
        raise AlreadyDone
    activity.done_at = instant_of(work, done_on)
    if note is not None:
        activity.note = note.strip()
    work.session.add(activity)
    return activity


@command(Action.ACTIVITY_LOG)
def reopen_activity(work: Work, *, activity_id: int, version: int) -> Activity:
    """Take back that an activity is done (the undo of `complete_activity`); it is due again.

    Raises NotFound, EditedMeanwhile, InvalidFields where it never had a due day.
    """
    activity = get_visible(work, Activity, activity_id, version=version)
    if activity.due_on is None:
        raise InvalidFields({"due_on": _("This activity never had a due day.")})
    activity.done_at = None
    work.session.add(activity)
    return activity


@command(Action.ACTIVITY_LOG)
def reschedule_activity(work: Work, *, activity_id: int, version: int, due_on: date) -> Activity:
    """Move a due activity to another day. Raises NotFound, EditedMeanwhile, AlreadyDone, InvalidFields."""
    activity = get_visible(work, Activity, activity_id, version=version)
    if activity.done_at is not None:
        raise AlreadyDone
    if due_on < work.today:
        raise InvalidFields({"due_on": _("A due day cannot lie in the past.")})
    activity.due_on = due_on
    work.session.add(activity)
    return activity


@command(Action.ACTIVITY_LOG)
def delete_activity(work: Work, *, activity_id: int, version: int) -> ActivitySnapshot:
    """Delete an activity and return what `restore_activity` needs. Raises NotFound, EditedMeanwhile."""
    activity = get_visible(work, Activity, activity_id, version=version)
    work.session.delete(activity)
    return cast("ActivitySnapshot", {name: getattr(activity, name) for name in ActivitySnapshot.__annotations__})


@command(Action.ACTIVITY_LOG)
def restore_activity(work: Work, *, key: str, snapshot: ActivitySnapshot) -> Activity:
    """Bring a deleted activity back, once for a `key`. Raises NotFound, ScopeLeft."""
    before = saved_before(work, key=key, command="restore_activity")
    if before is not None:
        return get_visible(work, Activity, before)
    get_visible(work, Customer, snapshot["customer_id"])
    if snapshot["deal_id"] is not None:
        get_visible(work, Deal, snapshot["deal_id"])
    activity = Activity(**snapshot)
    work.session.add(activity)
    work.session.flush()
    remember(work, key=key, command="restore_activity", record_id=activity.id)
    return activity
