"""What was won over time, for the forecast. What the columns mean: docs/queries.md."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from core.access.actions import Action
from core.analytics import kpis
from core.analytics.dimensions import Dimension, key_of
from core.analytics.filters import NO_FILTERS, Filters, number
from core.domain.periods import Period
from core.gate import query
from core.queries.overview import HUNDREDTHS

if TYPE_CHECKING:
    from core.db.work import Work

Measure = Literal["booked", "won", "units"]
"""What of the won deals is forecast: their value, how many they are, the pieces in them."""
EVER = Period(date(1900, 1, 1), date(9999, 12, 31))


def value_of(row: Any, measure: Measure) -> float:
    """Return a measure of a row of `kpis.booked_by`, money in major units."""
    return float(row.booked / HUNDREDTHS if measure == "booked" else getattr(row, measure))


@query(Action.FORECAST_VIEW, mirrored=True, askable=True)
def booked_series(
    work: Work,
    *,
    frequency: kpis.Step = "month",
    dimension: Dimension | Literal["company"] = "company",
    key: str = "",
    measure: Measure = "booked",
) -> pd.DataFrame:
    """Return the measure, and how many deals were won, of each day, week or month that has any, oldest first."""
    if frequency not in get_args(kpis.Step) or measure not in get_args(Measure):
        raise ValueError(f"no series of {measure} goes by {frequency}")
    mirror = work.mirror
    filters = NO_FILTERS
    if dimension == "team":
        filters = Filters(team_ids=() if (found := number(key)) is None else (found,))
    statement = kpis.booked_by(mirror.facts, period=EVER, filters=filters, today=work.today, step=frequency)
    if dimension != "company" and not filters.team_ids:
        statement = statement.where(key_of(mirror.facts, dimension) == key)
    rows = [(row.on, value_of(row, measure), row.won) for row in mirror.rows(statement)]
    return pd.DataFrame(rows, columns=["on", "value", "count"])
