"""The nightly job: the forecasts of all series, for everybody who looks at more than their own."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlmodel import col, select

from core import gate
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.db.actors import actor_of
from core.forecasting.many import Progress, forecast_all
from core.model import User
from core.queries.all_series import all_series, forecast_run, kept_forecasts
from core.services.forecast_runs import keep_forecast_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from core.access.actors import Actor
    from core.db.work import Database
    from core.forecasting.fit import Depth
    from core.forecasting.many import Pool, SeriesForecast, Together
    from core.queries.series import Measure


class Of(NamedTuple):
    """What is forecast of every series, and by which step."""

    measure: Measure
    frequency: Together


class ScopeRun(NamedTuple):
    """A run that was made and kept."""

    reader: Actor
    of: Of
    series: tuple[SeriesForecast, ...]


USUAL: Final = Of("booked", "month")
LEADING: Final = (Role.LEADERSHIP, Role.OPERATIONS, Role.MANAGER)
ORIGIN: Final = "nightly-forecast"


def forecast_every_scope(
    database: Database,
    *,
    now: datetime,
    open_pool: Callable[[], Pool],
    depth: Depth = "full",
    again: bool = False,
    told: Callable[[Actor, Progress], None] = lambda _actor, _progress: None,
    wanted: Sequence[Of] = (),
) -> list[ScopeRun]:
    """Forecast all series of the company and of each manager's people; return the runs made, by their reader.

    `wanted`: measures and steps; without any, booked value by month and whatever the scope was shown before. A scope
    whose complete steps have not changed since its last run without failures is left alone unless `again`; of a run
    that was broken off, the series that were done are not fitted again. `told` hears of every series.
    """
    runs: list[ScopeRun] = []
    pool: Pool | None = None
    try:
        for reader in leading_readers(database, now=now):
            for of in wanted or _shown_before(database, reader, now):
                if not again and _is_done(database, reader, of, depth, now):
                    continue
                pool = pool or open_pool()
                progress = Progress(told=partial(told, reader))
                made = forecast_scope(database, reader, pool, progress, now=now, depth=depth, of=of)
                runs.append(ScopeRun(reader, of, made))
    finally:
        if pool is not None:
            pool.shutdown()
    return runs


def leading_readers(database: Database, *, now: datetime) -> list[Actor]:
    """Return one active reader for each scope that holds more than one rep, whole companies first."""
    with database.reading(SYSTEM, now=now) as work:
        users = work.session.exec(select(User).where(User.active, col(User.role).in_(LEADING)).order_by(col(User.id)))
        found = {actor.scope: actor for actor in (actor_of(work.session, user, origin=ORIGIN) for user in users)}
    return sorted(found.values(), key=lambda actor: (actor.scope.reach, len(actor.scope.rep_ids)))


def forecast_scope(
    database: Database, reader: Actor, pool: Pool, progress: Progress, *, now: datetime, depth: Depth, of: Of = USUAL
) -> tuple[SeriesForecast, ...]:
    """Forecast and keep all series of one reader's scope, of a measure by a step."""
    began = monotonic()
    tree = gate.answer(database, reader, all_series, now, measure=of.measure, frequency=of.frequency)
    with database.reading(reader, now=now) as work:
        calendar, today = work.calendar, work.today
    made = forecast_all(
        tree.rows, tree.names, tree.sums, today=today, calendar=calendar, pool=pool, depth=depth, progress=progress,
        frequency=of.frequency,
    )  # fmt: skip
    gate.perform(
        database, reader, keep_forecast_run, now, data_version=tree.version, depth=depth,
        seconds=monotonic() - began, series=[each.to_dict() for each in made], measure=of.measure,
        frequency=of.frequency,
    )  # fmt: skip
    return made


def _shown_before(database: Database, reader: Actor, now: datetime) -> list[Of]:
    kept = [Of(*each) for each in gate.answer(database, reader, kept_forecasts, now)]
    return list(dict.fromkeys([USUAL, *kept]))


def _is_done(database: Database, reader: Actor, of: Of, depth: Depth, now: datetime) -> bool:
    kept = gate.answer(database, reader, forecast_run, now, measure=of.measure, frequency=of.frequency)
    if kept is None or kept.depth != depth or any(each["failed"] for each in kept.series):
        return False
    tree = gate.answer(database, reader, all_series, now, measure=of.measure, frequency=of.frequency)
    return kept.data_version == tree.version
