"""The questions of Pipeline: how it stood on any day, and what changed. What the columns mean: docs/queries.md."""

from __future__ import annotations

from datetime import date
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from core.access.actions import Action
from core.analytics import as_of as statements
from core.analytics import kpis, trend, waterfall
from core.analytics.as_of import AsOf
from core.analytics.facts import default_pipeline
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.rates import coverage, rate
from core.domain.periods import Period
from core.gate import query
from core.queries.overview import HUNDREDTHS, chosen_pipeline, quota_of

if TYPE_CHECKING:
    from core.db.mirror import ScopedMirror
    from core.db.work import Work

STANDING = (
    "on", "open_count", "pipeline", "weighted_pipeline", "overdue_count", "overdue_value", "closing_value", "booked",
    "won_count", "lost_count", "quota", "attainment", "coverage",
)  # fmt: skip
TREND = ("week_on", "stage_key", "stage", "count", "value")


@query(Action.OVERVIEW_VIEW, mirrored=True)
def default_process(work: Work) -> int | None:
    """Return the number of the sales process that is shown where none is chosen, None where there is none."""
    found = work.mirror.value(default_pipeline(work.mirror.facts))
    return None if found is None else int(found)


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def pipeline_standing(
    work: Work, *, period: Period, as_of: AsOf | None = None, since: date | None = None, filters: Filters = NO_FILTERS
) -> pd.DataFrame:
    """Return what was open at the end of a day (now where none is given), and before it at the end of `since`.

    Booked, won and lost are of the period, up to the day.
    """
    mirror, end = work.mirror, as_of or AsOf(work.today)
    days = [AsOf(since, end.known)] if since is not None else []
    rows = [_standing(mirror, day, period, filters) for day in (end, *days)]
    return pd.DataFrame(rows, columns=list(STANDING))


def _standing(mirror: ScopedMirror, as_of: AsOf, period: Period, filters: Filters) -> dict[str, Any]:
    asked = statements.totals(mirror.facts, period=period, filters=filters, as_of=as_of, timed=False)
    found = mirror.rows(asked)[0]
    booked, quota = found.booked / HUNDREDTHS, quota_of(mirror, period, filters)
    closing = found.closing_value / HUNDREDTHS
    return {
        "on": as_of.on, "open_count": found.open_count, "pipeline": found.pipeline / HUNDREDTHS,
        "weighted_pipeline": found.weighted_pipeline / HUNDREDTHS, "overdue_count": found.overdue_count,
        "overdue_value": found.overdue_value / HUNDREDTHS, "closing_value": closing, "booked": booked,
        "won_count": found.won_count, "lost_count": found.lost_count, "quota": quota,
        "attainment": rate(booked, quota), "coverage": coverage(closing, quota=quota, booked=booked),
    }  # fmt: skip


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def pipeline_as_of(work: Work, *, as_of: AsOf | None = None, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return what was open in each stage of a process at the end of a day, in the order of the process."""
    mirror, day = work.mirror, as_of or AsOf(work.today)
    process = chosen_pipeline(mirror, filters)
    frame = mirror.frame(statements.by_stage(mirror.facts, filters=filters, pipeline_id=process, as_of=day))
    frame["stage_key"] = frame["stage_key"].astype(str)
    for column in ("value", "weighted"):
        frame[column] = frame[column].astype("float64") / HUNDREDTHS
    return frame


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def pipeline_trend(
    work: Work, *, as_of: AsOf | None = None, weeks: int = 104, filters: Filters = NO_FILTERS
) -> pd.DataFrame:
    """Return what was open in each stage of a process at the end of each of the last weeks, up to a day."""
    mirror, day = work.mirror, as_of or AsOf(work.today)
    ends, process = trend.week_ends(day.on, weeks), chosen_pipeline(mirror, filters)
    stages = mirror.rows(kpis.open_by_stage(mirror.facts, filters=filters, pipeline_id=process, today=work.today))
    asked: dict[str, Any] = {"first": ends[0], "weeks": weeks, "filters": filters, "known": day.known}
    steps = mirror.columns(trend.steps_by_week(mirror.facts, **asked))
    stays = mirror.columns(trend.stays_by_week(mirror.facts, **asked))
    rates = mirror.rows(trend.rates_by_week(mirror.facts, first=ends[0], weeks=weeks))
    stood = trend.standing(steps, stays, rates, weeks=weeks)
    none = np.zeros(weeks, np.int64), np.zeros(weeks, np.int64)
    columns = [(str(s.stage_key), s.stage, *(each.tolist() for each in stood.get(s.stage_key, none))) for s in stages]
    rows = [
        (on, key, stage, count[week], value[week] / HUNDREDTHS)
        for week, on in enumerate(ends)
        for key, stage, count, value in columns
    ]
    return pd.DataFrame(rows, columns=list(TREND))


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def pipeline_changes(
    work: Work, *, since: date, as_of: AsOf | None = None, closing: Period | None = None, filters: Filters = NO_FILTERS
) -> pd.DataFrame:
    """Return what the pipeline was at the end of `since`, what came, changed and went, and what it was at the end.

    `closing` keeps to deals that were expected to close in those days.
    """
    mirror, end = work.mirror, as_of or AsOf(work.today)
    asked = waterfall.bars(mirror.facts, start=min(since, end.on), end=end, filters=filters, closing=closing)
    rows = [
        {"kind": kind, "count": count, "value": value / HUNDREDTHS, "adds_up": kind in waterfall.BARS}
        for kind, (count, value) in waterfall.totals(mirror.rows(asked)).items()
    ]
    frame = pd.DataFrame(rows)
    start = frame["value"].iloc[0]
    return frame.assign(share=frame["value"] / start if start else nan)
