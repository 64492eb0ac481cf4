"""Prophet, with settings that suit sales: the only module that imports it, and on first use.

Source: docs/methods/forecast.md, "Prophet".
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.forecasting.calendar import Event, event_shares, festival_shares, holiday_shares
from core.forecasting.processor_time import run_within
from core.forecasting.relevance import explains
from core.forecasting.result import COMPONENTS, Components
from core.forecasting.steps import Frequency
from core.forecasting.transform import Floats

Params = Mapping[str, NDArray[np.float64]]
Design = dict[str, tuple[Any, ...]]
"""Under `all`, what Prophet makes of calendar and regressors over all steps, the same for every fit of a series."""

CHANGEPOINT_PRIORS: Final = (0.05, 0.01)
YEARLY_ORDER: Final[dict[Frequency, int]] = {"month": 5, "week": 20, "day": 10}
SEASON_PRIOR: Final[dict[Frequency, float]] = {"month": 10.0, "week": 0.05, "day": 10.0}
TWO_YEARS: Final[dict[Frequency, int]] = {"month": 24, "week": 104, "day": 730}
WEEKLY_ORDER = 3
DAMPING = 0.9
CALENDAR_PRIOR = 0.5
FESTIVAL_COLUMN, HOLIDAY_COLUMN = "festival ", "holiday "
PARAMETERS: Final = ("k", "m", "delta", "beta", "sigma_obs")
SEED = 20_260_101
ITERATIONS = 1_000
PROCESSOR_SECONDS = 4.0
CLOCK_SECONDS = 120.0


class ProphetFailed(Exception):
    """The optimiser gave up or took too long; a simpler method takes over."""


@dataclass(frozen=True, eq=False)
class Features:
    """Named columns over history and horizon: the calendar's, and the company's own events."""

    calendar: dict[str, Floats]
    events: dict[str, Floats]
    expected: Floats

    @classmethod
    def of(cls, steps: pd.DatetimeIndex, frequency: Frequency, events: Sequence[Event], *, china: bool) -> Features:
        """Columns for `steps`; events with a stated uplift go into `expected`, a log effect."""
        calendar: dict[str, Floats] = {}
        if china:
            calendar = {FESTIVAL_COLUMN + name: share for name, share in festival_shares(steps, frequency).items()}
            if frequency != "month":
                for name, share in holiday_shares(steps, frequency).items():
                    calendar[HOLIDAY_COLUMN + name] = share
        learned = event_shares(steps, frequency, [e for e in events if e.uplift is None])
        expected = np.zeros(len(steps))
        for event in events:
            if event.uplift is not None:
                share = next(iter(event_shares(steps, frequency, [event]).values()))
                expected += np.log1p(max(event.uplift, -0.95) * share)
        return cls(calendar, {f"event {name}": s for name, s in learned.items()}, expected)

    def known(self, z: Floats, frequency: Frequency) -> Features:
        """Only the columns that vary within the steps of `z`, and calendar that explains something in it."""
        calendar: dict[str, Floats] = {}
        varying = _varying(self.calendar, len(z))
        for group in (FESTIVAL_COLUMN, HOLIDAY_COLUMN):
            part = {name: column for name, column in varying.items() if name.startswith(group)}
            if explains(z, [column[: len(z)] for column in part.values()], frequency):
                calendar |= part
        return Features(calendar, _varying(self.events, len(z)), self.expected)

    def head(self, count: int) -> Features:
        """The first `count` steps."""
        return Features(
            {name: column[:count] for name, column in self.calendar.items()},
            {name: column[:count] for name, column in self.events.items()},
            self.expected[:count],
        )


def warm() -> None:
    """Import Prophet before the first fit needs it."""
    import prophet  # noqa: F401


def prophet_components(
    z: Floats,
    steps: pd.DatetimeIndex,
    frequency: Frequency,
    features: Features,
    *,
    priors: Sequence[float] = CHANGEPOINT_PRIORS,
) -> Components:
    """Fit `z`, the first steps of `steps`, and return components over all of `steps`, without a level.

    One fit for each changepoint prior, averaged; the trend is damped beyond the data. Raises
    ProphetFailed.
    """
    known = features.known(z, frequency)
    frame = pd.DataFrame({"ds": steps, **known.calendar, **known.events})
    fits = []
    start: Params | None = None
    design: Design = {}
    for prior in priors:
        model = _fitted(z, frame, frequency, prior, start, design)
        start = model.params
        fits.append(_components(model, frame, known, design))
    return Components(*(np.mean([getattr(fit, part) for fit in fits], axis=0) for part in COMPONENTS))


def _fitted(
    z: Floats, frame: pd.DataFrame, frequency: Frequency, prior: float, start: Params | None, design: Design
) -> Any:
    """One Prophet fit, begun at another fit's parameters where given.

    Prophet begins with all changes of slope at zero, just on the kink of their prior, where
    LBFGS often finds no way down; small alternating changes get it off there.
    """
    columns = [str(name) for name in frame.columns if name != "ds"]
    history = frame.iloc[: len(z)].assign(y=z)
    for attempt in range(2):
        model = _model(len(z), frequency, columns, prior)
        model.begin = start if attempt == 0 else None
        model.nudge = 10.0 ** (attempt - 3)
        model.frame, model.design = frame, design
        with TemporaryDirectory(prefix="luopan-fit-") as folder:
            try:
                model.stan_backend.model = _Stan(model.stan_backend.model, Path(folder))
                model.fit(history, algorithm="LBFGS", seed=SEED, iter=ITERATIONS, timeout=CLOCK_SECONDS)
            except TimeoutError as slow:
                raise ProphetFailed from slow
            except (RuntimeError, ValueError):
                continue
        return model
    raise ProphetFailed


@dataclass(frozen=True, eq=False)
class _Optimum:
    """What Prophet reads of an optimisation."""

    column_names: tuple[str, ...]
    optimized_params_np: NDArray[np.float64]


class _Stan:
    """Stan's compiled model, called with the command that cmdstanpy would make, its files written in one go.

    cmdstanpy writes numbers one by one, and reads in a loop until the process has ended: half of a short fit's time.
    """

    def __init__(self, model: Any, folder: Path) -> None:
        self._program = str(model.exe_file)
        self._folder = folder

    def optimize(
        self,
        *,
        data: Mapping[str, Any],
        inits: Mapping[str, Any],
        algorithm: str,
        seed: int,
        iter: int,  # noqa: A002 - as Prophet calls it
        timeout: float,
    ) -> _Optimum:
        """Return the most likely parameters. Raises TimeoutError, and RuntimeError where Stan finds none."""
        told = {"data": self._folder / "data.json", "init": self._folder / "init.json"}
        for path, values in zip(told.values(), (data, inits), strict=True):
            path.write_text(json.dumps(values, default=np.ndarray.tolist), encoding="utf-8")
        found = self._folder / "found.csv"
        command = [
            self._program, "random", f"seed={seed}", "data", f"file={told['data']}", f"init={told['init']}",
            "output", f"file={found}", "refresh=0", "method=optimize", f"algorithm={algorithm.lower()}", f"iter={iter}",
        ]  # fmt: skip
        ended = run_within(command, processor_seconds=PROCESSOR_SECONDS, clock_seconds=timeout)
        if ended.returncode:
            raise RuntimeError(ended.stderr.decode(errors="replace")[-500:])
        names, *rows = [
            line for line in found.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")
        ]
        return _Optimum(tuple(names.split(",")), np.array(rows[-1].split(","), dtype="float64"))


def _components(model: Any, frame: pd.DataFrame, features: Features, design: Design) -> Components:
    """The parts of one fit as Prophet's own `predict` has them, its trend damped beyond the steps known."""
    params, count = model.params, len(model.history)
    ahead = ((frame["ds"] - model.start) / model.t_scale).to_numpy(dtype="float64")
    k, m, delta = (float(params["k"][0, 0]), float(params["m"][0, 0]), params["delta"][0])
    trend = model.piecewise_linear(ahead, delta, k, m, model.changepoints_t) * model.y_scale
    columns = design["all"][0]
    effects = columns.to_numpy(dtype="float64") * params["beta"][0] * model.y_scale
    if not (np.isfinite(trend).all() and np.isfinite(effects).all()):
        raise ProphetFailed
    of = np.array([str(name).split("_delim_")[0] for name in columns.columns])

    def summed(names: Collection[str]) -> Floats:
        return np.asarray(effects[:, np.isin(of, list(names))].sum(axis=1))

    none = np.zeros(len(frame))
    return Components(
        _damped(trend, count), summed(("yearly", "weekly")), summed(features.calendar), summed(features.events), none
    )


