"""How sound the pipeline is: ages, concentration, probabilities that come true. Columns: docs/queries.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from core.access.actions import Action
from core.analytics import pipeline_health as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.pipeline_health import AGES, TOPS, Calibration, Health
from core.analytics.rates import rate
from core.domain.periods import Period
from core.gate import query
from core.queries.overview import HUNDREDTHS, chosen_pipeline

if TYPE_CHECKING:
    from core.db.work import Work

CALIBRATION = (
    "stage_key", "stage", "probability", "decided", "won", "observed", "low", "high", "verdict",
)  # fmt: skip


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def pipeline_ages(work: Work, *, as_of: AsOf | None = None, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return how old the open deals were at the end of a day, since they were opened, youngest first."""
    mirror, day = work.mirror, as_of or AsOf(work.today)
    found = {row.age: row for row in mirror.rows(statements.ages(mirror.facts, Health(day, filters)))}
    starts = [0, *(limit + 1 for limit in AGES)]
    rows = [
        {
            "age": place, "from_days": start, "to_days": AGES[place] if place < len(AGES) else None,
            "count": int(found[place].count) if place in found else 0,
            "value": found[place].value / HUNDREDTHS if place in found else 0.0,
        }
        for place, start in enumerate(starts)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"to_days": "Int64"})


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def pipeline_concentration(work: Work, *, as_of: AsOf | None = None, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return what share of the open value the ten largest deals, and the ten largest customers, hold."""
    mirror, day = work.mirror, as_of or AsOf(work.today)
    found = mirror.rows(statements.concentration(mirror.facts, Health(day, filters)))[0]._asdict()
    rows = [
        {
            "which": which, "count": int(found[f"{which}_count"]), "value": found[f"{which}_value"] / HUNDREDTHS,
            "share": rate(found[f"{which}_value"], found["total"]),
        }
        for which in TOPS
    ]  # fmt: skip
    return pd.DataFrame(rows)


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def stage_calibration(
    work: Work, *, period: Period, as_of: AsOf | None = None, filters: Filters = NO_FILTERS
) -> pd.DataFrame:
    """Return each stage's probability beside what share of the deals that stood in it was won.

    Of the deals that were won or lost in the period; the last column is the Brier score of all stages together.
    """
    mirror, day = work.mirror, as_of or AsOf(work.today)
    process = chosen_pipeline(mirror, filters)
    found = mirror.rows(statements.outcomes(mirror.facts, Health(day, filters, period), pipeline_id=process))
    lines = [(row, Calibration(row.probability, row.decided, row.won)) for row in found]
    rows: list[dict[str, Any]] = [
        {
            "stage_key": str(row.stage_key), "stage": row.stage, "probability": row.probability,
            "decided": row.decided, "won": row.won, "observed": line.observed, "low": line.interval.low,
            "high": line.interval.high, "verdict": line.verdict,
        }
        for row, line in lines
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(CALIBRATION))
    return frame.assign(brier=statements.brier(line for _row, line in lines))
