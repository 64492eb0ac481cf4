"""Who sold how much: a row for each rep or team, and their ranks.

Credit goes to whoever owned the deal when it was won. Source: docs/methods/credit.md, docs/methods/rank.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from sqlalchemy import BigInteger, Double, and_, case, cast, func, literal, literal_column, or_, select, union_all

from core.access.actors import Reach
from core.analytics.credited import credited
from core.analytics.dimensions import NONE
from core.analytics.facts import Facts, Statement, spoken
from core.analytics.filters import Filters, deal_conditions, people_conditions
from core.analytics.kpis import decided_columns, margin_columns
from core.analytics.period_totals import sum_of
from core.analytics.quotas import owed, owing
from core.analytics.selection import inside, is_counted
from core.analytics.team_parts import TeamPart, part_key, said_part

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy import ColumnElement, FromClause

    from core.domain.periods import Period

Measure = Literal[
    "booked", "attainment", "win_rate", "won_count", "average_deal", "cycle_days", "activities", "margin", "margin_rate"
]  # fmt: skip
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
LEAST_FIRST: Final = frozenset({"cycle_days"})
OF_COSTS: Final = frozenset({"margin", "margin_rate"})
"""Measures for those alone who may see what things cost. Source: docs/methods/margin.md."""
By = Literal["rep", "team"]


@dataclass(frozen=True)
class Contest:
    """What is compared: people or teams, in a period, under filters, rates from `minimum_decided` deals on.

    `parts`: the teams, each with its subtree, where teams are compared. `splits`: money counts for everybody who is
    credited with a part of a deal, else for whoever owned the deal when it was won.
    """

    period: Period
    by: By
    filters: Filters
    minimum_decided: int
    today: date
    parts: tuple[TeamPart, ...] = ()
    splits: bool = False


def standings(facts: Facts, contest: Contest) -> Statement:
    """Return a row for each rep or team that was there in the period or sold in it; money in hundredths.

    Columns: id, name, team, booked, won_count, decided_count, cycle_days, activities, quota, win_rate (NULL under
    the minimum), average_deal, attainment, margin and margin_of (of deals with a known cost), margin_rate; NULL
    where there is no such number; whole (booked without splits) and received (booked of deals that others won).
    Booked, margins and attainment are split, what counts deals is not. Teams are the contest's parts: their ids are
    the parts' keys, and `team` is "".
    """
    members = (_reps if contest.by == "rep" else _teams)(facts, contest).subquery("members")
    deals, money, quotas, met = _sums(facts, contest)
    m, d, k, q, a = members.c, deals.c, money.c, quotas.c, met.c
    booked, won = func.coalesce(k.booked, 0), func.coalesce(d.won_count, 0)
    whole = func.coalesce(d.whole, 0)
    decided = won + func.coalesce(d.lost_count, 0)
    joined = members.outerjoin(deals, d.id == m.id)
    if money is not deals:
        joined = joined.outerjoin(money, k.id == m.id)
    joined = joined.outerjoin(quotas, q.id == m.id).outerjoin(met, a.id == m.id)
    enough = decided >= max(contest.minimum_decided, 1)
    return (
        select(
            m.id.label("id"), m.name.label("name"), m.team.label("team"),
            booked.label("booked"), won.label("won_count"), decided.label("decided_count"),
            d.cycle_days.label("cycle_days"), func.coalesce(a.activities, 0).label("activities"),
            q.quota.label("quota"),
            case((enough, cast(won, Double) / decided)).label("win_rate"),
            case((won > 0, cast(whole, Double) / won)).label("average_deal"),
            case((q.quota > 0, cast(booked, Double) / q.quota)).label("attainment"),
            k.margin, k.margin_of, case((k.margin_of > 0, cast(k.margin, Double) / k.margin_of)).label("margin_rate"),
            whole.label("whole"), func.coalesce(k.received, 0).label("received"),
        )
        .select_from(joined)
        .where(or_(m.was_there, d.id.is_not(None), k.id.is_not(None), q.id.is_not(None)))
        .order_by(m.id)
    )  # fmt: skip


def ranking(contest: Contest, measure: Measure) -> Callable[[Facts], Statement]:
    """Return the builder of a statement that gives (id, value of the measure) of each row of `standings`."""

    def build(facts: Facts) -> Statement:
        rows = standings(facts, contest).subquery("standings")
        return select(rows.c.id, rows.c[measure])

    return build


def _sums(facts: Facts, contest: Contest) -> tuple[Any, Any, Any, Any]:
    """Return what was decided, won in money, owed and met by each; the first two are one where nothing is split."""
    of_reps, period, filters = contest.by == "rep", contest.period, contest.filters
    quota, activity = facts.quotas.c, facts.activities.c

    def key(table: FromClause, rep: str, team: str) -> ColumnElement[Any]:
        return table.c[rep] if of_reps else part_key(contest.parts, table.c[team], NONE)

    def decided(of: Facts, counted: str, *columns: ColumnElement[Any]) -> FromClause:
        whose = key(of.deals, "credit_id", "credit_team_id")
        return (
            select(whose.label("id"), *columns)
            .where(is_counted(of, counted, period=period, today=contest.today), *deal_conditions(of, filters))
            .group_by(whose)
            .subquery(counted)
        )

    counts, whole = decided_columns(facts, period, today=contest.today), facts.deals.c.amount
    won = is_counted(facts, "won", period=period, today=contest.today)
    margins = margin_columns(facts, period, today=contest.today)
    if contest.splits:
        deals = decided(facts, "decided", *counts, sum_of(whole, won).label("whole"))
        spread = credited(facts, sums=True)
        received = cast(func.sum(spread.deals.c.received), BigInteger).label("received")
        booked = cast(func.sum(spread.deals.c.amount), BigInteger).label("booked")
        margins = margin_columns(spread, period, today=contest.today)
        money = decided(spread, "won", booked, received, *margins)
    else:
        none = literal_column("0", BigInteger).label("received")
        deals = decided(facts, "decided", *counts, *margins, sum_of(whole, won).label("whole"), none)
        money = deals
    quota_key, activity_key = key(facts.quotas, "rep_id", "team_id"), key(facts.activities, "rep_id", "team_id")
    owes = [*owing(facts, period, filters), quota_key.is_not(None)]
    if not filters.by_people_alone:
        owes.append(quota.id < 0)
    quotas = (
        select(quota_key.label("id"), func.sum(owed(facts, period)).label("quota"))
        .where(*owes)
        .group_by(quota_key)
        .subquery("owed")
    )
    met = (
        select(activity_key.label("id"), func.count().label("activities"))
        .where(inside(activity.done_on, period), *people_conditions(facts, filters, "activities"))
        .group_by(activity_key)
        .subquery("met")
    )
    return deals, money, quotas, met


def _reps(facts: Facts, contest: Contest) -> Statement:
    """Return `id`, `name`, `team` and `was_there` of the reps of the scope under the filters."""
    reps, scope, filters = facts.reps.c, facts.scope, contest.filters
    wanted: list[ColumnElement[bool]] = []
    if scope.reach is not Reach.ALL:
        wanted.append(reps.id.in_(scope.rep_ids))
    if filters.rep_ids:
        wanted.append(reps.id.in_(filters.rep_ids))
    if filters.team_ids:
        trees = facts.subtrees.c
        wanted.append(reps.team_id.in_(select(trees.team_id).where(trees.top_id.in_(filters.team_ids))))
    return (
        select(
            reps.id,
            spoken(facts.reps).label("name"),
            spoken(facts.teams).label("team"),
            _was_there(facts, contest.period).label("was_there"),
        )
        .select_from(facts.reps.outerjoin(facts.teams, facts.teams.c.id == reps.team_id))
        .where(*wanted)
    )


def _teams(facts: Facts, contest: Contest) -> Statement:
    """Return `id`, `name`, `team` and `was_there` (somebody of it was) of the contest's parts that lie in the scope."""
    everything = facts.scope.reach is Reach.ALL
    parts = [part for part in contest.parts if everything or part.team_id in facts.scope.team_ids]
    named = [select(literal(part.key).label("id"), literal(part.team_id).label("team_id")) for part in parts]
    places = union_all(*(named or [select(literal("").label("id"), literal(0).label("team_id"))])).subquery("places")
    key = places.c.id
    reps = facts.reps.c
    there = select(part_key(contest.parts, reps.team_id, NONE)).where(_was_there(facts, contest.period))
    return select(
        key,
        said_part(key, spoken(facts.teams)).label("name"),
        literal("").label("team"),
        key.in_(there).label("was_there"),
    ).select_from(places.join(facts.teams, facts.teams.c.id == places.c.team_id))


