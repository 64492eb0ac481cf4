"""Reading deals: the table, the board, and one deal with all that happened to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from core.access.actions import Action
from core.access.margin_sight import sees_margin
from core.analytics.facts import spoken
from core.analytics.filters import Filters
from core.db.actors import team_subtree
from core.db.work import get_visible
from core.domain.money import from_minor
from core.domain.names import named
from core.domain.stages import DealField, StageKind
from core.gate import query
from core.model import (
    Activity,
    Channel,
    Contact,
    Customer,
    Deal,
    DealChange,
    DealLine,
    LostReason,
    Pipeline,
    Product,
    Rep,
    Sku,
    Stage,
    StageMove,
)
from core.queries.deal_credit import credit_events
from core.queries.deal_needs import needing
from core.queries.reference import rep_names, user_names
from core.queries.titles import name_order, titled, titles_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.analytics.attention import Need
    from core.db.work import Work
    from core.domain.names import Words
    from core.domain.periods import Period

MOST_ROWS = 100_000
_COLUMNS = (
    "id",
    "name",
    "customer_id",
    "customer",
    "owner",
    "stage",
    "state",
    "amount",
    "currency",
    "base_amount",
    "expected_close_on",
    "stage_entered_at",
    "opened_at",
    "closed_at",
    "channel",
)


@dataclass(frozen=True)
class DealFilter:
    """Which deals a list shows; what is empty narrows nothing. `need`: of those that need somebody, why.

    Reps and teams (with their subtree) are the credited one's of a won deal, else the owner's.
    """

    search: str = ""
    states: tuple[StageKind, ...] = ()
    stage_ids: tuple[int, ...] = ()
    customer_id: int | None = None
    expected: Period | None = None
    closed: Period | None = None
    opened: Period | None = None
    need: Need | None = None
    filters: Filters = field(default_factory=Filters)


@dataclass(frozen=True)
class DealsPage:
    """One page of a list, and what the whole list adds up to in the base currency."""

    rows: pd.DataFrame
    total: int
    value: Decimal


@dataclass(frozen=True)
class BoardColumn:
    """A stage on the board: how many deals stand there, what they are worth, and the largest."""

    stage_id: int
    stage: str
    count: int
    value: Decimal
    cards: pd.DataFrame


@dataclass(frozen=True)
class LineRow:
    """A product in a deal, by name."""

    product_id: int
    sku_id: int | None
    product: str
    quantity: int
    unit_price: Decimal
    discount_rate: float
    amount: Decimal


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened: a move, a change or an activity, with the names of those involved.

    `kind`: `opened`, `moved`, `back`, `won`, `lost`, `reopened`, `amount`, `owner`, `expected_close`, `credit`, or
    the kind of an activity. `before` and `after` are stages, persons, amounts or ISO days as text.
    """

    at: datetime
    kind: str
    who: str
    before: str = ""
    after: str = ""
    note: str = ""
    recorded_at: datetime | None = None
    activity: Activity | None = None


@dataclass(frozen=True)
class DealRecord:
    """A deal with everything that its page shows; `may_edit` is false for what somebody else owns now."""

    deal: Deal
    title: str
    customer: Customer
    contact: Contact | None
    pipeline: str
    stage: str
    owner: str
    credited: str
    channel: str
    lost_reason: str
    lines: tuple[LineRow, ...]
    timeline: tuple[TimelineEntry, ...]
    due: tuple[Activity, ...]
    last_editor: str
    may_edit: bool


_SORTS: dict[str, Callable[[], Any]] = {
    "name": lambda: case((cast("Any", Deal.auto_named), name_order(Customer)), else_=Deal.name),
    "customer": lambda: name_order(Customer),
    "owner": lambda: name_order(Rep),
    "stage": lambda: Stage.position,
    "amount": lambda: Deal.base_amount,
    "expected": lambda: Deal.expected_close_on,
    "entered": lambda: Deal.stage_entered_at,
    "opened": lambda: Deal.opened_at,
    "closed": lambda: Deal.closed_at,
}
SORT_KEYS = tuple(_SORTS)


