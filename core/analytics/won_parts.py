"""What each team, product and channel won in two periods, by one look at the deals.

Source: docs/methods/volume-mix-price.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import literal_column, or_, select, union_all

from core.analytics.dimensions import Dimension, key_of
from core.analytics.filters import Filters, deal_conditions
from core.analytics.kpis import counted, named
from core.analytics.period_totals import sum_of
from core.analytics.selection import inside, is_counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from core.analytics.facts import Facts, Statement
    from core.analytics.team_parts import TeamPart
    from core.domain.periods import Period


def won_in_both(
    facts: Facts, *, period: Period, earlier: Period, by: Sequence[Dimension], filters: Filters, today: date,
    parts: tuple[TeamPart, ...] = (),
) -> Statement:  # fmt: skip
    """Return `by`, `key`, `name`, `count_before`, `value_before`, `count_after`, `value_after` (hundredths).

    A row for each part of each dimension that won anything in either period.
    """
    deals = facts.deals.c
    sold = [is_counted(facts, "won", period=days, today=today) for days in (earlier, period)]
    won = (
        select(
            *(key_of(facts, dimension, parts).label(dimension) for dimension in by),
            deals.amount,
            inside(deals.closed_on, earlier).label("before"),
            inside(deals.closed_on, period).label("after"),
        )
        .where(
            or_(*sold),
            *deal_conditions(facts, filters),
        )
        .cte("won")
    )
    sides = [
        column.label(f"{what}_{side}")
        for side in ("before", "after")
        for what, column in (("count", counted(won.c[side])), ("value", sum_of(won.c.amount, won.c[side])))
    ]
    found = []
    for dimension in by:
        key = won.c[dimension]
        grouped = select(key.label("key"), *sides).group_by(key).subquery(f"by_{dimension}")
        found.append(named(facts, grouped, dimension).add_columns(literal_column(f"'{dimension}'").label("by")))
    return select(*union_all(*found).subquery("parts").c)
