"""Keeping the forecasts of all series of a scope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlmodel import select

from core.access.actions import Action
from core.gate import command
from core.model import ForecastRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.db.work import Work


@command(Action.FORECAST_VIEW)
def keep_forecast_run(
    work: Work,
    *,
    data_version: str,
    depth: str,
    seconds: float,
    series: Sequence[dict[str, Any]],
    measure: str = "booked",
    frequency: str = "month",
) -> ForecastRun:
    """Keep a run of the actor's own scope in place of the one before it of the same measure and step."""
    scope_key = work.actor.scope.named
    before = select(ForecastRun).where(
        ForecastRun.scope_key == scope_key, ForecastRun.measure == measure, ForecastRun.frequency == frequency
    )
    run = work.session.exec(before).one_or_none()
    if run is None:
        run = ForecastRun(scope_key=scope_key, made_at=work.now, depth=depth, data_version=data_version, series=[])
        run.measure, run.frequency = measure, frequency
    run.made_at, run.seconds, run.depth = work.now, seconds, depth
    run.data_version, run.series = data_version, list(series)
    work.session.add(run)
    work.session.flush()
    return run