def _statement() -> Select[Any]:
    deal, customer = cast("Any", Deal), cast("Any", Customer)
    rep, stage, channel = cast("Any", Rep), cast("Any", Stage), cast("Any", Channel)
    return (
        select(
            deal.id,
            titled(),
            deal.customer_id,
            spoken(customer),
            spoken(rep),
            spoken(stage),
            deal.state,
            deal.amount,
            deal.currency,
            deal.base_amount,
            deal.expected_close_on,
            deal.stage_entered_at,
            deal.opened_at,
            deal.closed_at,
            spoken(channel),
        )
        .join(customer, customer.id == deal.customer_id)
        .join(rep, rep.id == deal.owner_id)
        .join(stage, stage.id == deal.stage_id)
        .outerjoin(channel, channel.id == deal.channel_id)
    )


def _conditions(work: Work, wanted: DealFilter) -> list[ColumnElement[bool]]:
    deal, customer = cast("Any", Deal), cast("Any", Customer)
    by, credit = wanted.filters, func.coalesce(deal.credited_id, deal.owner_id)
    names = (deal.name, customer.name, customer.name_en)
    found: list[ColumnElement[bool]] = [
        or_(*(column.icontains(word, autoescape=True) for column in names), *_titled_with(work, word))
        for word in wanted.search.split()
    ]
    for values, column in (
        (wanted.states, deal.state),
        (wanted.stage_ids, deal.stage_id),
        (by.rep_ids, credit),
        (by.channel_ids, deal.channel_id),
        (by.territory_ids, customer.territory_id),
        (by.segments, customer.segment),
        ((wanted.customer_id,) if wanted.customer_id is not None else (), deal.customer_id),
        ((by.pipeline_id,) if by.pipeline_id is not None else (), deal.pipeline_id),
    ):
        if values:
            found.append(column.in_(values))
    if by.team_ids:
        teams = {team for top in by.team_ids for team in team_subtree(work.session, top)}
        found.append(credit.in_(select(cast("Any", Rep.id)).where(cast("Any", Rep.team_id).in_(teams))))
    if by.product_ids:
        lines = select(cast("Any", DealLine.deal_id)).where(cast("Any", DealLine.product_id).in_(by.product_ids))
        found.append(deal.id.in_(lines))
    if wanted.need is not None:
        found.append(needing(work, wanted.need))
    return found + _periods(work, wanted)


def _titled_with(work: Work, word: str) -> list[ColumnElement[bool]]:
    """Return the condition of the deals that nobody named and that hold a product of this name."""
    product, line = cast("Any", Product), cast("Any", DealLine)
    called = or_(*(column.icontains(word, autoescape=True) for column in (product.name, product.name_en)))
    products = list(work.session.scalars(select(product.id).where(called)))
    lines = select(line.deal_id).where(line.product_id.in_(products))
    return [and_(cast("Any", Deal.auto_named), cast("Any", Deal.id).in_(lines))] if products else []


def _periods(work: Work, wanted: DealFilter) -> list[ColumnElement[bool]]:
    deal = cast("Any", Deal)
    found: list[ColumnElement[bool]] = []
    if wanted.expected is not None:
        found += [
            deal.expected_close_on >= wanted.expected.start,
            deal.expected_close_on < wanted.expected.end,
        ]
    for period, column in ((wanted.closed, deal.closed_at), (wanted.opened, deal.opened_at)):
        if period is not None:
            start, end = period.instants(work.zone)
            found += [column >= start, column < end]
    return found


def _frame(rows: Any) -> pd.DataFrame:
    frame = pd.DataFrame([tuple(row) for row in rows], columns=list(_COLUMNS))
    frame["state"] = [str(state) for state in frame["state"]]
    return frame


@query(Action.DEAL_VIEW, askable=True)
def deals_page(
    work: Work,
    *,
    wanted: DealFilter | None = None,
    sort: str = "expected",
    descending: bool = False,
    size: int | None = 50,
    page: int = 1,
) -> DealsPage:
    """Return page `page` (from 1) of the deals, filtered, sorted and cut by the database.

    Columns of `rows`: id, name, customer_id, customer, owner, stage, state, amount (Decimal, in
    currency), currency, base_amount, expected_close_on, stage_entered_at, opened_at, closed_at,
    channel. `size` None gives everything, for exports, up to MOST_ROWS.
    """
    wanted = wanted or DealFilter()
    deal, conditions = cast("Any", Deal), _conditions(work, wanted)
    count, value = work.session.execute(
        select(func.count(deal.id), func.sum(deal.base_amount))
        .join(cast("Any", Customer), cast("Any", Customer.id) == deal.customer_id)
        .where(*conditions)
    ).one()
    column = _SORTS.get(sort, _SORTS["expected"])()
    order = column.desc().nulls_last() if descending else column.asc().nulls_last()
    cut = min(size or MOST_ROWS, MOST_ROWS)
    rows = work.session.execute(
        _statement().where(*conditions).order_by(order, deal.id).limit(cut).offset(cut * (max(page, 1) - 1))
    )
    return DealsPage(_frame(rows), int(count), _money(value))


