"""How long deals stay in each stage. What the columns mean: docs/queries.md."""

from __future__ import annotations

from math import isnan, nan
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import literal

from core.access.actions import Action
from core.analytics import funnel_stays as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.survival import Survival, product_limit
from core.domain.periods import day_start
from core.gate import query
from core.queries.overview import chosen_pipeline
from core.queries.standpoint import looked_at

if TYPE_CHECKING:
    from core.db.work import Work
    from core.domain.periods import Period


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def time_in_stage(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return how long the deals opened in the period stayed in each open stage, in days.

    Stays that go on last to the start of today, so that the answer is the same all day long. `km_*` counts them as
    censored; NaN where there were stays is "not reached yet".
    """
    mirror, asked = work.mirror, _asked(work, period, filters, as_of)
    frame = mirror.frame(statements.stays(**asked))
    measured = ["median_days", "p90_days", "still_inside_median_days", "expected_days"]
    frame[measured] = frame[measured].astype("float64")
    curves = _survivals(mirror.frame(statements.stays_by_hour(**asked)))
    for name, share in (("km_median_days", 0.5), ("km_p90_days", 0.9)):
        frame[name] = [
            curves[key].quantile(share) / statements.HOURS_A_DAY if key in curves else nan
            for key in frame["stage_key"]
        ]  # fmt: skip
    return frame


@query(Action.FUNNEL_VIEW, mirrored=True, askable=True)
def stay_curves(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return the share of stays that last beyond each number of days, by stage (Kaplan-Meier)."""
    mirror, asked = work.mirror, _asked(work, period, filters, as_of)
    curves = _survivals(mirror.frame(statements.stays_by_hour(**asked)))
    pipeline = chosen_pipeline(mirror, filters)
    stages = mirror.rows(statements.stages_of(mirror.facts, pipeline_id=pipeline))
    rows = [
        (key, stage, day, curves[key].beyond(day * statements.HOURS_A_DAY))
        for key, stage in stages
        if key in curves
        for day in _days(curves[key])
    ]
    return pd.DataFrame(rows, columns=["stage_key", "stage", "days", "share"])


def _asked(work: Work, period: Period, filters: Filters, as_of: AsOf | None) -> dict[str, Any]:
    facts, today = looked_at(work, as_of)
    return {
        "facts": facts,
        "period": period,
        "filters": filters,
        "pipeline_id": chosen_pipeline(work.mirror, filters),
        "until": literal(day_start(today, work.zone).replace(tzinfo=None)),
        "today": today,
    }


def _survivals(hours: pd.DataFrame) -> dict[str, Survival]:
    return {
        str(key): product_limit(part["hours"], part["ended"], part["lasting"])
        for key, part in hours.groupby("stage_key", sort=False)
    }


_POINTS = 60


def _days(curve: Survival) -> list[float]:
    """Return some sixty days at which to draw a curve, to where one in twenty is left or its end."""
    if not len(curve.times):
        return [0.0]
    reached = curve.quantile(0.95)
    last = (curve.times[-1] if isnan(reached) else reached) / statements.HOURS_A_DAY
    return [last * point / _POINTS for point in range(_POINTS + 1)]
