"""How every deal went, day by day as it was known then, for the near term. Columns: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from core.access.actions import Action
from core.analytics.dimensions import Dimension
from core.analytics.filters import NO_FILTERS, Filters, number
from core.analytics.known_then import names, spans
from core.gate import query
from core.queries.overview import HUNDREDTHS

if TYPE_CHECKING:
    from datetime import date

    from core.db.work import Work

COLUMNS = ("deal", "stage", "probability", "value", "is_open", "is_won", "from_on", "until_on", "expected_close_on")
DAYS = ("from_on", "until_on", "expected_close_on")
NAMES = ("deal", "name", "customer")


@query(Action.FORECAST_VIEW, mirrored=True, askable=True)
def deal_spans(
    work: Work, *, since: date, dimension: Dimension | Literal["company"] = "company", key: str = ""
) -> pd.DataFrame:
    """Return a row for each time that a deal stayed as it was, as it was known then, that reached `since` or later."""
    filters = filters_of(dimension, key)
    rows: list[tuple[Any, ...]] = []
    if filters is not None:
        rows = [tuple(row) for row in work.mirror.rows(spans(work.mirror.facts, filters=filters, since=since))]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    frame["value"] = frame["value"].astype("float64") / HUNDREDTHS
    frame["probability"] = frame["probability"].astype("float64")
    for name in DAYS:
        frame[name] = frame[name].to_numpy(dtype="int64").astype("datetime64[D]").astype("datetime64[s]")
    return frame


@query(Action.FORECAST_VIEW, mirrored=True)
def deal_names(work: Work, *, deal_ids: tuple[int, ...]) -> pd.DataFrame:
    """Return what deals and their customers are called."""
    rows = work.mirror.rows(names(work.mirror.facts, deal_ids))
    return pd.DataFrame([tuple(row) for row in rows], columns=list(NAMES))


def filters_of(dimension: str, key: str) -> Filters | None:
    """Return the filters that mean one part of the company; None for a part that deals' days do not tell apart."""
    if dimension == "company":
        return NO_FILTERS
    found = number(key)
    if found is None:
        return None
    match dimension:
        case "team":
            return Filters(team_ids=(found,))
        case "territory":
            return Filters(territory_ids=(found,))
        case "product":
            return Filters(product_ids=(found,))
        case "channel":
            return Filters(channel_ids=(found,))
        case "rep":
            return Filters(rep_ids=(found,))
    return None
