"""The rows of each table that a scope holds: the only place that says so for the database.

Every mapped table is either in `SCOPED` or in `COMMON`, and a test holds us to it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, false, or_, select, true
from sqlalchemy.orm import ORMExecuteState, with_loader_criteria

from core.access.actors import Actor, Reach, Scope
from core.errors import SalesError
from core.i18n import N_
from core.model import (
    AcquisitionCost,
    Activity,
    AuditEntry,
    Award,
    ChangeLog,
    Channel,
    Contact,
    Contest,
    CreditShare,
    Currency,
    Customer,
    Deal,
    DealChange,
    DealLine,
    Draft,
    ForecastRun,
    FxRate,
    IdempotencyKey,
    ImportBatch,
    ImportMapping,
    LostReason,
    PasswordReset,
    Pipeline,
    PlanLine,
    Product,
    Quota,
    Rep,
    RepLeave,
    SalesPlan,
    Scenario,
    ScenarioShare,
    Setting,
    ShareLink,
    SignInAttempt,
    SignInSession,
    SignInTicket,
    Sku,
    Stage,
    StageMove,
    Team,
    Territory,
    TerritoryAssignment,
    User,
    WordPair,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session
    from sqlalchemy.sql.base import ExecutableOption


class ScopeLeft(SalesError):
    """A change would put a row outside what its author may see."""

    text = N_("This would give the record to somebody outside your team.")


class UnscopedStatement(RuntimeError):
    """A statement would go past the scope; a mistake in the program, never the reader's."""


def _deals(scope: Scope) -> ColumnElement[bool]:
    owner, credited = cast("Any", Deal.owner_id), cast("Any", Deal.credited_id)
    return or_(owner.in_(scope.rep_ids), credited.in_(scope.rep_ids))


def _customers(scope: Scope) -> ColumnElement[bool]:
    deals = select(cast("Any", Deal.customer_id)).where(_deals(scope))
    return or_(
        cast("Any", Customer.owner_id).in_(scope.rep_ids),
        cast("Any", Customer.id).in_(deals),
    )


def _of_customer(column: object) -> Callable[[Scope], ColumnElement[bool]]:
    return lambda scope: cast("Any", column).in_(select(cast("Any", Customer.id)).where(_customers(scope)))


def _of_deal(column: object) -> Callable[[Scope], ColumnElement[bool]]:
    return lambda scope: cast("Any", column).in_(select(cast("Any", Deal.id)).where(_deals(scope)))


SCOPED: dict[type, Callable[[Scope], ColumnElement[bool]]] = {
    Deal: _deals,
    DealLine: _of_deal(DealLine.deal_id),
    StageMove: _of_deal(StageMove.deal_id),
    DealChange: _of_deal(DealChange.deal_id),
    CreditShare: _of_deal(CreditShare.deal_id),
    Customer: _customers,
    Contact: _of_customer(Contact.customer_id),
    Activity: lambda scope: or_(
        cast("Any", Activity.rep_id).in_(scope.rep_ids),
        _of_deal(Activity.deal_id)(scope),
    ),
    Quota: lambda scope: or_(
        cast("Any", Quota.rep_id).in_(scope.rep_ids),
        cast("Any", Quota.team_id).in_(scope.team_ids),
    ),
    RepLeave: lambda scope: cast("Any", RepLeave.rep_id).in_(scope.rep_ids),
    PlanLine: lambda scope: cast("Any", PlanLine.rep_id).in_(scope.rep_ids),
    Award: lambda scope: or_(
        cast("Any", Award.rep_id).in_(scope.rep_ids),
        cast("Any", Award.team_id).in_(scope.team_ids),
    ),
    ForecastRun: lambda scope: cast("Any", ForecastRun.scope_key) == scope.named,
}


def _drafts(_scope: Scope, user_id: int | None) -> ColumnElement[bool]:
    mine: ColumnElement[bool] = cast("Any", Draft.user_id) == user_id
    return mine


def _line_above(user_id: int | None) -> Any:
    """The numbers of the team that a person is in or leads, and of those above it."""
    user, team = cast("Any", User), cast("Any", Team)
    rep = select(user.rep_id).where(user.id == user_id).scalar_subquery()
    own = select(cast("Any", Rep.team_id)).where(cast("Any", Rep.id) == rep)
    led = select(user.team_id).where(user.id == user_id)
    line = select(team.id, team.parent_id).where(or_(team.id.in_(own), team.id.in_(led))).cte(recursive=True)
    line = line.union(select(team.id, team.parent_id).join(line, team.id == line.c.parent_id))
    return select(line.c.id)


def _shared_with(scope: Scope, user_id: int | None) -> ColumnElement[bool]:
    """The shares that reach a person: with the company, a team of the scope, or a team that the person is below."""
    if scope.reach is Reach.ALL:
        return true()
    share = cast("Any", ScenarioShare.team_id)
    reached: ColumnElement[bool] = or_(share.is_(None), share.in_(scope.team_ids), share.in_(_line_above(user_id)))
    return reached


