"""Adopting a scenario as the sales plan (销售计划) of the company or a team, and changing the plan afterwards."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from core.access.actions import Action
from core.access.actors import Reach
from core.analytics import kpis
from core.analytics.filters import NO_FILTERS
from core.db.actors import team_subtree
from core.db.work import get_visible
from core.domain.money import CENT
from core.domain.periods import Period, add_months
from core.domain.plans import PlanSpread, capacity, present_share, spread
from core.errors import EditedMeanwhile, InvalidField, InvalidFields, NotFound, SalesError
from core.forecasting.levers import Levers
from core.gate import command
from core.i18n import N_, _
from core.model import PlanLine, Rep, SalesPlan, Team
from core.services.deal_rules import MOST_MONEY
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from core.db.work import Work

LONGEST_NAME, LONGEST_NOTE = 80, 1000
MOST_MONTHS = 24
SHARE_MONTHS = 12


class NotYourPlan(SalesError):
    """Whoever leads a team plans for it and those below it; the company's plan is for those who see everything."""

    text = N_("You plan for your own team and those below it. The plans above are for those who lead there.")


class NobodyToPlanFor(SalesError):
    """A plan is spread over people who sell."""

    text = N_("Nobody sells in {month}: a plan is spread over the reps who are there.")


@dataclass(frozen=True)
class PlanChange:
    """What a rep is to book in a month; `version` is the stored line's when it was seen, None where there was none.

    `made_on`: of a change that takes another back, the version that the other was made on.
    """

    rep_id: int
    month: date
    amount: Decimal
    version: int | None
    made_on: int | None = field(default=None, compare=False)


@command(Action.TEAM_PLAN_EDIT)
def adopt_plan(
    work: Work,
    *,
    key: str,
    name: str,
    months: Mapping[date, Decimal],
    spread_by: PlanSpread,
    levers: dict[str, Any],
    note: str = "",
    ramp_months: float = 6.0,
    team_id: int | None = None,
) -> SalesPlan:
    """Make the company's or a team's amounts, month by month, its plan, and spread each over its reps to the cent.

    By share: of what they booked in the 12 months before this one; by capacity: of the days they are there, new people
    ramping up. A team's plan leaves the company's as it is and stands beside it. The plan before it stays, and is in
    force again where this one is withdrawn. Raises InvalidFields, NobodyToPlanFor, NotYourPlan, LeverOutOfRange.
    """
    _check_mine(work, team_id)
    before = saved_before(work, key=key, command="adopt_plan")
    if before is not None:
        return get_visible(work, SalesPlan, before)
    first = _checked(name, note, months)
    until = add_months(first, len(months))
    plan = SalesPlan(
        name=" ".join(name.split()), note=note.strip(), levers=Levers.from_dict(levers).to_dict(),
        spread=PlanSpread(spread_by), first_month=first, until_month=until, adopted_by_id=work.actor.user_id,
        team_id=team_id,
    )  # fmt: skip
    work.session.add(plan)
    work.session.flush()
    meant = _reps(work, team_id)
    reps = [rep for rep in work.session.exec(select(Rep).order_by(col(Rep.id))).all() if rep.id in meant]
    booked = _booked(work) if plan.spread is PlanSpread.SHARE else {}
    for month, amount in sorted(months.items()):
        there = [rep for rep in reps if present_share(month, joined_on=rep.joined_on, left_on=rep.left_on)]
        if not there:
            raise NobodyToPlanFor(month=month.isoformat()[:7])
        weights = [
            float(max(booked.get(rep.id, 0), 0))
            if plan.spread is PlanSpread.SHARE
            else capacity(month, joined_on=rep.joined_on, left_on=rep.left_on, ramp_months=ramp_months)
            for rep in there
        ]
        for rep, part in zip(there, spread(amount.quantize(CENT), weights), strict=True):
            work.session.add(PlanLine(plan_id=plan.id, rep_id=rep.id, month=month, amount=part))
    remember(work, key=key, command="adopt_plan", record_id=plan.id)
    return plan


@command(Action.TEAM_PLAN_EDIT)
def withdraw_plan(work: Work, *, plan_id: int, version: int) -> None:
    """Take a plan out of force; the one before it counts again. Raises NotFound, NotYourPlan, EditedMeanwhile."""
    _mine(work, plan_id, version=version).withdrawn_at = work.now


@command(Action.TEAM_PLAN_EDIT)
def restore_plan(work: Work, *, plan_id: int) -> None:
    """Put a plan that was withdrawn into force again. Raises NotFound, NotYourPlan."""
    _mine(work, plan_id).withdrawn_at = None


@command(Action.TEAM_PLAN_EDIT)
def change_plan(work: Work, *, plan_id: int, changes: Sequence[PlanChange]) -> tuple[PlanChange, ...]:
    """Save the changed cells of the plan's grid, all or none; return the changes that would undo it.

    Raises NotFound (no such plan, or no such rep in it), NotYourPlan, InvalidField, EditedMeanwhile where somebody
    changed one of them since.
    """
    plan = _mine(work, plan_id)
    lines = _lines(work, plan, {change.month for change in changes})
    known = _reps(work, plan.team_id)
    touched = []
    for change in changes:
        if change.rep_id not in known:
            raise NotFound(kind=_("rep"), number=change.rep_id)
        if not plan.first_month <= change.month < plan.until_month or change.month.day != 1:
            message = f"{change.month} is no month of the plan"
            raise ValueError(message)
        _check_amount(change.amount)
        line = lines.get((change.rep_id, change.month))
        if (None if line is None else line.version) != change.version:
            raise EditedMeanwhile
        line = line or PlanLine(plan_id=plan.id, rep_id=change.rep_id, month=change.month, amount=Decimal(0))
        touched.append((line, line.amount, change.version))
        line.amount = change.amount.quantize(CENT)
        work.session.add(line)
    return _undoing(work, touched)


