"""The facts as they stood at the end of a past day, for every statement that is written for today's.

Source: docs/methods/as-of.md. A deal is in the state of that day, its stays and moves end with the day, and today is
the day after; so a question asked of these facts is answered as it would have been the next morning.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Integer,
    SmallInteger,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
)

from core.access.actors import Reach, Scope
from core.analytics import lean
from core.analytics.as_of import states_on
from core.analytics.facts import Facts, shares_known
from core.analytics.filters import NO_FILTERS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Subquery

    from core.analytics.as_of import AsOf
    from core.analytics.lean import Join

DAY_SECONDS = 86_400.0


class Standpoint(NamedTuple):
    """Which facts a question is asked of, and the day that is today for them."""

    facts: Facts
    today: date


def standpoint(facts: Facts, as_of: AsOf | None, *, today: date, until: datetime | None) -> Standpoint:
    """Return today's facts, or those of the end of a day; `until`: the instant (UTC) at which that day ended."""
    if as_of is None or until is None:
        return Standpoint(facts, today)
    return Standpoint(PastFacts(facts, as_of, until.replace(tzinfo=None)), as_of.on + timedelta(days=1))


class PastFacts(Facts):
    """Deals, stays, moves and activities as they stood at the end of a day, in the same scope.

    A win that still stands cost what it cost. What has no history is today's: teams, territories, products, channels,
    segments, competitors, quotas. Activities count by the day on which they were done, in either reading.
    `last_activity_on` and `industry` are not known.
    """

    def __init__(self, facts: Facts, as_of: AsOf, until: datetime) -> None:
        super().__init__(facts.scope)
        self._end = (as_of, until)
        self._until = literal(until, DateTime)
        if as_of.known == "then":
            self.shares = shares_known(as_of.on)
        self._unknown = (
            select(self.late_moves.c.id, self.late_moves.c.deal_id)
            .where(self.late_moves.c.known_on > as_of.on)
            .cte(f"unknown_{facts.scope.reach}")
            if as_of.known == "then"
            else None
        )
        self.moves = self._moves(as_of.on)
        self.spans = self._spans()
        self.deals = self._deals(as_of)
        self.customers = self.known_customers
        activities = self.activities
        self.activities = select(activities).where(activities.c.done_on <= as_of.on).subquery("done")

    def of_everyone(self) -> Facts:
        """Return the facts of the same day in the scope that holds everything."""
        return self if self.scope.reach is Reach.ALL else PastFacts(Facts(Scope.everything()), *self._end)

    def _moves(self, on: date) -> Subquery:
        moves = self.known_moves.c
        known = [moves.moved_on <= on]
        if self._unknown is not None:
            known.append(moves.id.not_in(select(self._unknown.c.id)))
        return select(self.known_moves).where(*known).subquery("moves_then")

    def _spans(self) -> Subquery:
        spans = self.known_spans.c
        goes_on = or_(spans.left_at.is_(None), spans.left_at >= self._until)
        arrived_later = func.epoch(spans.entered_at) + spans.advance_seconds >= func.epoch(self._until)
        cut: dict[str, ColumnElement[Any]] = {
            "left_at": case((goes_on, null()), else_=spans.left_at),
            "seconds": case((goes_on, null()), else_=spans.seconds),
            "next_same_at": case((spans.next_same_at >= self._until, null()), else_=spans.next_same_at),
            "advance_seconds": case((arrived_later, null()), else_=spans.advance_seconds),
        }
        now = select(*(cut.get(c.name, c).label(c.name) for c in spans)).where(spans.entered_at < self._until)
        if self._unknown is None:
            return now.subquery("spans_then")
        now = now.where(spans.deal_id.not_in(select(self._unknown.c.deal_id)))
        return now.union_all(select(*_replayed(self, select(self._unknown.c.deal_id)))).subquery("spans_then")

    def _deals(self, as_of: AsOf) -> Subquery:
        """Return the deals of the day; a statement that asks for some columns alone goes without the rest's tables."""
        stood = states_on(self, as_of, NO_FILTERS, name="stood")
        s, d, stages, reps = stood.c, self.known_deals.c, self.stages.alias("stage_then"), self.reps.alias("rep_then")
        spans = self.spans.alias("stay_then")
        reason = self._reasons()
        lost = and_(~s.is_open, ~s.is_won)
        opened_at: ColumnElement[Any] = d.opened_at
        opened_on: ColumnElement[Any] = d.opened_on
        base = stood.join(stages, stages.c.id == s.stage_id)
        joins: dict[str, Join] = {
            "deal": lambda left: left.join(self.known_deals, d.id == s.deal_id),
            "stay": lambda left: left.join(spans, and_(spans.c.deal_id == s.deal_id, spans.c.left_at.is_(None))),
            "rep": lambda left: left.outerjoin(reps, reps.c.id == s.credit_id),
            "reason": lambda left: left.outerjoin(
                reason, and_(reason.c.deal_id == s.deal_id, reason.c.moved_at == s.closed_at)
            ),
        }
        opening: tuple[str, ...] = ("deal",)
        if self._unknown is not None:
            began = _began(self, select(self._unknown.c.deal_id))
            joins["began"] = lambda left: left.outerjoin(began, began.c.deal_id == s.deal_id)
            opened_at, opened_on = (
                func.coalesce(began.c.opened_at, opened_at), func.coalesce(began.c.opened_on, opened_on)
            )  # fmt: skip
            opening = ("deal", "began")
        credited = case((s.is_won, s.credit_id))
        columns: dict[str, ColumnElement[Any]] = {
            "id": s.deal_id, "name": d.name, "auto_named": d.auto_named, "pipeline_id": stages.c.pipeline_id,
            "stage_id": s.stage_id, "position": stages.c.position, "furthest": spans.c.furthest,
            "owner_id": s.credit_id, "credited_id": credited, "credit_id": s.credit_id, "team_id": reps.c.team_id,
            "credited_team_id": case((s.is_won, reps.c.team_id)), "credit_team_id": reps.c.team_id,
            "customer_id": d.customer_id, "territory_id": d.territory_id, "channel_id": d.channel_id,
            "product_id": d.product_id,
            "lost_reason_id": case((lost, func.coalesce(reason.c.lost_reason_id, d.lost_reason_id))),
            "expected_days": stages.c.expected_days, "state": stages.c.kind, "segment": d.segment,
            "industry": literal_column("''", String), "competitor": d.competitor, "amount": s.value,
            "cost": case((and_(s.is_won, s.closed_at == d.closed_at), d.cost)),
            "weighted": case((s.is_open, s.weighted), else_=0), "probability": stages.c.probability,
            "opened_at": opened_at, "closed_at": s.closed_at, "stage_entered_at": spans.c.entered_at,
            "opened_on": opened_on, "closed_on": s.closed_on, "stage_entered_on": spans.c.entered_on,
            "expected_close_on": s.expected_close_on, "last_activity_on": cast(null(), Date),
            "cycle_days": (func.epoch(s.closed_at) - func.epoch(opened_at)) / literal_column("86400.0"),
        }  # fmt: skip
        needs = {
            **dict.fromkeys(
                ("name", "auto_named", "customer_id", "territory_id", "channel_id", "product_id"), ("deal",)
            ),
            **dict.fromkeys(("segment", "competitor", "cost"), ("deal",)),
            **dict.fromkeys(("furthest", "stage_entered_at", "stage_entered_on"), ("stay",)),
            **dict.fromkeys(("team_id", "credited_team_id", "credit_team_id"), ("rep",)),
            **dict.fromkeys(("opened_at", "opened_on", "cycle_days"), opening),
            "lost_reason_id": ("deal", "reason"),
        }
        return lean.made_of(base, joins, columns, needs, name="deals_then")

    def _reasons(self) -> Subquery:
        """Return why a deal was lost at an instant, by the move that lost it."""
        moves = self.moves.c
        return (
            select(moves.deal_id, moves.moved_at, func.any_value(moves.lost_reason_id).label("lost_reason_id"))
            .where(moves.to_kind == "lost")
            .group_by(moves.deal_id, moves.moved_at)
            .subquery("reason_then")
        )


