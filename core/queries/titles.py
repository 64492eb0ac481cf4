"""What deals are called, asked of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import func, select

from core.analytics.facts import spoken, title
from core.i18n import language
from core.model import Customer, Deal, DealLine, Product

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import ColumnElement
    from sqlmodel import Session


def titled() -> ColumnElement[str]:
    """Return the title of `Deal` in the reader's language as a column; the statement joins `Customer`."""
    deal, line, product = cast("Any", Deal), cast("Any", DealLine), cast("Any", Product)
    main = (
        select(spoken(product))
        .join(line, line.product_id == product.id)
        .where(line.deal_id == deal.id)
        .order_by(line.amount.desc(), line.id)
        .limit(1)
        .correlate(deal)
        .scalar_subquery()
    )
    return title(deal, spoken(Customer), func.coalesce(main, ""))


def name_order(row: Any) -> Any:
    """Return what rows are put in order by where a reader wants them by name."""
    return row.name if language() == "zh" else spoken(row)


def titles_of(session: Session, deal_ids: Collection[int]) -> dict[int, str]:
    """Return the titles of those of these deals that are in the session's scope."""
    if not deal_ids:
        return {}
    deal, customer = cast("Any", Deal), cast("Any", Customer)
    rows = session.execute(
        select(deal.id, titled()).join(customer, customer.id == deal.customer_id).where(deal.id.in_(deal_ids))
    )
    return {int(number): str(said) for number, said in rows}
