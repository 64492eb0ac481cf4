"""What the rows of a leaderboard add up: deals, what splits change of them, quotas and activities, by rep or team.

Sources: docs/methods/credit.md, credit-splits.md, attainment.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, and_, case, cast, func, literal_column, select, union_all

from core.analytics.credited import moved
from core.analytics.dimensions import NONE
from core.analytics.filters import deal_conditions, people_conditions
from core.analytics.quotas import owed, owing
from core.analytics.team_parts import part_key

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause

    from core.analytics.facts import Facts
    from core.analytics.leaderboard import Contest


def sums_by_person(facts: Facts, contest: Contest) -> tuple[FromClause, FromClause | None, FromClause, FromClause]:
    """Return what was decided, what splits change of it, what was owed and who was met, by `id` and `place`.

    The second is None where nothing is split.
    """
    of_reps, filters = contest.by == "rep", contest.filters
    quota, activity = facts.quotas.c, facts.activities.c

    def key(table: FromClause, rep: str, team: str) -> ColumnElement[Any]:
        return table.c[rep] if of_reps else part_key(contest.parts, table.c[team], NONE)

    deals = _decided(facts, contest, key(facts.deals, "credit_id", "credit_team_id"))
    money = None
    if contest.splits:
        split = moved(facts, filters)
        money = _moved(split, contest, key(split.deals, "credit_id", "credit_team_id"))
    quota_key, activity_key = key(facts.quotas, "rep_id", "team_id"), key(facts.activities, "rep_id", "team_id")
    owes = [
        select(quota_key.label("id"), literal_column(str(at), Integer).label("place"),
               func.sum(owed(facts, each)).label("quota"))
        .where(
            *owing(facts, each, filters), quota_key.is_not(None), *(() if filters.by_people_alone else (quota.id < 0,))
        )
        .group_by(quota_key)
        for at, each in enumerate(contest.periods)
    ]  # fmt: skip
    quotas = (union_all(*owes) if len(owes) > 1 else owes[0]).subquery("owed")
    done = contest.place(activity.done_on)
    met = (
        select(activity_key.label("id"), done.label("place"), func.count().label("activities"))
        .where(contest.within(activity.done_on), *people_conditions(facts, filters, "activities"))
        .group_by(*_keys(contest, activity_key, done))
        .subquery("met")
    )
    return deals, money, quotas, met


def _keys(contest: Contest, whose: ColumnElement[Any], place: ColumnElement[int]) -> tuple[ColumnElement[Any], ...]:
    return (whose,) if contest.before is None else (whose, place)


def _decided(facts: Facts, contest: Contest, whose: ColumnElement[Any]) -> FromClause:
    """Return what was won and lost: of lost deals NULL, so that sums need no conditions."""
    deals = facts.deals.c
    won, place = facts.stands("won"), contest.place(deals.closed_on)
    known = and_(won, deals.cost.is_not(None))
    each = select(
        whose.label("id"), place.label("place"), case((won, deals.amount)).label("amount"),
        case((won, deals.cycle_days)).label("cycle_days"), case((known, deals.amount - deals.cost)).label("margin"),
        case((known, deals.amount)).label("margin_of"),
    ).where(
        facts.stands("decided"), contest.within(deals.closed_on), *deal_conditions(facts, contest.filters)
    )  # fmt: skip
    row = each.subquery("each_decided").c
    return (
        select(
            row.id, row.place, func.count().label("decided_count"), func.count(row.amount).label("won_count"),
            *(cast(func.sum(row[of]), BigInteger).label(name)
              for name, of in (("booked", "amount"), ("margin", "margin"), ("margin_of", "margin_of"))),
            func.count(row.margin).label("costed"),
            func.quantile_cont(row.cycle_days, literal_column("0.5")).label("cycle_days"),
        )
        .group_by(row.id, row.place)
        .subquery("decided")
    )  # fmt: skip


def _moved(facts: Facts, contest: Contest, whose: ColumnElement[Any]) -> FromClause:
    """Return what splits change of those sums."""
    deals = facts.deals.c
    place, known = contest.place(deals.closed_on), deals.cost.is_not(None)
    sums = {
        "booked": func.sum(deals.amount), "received": func.sum(deals.received),
        "margin": func.sum(deals.amount - deals.cost), "margin_of": func.sum(deals.amount).filter(known),
        "costed": func.sum(deals.times).filter(known),
    }  # fmt: skip
    return (
        select(
            whose.label("id"), place.label("place"),
            *(cast(value, BigInteger).label(name) for name, value in sums.items()),
        )
        .where(facts.stands("won"), contest.within(deals.closed_on), *deal_conditions(facts, contest.filters))
        .group_by(*_keys(contest, whose, place))
        .subquery("moved")
    )  # fmt: skip
