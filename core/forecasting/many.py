"""Forecasts of many series at once, by a pool, made to add up. Source: docs/methods/all-series.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import numpy as np
import pandas as pd

from core.forecasting.fit import AFTER_FAILURE, Depth
from core.forecasting.hierarchy import Equation, reconciled
from core.forecasting.scenarios import apply, sample_paths
from core.forecasting.sentences import Sentence
from core.forecasting.series import PreparedSeries, prepare
from core.forecasting.steps import steps_from
from core.forecasting.trust import totals
from core.forecasting.workers import TOO_SLOW, WORKER_DIED
from core.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from core.domain.periods import FiscalCalendar
    from core.forecasting.calendar import Event
    from core.forecasting.result import Fit
    from core.forecasting.transform import Floats

HORIZON: Final = 12
"""Months forecast: as many as the Forecast page asks for, so that its fits and these are the same."""
SHOWN: Final = 24
"""Months of history kept with a forecast, to be drawn beside it."""
QUICK_FROM: Final = 200
"""Series from which on a reader's own run makes one fit each; the nightly one takes its time."""

NEVER_SOLD = N_("No complete month with a won deal yet, so the forecast is zero.")
NO_LONGER_SOLD = N_("Nothing was won for six months, so the forecast is zero.")
FAILURES: Final = frozenset({TOO_SLOW, WORKER_DIED, AFTER_FAILURE})
"""Reasons of a fit that say that the method meant for the series did not come through."""


class SeriesName(NamedTuple):
    """What a series is of: a dimension of the Forecast page, or `company`, and the key in it."""

    dimension: str
    key: str


Sums = tuple[tuple[SeriesName, tuple[SeriesName, ...]], ...]
"""A whole and its parts, several times."""


class Reconciling(Protocol):
    """`reconciled`, here or in a process of its own."""

    def __call__(self, base: Floats, spread: Floats, equations: Sequence[Equation], *, signed: bool = False) -> Floats:
        """Return forecasts for which every equation holds."""


class Pool(Protocol):
    """What fits series: worker processes of this machine, or a cluster."""

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
        """Return the fit to come."""

    def shutdown(self) -> None:
        """End it."""


@dataclass
class Progress:
    """How far a run is, read by others while it goes on; `stopped`: nobody wants it any more.

    `told` is called with it after each series.
    """

    done: int = 0
    total: int = 0
    failed: list[SeriesName] = field(default_factory=list)
    stopped: bool = False
    told: Callable[[Progress], None] | None = None

    @property
    def share(self) -> float:
        """The share done, 0 to 1."""
        return self.done / self.total if self.total else 0.0