def _money(value: Any) -> Decimal:
    """Return a sum of money whether the type came through the aggregate or not."""
    if value is None:
        return Decimal(0)
    return value if isinstance(value, Decimal) else from_minor(int(value))


@query(Action.DEAL_VIEW, askable=True)
def deals_board(work: Work, *, wanted: DealFilter | None = None, cards: int = 12) -> list[BoardColumn]:
    """Return the open stages of the (default or chosen) process with their deals, the largest `cards` of each.

    `wanted.states` and `wanted.stage_ids` are left aside: a board is of open deals, all stages.
    """
    wanted = wanted or DealFilter()
    deal = cast("Any", Deal)
    pipeline_id = wanted.filters.pipeline_id
    statement = select(Stage).where(cast("Any", Stage.kind) == StageKind.OPEN)
    if pipeline_id is None:
        default = select(cast("Any", Pipeline.id)).where(cast("Any", Pipeline.is_default))
        statement = statement.where(cast("Any", Stage.pipeline_id).in_(default))
    else:
        statement = statement.where(cast("Any", Stage.pipeline_id) == pipeline_id)
    others = DealFilter(
        search=wanted.search,
        expected=wanted.expected,
        opened=wanted.opened,
        customer_id=wanted.customer_id,
        need=wanted.need,
        filters=wanted.filters,
    )
    conditions = [*_conditions(work, others), deal.state == StageKind.OPEN]
    sums = {
        stage_id: (int(count), _money(value))
        for stage_id, count, value in work.session.execute(
            select(deal.stage_id, func.count(deal.id), func.sum(deal.base_amount))
            .join(cast("Any", Customer), cast("Any", Customer.id) == deal.customer_id)
            .where(*conditions)
            .group_by(deal.stage_id)
        )
    }
    columns = []
    for stage in work.session.scalars(statement.order_by(cast("Any", Stage.position))):
        count, value = sums.get(stage.id, (0, Decimal(0)))
        if not stage.active and not count:
            continue
        rows = work.session.execute(
            _statement()
            .where(*conditions, deal.stage_id == stage.id)
            .order_by(deal.base_amount.desc(), deal.id)
            .limit(cards)
        )
        columns.append(BoardColumn(stage.id, named(stage), count, value, _frame(rows)))
    return columns


@query(Action.DEAL_VIEW, askable=True)
def deal_record(work: Work, *, deal_id: int) -> DealRecord:
    """Return a deal with its lines, customer, history in order and due activities; raises NotFound.

    What it cost is left out for who may not see costs.
    """
    deal = get_visible(work, Deal, deal_id)
    session, reps = work.session, rep_names(work.session)
    if not sees_margin(work.actor, work.setting("margin_sight")):
        session.expunge(deal)
        deal.base_cost = None
    users = user_names(session)
    stages = {row.id: row for row in session.scalars(select(Stage))}
    reasons: dict[int | None, str] = {row.id: named(row) for row in session.scalars(select(LostReason))}
    moves = list(session.scalars(select(StageMove).where(cast("Any", StageMove.deal_id) == deal_id)))
    changes = list(session.scalars(select(DealChange).where(cast("Any", DealChange.deal_id) == deal_id)))
    activities = list(session.scalars(select(Activity).where(cast("Any", Activity.deal_id) == deal_id)))
    entries = [
        *(_of_move(move, stages, reasons, users) for move in moves),
        *(_of_change(event, reps, users) for event in changes if event.before is not None),
        *(
            TimelineEntry(e.at, "credit", users.get(e.by_user_id, ""), e.before, e.after, "", e.recorded_at)
            for e in credit_events(session, deal_id, reps)
        ),
        *(_of_activity(activity, reps, work.words) for activity in activities if activity.done_at is not None),
    ]
    events: list[StageMove | DealChange] = [*moves, *changes]
    latest = max(events, key=lambda event: (event.recorded_at, event.id or 0), default=None)
    channel = session.get(Channel, deal.channel_id) if deal.channel_id else None
    pipeline = session.get(Pipeline, deal.pipeline_id)
    return DealRecord(
        deal=deal,
        title=titles_of(session, [deal_id])[deal_id],
        customer=get_visible(work, Customer, deal.customer_id),
        contact=session.get(Contact, deal.contact_id) if deal.contact_id else None,
        pipeline=named(pipeline) if pipeline else "",
        stage=named(stages[deal.stage_id]),
        owner=reps.get(deal.owner_id, ""),
        credited=reps.get(deal.credited_id or 0, ""),
        channel=named(channel) if channel else "",
        lost_reason=reasons.get(deal.lost_reason_id, ""),
        lines=_lines(work, deal_id),
        timeline=tuple(sorted(entries, key=_when, reverse=True)),
        due=tuple(sorted((a for a in activities if a.done_at is None), key=lambda a: (str(a.due_on), a.id or 0))),
        last_editor=users.get(latest.by_user_id, "") if latest else "",
        may_edit=work.actor.scope.allows_rep(deal.owner_id) and work.actor.may(Action.DEAL_EDIT),
    )


