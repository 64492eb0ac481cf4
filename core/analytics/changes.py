"""What happened to the deals since an instant: created, advanced, won, lost, slipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import BigInteger, Date, Select, String, and_, cast, func, literal, null, select, union_all

from core.access.actors import Reach
from core.analytics.facts import Statement, spoken, title
from core.analytics.filters import NO_FILTERS, deal_conditions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Subquery

    from core.analytics.facts import Facts

KINDS: Final = ("created", "advanced", "won", "lost", "slipped")


def _events(facts: Facts, since: datetime) -> Subquery:
    deals, moves, changes = facts.deals.c, facts.moves.c, facts.changes.c
    inside = deal_conditions(facts, NO_FILTERS)

    def of_counted(deal_id: ColumnElement[int]) -> list[ColumnElement[bool]]:
        everything = facts.scope.reach is Reach.ALL
        return [] if everything else [deal_id.in_(select(deals.id).where(*inside))]

    def event(kind: str, at: ColumnElement[Any], *steps: Any, of: ColumnElement[int] = deals.id) -> Statement:
        columns = ("from_stage_id", "to_stage_id", "before", "after")
        filled = [*steps, *[null()] * (len(columns) - len(steps))]
        types = (None, None, String, String)
        chosen = [
            (value if kind_of is None else cast(value, kind_of)).label(name)
            for value, kind_of, name in zip(filled, types, columns, strict=True)
        ]
        return select(literal(kind).label("kind"), of.label("deal_id"), at.label("occurred_at"), *chosen)

    parts = [
        event("created", deals.opened_at).where(deals.opened_at >= since, *inside),
        event("won", deals.closed_at).where(deals.state == "won", deals.closed_at >= since, *inside),
        event("lost", deals.closed_at).where(deals.state == "lost", deals.closed_at >= since, *inside),
        _advanced(
            facts, since, event("advanced", moves.moved_at, moves.from_stage_id, moves.to_stage_id, of=moves.deal_id)
        ).where(*of_counted(moves.deal_id)),
        _slipped(
            facts, since,
            event("slipped", changes.changed_at, null(), null(), changes.before, changes.after, of=changes.deal_id),
        ).where(*of_counted(changes.deal_id)),
    ]  # fmt: skip
    return union_all(*parts).subquery("events")


def _advanced(facts: Facts, since: datetime, moved: Select[Any]) -> Select[Any]:
    """Return those of a statement's moves that led from an open stage to a later one, since an instant."""
    moves, came_from = facts.moves.c, facts.stages.alias("came_from")
    return moved.select_from(facts.moves.join(came_from, came_from.c.id == moves.from_stage_id)).where(
        moves.moved_at >= since, came_from.c.kind == "open", moves.to_kind == "open",
        moves.to_position > came_from.c.position,
    )  # fmt: skip


def _slipped(facts: Facts, since: datetime, changed: Select[Any]) -> Select[Any]:
    """Return those of a statement's changes that put the expected close off, since an instant."""
    changes = facts.changes.c
    return changed.where(
        changes.changed_at >= since, changes.field == "expected_close",
        cast(changes.after, Date) > cast(changes.before, Date),
    )  # fmt: skip


def summary(facts: Facts, *, since: datetime) -> Statement:
    """Return `kind`, `count` and `value` (hundredths) of the distinct deals of each kind of event."""
    deals = facts.deals.c
    created, closed = deals.opened_at >= since, and_(deals.state.in_(("won", "lost")), deals.closed_at >= since)
    advanced = deals.id.in_(_advanced(facts, since, select(facts.moves.c.deal_id)))
    slipped = deals.id.in_(_slipped(facts, since, select(facts.changes.c.deal_id)))

    def counted(kind: ColumnElement[str], condition: ColumnElement[bool]) -> Select[str, int, int]:
        value = func.coalesce(cast(func.sum(deals.amount), BigInteger), 0)
        found = select(kind.label("kind"), func.count(deals.id).label("count"), value.label("value"))
        return found.where(condition, *deal_conditions(facts, NO_FILTERS))

    kinds = union_all(
        counted(literal("created"), created),
        counted(literal("advanced"), advanced),
        counted(literal("slipped"), slipped),
        counted(deals.state, closed).group_by(deals.state),
    ).subquery("kinds")
    return select(kinds)


def listed(facts: Facts, *, since: datetime, kind: str | None, limit: int) -> Statement:
    """Return the events, newest first; `amount` in hundredths, `occurred_at` UTC without a zone."""
    deals = facts.deals.c
    found = _events(facts, since)
    newest = select(found) if kind is None else select(found).where(found.c.kind == kind)
    events = newest.order_by(found.c.occurred_at.desc(), found.c.deal_id.desc(), found.c.kind).limit(limit).subquery()
    before, after = facts.stages.alias("stage_before"), facts.stages.alias("stage_after")
    return (
        select(
            events.c.kind, events.c.deal_id,
            title(facts.deals, spoken(facts.customers), spoken(facts.products)).label("name"),
            spoken(facts.customers).label("customer"),
            spoken(facts.reps).label("owner"), deals.amount, events.c.occurred_at,
            spoken(before).label("from_stage"), spoken(after).label("to_stage"),
            func.coalesce(events.c.before, "").label("before"), func.coalesce(events.c.after, "").label("after"),
        )
        .select_from(
            events.join(facts.deals, deals.id == events.c.deal_id)
            .outerjoin(facts.customers, facts.customers.c.id == deals.customer_id)
            .outerjoin(facts.reps, facts.reps.c.id == deals.owner_id)
            .outerjoin(facts.products, facts.products.c.id == deals.product_id)
            .outerjoin(before, before.c.id == events.c.from_stage_id)
            .outerjoin(after, after.c.id == events.c.to_stage_id)
        )
        .order_by(events.c.occurred_at.desc(), events.c.deal_id.desc(), events.c.kind)
    )  # fmt: skip
