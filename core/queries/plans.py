"""The sales plan beside what was booked. What the columns mean: docs/queries.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import func
from sqlmodel import col, select

from core.access.actions import Action
from core.analytics import kpis
from core.analytics.filters import NO_FILTERS, Filters
from core.db.actors import team_subtree
from core.db.work import get_visible
from core.domain.names import named
from core.domain.periods import Period, Preset, add_months
from core.domain.plans import counting, level_of, line_of
from core.gate import query
from core.model import PlanLine, Rep, SalesPlan, Team
from core.queries.overview import HUNDREDTHS
from core.queries.reference import user_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select
    from sqlmodel import Session

    from core.db.work import Work

SPANS = {"month": Preset.THIS_MONTH, "quarter": Preset.THIS_QUARTER, "year": Preset.THIS_YEAR}
PLANS = (
    "id", "version", "name", "note", "team_id", "team", "spread", "first_month", "until_month", "adopted_by",
    "adopted_at", "withdrawn_at", "in_force",
)  # fmt: skip
NOW = (
    "row", "start", "end", "plan", "due", "booked", "team", "company", "own", "own_start", "own_end",
)  # fmt: skip


@query(Action.PLAN_VIEW, askable=True)
def sales_plans(work: Work) -> pd.DataFrame:
    """Return the company's plans and those of teams that reach the actor, the last first.

    `team` is its team's name, "" for the company's (`team_id` None); `in_force`: for one of its months no later one of
    the same team, or the company, counts.
    """
    plans = work.session.exec(select(SalesPlan).order_by(col(SalesPlan.id).desc())).all()
    called = user_names(work.session) if plans else {}
    in_force = _in_force(work.session, _whole(plans)) if plans else {}
    counts = {plan for months in in_force.values() for plan in months.values()}
    teams = {team.id: named(team) for team in work.session.exec(select(Team)).all()}
    rows = [
        (
            plan.id, plan.version, plan.name, plan.note, plan.team_id,
            "" if plan.team_id is None else teams.get(plan.team_id, ""), plan.spread.value, plan.first_month,
            plan.until_month, called.get(plan.adopted_by_id, ""), plan.created_at, plan.withdrawn_at, plan.id in counts,
        )
        for plan in plans
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(PLANS)).astype({"withdrawn_at": "object"})
    return frame.assign(team_id=pd.Series([plan.team_id for plan in plans], dtype="object"))


@query(Action.OVERVIEW_VIEW, askable=True)
def plan_by_month(work: Work, *, period: Period, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return the plan that counts at the level looked at, for each month of the period that has one, in scope.

    Columns: month date; plan float, major units; company float: what the company's plan gives the same reps, NaN where
    it is the one that counts or has none. No row where the filters go past people.
    """
    planned = _planned(work, period, filters)
    rows = [(month, float(found.amount), _share(found)) for month, found in sorted(planned.items())]
    return pd.DataFrame(rows, columns=["month", "plan", "company"])


@query(Action.TODAY_VIEW, askable=True)
def plan_now(work: Work) -> pd.DataFrame:
    """Return the plan of the running month, quarter and year beside what was booked in the planned months of each.

    `plan` of the span's months that have one, NaN where none has; `due` of it until the end of today, months by their
    days; `start`, `end` the planned months; `booked` in them so far. `team`: whose plan counts, "" for the company's;
    `company`: what the company's gives the same reps in the months of which another counts, NaN in none. `own`: what
    that other plan says of those months, from `own_start` to `own_end`; NaN and None where only the company's counts.
    """
    rows: list[tuple[object, ...]] = []
    teams: dict[int, str] = {}
    for name, preset in SPANS.items():
        period = work.calendar.preset(preset, today=work.today)
        planned = _planned(work, period, NO_FILTERS)
        if not planned:
            rows.append((name, period.start, period.end, nan, nan, nan, "", nan, nan, None, None))
            continue
        teams = teams or {team.id: named(team) for team in work.session.exec(select(Team)).all()}
        span = Period(min(planned), add_months(max(planned), 1))
        due = sum(
            float(found.amount) * Period(month, add_months(month, 1)).elapsed_rate(work.today)
            for month, found in planned.items()
        )
        total = work.mirror.rows(kpis.totals(work.mirror.facts, period=span, filters=NO_FILTERS, today=work.today))[0]
        plan = float(sum(found.amount for found in planned.values()))
        shares = [share for found in planned.values() if not isnan(share := _share(found))]
        others = {month: found for month, found in planned.items() if found.team is not None}
        whose = next((teams.get(found.team, "") for found in others.values() if found.team is not None), "")
        own: tuple[object, ...] = (nan, None, None)
        if others:
            amount = float(sum(found.amount for found in others.values()))
            own = (amount, min(others), add_months(max(others), 1))
        company = sum(shares) if shares else nan
        rows.append(
            (name, span.start, span.end, plan, due, total.booked / HUNDREDTHS, whose, company, *own)
        )  # fmt: skip
    return pd.DataFrame(rows, columns=list(NOW))


