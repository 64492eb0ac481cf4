"""Forecasts of many series at once, by a pool, made to add up. Source: docs/methods/all-series.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd

from core.forecasting.fit import AFTER_FAILURE, Depth
from core.forecasting.hierarchy import Equation, reconciled
from core.forecasting.scenarios import apply, sample_paths
from core.forecasting.sentences import Sentence
from core.forecasting.series import PreparedSeries, prepare
from core.forecasting.steps import PANDAS, ends, overlap_share, steps_from
from core.forecasting.trust import totals
from core.forecasting.workers import TOO_SLOW, WORKER_DIED
from core.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from core.domain.periods import FiscalCalendar, Period
    from core.forecasting.calendar import Event
    from core.forecasting.result import Fit
    from core.forecasting.transform import Floats

Together = Literal["month", "week"]
"""Steps by which all series are forecast; days reach no further than 90 of them, and not to the next quarter's end."""
HORIZON: Final[dict[Together, int]] = {"month": 12, "week": 52}
"""Steps forecast: as many as the Forecast page asks for, so that its fits and these are the same."""
SHOWN: Final[dict[Together, int]] = {"month": 24, "week": 52}
"""Steps of history kept with a forecast, to be drawn beside it."""
QUICK_FROM: Final = 200
"""Series from which on a reader's own run makes one fit each; the nightly one takes its time."""

