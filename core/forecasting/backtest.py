"""Forecasts from past days: what the band's width and the scores are computed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from core.forecasting.baselines import naive_forecast, naive_scale
from core.forecasting.result import Backtest, Member, Scores
from core.forecasting.spread import AS_SUGGESTED, Spread, suggested_width
from core.forecasting.transform import Floats

Forecaster = Callable[[int, int], Floats]
"""(number of known steps, horizon) -> the forecast."""

NOMINAL = 0.8
RECENCY = 1.5


@dataclass(frozen=True, eq=False)
class Origin:
    """One past forecast: made when `known` steps were known, beside what happened."""

    known: int
    forecast: Floats
    errors: Floats
    members: dict[Member, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Band:
    """Half the width of the 80 % band a step, and the correlation of neighbouring errors."""

    width: Floats
    correlation: float


def cutoffs(count: int, *, horizon: int, least: int, origins: int) -> list[tuple[int, int]]:
    """Return up to `origins` past cut-offs of `count` steps, oldest first: steps known, at least `least`, and ahead.

    The first cut-off is one horizon back, or as far as the history allows; later ones are
    spread to the present, so that near steps are seen more often than far ones.
    """
    span = min(horizon, count - least)
    if span < 1 or origins < 1:
        return []
    backs = np.unique(np.linspace(span, max(1, span // origins), origins).round().astype(int))
    if count - least >= 2 * span:
        backs = np.unique(np.linspace(2 * span, max(1, span // 2), origins).round().astype(int))
    return [(count - back, min(span, back)) for back in sorted(backs.tolist(), reverse=True)]


def roll(z: Floats, forecaster: Forecaster, cuts: Sequence[tuple[int, int]]) -> list[Origin]:
    """Forecast from each of the `cutoffs`."""
    made = [(known, forecaster(known, ahead)) for known, ahead in cuts]
    return [Origin(known, past, z[known : known + len(past)] - past) for known, past in made]


def band(
    origins: list[Origin],
    in_sample: Floats,
    *,
    horizon: int,
    count: int = 0,
    terms: int = 0,
    spread: Spread = AS_SUGGESTED,
) -> Band:
    """Widths from the origins' errors, drawn towards those of like series where there are few.

    For step h all absolute errors at steps from h/2 to 2h are pooled and their conformal 80 %
    quantile is taken, an origin counting 0.63 times the next later one; widths never shrink with
    h (isotonic regression). A past forecast that knew n steps where now `count` are known, of a season with `terms`
    coefficients, erred more for it: by sqrt((1 + terms/n) / (1 + terms/count)).
    """
    errors = [_as_of_now(origin, count or origin.known, terms) for origin in origins]
    share = 0.5 ** (np.arange(len(errors))[::-1] / RECENCY)
    own, counts = np.zeros(horizon), np.zeros(horizon)
    for step in range(1, horizon + 1):
        parts = [e[max(1, step // 2) - 1 : max(2 * step, 3)] for e in errors]
        seen = np.array([len(part) > 0 for part in parts], dtype=bool)
        if seen.any():
            weights = np.repeat(share, [len(part) for part in parts])
            own[step - 1] = _conformal(np.abs(np.concatenate(parts)), weights)
            counts[step - 1] = share[seen].sum() ** 2 / (share[seen] ** 2).sum()
    widths = spread.drawn(own, counts, suggested_width(in_sample, horizon))
    return Band(_never_shrinking(widths), _correlation(errors))


def _never_shrinking(widths: Floats) -> Floats:
    """The nearest widths, on logarithms, that never shrink: isotonic regression (Barlow et al., 1972).

    The greatest so far would carry the chance of one step on to all that come after it.
    """
    if not (widths > 0).all():
        return np.asarray(np.maximum.accumulate(widths))
    return np.asarray(np.exp(isotonic_regression(np.log(widths)).x))


def _as_of_now(origin: Origin, count: int, terms: int) -> Floats:
    return origin.errors * float(np.sqrt((1 + terms / count) / (1 + terms / origin.known)))


def scored(
    y: Floats,
    steps: pd.DatetimeIndex,
    origins: list[Origin],
    in_sample: Floats,
    *,
    season: int,
    value: Callable[[Floats], Floats],
    terms: int = 0,
    spread: Spread = AS_SUGGESTED,
) -> Backtest | None:
    """Score the origins; the band of each is set by the other origins alone."""
    if not origins:
        return None
    tables = []
    for place, origin in enumerate(origins):
        ahead = len(origin.forecast)
        others = origins[:place] + origins[place + 1 :]
        width = band(others, in_sample, horizon=ahead, count=origin.known, terms=terms, spread=spread).width
        after = slice(origin.known, origin.known + ahead)
        tables.append(
            pd.DataFrame(
                {
                    "origin": [steps[origin.known - 1]] * ahead,
                    "step": np.arange(1, ahead + 1),
                    "ds": steps[after],
                    "actual": y[after],
                    "forecast": value(origin.forecast),
                    "lo": value(origin.forecast - width),
                    "hi": value(origin.forecast + width),
                    "naive": naive_forecast(y[: origin.known], ahead, season),
                    "ets": value(origin.members.get("ets", np.full(ahead, np.nan))),
                }
            )
        )
    frame = pd.concat(tables, ignore_index=True)
    scale = naive_scale(y[: origins[0].known], season)
    return Backtest(frame, score(frame, scale=scale), scale)


def score(frame: pd.DataFrame, *, scale: float) -> Scores:
    """Return the scores of `frame` (columns of `Backtest.frame`); `scale` divides MASE."""
    actual = frame["actual"].to_numpy(dtype="float64")
    forecast = frame["forecast"].to_numpy(dtype="float64")
    naive = frame["naive"].to_numpy(dtype="float64")
    ets = frame["ets"].to_numpy(dtype="float64") if "ets" in frame else np.full(len(frame), np.nan)
    size = float(np.abs(actual).sum()) or float("nan")
    inside = (actual >= frame["lo"].to_numpy()) & (actual <= frame["hi"].to_numpy())
    return Scores(
        wape=float(np.abs(actual - forecast).sum()) / size,
        bias=float((forecast - actual).sum()) / size,
        mase=float(np.abs(actual - forecast).mean()) / scale,
        coverage=float(inside.mean()),
        naive_wape=float(np.abs(actual - naive).sum()) / size,
        naive_mase=float(np.abs(actual - naive).mean()) / scale,
        origins=int(frame["origin"].nunique()),
        ets_wape=float(np.abs(actual - ets).sum()) / size,
        ets_mase=float(np.abs(actual - ets).mean()) / scale,
    )


def _conformal(errors: Floats, weights: Floats | None = None) -> float:
    """The ceil((n + 1) x 0.8)-th smallest of n errors; with weights, the one up to which 80 % of them lie."""
    if not len(errors):
        return 0.0
    order = np.argsort(errors, kind="stable")
    shares = np.ones(len(errors)) if weights is None else weights
    reached = np.cumsum(shares[order]) / shares.sum()
    wanted = NOMINAL if weights is not None else min(1.0, NOMINAL * (len(errors) + 1) / len(errors))
    return float(errors[order][min(len(errors) - 1, int(np.searchsorted(reached, wanted - 1e-12)))])


def _correlation(errors: list[Floats]) -> float:
    """The correlation of neighbouring errors of one forecast, between 0 and 0.9."""
    pairs = [(e[:-1], e[1:]) for e in errors if len(e) > 1]
    if not pairs:
        return 0.5
    first = np.concatenate([a for a, _b in pairs])
    second = np.concatenate([b for _a, b in pairs])
    size = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float(np.clip((first * second).sum() / size, 0.0, 0.9)) if size > 0 else 0.5