def _began(facts: PastFacts, deals: Any) -> Subquery:
    """Return when the deals of which not all moves were known had been opened, as it was known."""
    moves = facts.moves.c
    return (
        select(
            moves.deal_id,
            func.min(moves.moved_at).label("opened_at"),
            func.min(moves.moved_on).label("opened_on"),
        )
        .where(moves.deal_id.in_(deals))
        .group_by(moves.deal_id)
        .subquery("began")
    )


def _replayed(facts: PastFacts, deals: Any) -> list[ColumnElement[Any]]:
    """Return the columns of the mirror's spans, made anew of the known moves of some deals (as `mirror_load` does)."""
    m, stages = facts.moves.c, facts.stages.alias("stage_replayed")
    deal: dict[str, Any] = {"partition_by": m.deal_id, "order_by": (m.moved_at, m.id)}
    reached = func.max(case((m.to_kind != "lost", m.to_position))).over(**deal, rows=(None, 0))
    stays = (
        select(
            m.deal_id, stages.c.pipeline_id, m.to_stage_id.label("stage_id"), m.to_position.label("position"),
            m.to_kind.label("kind"), m.id, m.moved_at.label("entered_at"),
            func.lead(m.moved_at).over(**deal).label("left_at"), m.moved_on.label("entered_on"),
            func.greatest(func.coalesce(reached, 1), 1).label("furthest"),
        )
        .select_from(facts.moves.join(stages, stages.c.id == m.to_stage_id))
        .where(m.deal_id.in_(deals))
        .subquery("stays_replayed")
    )  # fmt: skip
    t = stays.c
    order = (t.entered_at, t.id)
    before = func.coalesce(func.lag(t.furthest).over(partition_by=t.deal_id, order_by=order), 0)
    seconds = cast(func.epoch(t.left_at) - func.epoch(t.entered_at), BigInteger)
    timed = select(*t, seconds.label("seconds"), before.label("furthest_before")).subquery("timed_replayed").c
    same: dict[str, Any] = {"partition_by": (timed.deal_id, timed.stage_id), "order_by": (timed.entered_at, timed.id)}
    arrives = timed.furthest > timed.furthest_before
    next_arrival = func.lead(timed.entered_at).over(
        partition_by=(timed.deal_id, arrives), order_by=(timed.entered_at, timed.id)
    )
    advance = cast(func.epoch(next_arrival) - func.epoch(timed.entered_at), Integer)
    earlier = func.coalesce(func.sum(timed.seconds).over(**same, rows=(None, -1)), 0)
    made: dict[str, ColumnElement[Any]] = {
        "owner_id": cast(null(), Integer),
        "credited_id": cast(null(), Integer),
        "next_same_at": func.lead(timed.entered_at).over(**same),
        "seconds_before": cast(earlier, BigInteger),
        "furthest_before": cast(timed.furthest_before, SmallInteger),
        "advance_seconds": case((arrives, advance)),
    }
    return [(made[c.name] if c.name in made else timed[c.name]).label(c.name) for c in facts.known_spans.c]
