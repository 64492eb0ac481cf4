"""The mirror's tables as one actor may read them: the only place where the mirror is scoped.

A statement builder takes `Facts` and never a table, so it cannot leave the scope out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Select, false, func, literal, or_, select, true

from core.access.actors import Reach, Scope
from core.analytics import tables
from core.i18n import language

if TYPE_CHECKING:
    from sqlalchemy import Table


Statement: TypeAlias = "Select[*tuple[Any, ...]]"
"""A SELECT of any columns."""


class Facts:
    """The facts inside a scope, as subqueries, and the dimensions, which are open to all.

    A deal is inside when its owner or the rep credited with it is; spans, moves and changes go with their deal;
    activities with their rep or deal; quotas with their rep or team; customers with their owner or a deal.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.deals = _narrowed(tables.DEALS, scope, _of_deal(scope))
        self.spans = _narrowed(tables.SPANS, scope, _with_deal(tables.SPANS, scope))
        self.moves = _narrowed(tables.MOVES, scope, _with_deal(tables.MOVES, scope))
        self.changes = _narrowed(tables.CHANGES, scope, _with_deal(tables.CHANGES, scope))
        self.activities = _narrowed(
            tables.ACTIVITIES,
            scope,
            or_(tables.ACTIVITIES.c.rep_id.in_(scope.rep_ids), _with_deal(tables.ACTIVITIES, scope)),
        )
        self.quotas = _narrowed(
            tables.QUOTAS,
            scope,
            or_(
                tables.QUOTAS.c.rep_id.in_(scope.rep_ids),
                tables.QUOTAS.c.own_team_id.in_(scope.team_ids),
            ),
        )
        self.customers = _narrowed(
            tables.CUSTOMERS,
            scope,
            or_(
                tables.CUSTOMERS.c.owner_id.in_(scope.rep_ids),
                tables.CUSTOMERS.c.id.in_(select(tables.DEALS.c.customer_id).where(_of_deal(scope))),
            ),
        )
        self.reps: FromClause = tables.REPS
        self.teams: FromClause = tables.TEAMS
        self.subtrees: FromClause = tables.SUBTREES
        self.territories: FromClause = tables.TERRITORIES
        self.products: FromClause = tables.PRODUCTS
        self.channels: FromClause = tables.CHANNELS
        self.stages: FromClause = tables.STAGES
        self.pipelines: FromClause = tables.PIPELINES
        self.lost_reasons: FromClause = tables.LOST_REASONS

    def counted(self) -> ColumnElement[bool]:
        """Return the condition under which a visible deal counts in this scope's numbers.

        A deal that somebody else won and that was handed over since is visible here, but is the winner's: so
        the numbers of separate scopes add up to the company's.
        """
        if self.scope.reach is Reach.ALL:
            return true()
        return self.deals.c.credit_id.in_(self.scope.rep_ids)


def _of_deal(scope: Scope) -> ColumnElement[bool]:
    return or_(
        tables.DEALS.c.owner_id.in_(scope.rep_ids),
        tables.DEALS.c.credited_id.in_(scope.rep_ids),
    )


def _with_deal(table: Table, scope: Scope) -> ColumnElement[bool]:
    return table.c.deal_id.in_(select(tables.DEALS.c.id).where(_of_deal(scope)))


def _narrowed(table: Table, scope: Scope, inside: ColumnElement[bool]) -> FromClause:
    if scope.reach is Reach.ALL:
        return table.alias()
    rule = false() if scope.reach is Reach.NOTHING else inside
    return select(table).where(rule).subquery(table.name)


def spoken(table: FromClause) -> ColumnElement[str]:
    """Return the name of a row of `table` in the reader's language, "" where there is no row."""
    plain = func.coalesce(table.c.name, literal(""))
    if language() == "en":
        return func.coalesce(func.nullif(table.c.name_en, ""), plain)
    return func.coalesce(func.nullif(table.c.name, ""), func.coalesce(table.c.name_en, literal("")))


def default_pipeline(facts: Facts) -> Select[tuple[int]]:
    """Return the number of the process that is shown where none is chosen."""
    lines = facts.pipelines.c
    return select(lines.id).order_by(lines.is_default.desc(), lines.id).limit(1)