@dataclass(frozen=True)
class PlannedRep:
    """A line of the plan: a rep with the team."""

    id: int
    name: str
    team_id: int | None
    team: str


@dataclass(frozen=True)
class PlanGrid:
    """A plan by rep and month, with the stored lines' versions, and what was booked so far (major units).

    `team_id`: whose plan it is, None for the company's. `beside`: what others in force say of the same months: to a
    team's plan under None what the company's gives the same reps; to the company's under each team its own plan's sum.
    """

    plan_id: int
    version: int
    months: tuple[date, ...]
    reps: tuple[PlannedRep, ...]
    cells: dict[tuple[int, date], tuple[Decimal, int]]
    booked: dict[tuple[int, date], float]
    parents: dict[int, int | None]
    teams: dict[int, str]

    team_id: int | None = None
    beside: dict[int | None, dict[date, Decimal]] = field(default_factory=dict)

    def line_of(self, team: int | None) -> list[int]:
        """Return a team with all those above it, the lowest first."""
        return line_of(team, self.parents)


@query(Action.PLAN_VIEW, askable=True)
def plan_grid(work: Work, *, plan_id: int) -> PlanGrid:
    """Return a plan's lines in the actor's scope, with bookings by whoever they are credited to. Raises NotFound."""
    plan = get_visible(work, SalesPlan, plan_id)
    period = Period(plan.first_month, plan.until_month)
    lines = work.session.exec(select(PlanLine).where(PlanLine.plan_id == plan.id)).all()
    cells = {(line.rep_id, line.month): (line.amount, line.version) for line in lines}
    statement = kpis.booked_by(
        work.mirror.facts, period=period, filters=NO_FILTERS, today=work.today, step="month", by="rep"
    )
    teams = {team.id: team for team in work.session.exec(select(Team)).all()}
    below = None if plan.team_id is None else team_subtree(work.session, plan.team_id)
    everybody = work.session.exec(select(Rep)).all()
    meant = {rep.id for rep in everybody if below is None or rep.team_id in below} | {rep for rep, _month in cells}
    booked = {
        (int(row.key), row.on): row.booked / HUNDREDTHS
        for row in work.mirror.rows(statement)
        if str(row.key).isdigit() and int(row.key) in meant
    }
    shown = {rep for rep, _month in cells} | {rep for rep, _month in booked}
    reps = [
        PlannedRep(rep.id, named(rep), rep.team_id, named(teams[rep.team_id]) if rep.team_id in teams else "")
        for rep in everybody
        if rep.id in shown
    ]
    return PlanGrid(
        plan.id, plan.version, tuple(period.months()),
        tuple(sorted(reps, key=lambda rep: (rep.team, rep.name, rep.id))), cells, booked,
        {number: team.parent_id for number, team in teams.items()},
        {number: named(team) for number, team in teams.items()}, plan.team_id, _beside(work.session, plan, set(cells)),
    )  # fmt: skip


def _beside(session: Session, plan: SalesPlan, cells: set[tuple[int, date]]) -> dict[int | None, dict[date, Decimal]]:
    """What other plans in force say of the same months: the company's of the same reps, or each team's own."""
    in_force = _in_force(session, Period(plan.first_month, plan.until_month))
    others = {team: months for team, months in in_force.items() if (team is None) != (plan.team_id is None)}
    numbers = {number for months in others.values() for number in months.values()}
    found: dict[int | None, dict[date, Decimal]] = {}
    for line in session.exec(select(PlanLine).where(col(PlanLine.plan_id).in_(numbers))):
        for team, months in others.items():
            if months.get(line.month) == line.plan_id and (team is not None or (line.rep_id, line.month) in cells):
                sums = found.setdefault(team, {})
                sums[line.month] = sums.get(line.month, Decimal(0)) + line.amount
    return found


