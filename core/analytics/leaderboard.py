"""Who sold how much: a row for each rep or team, and their ranks.

Credit goes to whoever owned the deal when it was won. Source: docs/methods/credit.md, docs/methods/rank.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
from sqlalchemy import (
    BigInteger,
    Double,
    Integer,
    and_,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)

from core.access.actors import Reach
from core.analytics.dimensions import NONE
from core.analytics.facts import Facts, Statement, spoken
from core.analytics.filters import Filters
from core.analytics.leaderboard_sums import sums_by_person
from core.analytics.selection import inside
from core.analytics.team_parts import TeamPart, part_key, said_part
from core.domain.periods import Period

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, FromClause
    from sqlalchemy.sql.elements import Label

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
    credited with a part of a deal, else for whoever owned the deal when it was won. `before`: another period that is
    asked for in the same breath; the two do not overlap.
    """

    period: Period
    by: By
    filters: Filters
    minimum_decided: int
    today: date
    parts: tuple[TeamPart, ...] = ()
    splits: bool = False
    before: Period | None = None

    @property
    def periods(self) -> tuple[Period, ...]:
        """The period, and the one before where it is asked for; the place of each is what `place` says of a row."""
        return (self.period,) if self.before is None else (self.period, self.before)

    @property
    def hull(self) -> Period:
        """From the first day of them all to the last."""
        return Period(min(each.start for each in self.periods), max(each.end for each in self.periods))

    def within(self, day: ColumnElement[date]) -> ColumnElement[bool]:
        """Return whether a day lies in one of the periods; one range where they follow each other."""
        if sum(each.days for each in self.periods) == self.hull.days:
            return inside(day, self.hull)
        return or_(*(inside(day, each) for each in self.periods))

    def place(self, day: ColumnElement[date]) -> ColumnElement[int]:
        """Return the place of the period in which a day lies that lies in one of them."""
        if self.before is None:
            return literal_column("0", Integer)
        return case((inside(day, self.period), literal_column("0", Integer)), else_=literal_column("1", Integer))


def standings(facts: Facts, contest: Contest) -> Statement:
    """Return a row for each rep or team that was there in the period or sold in it; money in hundredths.

    Columns: place (of the period), id, name, team, booked, won_count, decided_count, cycle_days, activities, quota,
    win_rate (NULL under the minimum), average_deal, attainment, margin and margin_of (of deals with a known cost),
    margin_rate; NULL where there is no such number; whole (booked without splits) and received (booked of deals that
    others won). Booked, margins and attainment are split, what counts deals is not. Teams are the contest's parts:
    their ids are the parts' keys, and `team` is "".
    """
    members = (_reps if contest.by == "rep" else _teams)(facts, contest).subquery("members")
    deals, money, quotas, met = sums_by_person(facts, contest)
    m, d, q, a = members.c, deals.c, quotas.c, met.c
    joined, place = _placed(members, contest)
    for each in (deals, *([] if money is None else [money]), quotas, met):
        here = each.c.id == m.id
        joined = joined.outerjoin(each, here if contest.before is None else and_(here, each.c.place == place))
    won, whole = func.coalesce(d.won_count, 0), func.coalesce(d.booked, 0)
    booked: ColumnElement[Any] = whole
    received: ColumnElement[Any] = literal_column("0", BigInteger)
    margin: ColumnElement[Any] = d.margin
    margin_of: ColumnElement[Any] = d.margin_of
    if money is not None:
        k = money.c
        booked, received = whole + func.coalesce(k.booked, 0), func.coalesce(k.received, 0)
        known = func.coalesce(d.costed, 0) + func.coalesce(k.costed, 0) > 0
        margin, margin_of = (
            case((known, func.coalesce(d[name], 0) + func.coalesce(k[name], 0))) for name in ("margin", "margin_of")
        )
    decided = func.coalesce(d.decided_count, 0)
    enough = decided >= max(contest.minimum_decided, 1)
    some = [] if money is None else [money.c.id.is_not(None)]
    there = m.was_there if contest.before is None else case((place == 0, m.was_there), else_=m.was_before)
    return (
        select(
            place.label("place"), m.id.label("id"), m.name.label("name"), m.team.label("team"),
            booked.label("booked"), won.label("won_count"), decided.label("decided_count"),
            d.cycle_days.label("cycle_days"), func.coalesce(a.activities, 0).label("activities"),
            q.quota.label("quota"),
            case((enough, cast(won, Double) / decided)).label("win_rate"),
            case((won > 0, cast(whole, Double) / won)).label("average_deal"),
            case((q.quota > 0, cast(booked, Double) / q.quota)).label("attainment"),
            margin.label("margin"), margin_of.label("margin_of"),
            case((margin_of > 0, cast(margin, Double) / margin_of)).label("margin_rate"),
            whole.label("whole"), received.label("received"),
        )
        .select_from(joined)
        .where(or_(there, d.id.is_not(None), q.id.is_not(None), *some))
        .order_by(m.id)
    )  # fmt: skip


