"""The deals behind a number, by the same conditions as the number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, Double, cast, func, select

from core.analytics import past_deals
from core.analytics.credited import WHOLE, CreditedFacts
from core.analytics.facts import Statement, spoken, title
from core.analytics.selection import Selection, selected, summed

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.facts import Facts


def total(facts: Facts, selection: Selection, *, today: date, idle_days: int) -> Statement:
    """Return `count` and `value` (hundredths) of the deals behind a selection."""
    if selection.is_of_states:
        return past_deals.total(facts, selection)
    value = func.coalesce(cast(func.sum(summed(facts, selection.measure)), BigInteger), 0)
    chosen: Statement = select(func.count().label("count"), value.label("value")).where(
        *selected(facts, selection, today=today, idle_days=idle_days)
    )
    return chosen


def rows(facts: Facts, selection: Selection, *, today: date, idle_days: int, limit: int | None) -> Statement:
    """Return the deals behind a selection, largest value first; `amount` and `value` in hundredths."""
    if selection.is_of_states:
        return past_deals.rows(facts, selection, limit=limit)
    deals = facts.deals.c
    owner, credited = facts.reps.alias("owner"), facts.reps.alias("credited")
    value = summed(facts, selection.measure)
    parted = isinstance(facts, CreditedFacts)
    part = [(cast(deals.share, Double) / WHOLE).label("share")] if parted else []
    statement = (
        select(
            *part,
            deals.id.label("deal_id"),
            title(facts.deals, spoken(facts.customers), spoken(facts.products)).label("name"),
            spoken(facts.customers).label("customer"),
            deals.customer_id,
            spoken(owner).label("owner"),
            spoken(credited).label("credited"),
            spoken(facts.teams).label("team"),
            spoken(facts.stages).label("stage"),
            deals.state,
            spoken(facts.channels).label("channel"),
            spoken(facts.products).label("product"),
            spoken(facts.lost_reasons).label("lost_reason"),
            (deals.whole if parted else deals.amount).label("amount"),
            value.label("value"),
            deals.opened_on,
            deals.expected_close_on,
            deals.closed_on,
        )
        .select_from(
            facts.deals.outerjoin(facts.customers, facts.customers.c.id == deals.customer_id)
            .outerjoin(owner, owner.c.id == deals.owner_id)
            .outerjoin(credited, credited.c.id == deals.credited_id)
            .outerjoin(facts.teams, facts.teams.c.id == deals.credit_team_id)
            .outerjoin(facts.stages, facts.stages.c.id == deals.stage_id)
            .outerjoin(facts.channels, facts.channels.c.id == deals.channel_id)
            .outerjoin(facts.products, facts.products.c.id == deals.product_id)
            .outerjoin(facts.lost_reasons, facts.lost_reasons.c.id == deals.lost_reason_id)
        )
        .where(*selected(facts, selection, today=today, idle_days=idle_days))
        .order_by(value.desc(), deals.id)
    )
    return statement if limit is None else statement.limit(limit)
