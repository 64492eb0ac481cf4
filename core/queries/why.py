"""Why booked value changed. What the columns mean: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from core.access.actions import Action
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.why import Part, effects, movers
from core.analytics.won_parts import won_in_both
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
    for by, found in _parts(work, cut, period, filters, as_of).items():
        taken = effects(found)
        rows += [
            _row(by, kind, "", "", _sum(found), change)
            for kind, change in (("volume", taken.volume), ("mix", taken.mix), ("price", taken.price))
        ]
        rows += [_row(by, "part", part.key, part.name, part, part.change) for part in movers(found, most=len(found))]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _parts(
    work: Work, earlier: Period, period: Period, filters: Filters, as_of: AsOf | None
) -> dict[Dimension, list[Part]]:
    mirror = work.mirror
    facts, today = looked_at(work, as_of)
    statement = won_in_both(
        facts, period=period, earlier=earlier, by=BY, filters=filters, today=today,
        parts=parts_looked_at(mirror, filters),
    )  # fmt: skip
    found: dict[Dimension, list[Part]] = {by: [] for by in BY}
    for row in sorted(mirror.rows(statement), key=lambda row: str(row.key)):
        counts = (row.count_before, row.value_before, row.count_after, row.value_after)
        found[row.by].append(Part(row.key, row.name, *counts))
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
