"""The facts as they stood at the end of a past day, for every statement that is written for today's.

Source: docs/methods/as-of.md. A deal is in the state of that day, its stays and moves end with the day, and today is
the day after; so a question asked of these facts is answered as it would have been the next morning.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache, lru_cache
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
from core.analytics.as_of import rated, state_conditions, weighted, worth
from core.analytics.facts import Facts, shares_known
from core.analytics.filters import NO_FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import CTE, ColumnElement, FromClause, Select, Subquery

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
    return Standpoint(_past_facts(facts, as_of, until.replace(tzinfo=None)), as_of.on + timedelta(days=1))


@lru_cache(maxsize=64)
def _past_facts(facts: Facts, as_of: AsOf, until: datetime) -> PastFacts:
    """Return the facts of a past day, kept as those of today are (by scope): to write them takes milliseconds."""
    return PastFacts(facts, as_of, until)


@cache
def _everyone() -> Facts:
    return Facts(Scope.everything())


class _Late(NamedTuple):
    """The deals of which not all moves were known on a day, and their stays as they were known."""

    deals: Select[tuple[int]]
    stays: CTE


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
        late = self.late_moves.c
        unknown = (
            select(late.id, late.deal_id)
            .where(late.known_on > as_of.on, late.moved_on <= as_of.on)
            .cte(f"unknown_{facts.scope.reach}")
        )
        moves = select(self.known_moves).where(self.known_moves.c.moved_on <= as_of.on)
        if as_of.known == "then":
            moves = moves.where(self.known_moves.c.id.not_in(select(unknown.c.id)))
        self.moves = moves.subquery("moves_then")
        self._late: _Late | None = None
        if as_of.known == "then":
            deals = select(unknown.c.deal_id)
            stays = select(*_replayed(self, deals)).cte(f"replayed_{facts.scope.reach}")
            self._late = _Late(deals, stays)
        self.spans = self._cut(self.known_spans)
        states = self.states.c
        of_the_day = (states.from_on <= as_of.on, states.until_on > as_of.on)
        stood = select(self.states).where(*of_the_day, *state_conditions(self, NO_FILTERS, as_of.known))
        self._stood = stood.subquery("stood")
        self.deals = self._deals(as_of)
        self.customers = self.known_customers
        changes = self._any_changes.c
        known = select(self._any_changes).where(changes.changed_at < self._until)
        if self.scope.reach is not Reach.ALL:
            known = known.where(changes.deal_id.in_(select(self._stood.c.deal_id)))
        self.changes = known.subquery("changes_then")
        activities = self.activities
        self.activities = select(activities).where(activities.c.done_on <= as_of.on).subquery("done")

    def of_everyone(self) -> Facts:
        """Return the facts of the same day in the scope that holds everything."""
        return self if self.scope.reach is Reach.ALL else _past_facts(_everyone(), *self._end)

    def stays_of_won(self) -> Subquery:
        """Return the stays of the deals that were won; said by their stages, of which DuckDB sees how few they are."""
        stood, stages = self._stood.c, self.stages.c
        won = select(stood.deal_id).where(stood.stage_id.in_(select(stages.id).where(stages.kind == "won")))
        return self._cut(self._any_spans, lambda stay: stay.deal_id.in_(won), name="stays_of_won")

    def stands(self, state: str) -> ColumnElement[bool]:
        """Return whether a deal of `deals` was in a state, said twice so that DuckDB sees how few they are."""
        deals = self.deals.c
        return ~deals.is_open if state == "decided" else and_(deals[f"is_{state}"], deals.state == state)

    def moved_since(self, day: date) -> ColumnElement[bool]:
        """Return the same by the state of the day, than which no move is younger."""
        moved: ColumnElement[bool] = self.deals.c.state_from_on >= day
        return moved

    def ended(self, stays: FromClause) -> ColumnElement[bool]:
        """Return whether a stay of `spans` or `stays_of_won` was over."""
        over: ColumnElement[bool] = stays.c.is_over
        return over

    def _cut(
        self, stays: FromClause, *when: Callable[[Any], ColumnElement[bool]], name: str = "spans_then"
    ) -> Subquery:
        """Return those of `stays` that had begun, as they stood; `when`: conditions, of the stays as they are now.

        `is_over` says of the instants themselves what `left_at` says, so that stays that went on are never read.
        """
        spans = stays.c
        goes_on = self._goes_on(spans)
        arrived_later = func.epoch(spans.entered_at) + spans.advance_seconds >= func.epoch(self._until)
        cut: dict[str, ColumnElement[Any]] = {
            "left_at": case((goes_on, null()), else_=spans.left_at),
            "seconds": case((goes_on, null()), else_=spans.seconds),
            "next_same_at": case((spans.next_same_at >= self._until, null()), else_=spans.next_same_at),
            "advance_seconds": case((arrived_later, null()), else_=spans.advance_seconds),
        }
        over = and_(spans.left_at.is_not(None), spans.left_at < self._until)
        now = select(*(cut.get(c.name, c).label(c.name) for c in spans), over.label("is_over")).where(
            spans.entered_at < self._until, *(each(spans) for each in when)
        )
        if self._late is None:
            return now.subquery(name)
        late = self._late.stays.c
        now = now.where(spans.deal_id.not_in(self._late.deals))
        replayed = select(*(late[c.name] for c in spans), late.left_at.is_not(None).label("is_over"))
        return now.union_all(replayed.where(*(each(late) for each in when))).subquery(name)

    def _goes_on(self, spans: Any) -> ColumnElement[bool]:
        return or_(spans.left_at.is_(None), spans.left_at >= self._until)

    def _was_lost(self, spans: Any) -> ColumnElement[bool]:
        """Return whether a stay among the lost was over, and the last of those that began at one instant."""
        return and_(spans.kind == "lost", spans.left_at < self._until, spans.left_at > spans.entered_at)

    def _opened(self) -> FromClause:
        """Return when deals were opened, as was known on the day, in no scope; of two, so that it is narrowed early."""
        if self._late is None:
            return self._any_deals
        deals, late, stays = self._any_deals, self._any_deals.alias("late_deals").c, self._late.stays.c
        began = (
            select(
                stays.deal_id,
                func.min(stays.entered_at).label("opened_at"),
                func.min(stays.entered_on).label("opened_on"),
            )
            .group_by(stays.deal_id)
            .subquery("began")
        )
        known = select(deals.c.id, deals.c.opened_at, deals.c.opened_on).where(deals.c.id.not_in(self._late.deals))
        then = select(late.id, began.c.opened_at, began.c.opened_on).join(began, began.c.deal_id == late.id)
        return known.union_all(then).subquery("opened_then")

    def _began(self) -> Subquery:
        """Return when deals of which not all moves were known were opened, as was known on the day: few."""
        moves, late = self.moves.c, self._late
        known = select(moves.deal_id, func.min(moves.moved_at).label("opened_at")).group_by(moves.deal_id)
        return (known if late is None else known.where(moves.deal_id.in_(late.deals))).subquery("late_began")

    def _stay(self, deal_id: ColumnElement[int]) -> tuple[dict[str, ColumnElement[Any]], Join]:
        """Return what is asked of the stay in which a deal stood, and what joins it; late deals have their own."""
        any_spans, names = self._any_spans.c, ("furthest", "entered_at", "entered_on", "lost_reason_id")
        stay = (
            select(any_spans.deal_id, *(any_spans[name] for name in names))
            .where(any_spans.entered_at < self._until, self._goes_on(any_spans))
            .subquery("stay_then")
        )
        here = stay.c.deal_id == deal_id
        if self._late is None:
            return {name: stay.c[name] for name in names}, lambda left: left.join(stay, here)
        replayed = self._late.stays.c
        late = (
            select(replayed.deal_id, *(replayed[name] for name in names))
            .where(replayed.left_at.is_(None))
            .subquery("late_then")
        )
        own = late.c.deal_id == deal_id
        is_late = late.c.deal_id.is_not(None)
        known: dict[str, ColumnElement[Any]] = {
            name: case((is_late, late.c[name]), else_=stay.c[name]) for name in names
        }
        return known, lambda left: left.join(stay, here).outerjoin(late, own)

    def _deals(self, as_of: AsOf) -> Subquery:
        """Return the deals of the day; a statement that asks for some columns alone goes without the rest's tables."""
        stood, marks, rates = self._stood, self._any_deals, self.rates.alias("rate_then")
        s, d, stages, reps = stood.c, marks.c, self.stages.alias("stage_then"), self.reps.alias("rep_then")
        stay, join_stay = self._stay(s.deal_id)
        opened, began = self._opened(), self._began()
        o = opened.c
        opened_at = d.opened_at if opened is marks else func.coalesce(began.c.opened_at, d.opened_at)
        earlier = self._cut(self._any_spans, self._was_lost, name="lost_earlier")
        lost = and_(~s.is_open, ~s.is_won)
        reason = func.coalesce(
            case((stay["entered_at"] == s.closed_at, stay["lost_reason_id"])),
            earlier.c.lost_reason_id,
            d.lost_reason_id,
        )
        base = stood.join(stages, stages.c.id == s.stage_id)
        is_rated = rated(rates, s, as_of)
        value = worth(s.amount, s.currency, rates.c.rate)
        joins: dict[str, Join] = {
            "deal": lambda left: left.join(marks, d.id == s.deal_id),
            "opened": lambda left: left if opened is marks else left.join(opened, o.id == s.deal_id),
            "began": lambda left: left.outerjoin(began, began.c.deal_id == s.deal_id),
            "stay": join_stay,
            "rep": lambda left: left.outerjoin(reps, reps.c.id == s.credit_id),
            "reason": lambda left: left.outerjoin(
                earlier, and_(earlier.c.deal_id == s.deal_id, earlier.c.entered_at == s.closed_at)
            ),
            "rate": lambda left: left.outerjoin(rates, is_rated),
        }
        credited = case((s.is_won, s.credit_id))
        columns: dict[str, ColumnElement[Any]] = {
            "id": s.deal_id, "name": d.name, "auto_named": d.auto_named, "pipeline_id": stages.c.pipeline_id,
            "stage_id": s.stage_id, "position": stages.c.position, "furthest": stay["furthest"],
            "owner_id": s.credit_id, "credited_id": credited, "credit_id": s.credit_id, "team_id": reps.c.team_id,
            "credited_team_id": case((s.is_won, reps.c.team_id)), "credit_team_id": reps.c.team_id,
            "customer_id": s.customer_id, "territory_id": d.territory_id, "channel_id": d.channel_id,
            "product_id": d.product_id,
            "lost_reason_id": case((lost, reason)),
            "expected_days": stages.c.expected_days, "state": stages.c.kind, "segment": d.segment,
            "is_open": s.is_open, "is_won": s.is_won, "is_lost": lost, "state_from_on": s.from_on,
            "industry": literal_column("''", String), "competitor": d.competitor, "amount": value,
            "cost": case((and_(s.is_won, s.closed_at == d.closed_at), d.cost)),
            "weighted": case((s.is_open, weighted(value, stages)), else_=0), "probability": stages.c.probability,
            "opened_at": o.opened_at, "closed_at": s.closed_at, "stage_entered_at": stay["entered_at"],
            "opened_on": o.opened_on, "closed_on": s.closed_on, "stage_entered_on": stay["entered_on"],
            "expected_close_on": s.expected_close_on, "last_activity_on": cast(null(), Date),
            "cycle_days": (func.epoch(s.closed_at) - func.epoch(opened_at)) / literal_column("86400.0"),
        }  # fmt: skip
        needs = {
            **dict.fromkeys(("amount", "weighted"), ("rate",)),
            **dict.fromkeys(("name", "auto_named", "territory_id", "channel_id", "product_id"), ("deal",)),
            **dict.fromkeys(("segment", "competitor", "cost"), ("deal",)),
            **dict.fromkeys(("furthest", "stage_entered_at", "stage_entered_on"), ("stay",)),
            **dict.fromkeys(("team_id", "credited_team_id", "credit_team_id"), ("rep",)),
            **dict.fromkeys(("opened_at", "opened_on"), ("deal",) if opened is marks else ("opened",)),
            "cycle_days": ("deal",) if opened is marks else ("deal", "began"),
            "lost_reason_id": ("deal", "stay", "reason"),
        }
        return lean.made_of(base, joins, columns, needs, name="deals_then")


def _replayed(facts: PastFacts, deals: Any) -> list[ColumnElement[Any]]:
    """Return the columns of the mirror's spans, made anew of the known moves of some deals (as `mirror_load` does)."""
    m, stages = facts.moves.c, facts.stages.alias("stage_replayed")
    deal: dict[str, Any] = {"partition_by": m.deal_id, "order_by": (m.moved_at, m.id)}
    reached = func.max(case((m.to_kind != "lost", m.to_position))).over(**deal, rows=(None, 0))
    stays = (
        select(
            m.deal_id, stages.c.pipeline_id, m.to_stage_id.label("stage_id"), m.to_position.label("position"),
            m.to_kind.label("kind"), m.id, m.from_stage_id, m.lost_reason_id, m.moved_at.label("entered_at"),
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
        "move_id": timed.id,
        "next_same_at": func.lead(timed.entered_at).over(**same),
        "seconds_before": cast(earlier, BigInteger),
        "furthest_before": cast(timed.furthest_before, SmallInteger),
        "advance_seconds": case((arrives, advance)),
    }
    return [(made[c.name] if c.name in made else timed[c.name]).label(c.name) for c in facts.known_spans.c]
