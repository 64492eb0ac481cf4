"""The sales plan beside what was booked. What the columns mean: docs/queries.md."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from math import nan
from typing import TYPE_CHECKING

import pandas as pd
from sqlmodel import col, select

from core.access.actions import Action
from core.analytics import kpis
from core.analytics.filters import NO_FILTERS, Filters
from core.db.actors import team_subtree
from core.db.work import get_visible
from core.domain.names import named
from core.domain.periods import Period, Preset, add_months
from core.gate import query
from core.model import PlanLine, Rep, SalesPlan, Team
from core.queries.overview import HUNDREDTHS
from core.queries.reference import user_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlmodel import Session

    from core.db.work import Work

SPANS = {"month": Preset.THIS_MONTH, "quarter": Preset.THIS_QUARTER, "year": Preset.THIS_YEAR}
PLANS = (
    "id", "version", "name", "note", "spread", "first_month", "until_month", "adopted_by", "adopted_at", "withdrawn_at",
    "in_force",
)  # fmt: skip
NOW = ("row", "start", "end", "plan", "due", "booked")


@query(Action.PLAN_VIEW, askable=True)
def sales_plans(work: Work) -> pd.DataFrame:
    """Return all plans that were adopted, the last first; `in_force`: for one of its months no later one counts."""
    plans = work.session.exec(select(SalesPlan).order_by(col(SalesPlan.id).desc())).all()
    called = user_names(work.session) if plans else {}
    counting = set(_in_force(work.session, _whole(plans)).values()) if plans else set()
    rows = [
        (
            plan.id, plan.version, plan.name, plan.note, plan.spread.value, plan.first_month, plan.until_month,
            called.get(plan.adopted_by_id, ""), plan.created_at, plan.withdrawn_at, plan.id in counting,
        )
        for plan in plans
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(PLANS)).astype({"withdrawn_at": "object"})


@query(Action.OVERVIEW_VIEW, askable=True)
def plan_by_month(work: Work, *, period: Period, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return the plan in force for each month of the period that has one, in the actor's scope.

    Columns: month date; plan float, major units. No row where the filters go past people.
    """
    planned = _planned(work, period, filters)
    return pd.DataFrame(
        [(month, float(amount)) for month, amount in sorted(planned.items())], columns=["month", "plan"]
    )


@query(Action.TODAY_VIEW, askable=True)
def plan_now(work: Work) -> pd.DataFrame:
    """Return the plan of the running month, quarter and year beside what was booked in the planned months of each.

    `plan` of the span's months that have one, NaN where none has; `due` of it until the end of today, months by their
    days; `start`, `end` the planned months; `booked` in them so far.
    """
    rows = []
    for name, preset in SPANS.items():
        period = work.calendar.preset(preset, today=work.today)
        planned = _planned(work, period, NO_FILTERS)
        if not planned:
            rows.append((name, period.start, period.end, nan, nan, nan))
            continue
        span = Period(min(planned), add_months(max(planned), 1))
        due = sum(
            float(amount) * Period(month, add_months(month, 1)).elapsed_rate(work.today)
            for month, amount in planned.items()
        )
        total = work.mirror.rows(kpis.totals(work.mirror.facts, period=span, filters=NO_FILTERS, today=work.today))[0]
        plan = float(sum(planned.values()))
        rows.append((name, span.start, span.end, plan, due, total.booked / HUNDREDTHS))
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
    """A plan by rep and month, with the stored lines' versions, and what was booked so far (major units)."""

    plan_id: int
    version: int
    months: tuple[date, ...]
    reps: tuple[PlannedRep, ...]
    cells: dict[tuple[int, date], tuple[Decimal, int]]
    booked: dict[tuple[int, date], float]
    parents: dict[int, int | None]
    teams: dict[int, str]

    def line_of(self, team: int | None) -> list[int]:
        """Return a team with all those above it, the lowest first."""
        found: list[int] = []
        while team is not None and team not in found:
            found.append(team)
            team = self.parents.get(team)
        return found


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
    booked = {
        (int(row.key), row.on): row.booked / HUNDREDTHS for row in work.mirror.rows(statement) if str(row.key).isdigit()
    }
    shown = {rep for rep, _month in cells} | {rep for rep, _month in booked}
    teams = {team.id: team for team in work.session.exec(select(Team)).all()}
    reps = [
        PlannedRep(rep.id, named(rep), rep.team_id, named(teams[rep.team_id]) if rep.team_id in teams else "")
        for rep in work.session.exec(select(Rep)).all()
        if rep.id in shown
    ]
    return PlanGrid(
        plan.id, plan.version, tuple(period.months()),
        tuple(sorted(reps, key=lambda rep: (rep.team, rep.name, rep.id))), cells, booked,
        {number: team.parent_id for number, team in teams.items()},
        {number: named(team) for number, team in teams.items()},
    )  # fmt: skip


def _planned(work: Work, period: Period, filters: Filters) -> dict[date, Decimal]:
    """The amounts in force for the months of a period that lie wholly in it, by month."""
    if not filters.by_people_alone:
        return {}
    counting = _in_force(work.session, period)
    if not counting:
        return {}
    statement = select(PlanLine).where(col(PlanLine.plan_id).in_(set(counting.values())))
    reps = _reps_meant(work.session, filters)
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for line in work.session.exec(statement):
        if counting.get(line.month) == line.plan_id and (reps is None or line.rep_id in reps):
            sums[line.month] += line.amount
    return dict(sums)


def _in_force(session: Session, period: Period) -> dict[date, int]:
    """Which plan counts for each month that lies wholly in a period: the last one that covers it."""
    found: dict[date, int] = {}
    statement = select(SalesPlan).where(
        col(SalesPlan.withdrawn_at).is_(None),
        SalesPlan.first_month < period.end,
        SalesPlan.until_month > period.start,
    )
    for plan in session.exec(statement.order_by(col(SalesPlan.id))):
        for month in Period(plan.first_month, plan.until_month).months():
            if period.start <= month and add_months(month, 1) <= period.end:
                found[month] = plan.id
    return found


def _reps_meant(session: Session, filters: Filters) -> set[int] | None:
    """The reps that filters by people mean; None for all of them."""
    if not filters.team_ids and not filters.rep_ids:
        return None
    teams = {team for top in filters.team_ids for team in team_subtree(session, top)}
    return {
        rep.id
        for rep in session.exec(select(Rep)).all()
        if (not filters.team_ids or rep.team_id in teams) and (not filters.rep_ids or rep.id in filters.rep_ids)
    }


def _whole(plans: Sequence[SalesPlan]) -> Period:
    return Period(min(plan.first_month for plan in plans), max(plan.until_month for plan in plans))
