"""Who sold how much: a row for each rep or team, and their ranks.

Credit goes to whoever owned the deal when it was won. Source: docs/methods/credit.md, docs/methods/rank.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from sqlalchemy import Double, and_, case, cast, func, or_, select

from core.access.actors import Reach
from core.analytics.facts import Facts, Statement, spoken
from core.analytics.filters import Filters, deal_conditions, people_conditions
from core.analytics.kpis import decided_columns
from core.analytics.quotas import owed, owing
from core.analytics.selection import inside, is_counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy import ColumnElement

    from core.domain.periods import Period

Measure = Literal["booked", "attainment", "win_rate", "won_count", "average_deal", "cycle_days", "activities"]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
LEAST_FIRST: Final = frozenset({"cycle_days"})
By = Literal["rep", "team"]


@dataclass(frozen=True)
class Contest:
    """What is compared: people or teams, in a period, under filters, rates from `minimum_decided` deals on."""

    period: Period
    by: By
    filters: Filters
    minimum_decided: int
    today: date


def standings(facts: Facts, contest: Contest) -> Statement:
    """Return a row for each rep or team that was there in the period or sold in it; money in hundredths.

    Columns: id, name, team, booked, won_count, decided_count, cycle_days, activities, quota, win_rate (NULL under
    the minimum), average_deal, attainment; NULL where there is no such number.
    """
    of_reps = contest.by == "rep"
    members = facts.reps if of_reps else facts.teams
    deals, quotas, met = _sums(facts, contest)
    d, q, a = deals.c, quotas.c, met.c
    booked, won = func.coalesce(d.booked, 0), func.coalesce(d.won_count, 0)
    decided = won + func.coalesce(d.lost_count, 0)
    team = facts.teams.alias("team_of_rep") if of_reps else facts.teams
    joined = members.outerjoin(deals, d.id == members.c.id)
    joined = joined.outerjoin(quotas, q.id == members.c.id).outerjoin(met, a.id == members.c.id)
    if of_reps:
        joined = joined.outerjoin(team, team.c.id == members.c.team_id)
    enough = decided >= max(contest.minimum_decided, 1)
    return (
        select(
            members.c.id.label("id"), spoken(members).label("name"), spoken(team).label("team"),
            booked.label("booked"), won.label("won_count"), decided.label("decided_count"),
            d.cycle_days.label("cycle_days"), func.coalesce(a.activities, 0).label("activities"),
            q.quota.label("quota"),
            case((enough, cast(won, Double) / decided)).label("win_rate"),
            case((won > 0, cast(booked, Double) / won)).label("average_deal"),
            case((q.quota > 0, cast(booked, Double) / q.quota)).label("attainment"),
        )
        .select_from(joined)
        .where(*_members(facts, contest, members), or_(_present(facts, contest), d.id.is_not(None), q.id.is_not(None)))
        .order_by(members.c.id)
    )  # fmt: skip


def ranking(contest: Contest, measure: Measure) -> Callable[[Facts], Statement]:
    """Return the builder of a statement that gives (id, value of the measure) of each row of `standings`."""

    def build(facts: Facts) -> Statement:
        rows = standings(facts, contest).subquery("standings")
        return select(rows.c.id, rows.c[measure])

    return build


def _sums(facts: Facts, contest: Contest) -> tuple[Any, Any, Any]:
    of_reps, period, filters = contest.by == "rep", contest.period, contest.filters
    deal, quota, activity = facts.deals.c, facts.quotas.c, facts.activities.c
    deal_key = deal.credit_id if of_reps else deal.credit_team_id
    quota_key = quota.rep_id if of_reps else quota.team_id
    activity_key = activity.rep_id if of_reps else activity.team_id
    deals = (
        select(deal_key.label("id"), *decided_columns(facts, period, today=contest.today))
        .where(
            is_counted(facts, "decided", period=period, today=contest.today),
            *deal_conditions(facts, filters),
        )
        .group_by(deal_key)
        .subquery("decided")
    )
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
    return deals, quotas, met


def _members(facts: Facts, contest: Contest, members: Any) -> list[ColumnElement[bool]]:
    scope, filters = facts.scope, contest.filters
    found: list[ColumnElement[bool]] = []
    if scope.reach is not Reach.ALL:
        found.append(members.c.id.in_(scope.rep_ids if contest.by == "rep" else scope.team_ids))
    if filters.rep_ids and contest.by == "rep":
        found.append(members.c.id.in_(filters.rep_ids))
    if filters.team_ids:
        trees = facts.subtrees.c
        column = members.c.team_id if contest.by == "rep" else members.c.id
        found.append(column.in_(select(trees.team_id).where(trees.top_id.in_(filters.team_ids))))
    return found


def _present(facts: Facts, contest: Contest) -> ColumnElement[bool]:
    reps, period = facts.reps.c, contest.period
    there = and_(
        or_(reps.joined_on.is_(None), reps.joined_on < period.end),
        or_(reps.left_on.is_(None), reps.left_on >= period.start),
    )
    if contest.by == "rep":
        return there
    return facts.teams.c.id.in_(select(reps.team_id).where(there, reps.team_id.is_not(None)))


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
