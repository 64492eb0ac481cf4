"""What can be chosen in the filters of the analytic pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from core.access.actions import Action
from core.analytics.facts import spoken
from core.analytics.kpis import named
from core.gate import query

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import FromClause

    from core.db.work import Work

Choices = dict[str, dict[str, str]]


@query(Action.REFERENCE_VIEW, mirrored=True, askable=True)
def filter_choices(work: Work) -> Choices:
    """Return for each filter its values and their names: parameter -> value -> name, by name.

    Parameters as in the address: team, territory, product, channel, rep, segment, pipeline. Teams and
    reps are those of the actor's scope that own a deal there; the rest is common to all.
    """
    facts = work.mirror.facts
    deals = facts.deals.c
    owned = {
        "team": (facts.teams, select(facts.subtrees.c.top_id).join(
            facts.deals, facts.subtrees.c.team_id == deals.credit_team_id)),
        "rep": (facts.reps, select(deals.credit_id)),
    }  # fmt: skip
    found: Choices = {}
    for name, (table, inside) in owned.items():
        found[name] = _named(work, table, inside)
    found["territory"] = _named(work, facts.territories, select(deals.territory_id))
    found["product"] = _named(work, facts.products, select(deals.product_id))
    found["channel"] = _named(work, facts.channels, select(deals.channel_id))
    found["pipeline"] = _named(work, facts.pipelines, select(deals.pipeline_id))
    segments = select(deals.segment.label("key")).where(deals.segment != "").distinct().subquery("segments")
    said = {row.key: row.name for row in work.mirror.rows(named(facts, segments, "segment"))}
    found["segment"] = dict(sorted(said.items(), key=lambda pair: pair[1]))
    return found


@query(Action.REFERENCE_VIEW, mirrored=True)
def first_deal_on(work: Work) -> date | None:
    """Return the day on which the first deal in the scope was opened, None where there is none."""
    rows = work.mirror.rows(select(func.min(work.mirror.facts.deals.c.opened_on)))
    return rows[0][0] if rows else None


@query(Action.REFERENCE_VIEW, mirrored=True)
def newest_deal_on(work: Work) -> date | None:
    """Return the last day on which a deal in the scope was opened or closed, None where there is none."""
    deals = work.mirror.facts.deals.c
    rows = work.mirror.rows(select(func.max(func.coalesce(deals.closed_on, deals.opened_on))))
    return rows[0][0] if rows else None


def _named(work: Work, table: FromClause, inside: object) -> dict[str, str]:
    name = spoken(table)
    rows = work.mirror.rows(select(table.c.id, name).where(table.c.id.in_(inside)).order_by(name))  # type: ignore[arg-type]
    return {str(row[0]): str(row[1]) for row in rows}
