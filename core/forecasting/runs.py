"""Runs over many series in the background of the program: one at a time, each once."""

from __future__ import annotations

import atexit
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from core.forecasting.cluster import DaskPool
from core.forecasting.many import Progress
from core.forecasting.workers import FitPool, finished_fits
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from core.forecasting.many import Pool

WORKERS = 2


@dataclass
class Run:
    """A run that was asked for: how far it is, and its end."""

    progress: Progress
    task: Future[None] = field(default_factory=Future)
    pool: Pool | None = None


_lock = Lock()
_runs: dict[Hashable, Run] = {}
_threads: list[ThreadPoolExecutor] = []


def open_pool() -> Pool:
    """Return what fits many series: the cluster that the settings name, else processes that give way to others.

    Raises ClusterNotReached.
    """
    address = settings().dask_scheduler
    if address:
        return DaskPool(address, store=finished_fits())
    return FitPool(workers=WORKERS, store=finished_fits(), background=True)


def start(key: Hashable, work: Callable[[Pool, Progress], None]) -> Run:
    """Begin `work` in the background, or return the run under `key` that is under way already."""
    with _lock:
        known = _runs.get(key)
        if known is not None and not known.task.done():
            return known
        if not _threads:
            _threads.append(ThreadPoolExecutor(1, thread_name_prefix="luopan-many"))
            atexit.register(stop)
        run = Run(Progress())
        _runs[key] = run
        run.task = _threads[0].submit(_do, run, work)
        return run


def run_of(key: Hashable) -> Run | None:
    """Return the newest run under `key`, None where there was none."""
    with _lock:
        return _runs.get(key)


def forget(key: Hashable) -> None:
    """Forget a run that has ended."""
    with _lock:
        if key in _runs and _runs[key].task.done():
            del _runs[key]


def stop() -> None:
    """End every run; what was fitted is kept, so that the next run goes on from there."""
    with _lock:
        runs, threads = list(_runs.values()), list(_threads)
        _threads.clear()
        _runs.clear()
    for run in runs:
        run.progress.stopped = True
    for thread in threads:
        thread.shutdown(wait=False, cancel_futures=True)
    for run in runs:
        if run.pool is not None:
            run.pool.shutdown()


def _do(run: Run, work: Callable[[Pool, Progress], None]) -> None:
    run.pool = open_pool()
    try:
        work(run.pool, run.progress)
    finally:
        run.pool.shutdown()
