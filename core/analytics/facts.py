"""The mirror's tables as one actor may read them: the only place where the mirror is scoped.

A statement builder takes `Facts` and never a table, so it cannot leave the scope out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, false, func, literal, or_, select, true

from core.access.actors import Reach, Scope
from core.analytics import tables
from core.domain.names import BETWEEN, in_order

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Subquery, Table


Statement: TypeAlias = "Select[*tuple[Any, ...]]"
"""A SELECT of any columns."""


_MARKS = (
    "id", "name", "auto_named", "customer_id", "pipeline_id", "territory_id", "channel_id", "product_id", "segment",
    "lost_reason_id", "competitor", "opened_on", "opened_at",
)  # fmt: skip


class Facts:
    """The facts inside a scope, as subqueries, and the dimensions, which are open to all.

    A deal is inside when its owner or the rep credited with it is; spans, moves and changes go with their deal;
    a state when the rep who had the deal on those days is, so that a past day's numbers are those of its people
    (`core.analytics.past_facts` makes facts of such a day; the `known_*` tables hold what it needs of those deals, and
    what is `_any_*` is everybody's, to be joined with states or deals of the scope, never asked by itself);
    `shares` are everybody's: numbers of deals and people alone, to spread amounts by (`core.analytics.credited`);
    activities with their rep or deal; quotas with their rep or team; customers with their owner or a deal.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.deals = _narrowed(tables.DEALS, scope, _of_deal(scope))
        self.spans = _narrowed(tables.SPANS, scope, _of_deal(scope, tables.SPANS))
        self.moves = _moves(self.spans)
        self.changes = _narrowed(tables.CHANGES, scope, _with_deal(tables.CHANGES, scope))
        self.states = _narrowed(tables.STATES, scope, tables.STATES.c.credit_id.in_(scope.rep_ids))
        self.known_deals = _named_alone(scope)
        self.known_customers = _customers_of(self.known_deals, scope)
        self.known_spans, self.late_moves = (
            _with_known(table, self.known_deals, scope) for table in (tables.SPANS, tables.LATE_MOVES)
        )
        self.known_moves = _moves(self.known_spans)
        self._any_deals = _marks(scope)
        self._any_spans, self._any_changes = tables.SPANS.alias("any_spans"), tables.CHANGES.alias("any_changes")
        self._any_customers = tables.CUSTOMERS.alias("any_customers")
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
        self.shares: FromClause = shares_known()
        self.reps: FromClause = tables.REPS
        self.leaves: FromClause = tables.LEAVES
        self.teams: FromClause = tables.TEAMS
        self.subtrees: FromClause = tables.SUBTREES
        self.territories: FromClause = tables.TERRITORIES
        self.products: FromClause = tables.PRODUCTS
        self.channels: FromClause = tables.CHANNELS
        self.stages: FromClause = tables.STAGES
        self.pipelines: FromClause = tables.PIPELINES
        self.rates: FromClause = tables.RATES
        self.lost_reasons: FromClause = tables.LOST_REASONS
        self.words: FromClause = tables.WORDS

    def of_everyone(self) -> Facts:
        """Return the same facts in the scope that holds everything, to work out of a whole what of it is somebody's."""
        return self if self.scope.reach is Reach.ALL else Facts(Scope.everything())

    def with_deals(self, rows: FromClause) -> tuple[FromClause, Any]:
        """Return rows of the scope joined with what their deals are besides, whoever has these now; and its columns."""
        deals = self._any_deals
        return rows.join(deals, deals.c.id == rows.c.deal_id), deals.c

    def with_customers(self, rows: FromClause) -> tuple[FromClause, FromClause]:
        """Return deals of the scope joined with their customers, who are in it with them, where known; and these."""
        customers = self._any_customers
        return rows.outerjoin(customers, customers.c.id == rows.c.customer_id), customers

    def with_stays(self, rows: FromClause) -> tuple[FromClause, Any]:
        """Return rows of the scope joined with all stays of their deals, whoever has these now; and their columns."""
        stays = self._any_spans
        return rows.join(stays, stays.c.deal_id == rows.c.deal_id), stays.c

    def stays_of_won(self) -> Subquery:
        """Return the stays of the deals that are won."""
        deals, spans = self.deals.c, self._any_spans
        return (
            select(spans)
            .join(self.deals, deals.id == spans.c.deal_id)
            .where(self.stands("won"))
            .subquery("stays_of_won")
        )

    def stands(self, state: str) -> ColumnElement[bool]:
        """Return whether a deal of `deals` is in a state: `open`, `won` or `lost`; or `decided`, either of the two."""
        is_in = self.deals.c.state
        is_so: ColumnElement[bool] = is_in != "open" if state == "decided" else is_in == state
        return is_so

    def ended(self, stays: FromClause) -> ColumnElement[bool]:
        """Return whether a stay of `spans` or `stays_of_won` is over."""
        return stays.c.left_at.is_not(None)

    def moved_since(self, day: date) -> ColumnElement[bool]:
        """Return whether a deal of `deals` can have moved on a day or after it: all that did, and not many others.

        Deals lie by their close (`core.db.mirror_order`), so that those of earlier years need not be read.
        """
        moved: ColumnElement[bool] = self.deals.c.stage_entered_on >= day
        return moved

    @property
    def each_stay_has_its_deal(self) -> bool:
        """Whether each stay of `spans` is of one of `deals` and in its process; not sure of a past day's."""
        return type(self) is Facts

    def counted(self, stays: FromClause | None = None) -> ColumnElement[bool]:
        """Return the condition under which a visible deal counts in this scope's numbers; or a stay or move of one.

        A deal that somebody else won and that was handed over since is visible here, but is the winner's: so
        the numbers of separate scopes add up to the company's.
        """
        if self.scope.reach is Reach.ALL:
            return true()
        if stays is not None:
            return func.coalesce(stays.c.credited_id, stays.c.owner_id).in_(self.scope.rep_ids)
        return self.deals.c.credit_id.in_(self.scope.rep_ids)


def shares_known(on: date | None = None) -> FromClause:
    """Return who is credited with how much of which deal, as it is known now or was at the end of a day."""
    shares = tables.SHARES.c
    if on is None:
        known: ColumnElement[bool] = shares.known_until.is_(None)
    else:
        known = and_(shares.known_from <= on, or_(shares.known_until.is_(None), shares.known_until > on))
    return select(shares.deal_id, shares.rep_id, shares.share).where(known).subquery("shares_known")


def _of_deal(scope: Scope, table: Table = tables.DEALS) -> ColumnElement[bool]:
    return or_(table.c.owner_id.in_(scope.rep_ids), table.c.credited_id.in_(scope.rep_ids))


def _with_deal(table: Table, scope: Scope) -> ColumnElement[bool]:
    return table.c.deal_id.in_(select(tables.DEALS.c.id).where(_of_deal(scope)))


def _named_alone(scope: Scope) -> FromClause:
    """Return what a past state needs of its deal besides itself; nothing of what the deal is worth or where it is now.

    Deals that were handed over are in it for whoever had them; what such a deal cost is for who has or won it.
    """
    if scope.reach is Reach.ALL:
        return tables.DEALS.alias("known_deals")
    inside = or_(_of_deal(scope), tables.DEALS.c.id.in_(_handed_over(scope)))
    return _marks(scope, false() if scope.reach is Reach.NOTHING else inside)


def _marks(scope: Scope, *inside: ColumnElement[bool]) -> Subquery:
    """Return what a past state needs of its deal; what the deal cost is for who has or won it now."""
    now = true() if scope.reach is Reach.ALL else _of_deal(scope)
    seen = [case((now, tables.DEALS.c[name])).label(name) for name in ("cost", "closed_at")]
    return select(*(tables.DEALS.c[name] for name in _MARKS), *seen).where(*inside).subquery("known_deals")


def _handed_over(scope: Scope) -> Select[tuple[int]]:
    """Return the deals that the scope's reps once had and that are others' now."""
    return select(tables.FORMER.c.deal_id).where(tables.FORMER.c.rep_id.in_(scope.rep_ids))


def _with_known(table: Table, deals: FromClause, scope: Scope) -> FromClause:
    """Return the rows of `table` whose deal is one of `deals`, which are those of the scope's `known_deals`."""
    if scope.reach is Reach.ALL:
        return table.alias()
    inside: ColumnElement[bool] = table.c.deal_id.in_(select(deals.c.id))
    if scope.reach is Reach.NOTHING:
        inside = false()
    elif "owner_id" in table.c:
        inside = or_(_of_deal(scope, table), table.c.deal_id.in_(_handed_over(scope)))
    return select(table).where(inside).subquery(f"known_{table.name}")


def _moves(spans: FromClause) -> FromClause:
    """Return the moves with which stays began: where a deal came from, where to, when, and why where it was lost."""
    s = spans.c
    return select(
        s.move_id.label("id"), s.deal_id, s.owner_id, s.credited_id, s.pipeline_id, s.from_stage_id,
        s.stage_id.label("to_stage_id"), s.position.label("to_position"), s.kind.label("to_kind"), s.lost_reason_id,
        s.entered_at.label("moved_at"), s.entered_on.label("moved_on"),
    ).subquery("moves")  # fmt: skip


def _customers_of(deals: FromClause, scope: Scope) -> FromClause:
    if scope.reach is Reach.ALL:
        return tables.CUSTOMERS.alias("known_customers")
    names = (tables.CUSTOMERS.c.id, tables.CUSTOMERS.c.name, tables.CUSTOMERS.c.name_en)
    return select(*names).where(tables.CUSTOMERS.c.id.in_(select(deals.c.customer_id))).subquery("known_customers")


def _narrowed(table: Table, scope: Scope, inside: ColumnElement[bool]) -> FromClause:
    if scope.reach is Reach.ALL:
        return table.alias()
    rule = false() if scope.reach is Reach.NOTHING else inside
    return select(table).where(rule).subquery(table.name)


def spoken(row: Any) -> ColumnElement[str]:
    """Return the name of a row (a table's, an alias's or a model's) in the reader's language, "" for no row.

    What `core.domain.names.named` is in Python.
    """
    columns = getattr(row, "c", row)
    first, second = in_order(columns.name, columns.name_en)
    return func.coalesce(func.nullif(first, ""), second, literal(""))


def title(deal: Any, customer: ColumnElement[str], product: ColumnElement[str]) -> ColumnElement[str]:
    """Return what a deal is called: its name, or what `core.domain.names.deal_title` makes of the other names."""
    columns = getattr(deal, "c", deal)
    made = customer + func.coalesce(literal(BETWEEN) + func.nullif(product, literal("")), literal(""))
    return case((columns.auto_named, made), else_=columns.name)


def default_pipeline(facts: Facts) -> Select[tuple[int]]:
    """Return the number of the process that is shown where none is chosen."""
    lines = facts.pipelines.c
    return select(lines.id).order_by(lines.is_default.desc(), lines.id).limit(1)
