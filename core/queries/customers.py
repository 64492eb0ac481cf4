"""Reading customers: the list, one customer, and those that a new name looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from rapidfuzz import fuzz, process
from sqlalchemy import case, func, or_, select

from core.access.actions import Action
from core.analytics.facts import spoken
from core.db.work import get_visible
from core.domain.money import from_minor
from core.domain.names import fold_name, named
from core.domain.stages import StageKind
from core.gate import query
from core.model import Activity, Contact, Customer, Deal, Rep, Territory
from core.queries.activities import ActivityRow, activities_of
from core.queries.deals import DealFilter, deals_page
from core.queries.reference import rep_names
from core.queries.titles import name_order

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from core.db.work import Work
    from core.domain.names import Words

MOST_ROWS = 100_000
_LOOKS_LIKE = 82.0
_COMPARED = 50_000
_COLUMNS = (
    "id",
    "name",
    "owner",
    "territory",
    "segment",
    "industry",
    "city",
    "open_count",
    "open_value",
    "won_value",
    "last_activity_at",
)


@dataclass(frozen=True)
class CustomersPage:
    """One page of the customers, and how many there are."""

    rows: pd.DataFrame
    total: int


@dataclass(frozen=True)
class CustomerHit:
    """A customer found by search or by likeness."""

    id: int
    name: str
    city: str
    owner: str
    likeness: float = 100.0


@dataclass(frozen=True)
class CustomerRecord:
    """A customer with everything that its page shows; values in the base currency."""

    customer: Customer
    owner: str
    territory: str
    contacts: tuple[Contact, ...]
    deals: pd.DataFrame
    activities: tuple[ActivityRow, ...]
    won_value: Decimal
    won_count: int
    open_value: Decimal
    open_count: int
    lost_count: int
    last_activity_at: datetime | None
    may_edit: bool


def _minor(value: Any) -> Decimal:
    return from_minor(int(value or 0)) if not hasattr(value, "quantize") else cast("Decimal", value)


@query(Action.CUSTOMER_VIEW, askable=True)
def customers_page(
    work: Work,
    *,
    search: str = "",
    rep_ids: tuple[int, ...] = (),
    territory_ids: tuple[int, ...] = (),
    segments: tuple[str, ...] = (),
    sort: str = "name",
    descending: bool = False,
    size: int | None = 50,
    page: int = 1,
) -> CustomersPage:
    """Return page `page` (from 1) of the customers in scope, filtered, sorted and cut by the database.

    Columns: id, name, owner, territory, segment, industry, city, open_count, open_value, won_value
    (Decimal, base currency), last_activity_at; segment, industry and city as the word list says them. Deals and
    activities are those in scope. `sort`: name,
    owner, open_value, won_value, last_activity.
    """
    deal, customer = cast("Any", Deal), cast("Any", Customer)
    sums = (
        select(
            deal.customer_id.label("customer_id"),
            func.sum(case((deal.state == StageKind.OPEN, 1), else_=0)).label("open_count"),
            func.sum(case((deal.state == StageKind.OPEN, deal.base_amount))).label("open_value"),
            func.sum(case((deal.state == StageKind.WON, deal.base_amount))).label("won_value"),
        )
        .group_by(deal.customer_id)
        .subquery()
    )
    met = (
        select(cast("Any", Activity.customer_id).label("customer_id"), func.max(Activity.done_at).label("last"))
        .group_by(cast("Any", Activity.customer_id))
        .subquery()
    )
    conditions = _customer_conditions(work.words, search, rep_ids, territory_ids, segments)
    total = work.session.scalar(select(func.count(customer.id)).where(*conditions))
    orders = {
        "name": name_order(customer),
        "owner": name_order(Rep),
        "open_value": sums.c.open_value,
        "won_value": sums.c.won_value,
        "last_activity": met.c.last,
    }
    column = cast("Any", orders.get(sort, orders["name"]))
    cut = min(size or MOST_ROWS, MOST_ROWS)
    rows = work.session.execute(
        select(
            customer.id,
            spoken(customer),
            spoken(Rep),
            spoken(Territory),
            customer.segment,
            customer.industry,
            customer.city,
            func.coalesce(sums.c.open_count, 0),
            sums.c.open_value,
            sums.c.won_value,
            met.c.last,
        )
        .outerjoin(cast("Any", Rep), cast("Any", Rep.id) == customer.owner_id)
        .outerjoin(cast("Any", Territory), cast("Any", Territory.id) == customer.territory_id)
        .outerjoin(sums, sums.c.customer_id == customer.id)
        .outerjoin(met, met.c.customer_id == customer.id)
        .where(*conditions)
        .order_by((column.desc() if descending else column.asc()).nulls_last(), customer.id)
        .limit(cut)
        .offset(cut * (max(page, 1) - 1))
    )
    frame = pd.DataFrame([tuple(row) for row in rows], columns=list(_COLUMNS))
    for name in ("segment", "industry", "city"):
        frame[name] = frame[name].map(work.words).astype(object)
    for name in ("open_value", "won_value"):
        frame[name] = frame[name].map(_minor).astype(object)
    return CustomersPage(frame, int(total or 0))


def _customer_conditions(
    words: Words, search: str, rep_ids: tuple[int, ...], territory_ids: tuple[int, ...], segments: tuple[str, ...]
) -> list[Any]:
    customer = cast("Any", Customer)
    found: list[Any] = [
        or_(
            *(c.icontains(word, autoescape=True) for c in (customer.name, customer.name_en, customer.city)),
            customer.city.in_(words.like(word)),
        )
        for word in search.split()
    ]
    for values, column in (
        (rep_ids, customer.owner_id),
        (territory_ids, customer.territory_id),
        (segments, customer.segment),
    ):
        if values:
            found.append(column.in_(values))
    return found


@query(Action.CUSTOMER_VIEW, askable=True)
def customers_found(work: Work, *, search: str = "", limit: int = 20) -> list[CustomerHit]:
    """Return customers in scope whose name holds every word of `search`, the lately changed first."""
    customer = cast("Any", Customer)
    rows = work.session.scalars(
        select(Customer)
        .where(*_customer_conditions(work.words, search, (), (), ()))
        .order_by(customer.updated_at.desc(), customer.id.desc())
        .limit(limit)
    )
    reps = rep_names(work.session)
    return [_hit(work, row, reps.get(row.owner_id or 0, "")) for row in rows]


@query(Action.CUSTOMER_VIEW, askable=True)
def similar_customers(work: Work, *, name: str, limit: int = 3) -> list[CustomerHit]:
    """Return customers in scope that `name` may mean, the likest first; nothing of those outside.

    Likeness is RapidFuzz's WRatio of the folded names, or 100 where they are equal; under 82 is
    no likeness. A name shorter than two letters is like none.
    """
    folded = fold_name(name)
    if len(folded) < 2:
        return []
    customer = cast("Any", Customer)
    known = work.session.execute(
        select(customer.id, customer.name_key, customer.name, customer.name_en)
        .order_by((customer.name_key == folded).desc(), customer.updated_at.desc())
        .limit(_COMPARED)
    ).all()
    keys: dict[int, str] = {}
    for number, key, chinese, english in known:
        keys[number] = key or fold_name(chinese)
        if english:
            keys[-number] = fold_name(english)
    hits = process.extract(folded, keys, scorer=fuzz.ratio, score_cutoff=_LOOKS_LIKE, limit=limit * 2)
    likeness: dict[int, float] = {}
    for _key, score, number in hits:
        likeness[abs(number)] = max(score, likeness.get(abs(number), 0.0))
    rows = {row.id: row for row in work.session.scalars(select(Customer).where(customer.id.in_(likeness)))}
    reps = rep_names(work.session)
    return [
        _hit(work, rows[number], reps.get(rows[number].owner_id or 0, ""), score)
        for number, score in sorted(likeness.items(), key=lambda item: -item[1])[:limit]
        if number in rows
    ]


@query(Action.CUSTOMER_VIEW)
def customer_hit(work: Work, *, customer_id: int) -> CustomerHit:
    """Return what a form says of a customer; raises NotFound outside the scope."""
    customer = get_visible(work, Customer, customer_id)
    owner = work.session.get(Rep, customer.owner_id) if customer.owner_id else None
    return _hit(work, customer, named(owner) if owner else "")


def _hit(work: Work, customer: Customer, owner: str, likeness: float = 100.0) -> CustomerHit:
    return CustomerHit(customer.id or 0, named(customer), work.words(customer.city), owner, likeness)


@query(Action.CUSTOMER_VIEW, askable=True)
def customer_record(work: Work, *, customer_id: int) -> CustomerRecord:
    """Return a customer with contacts, deals, activities and value; raises NotFound outside the scope.

    Deals and activities are those in the actor's scope.
    """
    customer = get_visible(work, Customer, customer_id)
    deal, session = cast("Any", Deal), work.session
    by_state = {
        str(state): (int(count), _minor(value))
        for state, count, value in session.execute(
            select(deal.state, func.count(deal.id), func.sum(deal.base_amount))
            .where(deal.customer_id == customer_id)
            .group_by(deal.state)
        )
    }
    nothing = (0, from_minor(0))
    won, still_open = by_state.get("won", nothing), by_state.get("open", nothing)
    contact = cast("Any", Contact)
    contacts = session.scalars(
        select(Contact).where(contact.customer_id == customer_id).order_by(contact.is_primary.desc(), contact.id)
    )
    territory = session.get(Territory, customer.territory_id) if customer.territory_id else None
    activities = activities_of(work, customer_id=customer_id)
    return CustomerRecord(
        customer=customer,
        owner=rep_names(work.session).get(customer.owner_id or 0, ""),
        territory=named(territory) if territory else "",
        contacts=tuple(contacts),
        deals=deals_page(
            work, wanted=DealFilter(customer_id=customer_id), sort="opened", descending=True, size=200
        ).rows,
        activities=tuple(activities),
        won_count=won[0],
        won_value=won[1],
        open_count=still_open[0],
        open_value=still_open[1],
        lost_count=by_state.get("lost", nothing)[0],
        last_activity_at=max((row.activity.done_at for row in activities if row.activity.done_at), default=None),
        may_edit=work.actor.may(Action.CUSTOMER_EDIT),
    )


@query(Action.CUSTOMER_VIEW, askable=True)
def contacts_of(work: Work, *, customer_id: int) -> list[tuple[int, str]]:
    """Return number and name of the people at a customer, the primary contact first."""
    contact = cast("Any", Contact)
    rows = work.session.execute(
        select(contact.id, spoken(contact), contact.title)
        .where(contact.customer_id == customer_id)
        .order_by(contact.is_primary.desc(), contact.id)
    )
    return [
        (int(number), " · ".join(part for part in (name, work.words(title)) if part)) for number, name, title in rows
    ]


@query(Action.CUSTOMER_VIEW)
def segments_in_use(work: Work) -> list[str]:
    """Return the kinds of customers there are, as stored."""
    segment = cast("Any", Customer.segment)
    return list(work.session.scalars(select(segment).where(segment != "").distinct().order_by(segment)))


@query(Action.CUSTOMER_VIEW)
def words_in_use(work: Work) -> dict[str, list[str]]:
    """Return the words that customers in scope have in each field that holds one, as stored."""
    return {
        field: list(work.session.scalars(select(getattr(Customer, field)).distinct()))
        for field in ("segment", "size", "industry", "country", "city")
    }


@query(Action.CUSTOMER_VIEW)
def customer_gaps(work: Work) -> dict[str, int]:
    """Return how many customers have no `owner` and how many no `territory`."""
    customer = cast("Any", Customer)
    missing = {"owner": customer.owner_id, "territory": customer.territory_id}
    return {
        name: int(work.session.scalar(select(func.count(customer.id)).where(column.is_(None))) or 0)
        for name, column in missing.items()
    }