@dataclass
class _Planned:
    """A month's plan at a level: whose it is (None: the company's), and what the company's gives the same reps."""

    team: int | None
    amount: Decimal = Decimal(0)
    company: Decimal | None = None


def _share(found: _Planned) -> float:
    """What the company's plan says beside a team's own; NaN where there is nothing to say."""
    return nan if found.team is None or found.company is None else float(found.company)


def _planned(work: Work, period: Period, filters: Filters) -> dict[date, _Planned]:
    """The amounts that count at the level looked at, for the months of a period that lie wholly in it, by month."""
    if not filters.by_people_alone:
        return {}
    in_force = _in_force(work.session, period)
    if not in_force:
        return {}
    parents: dict[int, int | None] = dict(work.session.exec(select(Team.id, Team.parent_id)).all())
    counts = counting(_level(work, filters, parents), in_force, parents)
    whose = {number: team for team, months in in_force.items() for number in months.values()}
    company = in_force.get(None, {})
    statement = (
        select(col(PlanLine.plan_id), col(PlanLine.month), func.sum(col(PlanLine.amount)))
        .where(col(PlanLine.plan_id).in_({*counts.values(), *company.values()}), col(PlanLine.month).in_(counts))
        .group_by(col(PlanLine.plan_id), col(PlanLine.month))
    )
    reps = _reps_meant(work.session, filters)
    if reps is not None:
        statement = statement.where(col(PlanLine.rep_id).in_(reps))
    found: dict[date, _Planned] = {}
    for plan, on, total in work.session.exec(statement):
        month = found.setdefault(on, _Planned(whose[counts[on]]))
        if counts[on] == plan:
            month.amount += total
        if company.get(on) == plan:
            month.company = (month.company or Decimal(0)) + total
    return found


def _level(work: Work, filters: Filters, parents: Mapping[int, int | None]) -> int | None:
    """The team that is looked at: by the filters, else by the actor's scope; None for the whole company."""
    teams: Iterable[int | None] = filters.team_ids
    scope = work.actor.scope
    reps = filters.rep_ids or (() if filters.team_ids or scope.team_ids else scope.rep_ids)
    if reps:
        teams = work.session.exec(select(Rep.team_id).where(col(Rep.id).in_(reps))).all()
    elif not filters.team_ids:
        teams = scope.team_ids
    return level_of(teams, parents)


def _in_force(session: Session, period: Period) -> dict[int | None, dict[date, int]]:
    """Which plan counts for each month that lies wholly in a period, by team: the last one that covers it."""
    found: dict[int | None, dict[date, int]] = {}
    statement = select(SalesPlan).where(
        col(SalesPlan.withdrawn_at).is_(None),
        SalesPlan.first_month < period.end,
        SalesPlan.until_month > period.start,
    )
    for plan in session.exec(statement.order_by(col(SalesPlan.id))):
        for month in Period(plan.first_month, plan.until_month).months():
            if period.start <= month and add_months(month, 1) <= period.end:
                found.setdefault(plan.team_id, {})[month] = plan.id
    return found


def _reps_meant(session: Session, filters: Filters) -> Select[Any] | None:
    """The numbers of the reps that filters by people mean, as a part of a statement; None for all of them."""
    if not filters.team_ids and not filters.rep_ids:
        return None
    meant: Select[Any] = select(Rep.id)
    if filters.team_ids:
        teams = {team for top in filters.team_ids for team in team_subtree(session, top)}
        meant = meant.where(col(Rep.team_id).in_(teams))
    return meant.where(col(Rep.id).in_(filters.rep_ids)) if filters.rep_ids else meant


def _whole(plans: Sequence[SalesPlan]) -> Period:
    return Period(min(plan.first_month for plan in plans), max(plan.until_month for plan in plans))
