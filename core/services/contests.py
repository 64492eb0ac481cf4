"""Holding contests, and giving the awards of a month that is over."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from math import isnan
from typing import TYPE_CHECKING, Any

from sqlalchemy import func
from sqlalchemy import select as columns_of
from sqlmodel import select

from core.access.actions import Action
from core.analytics import leaderboard as statements
from core.analytics.credited import any_share
from core.analytics.filters import NO_FILTERS
from core.analytics.selection import is_counted
from core.analytics.standings import Standings
from core.analytics.team_parts import team_level, whole_teams
from core.db.single_writer import queue_up
from core.db.work import get_visible
from core.domain.honours import AwardKind, ContestBy, ContestMeasure
from core.domain.periods import Period, add_months
from core.errors import InvalidFields, SalesError
from core.gate import command
from core.i18n import N_, _
from core.model import Award, Contest
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from sqlalchemy import Select

    from core.analytics.facts import Facts
    from core.db.work import Work

LONGEST_NAME, LONGEST_PRIZE = 80, 200
_EVER = date(1900, 1, 1)
_GIVING = 7_205_759_403_793
"""The number of the queue of those who give awards."""


class MonthNotOver(SalesError):
    """Awards are given for months that are over."""

    text = N_("The month is not over yet: its awards can be given from {day} on.")


class ContestHasAwards(SalesError):
    """What somebody won stays."""

    text = N_("This contest's award has been given: it stays.")


@command(Action.CONTEST_EDIT)
def hold_contest(
    work: Work,
    *,
    key: str,
    name: str,
    period: Period,
    measure: ContestMeasure,
    competing: ContestBy = ContestBy.REP,
    name_en: str = "",
    prize: str = "",
) -> Contest:
    """Announce a contest; a second call with the same `key` returns the first. Raises InvalidFields."""
    before = saved_before(work, key=key, command="hold_contest")
    if before is not None:
        return get_visible(work, Contest, before)
    name, name_en, prize = name.strip(), name_en.strip(), prize.strip()
    problems = {}
    if not name:
        problems["name"] = _("Please give the contest a name.")
    for field, text, most in (("name", name, LONGEST_NAME), ("name_en", name_en, LONGEST_NAME),
                              ("prize", prize, LONGEST_PRIZE)):  # fmt: skip
        if len(text) > most:
            problems[field] = _("At most {n} characters, please.", n=most)
    if problems:
        raise InvalidFields(problems)
    contest = Contest(
        name=name, name_en=name_en, competing=ContestBy(competing), measure=ContestMeasure(measure),
        start_on=period.start, end_on=period.end, prize=prize,
    )  # fmt: skip
    work.session.add(contest)
    work.session.flush()
    assert contest.id is not None  # noqa: S101 - just flushed
    remember(work, key=key, command="hold_contest", record_id=contest.id)
    return contest


@command(Action.CONTEST_EDIT)
def call_off_contest(work: Work, *, contest_id: int, version: int) -> None:
    """Take a contest away. Raises NotFound, EditedMeanwhile, ContestHasAwards."""
    contest = get_visible(work, Contest, contest_id, version=version)
    if work.session.exec(select(Award).where(Award.contest_id == contest_id)).first() is not None:
        raise ContestHasAwards
    work.session.delete(contest)


@command(Action.CONTEST_EDIT)
def give_awards(work: Work, *, month: date) -> int:
    """Give what was won in a month, and in contests that are over; return how many awards are new.

    Best seller and best team (with every team below it) by booked value, most improved against the month before, a
    first deal for everybody whose first one was won then. Money of split deals counts for everybody credited with a
    part. Ties are all honoured. What was given before stays as it is: of a contest that ended before the month, too,
    once somebody was honoured. Raises MonthNotOver.
    """
    first = month.replace(day=1)
    period = Period(first, add_months(first, 1))
    if work.today < period.end:
        raise MonthNotOver(day=period.end.isoformat())
    queue_up(work.session.connection(), _GIVING)  # two processes over one database give at the same hour
    work.database.mirror.refresh()
    kept = work.session.exec(select(Award)).all()
    given = {(a.kind, a.start_on, a.rep_id, a.team_id, a.contest_id) for a in kept}
    decided = {a.contest_id for a in kept if a.end_on <= first}
    found = [
        award
        for award in (*_of_month(work, period), *_of_contests(work, decided))
        if (award.kind, award.start_on, award.rep_id, award.team_id, award.contest_id) not in given
    ]
    work.session.add_all(found)
    return len(found)


def _of_month(work: Work, period: Period) -> list[Award]:
    now = _values(work, period, "booked")
    before = _values(work, Period(add_months(period.start, -1), period.start), "booked")
    awards = [_award(AwardKind.BEST_SELLER, period, rep, now[rep]) for rep in _best(now)]
    teams = _by_team(work, period, "booked")
    awards += [_award(AwardKind.BEST_TEAM, period, None, teams[team], team=team) for team in _best(teams)]
    improved = statements.most_improved(
        {str(rep): value for rep, value in now.items()}, {str(rep): value for rep, value in before.items()}
    )
    if improved is not None:
        gain = now[int(improved)] - before[int(improved)]
        awards.append(_award(AwardKind.MOST_IMPROVED, period, int(improved), gain))
    for row in work.mirror.rows(_first_deals(work.mirror.facts, Period(_EVER, period.end), work.today)):
        if row.first_on in period:
            awards.append(_award(AwardKind.FIRST_DEAL, period, row.rep_id, row.amount / 100))
    return awards


def _of_contests(work: Work, decided: set[int | None]) -> list[Award]:
    awards = []
    for contest in work.session.exec(select(Contest).where(Contest.end_on <= work.today)).all():
        if contest.id in decided:
            continue
        period = Period(contest.start_on, contest.end_on)
        values = _values(work, period, contest.measure.value)
        if contest.competing is ContestBy.TEAM:
            values = _by_team(work, period, contest.measure.value)
        for who in _best(values):
            rep, team = (who, None) if contest.competing is ContestBy.REP else (None, who)
            award = _award(AwardKind.CONTEST, period, rep, values[who], team=team)
            award.contest_id = contest.id
            awards.append(award)
    return awards


def _values(work: Work, period: Period, measure: str) -> dict[int, float]:
    """Return each rep's value of a measure as the leaderboard counts it, money in major units."""
    minimum, splits = int(work.setting("minimum_decided")), work.mirror.value(any_share()) is not None
    contest = statements.Contest(period, "rep", NO_FILTERS, minimum, work.today, splits=splits)
    return _told(work, contest, measure)


