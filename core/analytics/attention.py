"""Open deals that somebody should look at. Source: docs/methods/attention.md."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, get_args

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, union_all

from core.analytics.facts import Statement, spoken, title
from core.analytics.filters import NO_FILTERS, deal_conditions
from core.analytics.selection import is_counted, is_idle, is_slow

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Subquery

    from core.analytics.facts import Facts

LONG_DEAD_DAYS: Final = 90
"""Days past the expected close after which a deal counts as long dead, and as nothing else."""
Need = Literal["attention", "overdue", "idle", "slow", "dead"]
NEEDS: Final[tuple[Need, ...]] = get_args(Need)
"""`attention`: any of overdue, idle and slow; these four without the long dead; `dead`: the long dead."""


def is_needing(facts: Facts, need: Need, *, today: date, idle_days: int) -> ColumnElement[bool]:
    """Return the condition under which an open deal needs somebody in this way."""
    deals = facts.deals.c
    dead = deals.expected_close_on < today - timedelta(days=LONG_DEAD_DAYS)
    if need == "dead":
        return and_(deals.state == "open", dead)
    reasons = {
        "overdue": is_counted(facts, "overdue", period=None, today=today),
        "idle": is_idle(facts, today=today, idle_days=idle_days),
        "slow": is_slow(facts, today=today),
    }
    wanted = or_(*reasons.values()) if need == "attention" else reasons[need]
    return and_(deals.state == "open", ~dead, wanted)


def counts(facts: Facts, *, today: date, idle_days: int) -> Statement:
    """Return a row per need: `need`, `count` and `value` in hundredths."""
    deals = facts.deals.c
    parts = [
        select(
            literal(need).label("need"),
            func.count().label("count"),
            func.coalesce(func.sum(deals.amount), 0).label("value"),
        ).where(is_needing(facts, need, today=today, idle_days=idle_days), *deal_conditions(facts, NO_FILTERS))
        for need in NEEDS
    ]
    return select(*union_all(*parts).subquery("counts").c)


def needing_attention(facts: Facts, *, today: date, idle_days: int, limit: int) -> Statement:
    """Return the open deals that are overdue, idle or slow, those that became so last first.

    The long dead are left out; `amount` in hundredths. Only those that are returned are looked up by name.
    """
    first = _first(facts, today=today, idle_days=idle_days, limit=limit)
    rows = first.c
    joined, customers = facts.with_customers(first)
    return (
        select(
            rows.id.label("deal_id"),
            title(first, spoken(customers), spoken(facts.products)).label("name"),
            spoken(customers).label("customer"),
            spoken(facts.reps).label("owner"), spoken(facts.stages).label("stage"), rows.amount,
            rows.expected_close_on, rows.last_activity_on, rows.overdue, rows.idle, rows.slow,
            func.greatest(today - rows.expected_close_on, 0).label("days_overdue"), rows.days_idle,
            (today - rows.stage_entered_on).label("days_in_stage"), rows.expected_days,
        )
        .select_from(
            joined.outerjoin(facts.reps, facts.reps.c.id == rows.owner_id)
            .outerjoin(facts.stages, facts.stages.c.id == rows.stage_id)
            .outerjoin(facts.products, facts.products.c.id == rows.product_id)
        )
        .order_by(rows.since, rows.amount.desc(), rows.id)
    )  # fmt: skip


_SHOWN: Final = (
    "id", "name", "auto_named", "customer_id", "owner_id", "stage_id", "product_id", "amount", "expected_close_on",
    "last_activity_on", "stage_entered_on", "expected_days",
)  # fmt: skip


def _first(facts: Facts, *, today: date, idle_days: int, limit: int) -> Subquery:
    """Return the deals of `needing_attention`; `since`: for how many days they have needed it."""
    deals = facts.deals.c
    overdue = is_counted(facts, "overdue", period=None, today=today)
    idle, slow = is_idle(facts, today=today, idle_days=idle_days), is_slow(facts, today=today)
    seen = func.greatest(deals.opened_on, func.coalesce(deals.last_activity_on, deals.opened_on))
    since = func.greatest(
        case((overdue, today - deals.expected_close_on), else_=0),
        case((func.coalesce(idle, False), today - seen - idle_days), else_=0),
        case((slow, today - deals.stage_entered_on - deals.expected_days), else_=0),
    )
    return (
        select(
            *(deals[name] for name in _SHOWN), overdue.label("overdue"), func.coalesce(idle, False).label("idle"),
            slow.label("slow"), (today - seen).label("days_idle"), since.label("since"),
        )
        .where(is_needing(facts, "attention", today=today, idle_days=idle_days), *deal_conditions(facts, NO_FILTERS))
        .order_by(since, deals.amount.desc(), deals.id)
        .limit(limit)
        .subquery("first")
    )  # fmt: skip
