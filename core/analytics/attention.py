"""Open deals that somebody should look at. Source: docs/methods/attention.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from core.analytics.facts import Statement, spoken
from core.analytics.filters import NO_FILTERS, deal_conditions
from core.analytics.selection import is_counted, is_idle, is_slow

if TYPE_CHECKING:
    from datetime import date

    from core.analytics.facts import Facts


def needing_attention(facts: Facts, *, today: date, idle_days: int, limit: int) -> Statement:
    """Return the open deals that are overdue, idle or slow, largest first; `amount` in hundredths."""
    deals = facts.deals.c
    overdue = is_counted(facts, "overdue", period=None, today=today)
    idle, slow = is_idle(facts, today=today, idle_days=idle_days), is_slow(facts, today=today)
    seen = func.greatest(deals.opened_on, func.coalesce(deals.last_activity_on, deals.opened_on))
    return (
        select(
            deals.id.label("deal_id"), deals.name, spoken(facts.customers).label("customer"),
            spoken(facts.reps).label("owner"), spoken(facts.stages).label("stage"), deals.amount,
            deals.expected_close_on, deals.last_activity_on, overdue.label("overdue"),
            func.coalesce(idle, False).label("idle"), slow.label("slow"),
            func.greatest(today - deals.expected_close_on, 0).label("days_overdue"),
            (today - seen).label("days_idle"), (today - deals.stage_entered_on).label("days_in_stage"),
            deals.expected_days,
        )
        .select_from(
            facts.deals.outerjoin(facts.customers, facts.customers.c.id == deals.customer_id)
            .outerjoin(facts.reps, facts.reps.c.id == deals.owner_id)
            .outerjoin(facts.stages, facts.stages.c.id == deals.stage_id)
        )
        .where(deals.state == "open", or_(overdue, idle, slow), *deal_conditions(facts, NO_FILTERS))
        .order_by(deals.amount.desc(), deals.id)
        .limit(limit)
    )  # fmt: skip