def _plans(scope: Scope, user_id: int | None) -> ColumnElement[bool]:
    """The company's plans, and those of the scope's teams and of the teams that the person is below."""
    if scope.reach is Reach.ALL:
        return true()
    team = cast("Any", SalesPlan.team_id)
    reached: ColumnElement[bool] = or_(team.is_(None), team.in_(scope.team_ids), team.in_(_line_above(user_id)))
    return reached


def _shares(scope: Scope, user_id: int | None) -> ColumnElement[bool]:
    if user_id is None:
        return false()
    mine = select(cast("Any", Scenario.id)).where(cast("Any", Scenario.user_id) == user_id)
    return or_(cast("Any", ScenarioShare.scenario_id).in_(mine), _shared_with(scope, user_id))


def _scenarios(scope: Scope, user_id: int | None) -> ColumnElement[bool]:
    if user_id is None:
        return false()
    told = select(cast("Any", ScenarioShare.scenario_id)).where(_shared_with(scope, user_id))
    return or_(cast("Any", Scenario.user_id) == user_id, cast("Any", Scenario.id).in_(told))


PERSONAL: dict[type, Callable[[Scope, int | None], ColumnElement[bool]]] = {
    Scenario: _scenarios,
    ScenarioShare: _shares,
    Draft: _drafts,
    SalesPlan: _plans,
}
"""Tables whose rows are their user's alone, whatever the scope, but for what reaches a team or the company."""

COMMON: frozenset[type] = frozenset({
    AcquisitionCost, AuditEntry, ChangeLog, Channel, Contest, Currency, FxRate, IdempotencyKey, ImportBatch,
    ImportMapping, LostReason, PasswordReset, Pipeline, Product, Rep, Setting, ShareLink, SignInAttempt, SignInSession,
    SignInTicket, Sku, Stage, Team, Territory, TerritoryAssignment, User, WordPair,
})  # fmt: skip
"""Tables that hold nothing of one rep's business; what may be done with them the policy says."""


def criteria_for(actor: Actor) -> tuple[ExecutableOption, ...]:
    """Return what every statement of this actor is narrowed by, as SQLAlchemy's options."""
    is_program = actor.role == "operations" and actor.user_id is None
    return _criteria(actor.scope, None if is_program else (actor.user_id,))


@lru_cache(maxsize=256)
def _criteria(scope: Scope, person: tuple[int | None] | None) -> tuple[ExecutableOption, ...]:
    """Return the options for a scope and the user in `person`; None is the program itself, which has no person."""
    found: list[tuple[type, ColumnElement[bool]]] = []
    if scope.reach is not Reach.ALL:
        for table, rule in SCOPED.items():
            found.append((table, false() if scope.reach is Reach.NOTHING else rule(scope)))
    if person is not None:
        found.extend((table, mine(scope, person[0])) for table, mine in PERSONAL.items())
    return tuple(with_loader_criteria(table, rule, include_aliases=True) for table, rule in found)


def narrow(state: ORMExecuteState) -> None:
    """Add the actor's criteria to every ORM statement; refuse what is not one."""
    criteria = state.session.info["criteria"]
    if not criteria:
        return
    if not state.is_orm_statement:
        message = "only ORM statements run in a scoped session"
        raise UnscopedStatement(message)
    if state.is_column_load or state.is_relationship_load:
        return
    state.statement = state.statement.options(*criteria)


def check_ownership(session: Session) -> None:
    """Refuse new, changed and deleted rows whose owner lies outside the actor's scope."""
    actor: Actor = session.info["actor"]
    if actor.user_id is not None and any(
        isinstance(row, Scenario) and row.user_id != actor.user_id
        for row in [*session.new, *session.dirty, *session.deleted]
    ):
        raise ScopeLeft
    if actor.scope.reach is Reach.ALL:
        return
    for row in [*session.new, *session.dirty, *session.deleted]:
        if not _owned_inside(session, row, actor.scope):
            raise ScopeLeft


def _owned_inside(session: Session, row: object, scope: Scope) -> bool:  # noqa: PLR0911 - one answer a table
    match row:
        case Deal():
            return scope.allows_rep(row.owner_id) and _visible(session, Customer, row.customer_id)
        case Customer():
            return scope.allows_rep(row.owner_id) or row in session.dirty
        case Activity():
            return scope.allows_rep(row.rep_id) and _visible(session, Customer, row.customer_id)
        case PlanLine() | RepLeave():
            return scope.allows_rep(row.rep_id)
        case Quota():
            return scope.allows_rep(row.rep_id) if row.rep_id else row.team_id in scope.team_ids
        case ForecastRun():
            return row.scope_key == scope.named
        case Contact():
            return _visible(session, Customer, row.customer_id)
        case DealLine() | StageMove() | DealChange() | CreditShare():
            return _visible(session, Deal, row.deal_id)
    return True


def _visible(session: Session, table: type, number: int | None) -> bool:
    if any(isinstance(row, table) and cast("Any", row).id == number for row in session.identity_map.values()):
        return True
    with session.no_autoflush:
        return session.scalar(select(cast("Any", table).id).where(cast("Any", table).id == number)) is not None
