"""The deals behind a number of a past day, or behind a bar between two days, as they were then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, and_, case, cast, func, literal, select

from core.analytics.as_of import counts_in, states_on
from core.analytics.facts import spoken, title
from core.analytics.pipeline_health import Health, behind
from core.analytics.waterfall import flows, parts

if TYPE_CHECKING:
    from sqlalchemy import FromClause, Subquery

    from core.analytics.facts import Facts, Statement
    from core.analytics.selection import Selection


HEALTH = frozenset({"aged", "top", "stood"})


def counted(facts: Facts, selection: Selection) -> Subquery:
    """Return the rows behind a selection with an as-of day: deal_id, what it adds up (`part`) and what it was then."""
    end, columns = selection.as_of, ("stage_id", "credit_id", "value", "expected_close_on", "closed_on", "is_won")
    if end is None:
        raise ValueError(f"{selection.measure} has no day")
    found: FromClause
    if selection.kind == "change":
        found = flows(
            facts, start=selection.since or end.on, end=end, filters=selection.filters, closing=selection.period
        )
        condition, part = parts(found.c)[selection.measure.partition(":")[2]]
    elif selection.kind in HEALTH:
        health = Health(end, selection.filters, selection.period)
        found, condition = behind(facts, health, selection.measure)
        part = found.c.value
    else:
        found = states_on(facts, end, selection.filters, name="stood")
        condition = counts_in(found.c, selection.measure, period=selection.period, on=end.on)
        part = found.c.weighted if selection.kind == "weighted" else found.c.value
    chosen = [found.c[name] for name in ("deal_id", "is_open", *columns)]
    return select(*chosen, part.label("part")).where(condition).subquery("counted")


def total(facts: Facts, selection: Selection) -> Statement:
    """Return `count` and `value` (hundredths) of the deals behind a selection."""
    rows = counted(facts, selection)
    value = func.coalesce(cast(func.sum(rows.c.part), BigInteger), 0)
    chosen: Statement = select(func.count().label("count"), value.label("value")).select_from(rows)
    return chosen


def rows(facts: Facts, selection: Selection, *, limit: int | None) -> Statement:
    """Return the columns of `drill.rows`, as they were at the end of the selection's day, largest first."""
    found, deals = counted(facts, selection), facts.known_deals
    then, deal = found.c, deals.c
    reps: Any = facts.reps
    lost = and_(~then.is_open, ~then.is_won)
    state = case((then.is_open, literal("open")), (then.is_won, literal("won")), else_=literal("lost"))
    statement: Statement = (
        select(
            then.deal_id,
            title(deals, spoken(facts.known_customers), spoken(facts.products)).label("name"),
            spoken(facts.known_customers).label("customer"),
            deal.customer_id,
            spoken(reps).label("owner"),
            case((then.is_won, spoken(reps)), else_=literal("")).label("credited"),
            spoken(facts.teams).label("team"),
            spoken(facts.stages).label("stage"),
            state.label("state"),
            spoken(facts.channels).label("channel"),
            spoken(facts.products).label("product"),
            case((lost, spoken(facts.lost_reasons)), else_=literal("")).label("lost_reason"),
            then.value.label("amount"),
            then.part.label("value"),
            deal.opened_on,
            then.expected_close_on,
            then.closed_on,
        )
        .select_from(
            found.join(deals, deal.id == then.deal_id)
            .outerjoin(facts.known_customers, facts.known_customers.c.id == deal.customer_id)
            .outerjoin(reps, reps.c.id == then.credit_id)
            .outerjoin(facts.teams, facts.teams.c.id == reps.c.team_id)
            .outerjoin(facts.stages, facts.stages.c.id == then.stage_id)
            .outerjoin(facts.channels, facts.channels.c.id == deal.channel_id)
            .outerjoin(facts.products, facts.products.c.id == deal.product_id)
            .outerjoin(facts.lost_reasons, facts.lost_reasons.c.id == deal.lost_reason_id)
        )
        .order_by(func.abs(then.part).desc(), then.deal_id)
    )
    return statement if limit is None else statement.limit(limit)
