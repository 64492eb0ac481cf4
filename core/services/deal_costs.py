"""What a won deal's goods cost: kept with its lines from the day on which it was won.

Source: docs/methods/margin.md. Costs that change later do not change what was won before.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlmodel import func, or_, select

from core.access.actions import Action
from core.domain.money import convert
from core.domain.periods import day_of, day_start
from core.domain.stages import StageKind
from core.gate import command
from core.model import Deal, DealLine, Sku
from core.services.deal_history import RateMissing, rate_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.db.work import Work

AT_ONCE = 2_000
"""Deals that are given their costs in one go."""


class Costed(NamedTuple):
    """How many won deals were given their cost, and how many of the period are left without one."""

    done: int
    left: int


Piece = tuple[int, int | None]
"""The numbers of a product and of its SKU, where a line names one."""


def keep_costs(
    work: Work, deal: Deal, lines: Sequence[DealLine], kept: Mapping[Piece, Decimal | None] | None = None
) -> None:
    """Write what the deal's lines cost where it is won, and take it away where it is not.

    What a line has already stays; `kept` are the costs that lines of the same SKU had before an edit. The deal's
    cost is known only where every line's is.
    """
    if deal.state is not StageKind.WON or deal.closed_at is None:
        for line in lines:
            line.unit_cost = None
        deal.base_cost = None
        return
    day = day_of(deal.closed_at, work.zone)
    for line in lines:
        if line.unit_cost is None:
            before = (kept or {}).get((line.product_id, line.sku_id))
            line.unit_cost = _unit_cost(work, line, day) if before is None else before
    deal.base_cost = total_cost([(line.quantity, line.unit_cost) for line in lines])


def total_cost(lines: list[tuple[int, Decimal | None]]) -> Decimal | None:
    """Return what lines (quantity, cost of a piece) cost together, None unless all are known."""
    known = [quantity * cost for quantity, cost in lines if cost is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(lines) else None


def _unit_cost(work: Work, line: DealLine, day: date) -> Decimal | None:
    """Return what a piece costs in the company's currency at a day's rate, None where that is not known.

    A line that names its product alone is of that product's SKU in use, where there is only one.
    """
    if line.sku_id is not None:
        sku = work.session.get(Sku, line.sku_id)
    else:
        found = work.session.exec(select(Sku).where(Sku.product_id == line.product_id, Sku.active)).all()
        sku = found[0] if len(found) == 1 else None
    if sku is None or sku.cost is None:
        return None
    try:
        return convert(sku.cost, rate=rate_on(work, sku.currency, day))
    except RateMissing:
        return None


def lines_of(work: Work, *deals: int) -> dict[int, list[DealLine]]:
    """Return the lines of some deals by the deal's number, without writing what is not yet written."""
    with work.session.no_autoflush:
        found = work.session.exec(select(DealLine).where(cast("Any", DealLine.deal_id).in_(deals))).all()
    lines: dict[int, list[DealLine]] = {number: [] for number in deals}
    for line in found:
        lines[line.deal_id].append(line)
    return lines


@command(Action.PRODUCT_EDIT)
def cost_won_deals(work: Work, *, since: date) -> Costed:
    """Give deals won since a day that have no cost the SKUs' present ones, the newest first.

    At most AT_ONCE at a time; deals with a line whose cost nobody said stay without one.
    """
    deal, line, sku = cast("Any", Deal), cast("Any", DealLine), cast("Any", Sku)
    alone = select(sku.product_id).where(sku.active).group_by(sku.product_id)
    alone = alone.having(func.count() == 1, func.count(sku.cost) == 1)
    unknown = (
        select(line.deal_id)
        .outerjoin(sku, sku.id == line.sku_id)
        .where(line.unit_cost.is_(None), sku.cost.is_(None))
        .where(or_(line.sku_id.is_not(None), line.product_id.not_in(alone)))
    )
    wanted = (
        deal.state == StageKind.WON,
        deal.closed_at >= day_start(since, work.zone),
        deal.base_cost.is_(None),
    )
    ready = (*wanted, deal.id.in_(select(line.deal_id)), deal.id.not_in(unknown))
    chosen = work.session.exec(select(Deal).where(*ready).order_by(deal.closed_at.desc()).limit(AT_ONCE)).all()
    lines = lines_of(work, *(one.id for one in chosen))
    done = 0
    with work.session.no_autoflush:
        for one in chosen:
            keep_costs(work, one, lines[one.id])
            done += one.base_cost is not None
    work.session.flush()
    left = work.session.exec(select(func.count()).select_from(Deal).where(*wanted)).one()
    return Costed(done, left)
