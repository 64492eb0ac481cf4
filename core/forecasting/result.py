"""A finished fit: arrays over history and horizon, from which everything shown is computed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import SalesError
from core.forecasting.sentences import Sentence
from core.forecasting.steps import Frequency
from core.forecasting.transform import Floats, Kind, Transform
from core.i18n import N_, _

Method = Literal["combination", "prophet", "smoothing", "seasonal_naive", "mean"]
Member = Literal[
    "prophet",
    "theta_adjusted",
    "holt_adjusted",
    "ets",
    "theta",
    "theta_season",
    "stl_ets",
    "stl_theta",
    "ets_log",
    "theta_log",
    "theta_season_log",
    "stl_ets_log",
    "stl_theta_log",
]

METHOD_NAMES: dict[Method, str] = {
    "combination": N_("Prophet combined with exponential smoothing and Theta"),
    "prophet": N_("Prophet"),
    "smoothing": N_("Damped exponential smoothing"),
    "seasonal_naive": N_("Seasonal naive"),
    "mean": N_("Mean of the last year"),
}

PATHS = 400
COMPONENTS = ("trend", "seasonal", "holidays", "events", "level")


class NotEnoughHistory(SalesError):
    """There is not one complete step to forecast from."""

    text = N_("There is no complete period with data yet, so nothing can be forecast.")


@dataclass(frozen=True, eq=False)
class Components:
    """Parts on the modelled scale, over history and horizon; their sum is the forecast."""

    trend: Floats
    seasonal: Floats
    holidays: Floats
    events: Floats
    level: Floats

    @property
    def total(self) -> Floats:
        """The forecast on the modelled scale."""
        return self.trend + self.seasonal + self.holidays + self.events + self.level

    @classmethod
    def of(cls, trend: Floats, seasonal: Floats | None = None) -> Components:
        """A trend, and a season where there is one."""
        none = np.zeros(len(trend))
        return cls(trend, none if seasonal is None else seasonal, none, none, none)


@dataclass(frozen=True)
class Scores:
    """How past forecasts fared; shares, but `mase` a ratio. NaN where it cannot be told.

    wape = sum|y-f| / sum|y|; bias = sum(f-y) / sum|y|; mase = MAE over the in-sample MAE of
    seasonal naive; coverage = share of actual values inside the 80 % band. naive is seasonal
    naive, ets AutoETS, over the same steps.
    """

    wape: float
    bias: float
    mase: float
    coverage: float
    naive_wape: float
    naive_mase: float
    origins: int
    ets_wape: float = float("nan")
    ets_mase: float = float("nan")


@dataclass(frozen=True, eq=False)
class Backtest:
    """Past forecasts beside what happened, and their scores.

    frame: origin datetime64 (last known step), step int64 from 1, ds datetime64, actual,
    forecast, lo, hi, naive, ets float64 in the unit of the series; ets NaN where it was not tried.
    scale: what MASE divides by, the in-sample error of seasonal naive.
    """

    frame: pd.DataFrame
    scores: Scores
    scale: float = float("nan")


@dataclass(frozen=True, eq=False)
class Near:
    """What future steps already have and get from deals open now, in the unit of the series, a value a step.

    booked: before today, in the step under way alone; from_open: part of the forecast.
    """

    booked: Floats
    from_open: Floats


@dataclass(frozen=True, eq=False)
class Fit:
    """A forecast with all that scenarios need; built by `fit_series`, kept as JSON.

    steps: the history's and the horizon's step starts; y: the history, in the unit of the
    series; parts over both; members: what was combined; below, above >= 0: distances of the 80 % band on the modelled
    scale; correlation: of neighbouring steps' errors; ceiling: a bound of what is plausible; near: where open deals
    were laid in (`blend`), which is not kept as JSON.
    """

    frequency: Frequency
    method: Method
    reason: Sentence
    notes: tuple[Sentence, ...]
    steps: pd.DatetimeIndex
    y: Floats
    transform: Transform
    parts: Components
    below: Floats
    above: Floats
    correlation: float
    ceiling: float
    signed: bool
    seed: int
    backtest: Backtest | None
    members: tuple[Member, ...] = ()
    near: Near | None = None

    @property
    def method_name(self) -> str:
        """The method in the reader's language."""
        return _(METHOD_NAMES[self.method])

    @property
    def horizon(self) -> int:
        """The number of steps forecast."""
        return len(self.steps) - len(self.y)

    @property
    def future(self) -> pd.DatetimeIndex:
        """The step starts forecast."""
        return self.steps[len(self.y) :]

    def value(self, z: NDArray[np.floating]) -> Floats:
        """From the modelled scale to the unit of the series, within what is plausible."""
        raw = self.transform.inverse(np.asarray(z, dtype="float64"))
        floor = -self.ceiling if self.signed else 0.0
        return np.clip(raw, floor, self.ceiling)

    @cached_property
    def noise(self) -> NDArray[np.float32]:
        """Return 400 seeded error paths on the modelled scale, shape (400, horizon).

        Each step's errors have the band's width; neighbouring steps correlate as they did in
        the backtest. Half the paths mirror the other half, so their middle is the forecast. A
        shorter horizon has the same paths, only fewer steps of them.
        """
        random = np.random.default_rng(self.seed)
        shocks = random.standard_normal((self.horizon, PATHS // 2)).T.copy()
        innovation = np.sqrt(1 - self.correlation**2)
        for step in range(1, self.horizon):
            shocks[:, step] = self.correlation * shocks[:, step - 1] + innovation * shocks[:, step]
        both = np.concatenate([shocks, -shocks]) / 1.2815515655446004
        return np.where(both < 0, both * self.below, both * self.above).astype("float32")

    def history(self) -> pd.DataFrame:
        """Return ds, actual and the fitted value for the history."""
        count = len(self.y)
        fitted = self.value(self.parts.total[:count])
        return pd.DataFrame({"ds": self.steps[:count], "actual": self.y, "fitted": fitted})

    def to_json(self) -> str:
        """Keep the fit as text; error paths are drawn again from the seed."""
        return json.dumps(
            {
                "frequency": self.frequency,
                "method": self.method,
                "reason": self.reason.to_dict(),
                "notes": [note.to_dict() for note in self.notes],
                "steps": _dates(self.steps),
                "y": self.y.tolist(),
                "transform": [self.transform.kind, self.transform.scale],
                "parts": {name: getattr(self.parts, name).tolist() for name in COMPONENTS},
                "below": self.below.tolist(),
                "above": self.above.tolist(),
                "correlation": self.correlation,
                "ceiling": self.ceiling,
                "signed": self.signed,
                "seed": self.seed,
                "members": list(self.members),
                "backtest": None if self.backtest is None else _backtest_out(self.backtest),
            },
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> Fit:
        """Read what `to_json` wrote; equal to the last bit."""
        kept = json.loads(text)
        kind, scale = kept["transform"]
        return cls(
            frequency=cast(Frequency, kept["frequency"]),
            method=cast(Method, kept["method"]),
            reason=Sentence.from_dict(kept["reason"]),
            notes=tuple(Sentence.from_dict(note) for note in kept["notes"]),
            steps=_index(kept["steps"]),
            y=_floats(kept["y"]),
            transform=Transform(cast(Kind, kind), scale),
            parts=Components(*(_floats(kept["parts"][name]) for name in COMPONENTS)),
            below=_floats(kept["below"]),
            above=_floats(kept["above"]),
            correlation=kept["correlation"],
            ceiling=kept["ceiling"],
            signed=kept["signed"],
            seed=kept["seed"],
            backtest=None if kept["backtest"] is None else _backtest_in(kept["backtest"]),
            members=tuple(cast(Member, name) for name in kept["members"]),
        )


def _floats(values: list[float | None]) -> Floats:
    return np.array(values, dtype="float64")


def _dates(index: pd.DatetimeIndex) -> list[str]:
    return [str(day) for day in index.to_numpy().astype("datetime64[D]")]


def _index(days: list[str]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(np.array(days, dtype="datetime64[D]")).as_unit("ns")


def _backtest_out(backtest: Backtest) -> dict[str, object]:
    columns: dict[str, object] = {}
    for name in backtest.frame.columns:
        column = backtest.frame[name]
        dated = name in ("origin", "ds")
        values = _dates(pd.DatetimeIndex(column)) if dated else column.tolist()
        columns[str(name)] = [None if value != value else value for value in values]  # noqa: PLR0124 - NaN alone
    scores = {name: None if np.isnan(score) else score for name, score in vars(backtest.scores).items()}
    return {"columns": columns, "scores": scores, "scale": None if np.isnan(backtest.scale) else backtest.scale}


def _backtest_in(kept: dict[str, Any]) -> Backtest:
    columns: dict[str, Any] = {}
    for name, column in kept["columns"].items():
        if name in ("origin", "ds"):
            columns[name] = _index(column)
        else:
            columns[name] = column if name == "step" else _floats(column)
    scores = {name: np.nan if score is None else float(score) for name, score in kept["scores"].items()}
    origins = int(scores.pop("origins"))
    scale = np.nan if kept["scale"] is None else float(kept["scale"])
    return Backtest(pd.DataFrame(columns), Scores(**scores, origins=origins), scale)
