"""What a leaderboard adds up: people, deals, quotas and activities, in statements of one table and few columns each.

Sources: docs/methods/credit.md, credit-splits.md, attainment.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, func, or_, select

from core.access.actors import Reach
from core.analytics.facts import Facts, Statement, spoken
from core.analytics.filters import deal_conditions, people_conditions, teams_below
from core.analytics.quotas import owing

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.sql.elements import Label

    from core.analytics.leaderboard import Contest
    from core.domain.periods import Period

PRESENCES: Final = ("was_there", "was_before")
"""Whether somebody was there in each of a contest's periods."""


def people(facts: Facts, contest: Contest) -> Statement:
    """Return `id`, `name`, `team`, `was_there` and `was_before` of the reps of the scope under the filters, by id."""
    reps, scope, filters = facts.reps.c, facts.scope, contest.filters
    wanted: list[ColumnElement[bool]] = []
    if scope.reach is not Reach.ALL:
        wanted.append(reps.id.in_(scope.rep_ids))
    if filters.rep_ids:
        wanted.append(reps.id.in_(filters.rep_ids))
    if filters.team_ids:
        wanted.append(reps.team_id.in_(teams_below(facts, filters)))
    return (
        select(
            reps.id, spoken(facts.reps).label("name"), spoken(facts.teams).label("team"), *_presences(facts, contest)
        )
        .select_from(facts.reps.outerjoin(facts.teams, facts.teams.c.id == reps.team_id))
        .where(*wanted)
        .order_by(reps.id)
    )  # fmt: skip


def teams(facts: Facts) -> Statement:
    """Return `id` and `name` of every team."""
    return select(facts.teams.c.id, spoken(facts.teams).label("name"))


def staff(facts: Facts, contest: Contest) -> Statement:
    """Return `team_id`, `was_there` and `was_before` of every rep of a team."""
    team_id = facts.reps.c.team_id
    return select(team_id, *_presences(facts, contest)).where(team_id.is_not(None))


def won(facts: Facts, contest: Contest, history: Period | None = None) -> Statement:
    """Return what was won in the periods and the history.

    `id`, `whose`, `closed_on`, `amount`, `cost` (NULL: not known) and `cycle_days`; with splits `winner` as well.
    """
    deals = facts.deals.c
    winner = [deals.credited_id.label("winner")] if contest.splits else []
    closed = contest.within(deals.closed_on, history)
    return select(
        deals.id, _whose(facts, contest).label("whose"), deals.closed_on, deals.amount, deals.cost, deals.cycle_days,
        *winner,
    ).where(facts.stands("won"), closed, *deal_conditions(facts, contest.filters))  # fmt: skip


def lost(facts: Facts, contest: Contest) -> Statement:
    """Return `whose`, `place` and `count` of what was lost."""
    deals = facts.deals.c
    whose, place = _whose(facts, contest), contest.place(deals.closed_on)
    return (
        select(whose.label("whose"), place.label("place"), func.count().label("count"))
        .where(facts.stands("lost"), contest.within(deals.closed_on), *deal_conditions(facts, contest.filters))
        .group_by(*contest.grouped(whose, place))
    )


def met(facts: Facts, contest: Contest) -> Statement:
    """Return `whose`, `place` and `count` of the activities that were done."""
    activities = facts.activities.c
    whose = activities.rep_id if contest.by == "rep" else activities.team_id
    place = contest.place(activities.done_on)
    return (
        select(whose.label("whose"), place.label("place"), func.count().label("count"))
        .where(contest.within(activities.done_on), *people_conditions(facts, contest.filters, "activities"))
        .group_by(*contest.grouped(whose, place))
    )


def owed(facts: Facts, contest: Contest) -> Statement:
    """Return `whose`, `month` and `amount` (hundredths, of the whole month) of the quotas that count in the periods."""
    quotas = facts.quotas.c
    whose = quotas.rep_id if contest.by == "rep" else quotas.team_id
    return select(whose.label("whose"), quotas.month, quotas.amount).where(
        *owing(facts, contest.hull, contest.filters), whose.is_not(None)
    )


def _whose(facts: Facts, contest: Contest) -> ColumnElement[int]:
    deals = facts.deals.c
    found: ColumnElement[int] = deals.credit_id if contest.by == "rep" else deals.credit_team_id
    return found


def _presences(facts: Facts, contest: Contest) -> list[Label[bool]]:
    """Return whether a rep was there in each of the periods."""
    reps = facts.reps.c
    return [
        and_(
            or_(reps.joined_on.is_(None), reps.joined_on < each.end),
            or_(reps.left_on.is_(None), reps.left_on >= each.start),
        ).label(name)
        for name, each in zip(PRESENCES, contest.periods, strict=False)
    ]