def _by_team(work: Work, period: Period, measure: str) -> dict[int, float]:
    """Return each whole team's value of a measure as the teams' leaderboard counts it: with every team below it."""
    teams = work.mirror.facts.teams.c
    parents = {row.id: row.parent_id for row in work.mirror.rows(columns_of(teams.id, teams.parent_id))}
    minimum, splits = int(work.setting("minimum_decided")), work.mirror.value(any_share()) is not None
    parts = whole_teams(team_level(parents))
    contest = statements.Contest(period, "team", NO_FILTERS, minimum, work.today, parts, splits)
    return _told(work, contest, measure)


def _told(work: Work, contest: statements.Contest, measure: str) -> dict[int, float]:
    mirror = work.mirror
    found = Standings(lambda build: mirror.columns(build(mirror.facts)), contest).columns()
    values = (found[measure] / (100 if measure == "booked" else 1)).tolist()
    return {int(key): value for key, value in zip(found["id"].tolist(), values, strict=True)}


def _best(values: dict[int, float]) -> list[int]:
    """Return whoever has the greatest value above nought."""
    known = {who: value for who, value in values.items() if not isnan(value) and value > 0}
    top = max(known.values(), default=0.0)
    return [who for who, value in known.items() if value == top]


def _award(kind: AwardKind, period: Period, rep: int | None, value: float, *, team: int | None = None) -> Award:
    return Award(
        kind=kind, rep_id=rep, team_id=team, start_on=period.start, end_on=period.end, value=Decimal(str(value))
    )


def _first_deals(facts: Facts, period: Period, today: date) -> Select[Any]:
    """Return `rep_id`, `first_on` and `amount` (hundredths) of each rep's first won deal."""
    deals = facts.deals.c
    return (
        columns_of(
            deals.credit_id.label("rep_id"),
            func.min(deals.closed_on).label("first_on"),
            func.arg_min(deals.amount, deals.closed_at).label("amount"),
        )
        .where(is_counted(facts, "won", period=period, today=today), deals.credit_id.is_not(None))
        .group_by(deals.credit_id)
    )
