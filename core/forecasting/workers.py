"""Fits in the background: worker processes, one fit a key, a bounded store of results.

Two workers make the full fits; a third only first ones, so that no first answer waits for them. `begin` starts that
one ahead, so that the first forecast after a start does not wait for Prophet's import.

The workers are plain child processes rather than a multiprocessing pool: a spawned pool imports
the main module again, which under Streamlit is the page's script.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Timer
from time import monotonic
from typing import Literal, TextIO, cast

from core.forecasting.calendar import Event
from core.forecasting.fit import Depth, fallback_fit
from core.forecasting.processor_time import spent
from core.forecasting.result import Fit, NotEnoughHistory
from core.forecasting.series import PreparedSeries
from core.forecasting.spread import relative_misses
from core.forecasting.steps import Frequency
from core.forecasting.store import FitStore
from core.forecasting.transform import Floats
from core.forecasting.worker import BACKGROUND, order
from core.i18n import N_
from core.settings import settings

State = Literal["queued", "running", "done", "failed"]
Key = tuple[Hashable, ...]

WORKERS = 2
KEPT = 256
START_SECONDS = 20.0
FIT_SECONDS = 40.0
"""Of the processor, for one fit: on a busy machine more passes by the clock, up to `PATIENCE` times as many."""
PATIENCE = 10.0
LOOK_SECONDS = 0.5
ROOT = Path(__file__).resolve().parents[2]
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""A fit's matrices are small: more threads only wait for each other, three times the work of one."""

TOO_SLOW = N_("A simpler method, because fitting Prophet took too long.")
WORKER_DIED = N_("A simpler method, because the computing process ended twice.")


class WorkerDied(Exception):
    """The process ended before it answered."""


class WorkerTooSlow(Exception):
    """The process was ended because it did not answer in time."""


class Watch:
    """Calls `end` once a process has used so many seconds of the processor, or `PATIENCE` times as many have passed."""

    def __init__(self, pid: int, seconds: float, end: Callable[[], None]) -> None:
        self._pid, self._seconds, self._end = pid, seconds, end
        self._used, self._begun = spent(pid), monotonic()
        self._stopped = False
        self._wait(seconds)

    def stop(self) -> None:
        """Stop watching."""
        self._stopped = True
        self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = Timer(seconds, self._look)
        self._timer.daemon = True
        self._timer.start()

    def _look(self) -> None:
        now = spent(self._pid)
        passed = monotonic() - self._begun
        used = passed if now is None or self._used is None else now - self._used
        left = min(self._seconds - used, self._seconds * PATIENCE - passed)
        if self._stopped:
            return
        if left <= 0:
            self._end()
        else:
            self._wait(max(left, LOOK_SECONDS))


class Worker:
    """One child process, started on its first order and again after its death."""

    def __init__(self, *, fit_seconds: float = FIT_SECONDS, background: bool = False) -> None:
        self.fit_seconds = fit_seconds
        self.background = background
        self._child: subprocess.Popen[str] | None = None

    def begin(self) -> None:
        """Start the process, where it does not run, without waiting until it can answer."""
        if self._child is None or self._child.poll() is not None:
            self._start()

    def ask(self, line: str) -> str:
        """Send one order and wait for its answer. Raises WorkerDied, WorkerTooSlow."""
        fresh = self._child is None or self._child.poll() is not None
        child = self._start() if fresh or self._child is None else self._child
        late: list[bool] = []

        def end() -> None:
            late.append(True)
            child.kill()

        limit = self.fit_seconds + (START_SECONDS if fresh else 0.0)
        watch = Watch(child.pid, limit, end)
        try:
            orders, answers = cast("TextIO", child.stdin), cast("TextIO", child.stdout)
            orders.write(line + "\n")
            orders.flush()
            reply = answers.readline()
        except (BrokenPipeError, OSError, ValueError):
            reply = ""
        finally:
            watch.stop()
        if reply.endswith("\n"):
            return reply
        self.stop()
        raise WorkerTooSlow if late else WorkerDied

    @property
    def pid(self) -> int | None:
        """The process's number while it lives."""
        return None if self._child is None else self._child.pid

    def stop(self) -> None:
        """End the process and wait for it."""
        if self._child is None:
            return
        child, self._child = self._child, None
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(OSError):  # what the dead process did not read is still to be written
                    pipe.close()

    def _start(self) -> subprocess.Popen[str]:
        self.stop()
        self._child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-W", "ignore", "-m", "core.forecasting.worker", *([BACKGROUND] * self.background)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env={**os.environ, **ONE_THREAD},
        )
        return self._child


class Run:
    """What a run over many series learns of their bands, kept for the next one."""

    def __init__(self, store: FitStore | None) -> None:
        """Let what the run before learned hold in this one."""
        self._store = store
        self._misses: dict[Frequency, list[Floats]] = {}
        if store is not None:
            store.begin_run()

    def hear(self, fit: Fit) -> None:
        """Take note of a fit that is done."""
        self._misses.setdefault(fit.frequency, []).append(relative_misses(fit))

    def end(self) -> None:
        """Keep what was learned."""
        if self._store is not None:
            self._store.end_run(self._misses)