def _placed(members: FromClause, contest: Contest) -> tuple[FromClause, ColumnElement[int]]:
    """Return the members, once for each of the periods, and the place of the period."""
    if contest.before is None:
        return members, literal_column("0", Integer)
    numbers = [select(literal_column(str(at), Integer).label("place")) for at in range(len(contest.periods))]
    places = union_all(*numbers).subquery("places")
    return members.join(places, true()), places.c.place


def ranking(contest: Contest, measure: Measure) -> Callable[[Facts], Statement]:
    """Return the builder of a statement that gives (id, value of the measure) of each row of `standings`."""

    def build(facts: Facts) -> Statement:
        rows = standings(facts, contest).subquery("standings")
        return select(rows.c.id, rows.c[measure])

    return build


def _reps(facts: Facts, contest: Contest) -> Statement:
    """Return `id`, `name`, `team`, `was_there` and `was_before` of the reps of the scope under the filters."""
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
            *_presences(facts, contest),
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
    there = [
        key.in_(select(part_key(contest.parts, reps.team_id, NONE)).where(was)).label(was.name)
        for was in _presences(facts, contest)
    ]
    return select(
        key,
        said_part(key, spoken(facts.teams)).label("name"),
        literal("").label("team"),
        *there,
    ).select_from(places.join(facts.teams, facts.teams.c.id == places.c.team_id))


def _presences(facts: Facts, contest: Contest) -> list[Label[bool]]:
    """Return whether a rep was there in each of the periods."""
    reps = facts.reps.c
    return [
        and_(
            or_(reps.joined_on.is_(None), reps.joined_on < each.end),
            or_(reps.left_on.is_(None), reps.left_on >= each.start),
        ).label(name)
        for name, each in zip(("was_there", "was_before"), contest.periods, strict=False)
    ]


def ranks(values: dict[str, float], *, least_first: bool = False) -> dict[str, int]:
    """Return each key's rank: how many have a better value, plus one.

    Keys without a value (NaN) have none, and nobody has one where the best value is nought.
    """
    places = ranks_of(np.array([*values.values()], np.float64), least_first=least_first)
    return {key: place for key, place in zip(values, places.tolist(), strict=True) if place}


def ranks_of(values: NDArray[np.float64], *, least_first: bool = False) -> NDArray[np.int64]:
    """Return the rank of each value, 0 for none."""
    signed = values if least_first else -values
    there = ~np.isnan(signed)
    ordered = np.sort(signed[there])
    places = np.zeros(values.shape, np.int64)
    if ordered.size and (least_first or ordered[0] != 0):
        places[there] = np.searchsorted(ordered, signed[there]) + 1
    return places


def most_improved(now: dict[str, float], before: dict[str, float], *, least_first: bool = False) -> str | None:
    """Return the key whose value improved most against the period before; None where none did.

    Where that period holds nothing at all, there is nothing to improve on.
    """
    values, earlier = np.array([*now.values()], np.float64), np.array([*before.values()], np.float64)
    matched = np.array([before.get(key, nan) for key in now], np.float64)
    best = greatest_gain(values, matched, least_first=least_first) if holds_something(earlier) else None
    return None if best is None else [*now][best]


def holds_something(values: NDArray[np.float64]) -> bool:
    """Say whether a period's values are any, and not all nought."""
    return bool(np.any((values != 0) & ~np.isnan(values)))


def greatest_gain(
    values: NDArray[np.float64], earlier: NDArray[np.float64], *, least_first: bool = False
) -> int | None:  # fmt: skip
    """Return the first place where a value improved most on the one earlier (NaN: none); None where none did."""
    gains = np.nan_to_num((earlier - values) if least_first else (values - earlier), nan=0.0)
    best = int(np.argmax(gains)) if gains.size else 0
    return best if gains.size and gains[best] > 0 else None