@cache
def _kind() -> Any:
    """Prophet with the design computed once for all fits of a series, and a start of its own."""
    _quiet()
    from prophet import Prophet  # takes 0.8 s, so not before it is needed

    class Fitted(Prophet):
        begin: Params | None = None
        nudge: float = 0.0
        frame: pd.DataFrame
        design: Design

        def make_all_seasonality_features(self, df: pd.DataFrame) -> tuple[Any, ...]:
            if "all" not in self.design:
                self.design["all"] = super().make_all_seasonality_features(self.frame)
            whole, scales, components, modes = self.design["all"]
            return whole.iloc[: len(df)].reset_index(drop=True), scales, components, modes

        def regressor_column_matrix(self, seasonal_features: pd.DataFrame, modes: Any) -> tuple[pd.DataFrame, Any]:
            """Say that every column adds: Prophet's own way, by cross tabulation, takes a sixth of the whole fit."""
            ones = np.ones(seasonal_features.shape[1], dtype=np.int64)
            return pd.DataFrame({"additive_terms": ones, "multiplicative_terms": 1 - ones}), modes

        def calculate_initial_params(self, num_total_regressors: int) -> Any:
            first = super().calculate_initial_params(num_total_regressors)
            if self.begin is not None:
                told = {name: _plain(name, self.begin[name]) for name in PARAMETERS}
                return replace(first, **told)
            signs = np.where(np.arange(len(first.delta)) % 2 == 0, 1.0, -1.0)
            return replace(first, delta=signs * self.nudge, sigma_obs=0.1)

    return Fitted


