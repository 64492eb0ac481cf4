"""The questions of Overview. What the columns mean: docs/queries.md."""

from __future__ import annotations

from datetime import timedelta
from math import nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.access.actions import Action
from core.analytics import as_of as past
from core.analytics import kpis, quotas
from core.analytics.as_of import AsOf
from core.analytics.dimensions import Dimension
from core.analytics.facts import default_pipeline
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.rates import coverage, rate, wilson
from core.domain.periods import Period, add_months
from core.gate import query
from core.queries.standpoint import looked_at
from core.queries.team_parts import parts_looked_at

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from core.analytics.team_parts import TeamPart
    from core.db.mirror import ScopedMirror
    from core.db.work import Work

HUNDREDTHS = 100.0


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def overview_kpis(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, to_date: bool = False, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return the key figures of the period, of the one before and of the same one a year before.

    `to_date` cuts the two earlier ones at as many days as the running period is old. With `as_of` all is as it stood
    at the end of that day.
    """
    mirror, today = work.mirror, as_of.on if as_of else work.today
    whole = {
        "current": period, "previous": work.calendar.before(period), "year_before": work.calendar.year_before(period),
    }  # fmt: skip
    cut = {
        name: as_old(days, period, today=today) if to_date and days is not period else days
        for name, days in whole.items()
    }
    return pd.DataFrame(key_figures(work, mirror, cut, whole, filters, as_of=as_of))


def key_figures(
    work: Work,
    mirror: ScopedMirror,
    periods: dict[str, Period],
    whole: dict[str, Period],
    filters: Filters,
    *,
    as_of: AsOf | None = None,
) -> list[dict[str, Any]]:
    """Return the rows of `overview_kpis`, of "current" and of earlier periods; quotas are those of the `whole` ones."""
    counted = _counted_as_of(mirror, periods, filters, as_of) if as_of else _counted(work, mirror, periods, filters)
    owed = quotas_of(mirror, whole, filters)
    return [_figures(name, days, counted[name], owed[name]) for name, days in periods.items()]


def _counted(
    work: Work, mirror: ScopedMirror, periods: dict[str, Period], filters: Filters
) -> dict[str, dict[str, Any]]:
    """Return what is counted for each period, by one look at the deals."""
    earlier = {name: days for name, days in periods.items() if name != "current"}
    statement = kpis.totals(mirror.facts, period=periods["current"], earlier=earlier, filters=filters, today=work.today)
    return _by_period(mirror.rows(statement)[0]._asdict(), earlier)


def _by_period(row: dict[str, Any], earlier: Iterable[str]) -> dict[str, dict[str, Any]]:
    decided = ("booked", "lost_value", "won_count", "lost_count", "cycle_days")
    return {"current": row} | {name: {key: row[f"{key}_{name}"] for key in decided} for name in earlier}


def _counted_as_of(
    mirror: ScopedMirror, periods: dict[str, Period], filters: Filters, as_of: AsOf
) -> dict[str, dict[str, Any]]:
    earlier = {name: days for name, days in periods.items() if name != "current"}
    period = periods["current"]
    statement = past.totals(mirror.facts, period=period, earlier=earlier, filters=filters, as_of=as_of)
    return _by_period(mirror.rows(statement)[0]._asdict(), earlier)


def as_old(earlier: Period, period: Period, *, today: date) -> Period:
    """Return `earlier` cut at as many days as `period` is old, where it is running."""
    if today >= period.last_day or today < period.start:
        return earlier
    days = (today - period.start).days + 1
    return Period(earlier.start, min(earlier.end, earlier.start + timedelta(days=days)))


def _figures(name: str, period: Period, found: dict[str, Any], quota: float) -> dict[str, Any]:
    """Return a row of `overview_kpis`; what is open belongs to the first alone."""
    is_now = name == "current"
    booked = found["booked"] / HUNDREDTHS
    decided = found["won_count"] + found["lost_count"]
    low, high = wilson(found["won_count"], decided)
    closing = found["closing_value"] / HUNDREDTHS if is_now else nan
    return {
        "row": name, "start": period.start, "end": period.end, "booked": booked,
        "won_count": found["won_count"], "lost_count": found["lost_count"], "decided_count": decided,
        "win_rate": rate(found["won_count"], decided), "win_rate_low": low, "win_rate_high": high,
        "win_rate_by_value": rate(found["booked"], found["booked"] + found["lost_value"]),
        "average_deal": rate(booked, found["won_count"]),
        "cycle_days": nan if found["cycle_days"] is None else found["cycle_days"],
        "open_count": found["open_count"] if is_now else 0,
        "pipeline": found["pipeline"] / HUNDREDTHS if is_now else nan,
        "weighted_pipeline": found["weighted_pipeline"] / HUNDREDTHS if is_now else nan,
        "overdue_count": found["overdue_count"] if is_now else 0,
        "overdue_value": found["overdue_value"] / HUNDREDTHS if is_now else nan,
        "closing_value": closing, "quota": quota, "attainment": rate(booked, quota),
        "coverage": coverage(closing, quota=quota, booked=booked),
    }  # fmt: skip


def quotas_of(mirror: ScopedMirror, periods: dict[str, Period], filters: Filters) -> dict[str, float]:
    """Return what is owed in each period in major units; NaN where nobody does or the filters go past people."""
    if not filters.by_people_alone:
        return dict.fromkeys(periods, nan)
    (row,) = mirror.rows(quotas.quota_totals(mirror.facts, periods=periods, filters=filters))
    return {name: nan if found is None else found / HUNDREDTHS for name, found in row._asdict().items()}


def quota_of(mirror: ScopedMirror, period: Period, filters: Filters) -> float:
    """Return what is owed in one period."""
    return quotas_of(mirror, {"owed": period}, filters)["owed"]


def quotas_by(
    mirror: ScopedMirror, period: Period, filters: Filters, by: quotas.QuotaKey, parts: tuple[TeamPart, ...] = ()
) -> dict[Any, float]:
    """Return what each rep, team or month owes, in major units, by key."""
    if not filters.by_people_alone:
        return {}
    rows = mirror.rows(quotas.quota_by(mirror.facts, period=period, filters=filters, by=by, parts=parts))
    return {row.key: row.quota / HUNDREDTHS for row in rows}


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def booked_by_month(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return each month's booked value, quota, won deals, and the same month's booked value a year before."""
    return months_frame(work, work.mirror, period, filters, as_of=as_of)


def months_frame(
    work: Work, mirror: ScopedMirror, period: Period, filters: Filters, *, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return the frame of `booked_by_month`."""
    earlier = work.calendar.year_before(period)
    if as_of:
        this, before = (_months_as_of(mirror, days, filters, as_of) for days in (period, earlier))
    else:
        this, before = _months(work, mirror, period, earlier, filters)
    owed = quotas_by(mirror, period, filters, "month")
    rows = []
    for month in period.months():
        booked, won = this.get(month, (0, 0))
        last_year = add_months(month, -12)
        rows.append({
            "month": month, "booked": booked / HUNDREDTHS, "quota": owed.get(month, nan),
            "previous": before.get(last_year, (0, 0))[0] / HUNDREDTHS if before else nan, "won": won,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["month", "booked", "quota", "previous", "won"])


_Months = dict[Any, tuple[int, int]]


def _months(
    work: Work, mirror: ScopedMirror, period: Period, earlier: Period, filters: Filters
) -> tuple[_Months, _Months]:
    statement = kpis.booked_beside(mirror.facts, period=period, earlier=earlier, filters=filters, today=work.today)
    rows = mirror.rows(statement)
    return (
        {row.on: (row.booked, row.won) for row in rows if row.won},
        {row.on: (row.booked_before, row.won_before) for row in rows if row.won_before},
    )


def _months_as_of(mirror: ScopedMirror, period: Period, filters: Filters, as_of: AsOf) -> _Months:
    statement = past.booked_by_month(mirror.facts, period=period, filters=filters, as_of=as_of)
    return {row.on: (row.booked, row.won) for row in mirror.rows(statement)}


BREAKDOWN = (
    "key", "name", "booked", "won_count", "lost_count", "decided_count", "win_rate", "average_deal", "open_count",
    "open_value", "weighted", "quota", "attainment",
)  # fmt: skip


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def breakdown(
    work: Work, *, period: Period, by: Dimension, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:
    """Return the key figures of each team, territory, product, channel, segment or rep, largest booked first.

    Teams at the level being looked at, each with its whole subtree: the ones below the filtered team (the root where
    none is), and what is directly in it.
    """
    mirror = work.mirror
    parts = parts_looked_at(mirror, filters) if by == "team" else ()
    facts, today = looked_at(work, as_of)
    statement = kpis.by_dimension(facts, period=period, by=by, filters=filters, today=today, parts=parts)
    owed = quotas_by(mirror, period, filters, by, parts) if by in ("team", "rep") else {}
    rows = []
    for found in mirror.rows(statement):
        booked, decided = found.booked / HUNDREDTHS, found.won_count + found.lost_count
        quota = owed.pop(found.key, nan)
        rows.append({
            "key": found.key, "name": found.name, "booked": booked, "won_count": found.won_count,
            "lost_count": found.lost_count, "decided_count": decided,
            "win_rate": rate(found.won_count, decided), "average_deal": rate(booked, found.won_count),
            "open_count": found.open_count, "open_value": found.pipeline / HUNDREDTHS,
            "weighted": found.weighted_pipeline / HUNDREDTHS, "quota": quota, "attainment": rate(booked, quota),
        })  # fmt: skip
    rows += _idle_parts(mirror, by, owed)
    frame = pd.DataFrame(rows, columns=list(BREAKDOWN))
    return frame.sort_values(["booked", "open_value", "key"], ascending=[False, False, True], ignore_index=True)


def _idle_parts(mirror: ScopedMirror, by: Dimension, owed: dict[Any, float]) -> list[dict[str, Any]]:
    """Rows of the reps and teams that owe something and have no deal at all."""
    names = {row.key: row.name for row in mirror.rows(kpis.names(mirror.facts, by, list(owed)))} if owed else {}
    return [
        {
            "key": key, "name": names.get(key, ""), "booked": 0.0, "won_count": 0, "lost_count": 0,
            "decided_count": 0, "win_rate": nan, "average_deal": nan, "open_count": 0, "open_value": 0.0,
            "weighted": 0.0, "quota": quota, "attainment": rate(0.0, quota),
        }
        for key, quota in owed.items()
    ]  # fmt: skip


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def pipeline_by_stage(work: Work, *, filters: Filters = NO_FILTERS) -> pd.DataFrame:
    """Return what is open in each stage of a pipeline now, in the order of the process."""
    mirror = work.mirror
    chosen = chosen_pipeline(mirror, filters)
    frame = mirror.frame(kpis.open_by_stage(mirror.facts, filters=filters, pipeline_id=chosen, today=work.today))
    frame["stage_key"] = frame["stage_key"].astype(str)
    for column in ("value", "weighted"):
        frame[column] = frame[column].astype("float64") / HUNDREDTHS
    return frame


def chosen_pipeline(mirror: ScopedMirror, filters: Filters) -> int:
    """Return the pipeline that the filters choose, else the default one; 0 where there is none."""
    if filters.pipeline_id is not None:
        return filters.pipeline_id
    return int(mirror.value(default_pipeline(mirror.facts)) or 0)