NEVER_SOLD = N_("No complete month with a won deal yet, so the forecast is zero.")
NEVER_SOLD_IN_A_WEEK = N_("No complete week with a won deal yet, so the forecast is zero.")
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
    """One series of a run. Values a step, in the series' unit; `first` is the first day of the first future step.

    `history`: the complete steps before it; `alone`: the forecast by itself; `made`: so that the parts add up;
    low, high: 80 %. `quarter`: the total of the next quarter, its band, what it was alone and what came a year before,
    None where the whole had not begun by then; `off`: how far past totals as long were off, None where unknown.
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
    frequency: Together = "month",
) -> tuple[SeriesForecast, ...]:
    """Forecast every series by month or week, and let the parts add up to the whole.

    rows: dimension, key, on (a step's first day), value; names: the whole first. Series of which nothing was won
    for six months are forecast as zero; the others by the pool, one whose fit failed by a simpler method that says
    so. Empty where no complete step holds anything. `add_up` reconciles.
    """
    progress = Progress() if progress is None else progress
    of = dict(list(rows.groupby(["dimension", "key"], sort=False)))
    whole = prepare(of.get(names[0], rows.head(0)), frequency=frequency, today=today)
    if not len(whole):
        return ()
    last = whole.points["ds"].iloc[-1]
    after = ends(pd.DatetimeIndex([last]), frequency)[0].date()  # today's step, but for a whole that ended long ago
    parts = (prepare(of[name], frequency=frequency, today=after) for name in names[1:])
    fitted = _fitted(
        chain([whole], parts), names, last=last, frequency=frequency, pool=pool, depth=depth, progress=progress
    )
    place = {name: number for number, name in enumerate(names)}
    equations = [Equation(place[whole], tuple(place[part] for part in parts)) for whole, parts in sums]
    ahead = _Ahead.of(whole, after, frequency, calendar)
    bands = [_band(each, HORIZON[frequency]) for each in fitted]
    alone = np.array([middle for middle, _low, _high in bands])
    spread = np.array([float(np.mean(high - low)) / (2 * 1.2815515655446004) for _middle, low, high in bands])
    signed = any(each.prepared.has("negative") for each in fitted)
    made = add_up(alone, spread, equations, signed=signed)
    return tuple(
        _told(name, each, band, line, ahead=ahead, signed=signed)
        for name, each, band, line in zip(names, fitted, bands, made, strict=True)
    )


def _fitted(
    found: Iterable[PreparedSeries],
    names: Sequence[SeriesName],
    *,
    last: pd.Timestamp,
    frequency: Together,
    pool: Pool,
    depth: Depth,
    progress: Progress,
) -> list[_Fitted]:
    """Ask the pool for each series as soon as it is prepared, so that both go on at once."""
    made: list[_Fitted] = []
    tasks: dict[Future[Fit], list[int]] = {}
    for place, (name, prepared) in enumerate(zip(names, found, strict=True)):
        ended = len(prepared) > 0 and prepared.points["ds"].iloc[-1] < last
        never = NEVER_SOLD if prepared.frequency == "month" else NEVER_SOLD_IN_A_WEEK
        made.append(_Fitted(prepared, None, Sentence(NO_LONGER_SOLD if ended else never)))
        if len(prepared) and not ended:
            task = pool.submit((name, prepared.fingerprint), prepared, HORIZON[frequency], depth=depth)
            tasks.setdefault(task, []).append(place)
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


@dataclass(frozen=True, eq=False)
class _Ahead:
    """The steps known last and to come, and what of them lies in the quarter after the one that begins now.

    `quarter`: the share of each future step's days in it; `year_before`: its days a year earlier, None where the whole
    had not begun by then.
    """

    shown: pd.DatetimeIndex
    future: pd.DatetimeIndex
    quarter: Floats
    year_before: Period | None

    @classmethod
    def of(cls, whole: PreparedSeries, first: date, frequency: Together, calendar: FiscalCalendar) -> _Ahead:
        """Return it for a whole whose first future step begins on `first`."""
        known = whole.points["ds"]
        future = steps_from(first, HORIZON[frequency], frequency)
        now = calendar.quarter(*calendar.quarter_of(first))
        following = calendar.quarter(*calendar.quarter_of(now.end))
        before = calendar.year_before(following)
        shown = pd.date_range(end=known.iloc[-1], periods=SHOWN[frequency], freq=PANDAS[frequency]).as_unit("ns")
        share = overlap_share(future, ends(future, frequency), following.start, following.end)
        return cls(shown, future, share, before if known.iloc[0].date() <= before.start else None)


def _band(each: _Fitted, horizon: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if each.fit is None:
        none = np.zeros(horizon)
        return none, none, none
    frame = apply(each.fit).frame
    return frame["yhat"].to_numpy(), frame["lo"].to_numpy(), frame["hi"].to_numpy()


def _told(
    name: SeriesName,
    each: _Fitted,
    band: tuple[np.ndarray, np.ndarray, np.ndarray],
    made: np.ndarray,
    *,
    ahead: _Ahead,
    signed: bool,
) -> SeriesForecast:
    """Lay the band, as wide as before, around the reconciled forecast, and sum up the next quarter."""
    alone, low, high = band
    least = -np.inf if signed else 0.0
    by_step = each.prepared.points.set_index("ds")["y"]
    total, total_alone = float(ahead.quarter @ made), float(ahead.quarter @ alone)
    sum_low = sum_high = total
    off = None
    if each.fit is not None:
        paths = sample_paths(each.fit) @ ahead.quarter
        sum_low, sum_high = (float(end) + total - total_alone for end in np.quantile(paths, (0.1, 0.9)))
        past = None if each.fit.backtest is None else totals(each.fit.backtest, round(float(ahead.quarter.sum())))
        off = None if past is None else past.off
    return SeriesForecast(
        name=name,
        first=ahead.future[0].date(),
        history=tuple(float(value) for value in by_step.reindex(ahead.shown, fill_value=0.0)),
        alone=tuple(map(float, alone)),
        made=tuple(map(float, made)),
        low=tuple(map(float, np.maximum(low + made - alone, least))),
        high=tuple(map(float, np.maximum(high + made - alone, made))),
        quarter=total,
        quarter_low=min(max(sum_low, least), total),
        quarter_high=max(sum_high, total),
        quarter_alone=total_alone,
        year_before=None if ahead.year_before is None else _inside(each.prepared, ahead.year_before),
        off=off,
        reason=each.reason,
        failed=each.reason.text in FAILURES,
    )


def _inside(prepared: PreparedSeries, period: Period) -> float:
    """What a series had in a period, steps over its border shared by their days."""
    steps = pd.DatetimeIndex(prepared.points["ds"])
    share = overlap_share(steps, ends(steps, prepared.frequency), period.start, period.end)
    return float(share @ prepared.points["y"].to_numpy(dtype="float64"))


def _rounded(value: Any) -> Any:
    """Numbers to the hundredth (shares to the millionth), tuples as lists."""
    if isinstance(value, float):
        return round(value, 2 if abs(value) >= 10 else 6)
    return [_rounded(each) for each in value] if isinstance(value, tuple) else value