def _plain(name: str, values: NDArray[np.float64]) -> Any:
    """Prophet keeps every parameter as a row; Stan wants two of them as vectors, the others as numbers."""
    row = np.asarray(values, dtype="float64").reshape(-1)
    return row if name in ("delta", "beta") else float(row[0])


def _model(count: int, frequency: Frequency, columns: list[str], prior: float) -> Any:
    yearly = YEARLY_ORDER[frequency] if count >= TWO_YEARS[frequency] else 0
    model = _kind()(
        yearly_seasonality=yearly,
        weekly_seasonality=WEEKLY_ORDER if frequency == "day" else 0,
        daily_seasonality=0,
        seasonality_prior_scale=SEASON_PRIOR[frequency],
        changepoint_prior_scale=prior,
        uncertainty_samples=0,
    )
    if model.stan_backend is not None:
        model.stan_backend.set_options(newton_fallback=False)
    for name in columns:
        model.add_regressor(name, prior_scale=CALENDAR_PRIOR, standardize=False)
    return model


def _damped(trend: Floats, count: int) -> Floats:
    """Let the last slope fade by `DAMPING` a step."""
    slope = trend[count - 1] - trend[count - 2]
    ahead = np.cumsum(DAMPING ** np.arange(1, len(trend) - count + 1))
    return np.concatenate([trend[:count], trend[count - 1] + slope * ahead])


def _varying(columns: dict[str, Floats], count: int) -> dict[str, Floats]:
    return {n: c for n, c in columns.items() if np.ptp(c[:count]) > 0}


def _quiet() -> None:
    """Failures of the optimiser are answered here, not logged line by line."""
    for name in ("cmdstanpy", "prophet", "prophet.models"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
