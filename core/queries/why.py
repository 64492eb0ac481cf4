"""Why booked value changed. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from core.access.actions import Action
from core.analytics import kpis
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.why import Part, effects, movers
from core.gate import query
from core.queries.overview import HUNDREDTHS, as_old
from core.queries.standpoint import looked_at
from core.queries.team_parts import parts_looked_at

if TYPE_CHECKING:
    from core.analytics.dimensions import Dimension
    from core.db.work import Work
    from core.domain.periods import Period

BY: Final[tuple[Dimension, ...]] = ("team", "product", "channel")
COLUMNS = ("by", "kind", "key", "name", "count_before", "before", "count_after", "after", "change")


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def booked_why(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, to_date: bool = False, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return what changed against the period before: volume, mix and price by team, product and channel; who moved.

    `to_date` cuts the earlier period at as many days as the running one is old.
    """
    earlier = work.calendar.before(period)
    cut = as_old(earlier, period, today=as_of.on if as_of else work.today) if to_date else earlier
    rows: list[dict[str, Any]] = []
    for by in BY:
        found = _parts(work, by, cut, period, filters, as_of)
        taken = effects(found)
        rows += [
            _row(by, kind, "", "", _sum(found), change)
            for kind, change in (("volume", taken.volume), ("mix", taken.mix), ("price", taken.price))
        ]
        rows += [_row(by, "part", part.key, part.name, part, part.change) for part in movers(found, most=len(found))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _parts(
    work: Work, by: Dimension, earlier: Period, period: Period, filters: Filters, as_of: AsOf | None
) -> list[Part]:
    mirror = work.mirror
    facts, today = looked_at(work, as_of)
    levels = parts_looked_at(mirror, filters) if by == "team" else ()
    won: list[dict[str, Any]] = []
    for days in (earlier, period):
        statement = kpis.by_dimension(facts, period=days, by=by, filters=filters, today=today, parts=levels)
        won.append({row.key: row for row in mirror.rows(statement)})
    before, after = won
    found = []
    for key in sorted(before.keys() | after.keys()):
        a, b = before.get(key), after.get(key)
        name = b.name if b else a.name if a else ""
        found.append(
            Part(
                key, name, a.won_count if a else 0, a.booked if a else 0, b.won_count if b else 0,
                b.booked if b else 0,
            )
        )  # fmt: skip
    return found


def _sum(parts: list[Part]) -> Part:
    return Part(
        "", "", sum(p.count_before for p in parts), sum(p.value_before for p in parts),
        sum(p.count_after for p in parts), sum(p.value_after for p in parts),
    )  # fmt: skip


def _row(by: str, kind: str, key: str, name: str, part: Part, change: int) -> dict[str, Any]:
    return {
        "by": by, "kind": kind, "key": key, "name": name, "count_before": part.count_before,
        "before": part.value_before / HUNDREDTHS, "count_after": part.count_after,
        "after": part.value_after / HUNDREDTHS, "change": change / HUNDREDTHS,
    }  # fmt: skip