class Lane:
    """Workers of one kind, and as many threads that wait for them."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self.threads = ThreadPoolExecutor(len(workers), thread_name_prefix="luopan-fit")
        self.idle: SimpleQueue[Worker] = SimpleQueue()
        for worker in workers:
            self.idle.put(worker)


class FitPool:
    """Runs fits in worker processes; equal keys share one fit, finished or under way."""

    def __init__(
        self,
        *,
        workers: int = WORKERS,
        kept: int = KEPT,
        fit_seconds: float = FIT_SECONDS,
        store: FitStore | None = None,
        background: bool = False,
    ) -> None:
        """Make a pool of `workers`, and one for first answers; in the `background` they give way, and share a lane."""
        self._kept = kept
        self._store = store
        self._closed = False
        self._lock = Lock()
        self._fits: OrderedDict[Key, Future[Fit]] = OrderedDict()
        self._run = Run(store) if background else None
        self.workers = [Worker(fit_seconds=fit_seconds, background=background) for _place in range(workers)]
        self.express = self.workers[0] if background else Worker(fit_seconds=fit_seconds)
        whole = Lane(self.workers)
        self._lanes: dict[Depth, Lane] = {"full": whole, "first": whole if background else Lane([self.express])}

    def submit(
        self,
        key: Hashable,
        prepared: PreparedSeries,
        horizon: int,
        events: Sequence[Event] = (),
        *,
        china: bool = True,
        depth: Depth = "full",
    ) -> Future[Fit]:
        """Return the fit for `key` (series, settings, data version), begun at most once.

        `china`: whether the holidays of China are looked at; depth "first": the quickest answer.
        A fit that fails in the optimiser, dies twice or takes too long comes back by a simpler
        method that says so. The future raises NotEnoughHistory for an empty series.
        """
        whole: Key = (key, prepared.frequency, horizon, tuple(events), china, depth)
        with self._lock:
            if whole in self._fits:
                self._fits.move_to_end(whole)
                return self._fits[whole]
            task: Future[Fit] = Future()
            if len(prepared):
                spread = None if self._store is None else self._store.spread(prepared.frequency)
                line = order(prepared, horizon, tuple(events), china=china, depth=depth, spread=spread)
                known = None if self._store is None else self._store.read(line)
                if known is not None:
                    if self._run is not None:
                        self._run.hear(known)
                    task.set_result(known)
                else:
                    task = self._lanes[depth].threads.submit(
                        self._fit, line, prepared, horizon, tuple(events), depth=depth
                    )
            else:
                task.set_exception(NotEnoughHistory())
            self._fits[whole] = task
            self._shrink()
        return task

    def shutdown(self) -> None:
        """End the workers; fits under way end by a simpler method at once."""
        self._closed = True
        if self._run is not None:
            self._run.end()
        for lane in self._lanes.values():
            lane.threads.shutdown(wait=False, cancel_futures=True)
        for worker in (*self.workers, self.express):
            worker.stop()

    def _shrink(self) -> None:
        """Forget the finished fits that were asked for longest ago."""
        finished = [key for key, task in self._fits.items() if task.done()]
        for key in finished[: max(0, len(self._fits) - self._kept)]:
            del self._fits[key]

    def _fit(
        self, line: str, prepared: PreparedSeries, horizon: int, events: tuple[Event, ...], *, depth: Depth
    ) -> Fit:
        idle = self._lanes[depth].idle
        worker = idle.get()
        try:
            for _attempt in range(2):
                if self._closed:
                    break
                try:
                    fit = Fit.from_json(worker.ask(line))
                except WorkerDied:
                    continue
                except WorkerTooSlow:
                    return fallback_fit(prepared, horizon=horizon, reason=TOO_SLOW, events=events)
                if self._run is not None:
                    self._run.hear(fit)
                if self._store is not None:
                    self._store.write(line, fit)
                return fit
            return fallback_fit(prepared, horizon=horizon, reason=WORKER_DIED, events=events)
        finally:
            idle.put(worker)


def state_of(task: Future[Fit]) -> State:
    """Return how far a fit is."""
    if task.done():
        return "failed" if task.cancelled() or task.exception() is not None else "done"
    return "running" if task.running() else "queued"


_lock = Lock()
_pools: list[FitPool] = []


def submit_fit(
    key: Hashable,
    prepared: PreparedSeries,
    horizon: int,
    events: Sequence[Event] = (),
    *,
    china: bool = True,
    depth: Depth = "full",
) -> Future[Fit]:
    """Fit in the program's own pool, started on first use and ended with the program."""
    return _own_pool().submit(key, prepared, horizon, events, china=china, depth=depth)


def begin() -> None:
    """Start the worker of first answers, so that it is warm when the first forecast is asked for."""
    _own_pool().express.begin()


def finished_fits() -> FitStore:
    """Return the store of this installation's finished fits."""
    return FitStore(settings().data_dir / "fits")


def _own_pool() -> FitPool:
    with _lock:
        if not _pools:
            _pools.append(FitPool(store=finished_fits()))
            atexit.register(shutdown)
        return _pools[0]


def shutdown() -> None:
    """End the program's pool; the next `submit_fit` starts another."""
    with _lock:
        pools = list(_pools)
        _pools.clear()
    for pool in pools:
        pool.shutdown()