def _was_there(facts: Facts, period: Period) -> ColumnElement[bool]:
    reps = facts.reps.c
    return and_(
        or_(reps.joined_on.is_(None), reps.joined_on < period.end),
        or_(reps.left_on.is_(None), reps.left_on >= period.start),
    )


def ranks(values: dict[str, float], *, least_first: bool = False) -> dict[str, int]:
    """Return each key's rank: how many have a better value, plus one.

    Keys without a value (NaN) have none, and nobody has one where the best value is nought.
    """
    known = sorted((value for value in values.values() if not isnan(value)), reverse=not least_first)
    if known and not least_first and known[0] == 0:
        return {}
    first: dict[float, int] = {}
    for place, value in enumerate(known, start=1):
        first.setdefault(value, place)
    return {key: first[value] for key, value in values.items() if not isnan(value)}


def most_improved(now: dict[str, float], before: dict[str, float], *, least_first: bool = False) -> str | None:
    """Return the key whose value improved most against the period before; None where none did.

    Where that period holds nothing at all, there is nothing to improve on.
    """
    if not any(value for value in before.values() if not isnan(value)):
        return None
    sign = -1.0 if least_first else 1.0
    gains = {key: sign * (value - before[key]) for key, value in now.items() if key in before}
    best = max((gain for gain in gains.values() if not isnan(gain)), default=0.0)
    return next((key for key, gain in gains.items() if gain == best), None) if best > 0 else None
