"""The near term: the open deals' chances and the series' own forecast, weighed by how past days fared.

Source: docs/methods/forecast-pipeline.md; the letters below are its.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from math import sqrt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from core.forecasting.flow import Flow
from core.forecasting.pipeline import WEEKS, Learned, Replay
from core.forecasting.season import YEAR, calendar_columns, season_index
from core.forecasting.smoothing import theta

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.forecasting.pipeline import Spans
    from core.forecasting.transform import Floats

BEFORE: Final = 26
"""Weeks that must be known before the first past forecast."""
ORIGINS: Final = 78
RECENT: Final = 26
SEASONS: Final = 4 * YEAR
"""Weeks that the season is learned from."""
WEIGHTS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
STRENGTHS: Final = (0.0, 0.5, 1.0)
"""How much of the season is laid on the bookings' level."""
GAIN: Final = 0.97
"""The pipeline (the season) enters where past forecasts with it were off by less than this share of those without."""
ENOUGH: Final = 6
Z80: Final = 1.2815515655446004
SAID: Final = ("origin", "week", "actual", "open", "new_share", "series", "weighted", "weight")


@dataclass(frozen=True, eq=False)
class NearTerm:
    """What the next `WEEKS` weeks (of 7 days, from the day after `last`) are likely to bring, and what was said before.

    weeks: a row a day on which a forecast was made and week ahead, the last day's being the present one: origin, week
    int; actual (NaN: not known yet), open: by deals open then; new_share: of what is won, by deals not open yet;
    series: by the bookings alone, with their season; weighted: what CRMs show; weight: of the pipeline. deals: the open
    ones with their chance and what they bring in the weeks ahead (`brings`). flow: what levers on deals act on.
    """

    last: date
    weeks: pd.DataFrame
    flow: Flow
    season: float = 0.0
    deals: pd.DataFrame = field(default_factory=pd.DataFrame)

    @cached_property
    def _all(self) -> pd.DataFrame:
        """`weeks` with the forecasts that follow: pipeline and forecast."""
        pipeline = self.weeks["open"] + self.weeks["new_share"] * self.weeks["series"]
        share = self.weeks["weight"]
        return self.weeks.assign(pipeline=pipeline, forecast=share * pipeline + (1 - share) * self.weeks["series"])

    @cached_property
    def past(self) -> pd.DataFrame:
        """The rows whose outcome is known, with pipeline and forecast."""
        return self._all[self._all["actual"].notna()].reset_index(drop=True)

    def at(self, name: str, *, ago: int = 0) -> Floats:
        """A column's `WEEKS` values as forecast now, or so many weeks ago."""
        made = self._all["origin"].to_numpy()
        found: Floats = self._all.loc[made == made.max() - ago, name].to_numpy(dtype="float64")
        return found

    @property
    def weights(self) -> Floats:
        """The pipeline's weight in each week."""
        return self.at("weight")

    @property
    def forecast(self) -> Floats:
        """The forecast of each week."""
        return self.at("forecast")

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
        sums = _totals(self.past, 1, weeks)
        size = float(sums["actual"].abs().sum())
        return float((sums[method] - sums["actual"]).abs().sum()) / size if size else float("nan")

    def weighted_over(self, days: int) -> float:
        """What the weighted pipeline says of the next `days` days, a week begun counted by its days."""
        whole, rest = divmod(min(days, 7 * WEEKS), 7)
        weeks = self.at("weighted")
        return float(weeks[:whole].sum() + (weeks[whole] * rest / 7 if rest else 0.0))

    def missed(self, first_day: int, last_day: int) -> float:
        """The share by which 8 of 10 past totals over these days ahead (from 1) missed at most; NaN: too few.

        Counted by whole weeks; a span shorter than them errs more, by the root of how much shorter.
        """
        first, last = (first_day - 1) // 7 + 1, min(WEEKS, -(-last_day // 7))
        sums = _totals(self.past, first, last)
        made = sums["forecast"].to_numpy()
        good = made > 0
        ratios = np.sort(np.abs(sums["actual"].to_numpy()[good] / made[good] - 1))
        if len(ratios) < ENOUGH:
            return float("nan")
        place = min(len(ratios), int(np.ceil((len(ratios) + 1) * 0.8)))
        widen = sqrt(max(1.0, 7 * (last - first + 1) / max(last_day - first_day + 1, 1)))
        return float(ratios[place - 1]) * min(widen, 2.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without the deals."""
        told = {name: [None if x != x else x for x in self.weeks[name].tolist()] for name in SAID}  # noqa: PLR0124
        return {"last": self.last.isoformat(), "weeks": told, "flow": self.flow.to_dict(), "season": self.season}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> NearTerm:
        """The inverse of `to_dict`."""
        weeks = pd.DataFrame({name: np.array(kept["weeks"][name], dtype="float64") for name in SAID})
        weeks = weeks.astype({"origin": "int64", "week": "int64"})
        return cls(date.fromisoformat(kept["last"]), weeks, Flow.from_dict(kept["flow"]), float(kept["season"]))


def near_term(spans: Spans, *, last: date, known_from: date | None = None) -> NearTerm | None:
    """Forecast the weeks after `last` from the deals' history (as `Replay` takes it); None where too little is known.

    Every past forecast knows only what was known on its day: the deals, the chances learned, the bookings, their
    season and the weights.
    """
    if not np.asarray(spans["is_won"]).any():
        return None
    replay = Replay(spans, last, known_from=known_from)
    learned, count = Learned(replay), len(replay.days)
    if count < BEFORE + ENOUGH:
        return None
    first, now = max(BEFORE, count - 1 - ORIGINS), count - 1
    names = ("open", "new_share", "weighted", "pipeline", "weight")
    parts = {name: np.zeros((count, WEEKS)) for name in names}
    actual = np.full((count, WEEKS), np.nan)
    deals, each = learned.expected_each(now)
    for origin in range(first, count):
        parts["open"][origin] = learned.expected(origin)
        parts["new_share"][origin] = learned.new_share(origin)
        parts["weighted"][origin] = learned.weighted(origin)
        ahead = min(WEEKS, now - origin)
        actual[origin, :ahead] = replay.booked[origin + 1 : origin + 1 + ahead]
    parts["series"], swing, strength = series_at(replay, actual, first)
    parts["open"] *= swing
    parts["pipeline"] = parts["open"] + parts["new_share"] * parts["series"]
    parts["weight"][first:] = gates(parts["pipeline"][first:], parts["series"][first:], actual[first:])
    told = {name: parts[name][first:].ravel() for name in SAID if name in parts}
    weeks = pd.DataFrame(
        {
            "origin": np.repeat(np.arange(first, count), WEEKS),
            "week": np.tile(np.arange(1, WEEKS + 1), count - first),
            "actual": actual[first:].ravel(),
            **told,
        }
    )
    each = each * swing[now]
    new_share, series, weight = (parts[name][now] for name in ("new_share", "series", "weight"))
    flow = Flow.of(last + timedelta(days=1), deals, each, new_share=new_share, series=series, weights=weight)
    deals = deals.assign(brings=each.sum(axis=1)).sort_values("brings", ascending=False, ignore_index=True)
    return NearTerm(last, weeks[list(SAID)], flow, strength, deals)


def series_at(replay: Replay, actual: Floats, first: int) -> tuple[Floats, Floats, float]:
    """The bookings' own forecast as of each snapshot, its season, shape (snapshots, WEEKS), and how much of it is now.

    A level with as much of the season as would have served best in the forecasts whose outcome was known then; none
    where it did not help.
    """
    count = len(replay.days)
    earlier = min(SEASONS - count, max(0, (int(replay.days[0]) - int(replay.wins["day"].min())) // 7))
    days = replay.days[0] - 7 * np.arange(max(0, earlier), 0, -1)
    days = np.concatenate([days, replay.days])
    booked = replay.won_between(days - 7, days)
    columns = calendar_columns(np.concatenate([days, days[-1] + 7 * np.arange(1, WEEKS + 1)]))
    made = np.zeros((len(STRENGTHS), count, WEEKS))
    swings = np.ones((len(STRENGTHS), count, WEEKS))
    for origin in range(first, count):
        known = len(days) - count + origin + 1
        index = season_index(booked[:known], columns[: known + WEEKS])
        for place, strength in enumerate(STRENGTHS):
            swing = 1 + strength * (index - 1)
            made[place, origin] = level(booked[:known] / swing[:known]) * swing[known:]
            swings[place, origin] = swing[known:]
    found, season, chosen = np.zeros((count, WEEKS)), np.ones((count, WEEKS)), 0
    for origin in range(first, count):
        chosen = _strength_at(made, actual, origin, first)
        found[origin], season[origin] = made[chosen, origin], swings[chosen, origin]
    return found, season, STRENGTHS[chosen]


def _strength_at(made: Floats, actual: Floats, origin: int, first: int) -> int:
    """Which strength erred least in what was known at `origin`; the first, no season, unless another helps."""
    rows, weeks = np.meshgrid(np.arange(first, origin), np.arange(WEEKS), indexing="ij")
    ripe = rows + weeks + 1 <= origin
    if ripe.sum() < ENOUGH:
        return 0
    errors = np.abs(made[:, rows[ripe], weeks[ripe]] - actual[rows[ripe], weeks[ripe]]).sum(axis=1)
    best = int(np.argmin(errors))
    return best if errors[best] < GAIN * errors[0] else 0


def level(booked: Floats) -> Floats:
    """A flat forecast of weekly bookings: the mean of simple smoothing's level and the last 13 weeks'."""
    recent = booked[-RECENT:]
    if len(recent) < 2:
        return np.full(WEEKS, float(recent.mean()) if len(recent) else 0.0)
    smoothed = theta(recent, 1).forecast[0]
    middle = float(booked[-13:].mean())
    return np.full(WEEKS, max(0.0, (float(smoothed) + middle) / 2))


def gates(pipeline: Floats, series: Floats, actual: Floats) -> Floats:
    """The pipeline's weight a week as of each day, from what had come true by then; 0 where it does not help.

    All of shape (days, WEEKS), days a week apart; actual NaN where not known yet. Weeks next to each other learn
    together.
    """
    count = len(pipeline)
    shares = np.array(WEIGHTS)[:, None, None]
    errors = np.abs(shares * pipeline + (1 - shares) * series - actual)
    origin, week = np.meshgrid(np.arange(count), np.arange(WEEKS), indexing="ij")
    sums, seen = np.zeros((len(WEIGHTS), count, WEEKS)), np.zeros((count, WEEKS))
    behind = np.cumsum(np.concatenate([np.zeros((len(WEIGHTS), 1, WEEKS)), errors], axis=1), axis=1)
    for offset in (-1, 0, 1):
        near = np.clip(week + offset, 0, WEEKS - 1)
        ripe = np.where((week + offset >= 0) & (week + offset < WEEKS), np.maximum(origin - near, 0), 0)
        sums += behind[:, ripe, near]
        seen += ripe
    best = sums.argmin(axis=0)
    least = np.take_along_axis(sums, best[None], axis=0)[0]
    helps = (seen >= ENOUGH) & (least < GAIN * sums[0])
    return np.where(helps, np.array(WEIGHTS)[best], 0.0)


def _totals(past: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    """Sums of the weeks `first` to `last` of each past day that saw them all."""
    reached = past.groupby("origin")["week"].max()
    whole = reached.index[reached >= last]
    part = past[past["origin"].isin(whole) & past["week"].between(first, last)]
    return part.groupby("origin")[["actual", "forecast", "pipeline", "series", "weighted"]].sum()