@command(Action.TEAM_PLAN_EDIT)
def spread_plan(
    work: Work, *, plan_id: int, version: int, month: date, amount: Decimal, team_id: int | None, seen: Decimal
) -> tuple[PlanChange, ...]:
    """Give all whom the plan is for, or a team with those below it, another amount in a month; return what undoes it.

    Spread as the month's plan was before, evenly where it was nothing. `seen`: what the month stood at when it was
    looked at. Raises NotFound, NotYourPlan, EditedMeanwhile where it stands otherwise now, InvalidField,
    NobodyToPlanFor.
    """
    plan = _mine(work, plan_id, version=version)
    _check_amount(amount)
    reps = _reps(work, plan.team_id) & _reps(work, team_id)
    lines = [line for (rep, _month), line in sorted(_lines(work, plan, {month}).items()) if rep in reps]
    if not lines:
        raise NobodyToPlanFor(month=month.isoformat()[:7])
    if sum(line.amount for line in lines) != seen:
        raise EditedMeanwhile
    touched: list[tuple[PlanLine, Decimal, int | None]] = [(line, line.amount, line.version) for line in lines]
    for line, part in zip(lines, spread(amount, [float(line.amount) for line in lines]), strict=True):
        line.amount = part
    return _undoing(work, touched)


def _mine(work: Work, plan_id: int, *, version: int | None = None) -> SalesPlan:
    plan = get_visible(work, SalesPlan, plan_id, version=version)
    _check_mine(work, plan.team_id)
    return plan


def _check_mine(work: Work, team_id: int | None) -> None:
    if team_id is None and not work.actor.may(Action.PLAN_EDIT):
        raise NotYourPlan
    if team_id is not None and work.actor.scope.reach is not Reach.ALL and team_id not in work.actor.scope.team_ids:
        raise NotYourPlan
    if team_id is not None:
        get_visible(work, Team, team_id)


def _reps(work: Work, team_id: int | None) -> set[int]:
    """The reps of a team with those below it, or of the whole company."""
    below = None if team_id is None else team_subtree(work.session, team_id)
    return {rep.id for rep in work.session.exec(select(Rep)).all() if below is None or rep.team_id in below}


def _undoing(work: Work, touched: Sequence[tuple[PlanLine, Decimal, int | None]]) -> tuple[PlanChange, ...]:
    """The changes that give the lines their amounts of before, as long as nobody changes them again."""
    work.session.flush()
    return tuple(
        PlanChange(line.rep_id, line.month, amount, line.version, made_on)
        for line, amount, made_on in touched
        if line.amount != amount
    )


def _checked(name: str, note: str, months: Mapping[date, Decimal]) -> date:
    """Return the plan's first month."""
    problems = {}
    if not name.strip():
        problems["name"] = _("Please give the plan a name.")
    for place, text, most in (("name", " ".join(name.split()), LONGEST_NAME), ("note", note.strip(), LONGEST_NOTE)):
        if len(text) > most:
            problems[place] = _("At most {n} characters, please.", n=most)
    if problems:
        raise InvalidFields(problems)
    ordered = sorted(months)
    if not 0 < len(ordered) <= MOST_MONTHS or ordered != [add_months(ordered[0], k) for k in range(len(ordered))]:
        message = f"a plan is of 1 to {MOST_MONTHS} months that follow each other"
        raise ValueError(message)
    if ordered[0].day != 1:
        message = f"a plan is of months, not of {ordered[0]}"
        raise ValueError(message)
    for amount in months.values():
        _check_amount(amount)
    return ordered[0]


def _check_amount(amount: Decimal) -> None:
    if not 0 <= amount < MOST_MONEY:
        reason = _("An amount is zero or more, and below ten trillion.")
        raise InvalidField(name="amount", label=_("Plan"), reason=reason)


def _booked(work: Work) -> dict[int, int]:
    """What each rep booked in the 12 months before the running one, in hundredths."""
    work.database.mirror.refresh()
    until = work.today.replace(day=1)
    period = Period(add_months(until, -SHARE_MONTHS), until)
    statement = kpis.by_dimension(work.mirror.facts, period=period, by="rep", filters=NO_FILTERS, today=work.today)
    found: dict[int, int] = defaultdict(int)
    for row in work.mirror.rows(statement):
        if str(row.key).isdigit():
            found[int(row.key)] += int(row.booked)
    return found


def _lines(work: Work, plan: SalesPlan, months: set[date]) -> dict[tuple[int, date], PlanLine]:
    statement = select(PlanLine).where(PlanLine.plan_id == plan.id, col(PlanLine.month).in_(months)).with_for_update()
    return {(line.rep_id, line.month): line for line in work.session.exec(statement)}
