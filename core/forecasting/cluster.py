"""Fits on a Dask cluster: the same orders, answered by the same function, on other machines.

The cluster's workers run this program's code in its environment, one thread each.
"""

from __future__ import annotations

from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING, Any

from core.errors import SalesError
from core.forecasting.fit import Depth, fallback_fit
from core.forecasting.result import Fit, NotEnoughHistory
from core.forecasting.worker import answer, order
from core.forecasting.workers import WORKER_DIED, Run
from core.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from core.forecasting.calendar import Event
    from core.forecasting.series import PreparedSeries
    from core.forecasting.store import FitStore

CONNECT_SECONDS = 10


class ClusterNotReached(SalesError):
    """The scheduler that the settings name does not answer."""

    text = N_("The Dask scheduler at {address} does not answer.")


class DaskPool:
    """What `FitPool` does with processes of this machine, on a cluster."""

    def __init__(self, address: str, *, store: FitStore | None = None) -> None:
        """Connect. Raises ClusterNotReached."""
        import distributed

        client: Any = distributed.Client
        try:
            self._client = client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ClusterNotReached(address=address) from error
        self._store = store
        self._run = Run(store)
        self._asked: set[Any] = set()

    def submit(
        self,
        key: Hashable,  # noqa: ARG002 - the order names itself
        prepared: PreparedSeries,
        horizon: int,
        events: Sequence[Event] = (),
        *,
        china: bool = True,
        depth: Depth = "full",
    ) -> Future[Fit]:
        """Return the fit to come: a kept one at once; one that fails twice comes by a simpler method that says so."""
        task: Future[Fit] = Future()
        if not len(prepared):
            task.set_exception(NotEnoughHistory())
            return task
        spread = None if self._store is None else self._store.spread(prepared.frequency)
        line = order(prepared, horizon, tuple(events), china=china, depth=depth, spread=spread)
        known = None if self._store is None else self._store.read(line)
        if known is not None:
            self._run.hear(known)
            task.set_result(known)
            return task
        remote = self._client.submit(answer, line, retries=1)
        self._asked.add(remote)  # a forgotten future is cancelled by the scheduler
        simpler = partial(fallback_fit, prepared, horizon=horizon, reason=WORKER_DIED, events=tuple(events))
        remote.add_done_callback(partial(self._arrived, task, line, simpler))
        return task

    def shutdown(self) -> None:
        """Let the cluster go; fits under way are dropped there."""
        self._run.end()
        self._client.close(timeout=CONNECT_SECONDS)

    def _arrived(self, task: Future[Fit], line: str, simpler: partial[Fit], remote: Any) -> None:
        self._asked.discard(remote)
        if remote.status != "finished":
            task.set_result(simpler())
            return
        fit = Fit.from_json(remote.result())
        self._run.hear(fit)
        if self._store is not None:
            self._store.write(line, fit)
        task.set_result(fit)
