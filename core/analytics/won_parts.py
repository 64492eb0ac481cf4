"""What each team, product and channel won in two periods, by one look at the deals.

Source: docs/methods/volume-mix-price.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, cast, func, literal_column, or_, select, union_all

from core.analytics.dimensions import Dimension, column_of, key_in
from core.analytics.filters import Filters, deal_conditions
from core.analytics.kpis import named
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
    each = (
        select(
            *(column_of(facts, dimension).label(dimension) for dimension in by),
            deals.amount,
            inside(deals.closed_on, earlier).label("before"),
            inside(deals.closed_on, period).label("after"),
        )
        .where(or_(*sold), *deal_conditions(facts, filters))
        .subquery("each")
        .c
    )
    alike = [each[name] for name in (*by, "before", "after")]
    value = cast(func.sum(each.amount), BigInteger).label("value")
    won = select(*alike, func.count().label("count"), value).group_by(*alike).cte("won")
    sides = [
        sum_of(won.c[what], won.c[side]).label(f"{what}_{side}")
        for side in ("before", "after")
        for what in ("count", "value")
    ]
    found = []
    for dimension in by:
        key = key_in(won.c[dimension], dimension, parts)
        grouped = select(key.label("key"), *sides).group_by(key).subquery(f"by_{dimension}")
        found.append(named(facts, grouped, dimension).add_columns(literal_column(f"'{dimension}'").label("by")))
    return select(*union_all(*found).subquery("parts").c)
