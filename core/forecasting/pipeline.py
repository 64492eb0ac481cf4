"""What the open deals say about the weeks ahead, learned from past days replayed as they were known.

Source: docs/methods/forecast-pipeline.md; the letters below are its.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from datetime import date

    from core.forecasting.transform import Floats

WEEKS = 13
"""How many weeks ahead a deal is followed."""
LEARNED: Final = 104
"""Weekly snapshots that are learned from."""
AGES: Final = (7, 14, 28, 56, 112)
"""Days in the stage that part the age groups."""
KAPPA = 20.0
VALUE_BOUNDS: Final = (0.5, 1.5)


@dataclass(frozen=True, eq=False)
class Replay:
    """Snapshots of all open deals at the end of days a week apart, the last being `last`.

    spans: a row for each time that a deal stayed as it was, as it was known then: deal, stage int;
    from_on, until_on (day after) datetime64; is_open, is_won bool; value float, the company's
    currency; probability float; expected_close_on datetime64.
    """

    spans: pd.DataFrame
    last: date
    count: int = LEARNED + WEEKS

    @cached_property
    def days(self) -> np.ndarray:
        """The days of the snapshots as day numbers, oldest first, none before anything was known."""
        last = _day_number(self.last)
        first = int(_days(self.spans["from_on"]).min()) if len(self.spans) else last
        reach = min(self.count, max(1, (last - first) // 7 + 1))
        return last - 7 * np.arange(reach - 1, -1, -1)

    @cached_property
    def wins(self) -> pd.DataFrame:
        """deal, day (number), value: each deal's first win, on the day it became known."""
        won = self.spans[self.spans["is_won"]].sort_values("from_on", kind="stable").drop_duplicates("deal")
        values = won["value"].to_numpy(dtype="float64")
        return pd.DataFrame({"deal": won["deal"].to_numpy(), "day": _days(won["from_on"]), "value": values})

    @cached_property
    def open_deals(self) -> pd.DataFrame:
        """A row a snapshot and open deal: snapshot, deal, stage int; age days; value, probability; due day number."""
        spans = self.spans[self.spans["is_open"]].sort_values(["deal", "from_on"], kind="stable")
        entered = _entered(spans)
        since, until = _days(spans["from_on"]), _days(spans["until_on"])
        due = _days(spans["expected_close_on"])
        parts = []
        for number, day in enumerate(self.days):
            here = (since <= day) & (day < until)
            part = spans.loc[here, ["deal", "stage", "value", "probability"]].copy()
            part["snapshot"], part["age"], part["due"] = number, day - entered[here], due[here]
            parts.append(part)
        found: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return found

    @cached_property
    def booked(self) -> Floats:
        """What was won in the 7 days up to each snapshot."""
        return self.won_between(self.days - 7, self.days)

    def won_between(self, after: np.ndarray, until: np.ndarray) -> Floats:
        """What was won after each day of `after`, up to the one of `until`."""
        day, sums = self._won
        return np.asarray(sums[np.searchsorted(day, until, "right")] - sums[np.searchsorted(day, after, "right")])

    def rows_of(self, snapshot: int) -> slice:
        """Where `open_deals` has the deals of a snapshot."""
        edges = self._edges
        return slice(int(edges[snapshot]), int(edges[snapshot + 1]))

    @cached_property
    def _won(self) -> tuple[np.ndarray, Floats]:
        wins = self.wins.sort_values("day", kind="stable")
        return wins["day"].to_numpy(), np.concatenate([[0.0], np.cumsum(wins["value"].to_numpy(dtype="float64"))])

    @cached_property
    def _edges(self) -> np.ndarray:
        return np.searchsorted(self.open_deals["snapshot"].to_numpy(), np.arange(len(self.days) + 1))


