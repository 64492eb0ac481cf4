"""The near term: the open deals' chances and the series' own forecast, weighed by how past days fared.

Source: docs/methods/forecast-pipeline.md; the letters below are its.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from core.forecasting.pipeline import WEEKS, Learned, Replay
from core.forecasting.smoothing import theta

if TYPE_CHECKING:
    from datetime import date

    from core.forecasting.transform import Floats

BEFORE: Final = 26
"""Weeks that must be known before the first past forecast."""
ORIGINS: Final = 39
RECENT: Final = 26
WEIGHTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
GAIN: Final = 0.97
"""The pipeline enters where past forecasts with it were off by less than this share of those without."""
ENOUGH: Final = 6
Z80: Final = 1.2815515655446004


@dataclass(frozen=True, eq=False)
class NearTerm:
    """What the next `WEEKS` weeks (of 7 days, from the day after `last`) are likely to bring.

    pipeline: by open deals and the share of new ones; series: by the bookings so far alone; weights:
    of the pipeline, a week; weighted: what CRMs show; before: the
    forecast made a week earlier. deals: the open ones with their chance and
    what they bring in the weeks ahead (`brings`). past: a row a past day and week ahead: origin,
    week int; actual, forecast, pipeline, series, weighted.
    """

    last: date
    pipeline: Floats
    series: Floats
    weights: Floats
    weighted: Floats
    from_open: Floats
    before: Floats
    deals: pd.DataFrame
    past: pd.DataFrame

    @property
    def forecast(self) -> Floats:
        """The forecast of each week."""
        return np.asarray(self.weights * self.pipeline + (1 - self.weights) * self.series)

    @property
    def helps(self) -> bool:
        """Whether the pipeline has a part in the forecast at all."""
        return bool(self.weights.any())

    def off(self, method: str, weeks: int = 4) -> float:
        """The past WAPE of single weeks up to `weeks` ahead: forecast, pipeline, series or weighted."""
        part = self.past[self.past["week"] <= weeks]
        size = float(part["actual"].abs().sum())
        return float((part[method] - part["actual"]).abs().sum()) / size if size else float("nan")

    def total_off(self, method: str, weeks: int) -> float:
        """The past error of the total of the first `weeks` weeks, as a share."""
        sums = _totals(self.past, weeks)
        size = float(sums["actual"].abs().sum())
        return float((sums[method] - sums["actual"]).abs().sum()) / size if size else float("nan")

    def landing_before(self, days: int) -> float:
        """What the same days and the 7 before them were to bring, as forecast a week earlier."""
        return _over(self.before, days + 7)

    def weighted_over(self, days: int) -> float:
        """What the weighted pipeline says of the next `days` days."""
        return _over(self.weighted, days)

    def landing(self, days: int) -> Landing:
        """What the next `days` days bring, a week begun counted by its days."""
        whole, rest = divmod(min(days, 7 * WEEKS), 7)
        expected = _over(self.forecast, days)
        sums = _totals(self.past, max(1, whole + (rest > 0)))
        made = sums["forecast"].to_numpy()
        good = made > 0
        ratios = np.sort(np.abs(sums["actual"].to_numpy()[good] / made[good] - 1))
        if len(ratios) < ENOUGH:
            return Landing(expected, float("nan"))
        place = min(len(ratios), int(np.ceil((len(ratios) + 1) * 0.8)))
        widen = sqrt(max(1, whole + (rest > 0)) / max(days / 7, 1e-9))
        return Landing(expected, float(ratios[place - 1]) * min(widen, 2.0))


@dataclass(frozen=True)
class Landing:
    """What is still to come, and the share by which 8 of 10 past forecasts missed at most (NaN: unknown)."""

    expected: float
    off: float

    @property
    def low(self) -> float:
        """The low end of the 80 % band."""
        return max(0.0, self.expected * (1 - self.off))

    @property
    def high(self) -> float:
        """The high end of the 80 % band."""
        return self.expected * (1 + self.off)

    def chance(self, missing: float) -> float:
        """The chance that at least `missing` is still to come; NaN where past errors are unknown."""
        if missing <= 0:
            return 1.0
        spread = self.expected * self.off / Z80
        if not spread > 0:
            return float("nan")
        return 0.5 * (1 + erf((self.expected - missing) / spread / sqrt(2)))


def near_term(spans: pd.DataFrame, *, last: date) -> NearTerm | None:
    """Forecast the weeks after `last` from the deals' history (`Replay.spans`); None where too little is known.

    Every past forecast knows only what was known on its day: the deals, the chances learned, the
    bookings and the weights.
    """
    if spans.empty or not spans["is_won"].any():
        return None
    replay = Replay(spans, last)
    learned, count = Learned(replay), len(replay.days)
    if count < BEFORE + ENOUGH:
        return None
    first = max(BEFORE, count - 1 - ORIGINS)
    origins = range(first, count)
    parts = {name: np.zeros((count, WEEKS)) for name in ("pipeline", "series", "weighted", "open")}
    actual = np.full((count, WEEKS), np.nan)
    deals, each = learned.expected(count - 1)
    for origin in origins:
        worth = each if origin == count - 1 else learned.expected(origin)[1]
        parts["open"][origin] = worth.sum(axis=0)
        parts["series"][origin] = level(replay.booked[: origin + 1])
        parts["pipeline"][origin] = parts["open"][origin] + learned.new_share(origin) * parts["series"][origin]
        parts["weighted"][origin] = learned.weighted(origin)
        ahead = min(WEEKS, count - 1 - origin)
        actual[origin, :ahead] = replay.booked[origin + 1 : origin + 1 + ahead]
    rows = []
    for origin in range(first, count - 1):
        weights = weights_at(parts["pipeline"], parts["series"], actual, origin, first)
        for week in range(min(WEEKS, count - 1 - origin)):
            share = weights[week]
            line = {name: parts[name][origin, week] for name in ("pipeline", "series", "weighted")}
            made = share * line["pipeline"] + (1 - share) * line["series"]
            rows.append({"origin": origin, "week": week + 1, "actual": actual[origin, week], "forecast": made, **line})
    now = count - 1
    then = weights_at(parts["pipeline"], parts["series"], actual, now - 1, first)
    return NearTerm(
        last=last,
        pipeline=parts["pipeline"][now],
        series=parts["series"][now],
        weights=weights_at(parts["pipeline"], parts["series"], actual, now, first),
        weighted=parts["weighted"][now],
        from_open=parts["open"][now],
        before=then * parts["pipeline"][now - 1] + (1 - then) * parts["series"][now - 1],
        deals=deals.assign(brings=each.sum(axis=1)).sort_values("brings", ascending=False, ignore_index=True),
        past=pd.DataFrame(rows),
    )


def level(booked: Floats) -> Floats:
    """A flat forecast of weekly bookings: the mean of simple smoothing's level and the last 13 weeks'."""
    recent = booked[-RECENT:]
    if len(recent) < 2:
        return np.full(WEEKS, float(recent.mean()) if len(recent) else 0.0)
    smoothed = theta(recent, 1).forecast[0]
    middle = float(booked[-13:].mean())
    return np.full(WEEKS, max(0.0, (float(smoothed) + middle) / 2))


def weights_at(pipeline: Floats, series: Floats, actual: Floats, origin: int, first: int) -> Floats:
    """The pipeline's weight a week, from forecasts whose outcome was known at `origin`; 0 where it does not help.

    Weeks next to each other learn together.
    """
    found = np.zeros(WEEKS)
    for week in range(WEEKS):
        errors = []
        for near in range(max(0, week - 1), min(WEEKS, week + 2)):
            ripe = slice(first, max(first, origin - near))
            truth, p, s = actual[ripe, near], pipeline[ripe, near], series[ripe, near]
            errors.append([np.abs(w * p + (1 - w) * s - truth) for w in WEIGHTS])
        sums = np.concatenate(errors, axis=1) if errors else np.empty((len(WEIGHTS), 0))
        if sums.shape[1] < ENOUGH:
            continue
        totals = sums.sum(axis=1)
        best = int(np.argmin(totals))
        if totals[best] < GAIN * totals[0]:
            found[week] = WEIGHTS[best]
    return found


def _over(weeks: Floats, days: int) -> float:
    """The sum of the first `days` days, a week begun counted by its days."""
    whole, rest = divmod(min(days, 7 * WEEKS), 7)
    return float(weeks[:whole].sum() + (weeks[whole] * rest / 7 if rest else 0.0))


def _totals(past: pd.DataFrame, weeks: int) -> pd.DataFrame:
    """Sums of the first `weeks` weeks of each past day that saw them all."""
    reached = past.groupby("origin")["week"].max()
    whole = reached.index[reached >= weeks]
    part = past[past["origin"].isin(whole) & (past["week"] <= weeks)]
    return part.groupby("origin")[["actual", "forecast", "pipeline", "series", "weighted"]].sum()