def _of_move(
    move: StageMove, stages: dict[int, Stage], reasons: dict[int | None, str], users: dict[int | None, str]
) -> TimelineEntry:
    to = stages[move.to_stage_id]
    origin = stages[move.from_stage_id] if move.from_stage_id is not None else None
    if origin is None:
        kind = "opened"
    elif to.kind is not StageKind.OPEN:
        kind = to.kind.value
    elif origin.kind is not StageKind.OPEN:
        kind = "reopened"
    else:
        kind = "moved" if to.position > origin.position else "back"
    reason = reasons.get(move.lost_reason_id, "")
    return TimelineEntry(
        move.effective_at,
        kind,
        users.get(move.by_user_id, ""),
        named(origin) if origin else "",
        named(to),
        " · ".join(part for part in (reason, move.note) if part),
        move.recorded_at,
    )


def _of_change(event: DealChange, reps: dict[int, str], users: dict[int | None, str]) -> TimelineEntry:
    before, after = event.before or "", event.after
    if event.field is DealField.OWNER:
        before, after = reps.get(int(before), ""), reps.get(int(after), "")
    return TimelineEntry(
        event.effective_at,
        event.field.value,
        users.get(event.by_user_id, ""),
        before,
        after,
        "",
        event.recorded_at,
    )


def _of_activity(activity: Activity, reps: dict[int, str], words: Words) -> TimelineEntry:
    return TimelineEntry(
        cast("datetime", activity.done_at),
        activity.kind.value,
        reps.get(activity.rep_id, ""),
        note=activity.note,
        after=words(activity.subject),
        recorded_at=activity.created_at,
        activity=activity,
    )


def _when(entry: TimelineEntry) -> tuple[datetime, datetime, int]:
    """Return what a timeline goes by: what was entered in one go stands from the opening to the end."""
    return entry.at, entry.recorded_at or entry.at, {"opened": 0, "won": 2, "lost": 2}.get(entry.kind, 1)


def _lines(work: Work, deal_id: int) -> tuple[LineRow, ...]:
    products = {row.id: named(row) for row in work.session.scalars(select(Product))}
    skus: dict[int | None, str] = {row.id: work.words(row.specification) for row in work.session.scalars(select(Sku))}
    rows = work.session.scalars(
        select(DealLine).where(cast("Any", DealLine.deal_id) == deal_id).order_by(cast("Any", DealLine.id))
    )
    return tuple(
        LineRow(
            row.product_id,
            row.sku_id,
            " · ".join(part for part in (products.get(row.product_id, ""), skus.get(row.sku_id, "")) if part),
            row.quantity,
            row.unit_price,
            row.discount_rate,
            row.amount,
        )
        for row in rows
    )


@query(Action.DEAL_VIEW, askable=True)
def open_deals_of(work: Work, *, customer_id: int) -> list[tuple[int, str]]:
    """Return number and name of a customer's open deals, the latest first."""
    deal = cast("Any", Deal)
    customer = cast("Any", Customer)
    rows = work.session.execute(
        select(deal.id, titled())
        .join(customer, customer.id == deal.customer_id)
        .where(deal.customer_id == customer_id, deal.state == StageKind.OPEN)
        .order_by(deal.opened_at.desc())
    )
    return [(int(number), str(name)) for number, name in rows]
