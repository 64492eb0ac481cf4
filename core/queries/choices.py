"""What can be chosen in the filters of the analytic pages."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from sqlalchemy import String, func, literal_column, select, union_all

from core.access.actions import Action
from core.analytics.facts import spoken
from core.analytics.kpis import named
from core.gate import query

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import ColumnElement, FromClause

    from core.analytics.facts import Facts, Statement
    from core.db.work import Work

Choices = dict[str, dict[str, str]]


@query(Action.REFERENCE_VIEW, mirrored=True, askable=True)
def filter_choices(work: Work) -> Choices:
    """Return for each filter its values and their names: parameter -> value -> name, by name.

    Parameters as in the address: team, territory, product, channel, rep, segment, pipeline. Teams and
    reps are those of the actor's scope that own a deal there; the rest is common to all.
    """
    mirror = work.mirror
    facts = mirror.facts
    tables = {
        "team": facts.teams, "rep": facts.reps, "territory": facts.territories, "product": facts.products,
        "channel": facts.channels, "pipeline": facts.pipelines,
    }  # fmt: skip
    present = {(row.what, row.id) for row in mirror.rows(_present(facts))}
    found: Choices = {name: {} for name in tables}
    for row in sorted(mirror.rows(_called(tables)), key=attrgetter("name")):
        if (row.what, row.id) in present:
            found[row.what][str(row.id)] = str(row.name)
    segments = select(facts.deals.c.segment.label("key")).where(facts.deals.c.segment != "").distinct()
    said = {row.key: row.name for row in mirror.rows(named(facts, segments.subquery("segments"), "segment"))}
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


def _present(facts: Facts) -> Statement:
    """Return `what` and `id` of all that has a deal: one look at each column, however many deals there are."""
    deals = facts.deals.c
    columns = {
        "rep": deals.credit_id, "territory": deals.territory_id, "product": deals.product_id,
        "channel": deals.channel_id, "pipeline": deals.pipeline_id,
    }  # fmt: skip
    owning = select(deals.credit_team_id).group_by(deals.credit_team_id)
    above = select(_said("team"), facts.subtrees.c.top_id.label("id")).where(facts.subtrees.c.team_id.in_(owning))
    each = (select(_said(what), column.label("id")).group_by(column) for what, column in columns.items())
    found = union_all(above, *each).subquery("present")
    return select(found.c.what, found.c.id)


def _called(tables: dict[str, FromClause]) -> Statement:
    """Return `what`, `id` and `name` in the reader's language of all that can be chosen."""
    each = (select(_said(what), table.c.id, spoken(table).label("name")) for what, table in tables.items())
    found = union_all(*each).subquery("called")
    return select(found.c.what, found.c.id, found.c.name)


def _said(what: str) -> ColumnElement[str]:
    return literal_column(f"'{what}'", String).label("what")