@dataclass(frozen=True, eq=False)
class Learned:
    """Counts of what became of the open deals of each snapshot, from which any past day can learn.

    Nothing that happened after a snapshot's day enters what `chances` and `new_share` say for it.
    """

    replay: Replay

    @cached_property
    def _cells(self) -> tuple[np.ndarray, dict[int, int]]:
        """Each row's cell (stage x age group), and the stages' places."""
        frame = self.replay.open_deals
        places = {int(stage): place for place, stage in enumerate(sorted(frame["stage"].unique()))}
        stage = frame["stage"].map(places).to_numpy(dtype="int64")
        return stage * (len(AGES) + 1) + np.searchsorted(AGES, frame["age"].to_numpy(), "right"), places

    @cached_property
    def _outcome(self) -> tuple[np.ndarray, np.ndarray]:
        """The week (from 1) in which each row's deal was won, 0 for none; and what it was won for."""
        frame, wins = self.replay.open_deals, self.replay.wins.set_index("deal")
        day = wins["day"].reindex(frame["deal"]).to_numpy(dtype="float64")
        ahead = np.ceil((day - self.replay.days[frame["snapshot"].to_numpy()]) / 7)
        week = np.where((ahead >= 1) & (ahead <= WEEKS), ahead, 0).astype("int64")
        return week, wins["value"].reindex(frame["deal"]).to_numpy(dtype="float64")

    @cached_property
    def _sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cumulated over snapshots: open deals a cell; wins a cell and week; value open and won by week."""
        frame = self.replay.open_deals
        cells, places = self._cells
        week, won_for = self._outcome
        size = max(1, len(places) * (len(AGES) + 1))
        shape = (len(self.replay.days), size, WEEKS + 1)
        snapshot = frame["snapshot"].to_numpy()
        seen = np.bincount(snapshot * size + cells, minlength=shape[0] * size).reshape(shape[:2])
        flat = (snapshot * size + cells) * (WEEKS + 1) + week
        won = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
        hit = week > 0
        place, least = (snapshot * (WEEKS + 1) + week)[hit], shape[0] * (WEEKS + 1)
        stood = np.bincount(place, weights=frame["value"].to_numpy(dtype="float64")[hit], minlength=least)
        gained = np.bincount(place, weights=won_for[hit], minlength=least)
        values = np.stack([stood, gained], axis=1).reshape(shape[0], WEEKS + 1, 2)
        return np.cumsum(seen, axis=0), np.cumsum(won, axis=0), np.cumsum(values, axis=0)

    def chances(self, origin: int) -> Floats:
        """P(won in week k | cell) as known at snapshot `origin`, shape (cells, WEEKS).

        For week k only snapshots at least k weeks old count. A cell is shrunk to its stage, a stage
        to all, by `KAPPA` deals.
        """
        seen, won, _values = self._sums
        groups = len(AGES) + 1
        found = np.zeros((seen.shape[1], WEEKS))
        for week in range(1, WEEKS + 1):
            ripe = origin - week
            if ripe < 0:
                continue
            old = ripe - LEARNED
            N = (seen[ripe] - (seen[old] if old >= 0 else 0)).astype("float64")
            W = (won[ripe, :, week] - (won[old, :, week] if old >= 0 else 0)).astype("float64")
            overall = W.sum() / max(N.sum(), 1.0)
            stage_N, stage_W = (np.repeat(x.reshape(-1, groups).sum(axis=1), groups) for x in (N, W))
            stage = (stage_W + KAPPA * overall) / (stage_N + KAPPA)
            found[:, week - 1] = (W + KAPPA * stage) / (N + KAPPA)
        return found

    def value_ratio(self, origin: int) -> float:
        """What winners were won for, over what they stood at, as known at `origin`."""
        values = self._sums[2]
        ripe = [values[origin - week, week] for week in range(1, WEEKS + 1) if origin >= week]
        stood, won = np.sum(ripe, axis=0) if ripe else (0.0, 0.0)
        return float(np.clip(won / stood, *VALUE_BOUNDS)) if stood > 0 else 1.0

    def new_share(self, origin: int) -> Floats:
        """The share of what is won in week k that comes from deals not yet open, as known at `origin`."""
        days, values = self.replay.days, self._sums[2]
        found = np.ones(WEEKS)
        for week in range(1, WEEKS + 1):
            ripe = origin - week
            if ripe < 0:
                continue
            then = days[max(0, ripe - LEARNED) : ripe + 1]
            total = self.replay.won_between(then + 7 * (week - 1), then + 7 * week).sum()
            old = ripe - LEARNED - 1
            known = values[ripe, week, 1] - (values[old, week, 1] if old >= 0 else 0.0)
            found[week - 1] = np.clip(1 - known / total, 0.0, 1.0) if total > 0 else 1.0
        return found

    def expected(self, origin: int) -> tuple[pd.DataFrame, Floats]:
        """The open deals of a snapshot, and what each brings in each week: shape (deals, WEEKS)."""
        here = self.replay.rows_of(origin)
        chances = self.chances(origin)[self._cells[0][here]]
        deals = self.replay.open_deals.iloc[here].reset_index(drop=True)
        value = deals["value"].to_numpy(dtype="float64") * self.value_ratio(origin)
        return deals.assign(chance=np.minimum(chances.sum(axis=1), 1.0)), chances * value[:, None]

    def weighted(self, origin: int) -> Floats:
        """The weighted pipeline as CRMs show it: value x stage probability in the week of expected close."""
        here = self.replay.open_deals.iloc[self.replay.rows_of(origin)]
        week = np.ceil((here["due"].to_numpy() - self.replay.days[origin]) / 7).astype("int64").clip(1)
        worth = here["value"].to_numpy(dtype="float64") * here["probability"].to_numpy(dtype="float64")
        soon = week <= WEEKS
        return np.asarray(np.bincount(week[soon] - 1, weights=worth[soon], minlength=WEEKS), dtype="float64")[:WEEKS]


def _entered(spans: pd.DataFrame) -> np.ndarray:
    """The day on which each row's stay in its stage began: the first of its run."""
    new = (spans["deal"] != spans["deal"].shift()) | (spans["stage"] != spans["stage"].shift())
    new |= spans["from_on"] != spans["until_on"].shift()
    run = new.cumsum()
    since = pd.Series(_days(spans["from_on"]), index=spans.index)
    return np.asarray(since.groupby(run).transform("min").to_numpy())


def _days(column: pd.Series[pd.Timestamp]) -> np.ndarray:
    return column.to_numpy().astype("datetime64[D]").astype("int64")


def _day_number(day: date) -> int:
    return int(np.datetime64(day, "D").astype("int64"))