@dataclass(frozen=True)
class SeriesForecast:
    """One series of a run. Values a month, in the series' unit; `first` is the first future month.

    `history`: the complete months before it; `alone`: the forecast by itself; `made`: so that the parts add up;
    low, high: 80 %. `quarter`: the total of the next quarter, its band, what it was alone and what came a year before,
    None where the whole had not begun by then; `off`: how far past totals of three months were off, None where unknown.
    """

    name: SeriesName
    first: date
    history: tuple[float, ...]
    alone: tuple[float, ...]
    made: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    quarter: float
    quarter_low: float
    quarter_high: float
    quarter_alone: float
    year_before: float | None
    off: float | None
    reason: Sentence
    failed: bool

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, numbers to the hundredth."""
        kept = {key: _rounded(value) for key, value in asdict(self).items()}
        return kept | {"name": list(self.name), "first": self.first.isoformat(), "reason": self.reason.to_dict()}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> SeriesForecast:
        """The inverse of `to_dict`."""
        read = {key: tuple(value) if isinstance(value, list) else value for key, value in kept.items()}
        told: dict[str, Any] = {"name": SeriesName(*kept["name"]), "first": date.fromisoformat(kept["first"])}
        return cls(**{**read, **told, "reason": Sentence.from_dict(kept["reason"])})


@dataclass(frozen=True)
class _Fitted:
    """A series before it is reconciled: its forecast alone, and the error it is taken to have."""

    prepared: PreparedSeries
    fit: Fit | None
    reason: Sentence


def forecast_all(
    rows: pd.DataFrame,
    names: Sequence[SeriesName],
    sums: Sums,
    *,
    today: date,
    calendar: FiscalCalendar,
    pool: Pool,
    depth: Depth = "full",
    progress: Progress | None = None,
    add_up: Reconciling = reconciled,
) -> tuple[SeriesForecast, ...]:
    """Forecast every series by month, and let the parts add up to the whole.

    rows: dimension, key, on (a month's first day), value; names: the whole first. Series of which nothing was won
    for six months are forecast as zero; the others by the pool, one whose fit failed by a simpler method that says
    so. Empty where no complete month holds anything. `add_up` reconciles.
    """
    progress = Progress() if progress is None else progress
    of = dict(list(rows.groupby(["dimension", "key"], sort=False)))
    whole = prepare(of.get(names[0], rows.head(0)), frequency="month", today=today)
    if not len(whole):
        return ()
    begun, last = whole.points["ds"].iloc[[0, -1]]
    after = (last + pd.DateOffset(months=1)).date()  # today's month, but for a whole that ended long ago
    parts = (prepare(of[name], frequency="month", today=after) for name in names[1:])
    fitted = _fitted(chain([whole], parts), names, last=last, pool=pool, depth=depth, progress=progress)
    place = {name: number for number, name in enumerate(names)}
    equations = [Equation(place[whole], tuple(place[part] for part in parts)) for whole, parts in sums]
    future = steps_from((last + pd.DateOffset(months=1)).date(), HORIZON, "month")
    quarter = _next_quarter(future, calendar)
    bands = [_band(each) for each in fitted]
    alone = np.array([middle for middle, _low, _high in bands])
    spread = np.array([float(np.mean(high - low)) / (2 * 1.2815515655446004) for _middle, low, high in bands])
    signed = any(each.prepared.has("negative") for each in fitted)
    made = add_up(alone, spread, equations, signed=signed)
    return tuple(
        _told(name, each, band, line, begun=begun, last=last, future=future, quarter=quarter, signed=signed)
        for name, each, band, line in zip(names, fitted, bands, made, strict=True)
    )


def _fitted(
    found: Iterable[PreparedSeries],
    names: Sequence[SeriesName],
    *,
    last: pd.Timestamp,
    pool: Pool,
    depth: Depth,
    progress: Progress,
) -> list[_Fitted]:
    """Ask the pool for each series as soon as it is prepared, so that both go on at once."""
    made: list[_Fitted] = []
    tasks: dict[Future[Fit], list[int]] = {}
    for place, (name, prepared) in enumerate(zip(names, found, strict=True)):
        ended = len(prepared) > 0 and prepared.points["ds"].iloc[-1] < last
        made.append(_Fitted(prepared, None, Sentence(NO_LONGER_SOLD if ended else NEVER_SOLD)))
        if len(prepared) and not ended:
            tasks.setdefault(pool.submit(name, prepared, HORIZON, depth=depth), []).append(place)
    progress.total = sum(map(len, tasks.values()))
    for task in as_completed(tasks):
        fit = task.result()
        for place in tasks[task]:
            made[place] = replace(made[place], fit=fit, reason=fit.reason)
            if fit.reason.text in FAILURES:
                progress.failed.append(names[place])
            progress.done += 1
        if progress.told is not None:
            progress.told(progress)
    return made


def _next_quarter(future: pd.DatetimeIndex, calendar: FiscalCalendar) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which future months lie in the quarter after the one that the first of them lies in."""
    now = calendar.quarter(*calendar.quarter_of(future[0].date()))
    following = calendar.quarter(*calendar.quarter_of(now.end))
    days = [step.date() for step in future]
    return np.array([following.start <= day < following.end for day in days])


def _band(each: _Fitted) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if each.fit is None:
        none = np.zeros(HORIZON)
        return none, none, none
    frame = apply(each.fit).frame
    return frame["yhat"].to_numpy(), frame["lo"].to_numpy(), frame["hi"].to_numpy()


def _told(
    name: SeriesName,
    each: _Fitted,
    band: tuple[np.ndarray, np.ndarray, np.ndarray],
    made: np.ndarray,
    *,
    begun: pd.Timestamp,
    last: pd.Timestamp,
    future: pd.DatetimeIndex,
    quarter: np.ndarray[Any, np.dtype[np.bool_]],
    signed: bool,
) -> SeriesForecast:
    """Lay the band, as wide as before, around the reconciled forecast, and sum up the next quarter."""
    alone, low, high = band
    least = -np.inf if signed else 0.0
    by_month = each.prepared.points.set_index("ds")["y"]
    before = [step - pd.DateOffset(years=1) for step in future[quarter]]
    total, total_alone = float(made[quarter].sum()), float(alone[quarter].sum())
    sum_low = sum_high = total
    off = None
    if each.fit is not None:
        paths = sample_paths(each.fit)[:, quarter].sum(axis=1)
        sum_low, sum_high = (float(end) + total - total_alone for end in np.quantile(paths, (0.1, 0.9)))
        past = None if each.fit.backtest is None else totals(each.fit.backtest, int(quarter.sum()))
        off = None if past is None else past.off
    months = steps_from((last - pd.DateOffset(months=SHOWN - 1)).date(), SHOWN, "month")
    return SeriesForecast(
        name=name,
        first=future[0].date(),
        history=tuple(float(value) for value in by_month.reindex(months, fill_value=0.0)),
        alone=tuple(map(float, alone)),
        made=tuple(map(float, made)),
        low=tuple(map(float, np.maximum(low + made - alone, least))),
        high=tuple(map(float, np.maximum(high + made - alone, made))),
        quarter=total,
        quarter_low=min(max(sum_low, least), total),
        quarter_high=max(sum_high, total),
        quarter_alone=total_alone,
        year_before=float(by_month.reindex(before, fill_value=0.0).sum()) if begun <= before[0] else None,
        off=off,
        reason=each.reason,
        failed=each.reason.text in FAILURES,
    )


def _rounded(value: Any) -> Any:
    """Numbers to the hundredth (shares to the millionth), tuples as lists."""
    if isinstance(value, float):
        return round(value, 2 if abs(value) >= 10 else 6)
    return [_rounded(each) for each in value] if isinstance(value, tuple) else value
