"""What the open deals say about the weeks ahead, learned from past days replayed as they were known.

Source: docs/methods/forecast-pipeline.md; the letters below are its.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from core.forecasting.transform import Floats

WEEKS = 13
"""How many weeks ahead a deal is followed."""
LEARNED: Final = 104
"""Weekly snapshots that are learned from."""
AGES: Final = (7, 14, 28, 56, 112)
"""Days in the stage that part the age groups."""
_GROUP_OF_AGE: Final = np.searchsorted(AGES, np.arange(AGES[-1] + 1), "right")
"""The age group of each number of days, the last one's of all longer ones."""
KAPPA = 20.0
_DAYS: Final = 2**20
"""More than there are days from the first to the last that may be."""
VALUE_BOUNDS: Final = (0.5, 1.5)


Spans: TypeAlias = "pd.DataFrame | Mapping[str, NDArray[Any]]"


@dataclass(frozen=True, eq=False)
class Replay:
    """Snapshots of all open deals at the end of days a week apart, the last being `last`.

    spans: a row for each time that a deal was open or won and stayed as it was, as it was known then: deal, stage
    int; from_on, until_on (day after), expected_close_on datetime64 or day numbers; is_open, is_won bool; value float,
    the company's currency; probability float. known_from: the first day of which anything is known, where not that
    of the first of `spans`.
    """

    spans: Spans
    last: date
    count: int = LEARNED + WEEKS
    known_from: date | None = None

    @cached_property
    def days(self) -> NDArray[np.int64]:
        """The days of the snapshots as day numbers, oldest first, none before anything was known."""
        last = _day_number(self.last)
        if self.known_from is not None:
            first = _day_number(self.known_from)
        else:
            first = int(self._days("from_on").min()) if len(self.spans["deal"]) else last
        reach = min(self.count, max(1, (last - first) // 7 + 1))
        return last - 7 * np.arange(reach - 1, -1, -1)

    @cached_property
    def wins(self) -> pd.DataFrame:
        """deal, day (number), value: each deal's first win, on the day it became known, in the order of those."""
        won = self._order[np.asarray(self.spans["is_won"])[self._order]]
        won = won[np.argsort(self._days("from_on")[won], kind="stable")]
        deal = np.asarray(self.spans["deal"])[won]
        first = np.sort(np.unique(deal, return_index=True)[1])
        values = np.asarray(self.spans["value"], dtype="float64")[won[first]]
        return pd.DataFrame({"deal": deal[first], "day": self._days("from_on")[won[first]], "value": values})

    @cached_property
    def open_spans(self) -> dict[str, NDArray[Any]]:
        """The stays of open deals that a snapshot fell in, by deal and day, each column an array.

        deal, stage int; value, probability float; entered, due day numbers; begin, end the snapshots, half-open.
        """
        open_ = self._order[np.asarray(self.spans["is_open"])[self._order]]
        deal, since, until = (
            np.asarray(self.spans["deal"])[open_],
            *(self._days(n)[open_] for n in ("from_on", "until_on")),
        )
        entered = _entered(deal, np.asarray(self.spans["stage"])[open_], since, until)
        begin, end = (np.clip(-((self.days[0] - day) // 7), 0, len(self.days)) for day in (since, until))
        kept = np.flatnonzero(begin < end)
        rows = open_[kept]
        found = {name: np.asarray(self.spans[name])[rows] for name in ("deal", "stage", "value", "probability")}
        days = {"entered": entered[kept], "due": self._days("expected_close_on")[rows]}
        return found | days | {"begin": begin[kept].astype("int16"), "end": end[kept].astype("int16")}

    def rows_at(self, snapshot: int) -> NDArray[np.int64]:
        """Which of `open_spans` a snapshot fell in."""
        begin, end = self.open_spans["begin"], self.open_spans["end"]
        low, high = (int(edges[snapshot]) for edges in self._reach)
        return low + np.flatnonzero((begin[low:high] <= snapshot) & (snapshot < end[low:high]))

    def open_at(self, snapshot: int) -> pd.DataFrame:
        """A row an open deal of a snapshot: deal, stage int; value, probability float; age days; due day number."""
        rows = self.rows_at(snapshot)
        found = {name: self.open_spans[name][rows] for name in ("deal", "stage", "value", "probability")}
        age = self.days[snapshot] - self.open_spans["entered"][rows]
        return pd.DataFrame(found | {"age": age, "due": self.open_spans["due"][rows]})

    @cached_property
    def booked(self) -> Floats:
        """What was won in the 7 days up to each snapshot."""
        return self.won_between(self.days - 7, self.days)

    def won_between(self, after: NDArray[np.int64], until: NDArray[np.int64]) -> Floats:
        """What was won after each day of `after`, up to the one of `until`."""
        day, sums = self._won
        return np.asarray(sums[np.searchsorted(day, until, "right")] - sums[np.searchsorted(day, after, "right")])

    @cached_property
    def _won(self) -> tuple[NDArray[np.int64], Floats]:
        return self.wins["day"].to_numpy(), np.concatenate([[0.0], np.cumsum(self.wins["value"].to_numpy())])

    @cached_property
    def _reach(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Between which of `open_spans` those of each snapshot lie: deals mostly come in the order of opening."""
        begin, end = self.open_spans["begin"], self.open_spans["end"]
        snapshots = np.arange(len(self.days), dtype=begin.dtype)
        ended, begun = np.maximum.accumulate(end), np.minimum.accumulate(begin[::-1])[::-1]
        return np.searchsorted(ended, snapshots, "right"), np.searchsorted(begun, snapshots, "right")

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return order_of(np.asarray(self.spans["deal"]), self._days("from_on"))

    def _days(self, name: str) -> NDArray[np.int64]:
        return _day_numbers(np.asarray(self.spans[name]))


@dataclass(frozen=True, eq=False)
class Learned:
    """Counts of what became of the open deals of each snapshot, from which any past day can learn.

    Nothing that happened after a snapshot's day enters what `chances` and `new_share` say for it.
    """

    replay: Replay

    @cached_property
    def _stages(self) -> tuple[NDArray[np.int64], int]:
        """The first cell of the stage of each of the replay's `open_spans`, and how many cells there are."""
        stages, places = np.unique(self.replay.open_spans["stage"], return_inverse=True)
        groups = len(AGES) + 1
        return places * groups, max(1, len(stages) * groups)

    @cached_property
    def _won(self) -> tuple[NDArray[np.int64], Floats]:
        """The day on which the deal of each of the replay's `open_spans` was first won, and for what; day 0: never."""
        wins = self.replay.wins.sort_values("deal")
        deal, known = self.replay.open_spans["deal"], wins["deal"].to_numpy()
        place = np.searchsorted(known, deal).clip(max=max(len(known) - 1, 0))
        is_won = known[place] == deal if len(known) else np.zeros(len(deal), dtype=bool)
        day, value = np.zeros(len(deal), dtype="int64"), np.zeros(len(deal))
        day[is_won], value[is_won] = (wins[name].to_numpy()[place[is_won]] for name in ("day", "value"))
        return day, value

    def _cells(self, rows: NDArray[np.int64], day: int) -> NDArray[np.int64]:
        """The cell (stage x age group) on a day of some of the replay's `open_spans`."""
        age = day - self.replay.open_spans["entered"][rows]
        return np.asarray(self._stages[0][rows] + _GROUP_OF_AGE[np.clip(age, 0, AGES[-1])])

    @cached_property
    def _sums(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, Floats, Floats]:
        """What each snapshot held, the first three cumulated over them.

        Open deals a cell; wins a cell and week; value open and won by week; open value a cell; what CRMs show a week.
        """
        replay, size = self.replay, self._stages[1]
        spans, (won_on, won_for), count = replay.open_spans, self._won, len(replay.days)
        seen, won = np.zeros((count, size), dtype="int64"), np.zeros((count, size, WEEKS + 1), dtype="int64")
        values, held, shown = np.zeros((count, WEEKS + 1, 2)), np.zeros((count, size)), np.zeros((count, WEEKS))
        for snapshot, day in enumerate(replay.days):
            rows = replay.rows_at(snapshot)
            cells, value = self._cells(rows, day), spans["value"][rows]
            week = -((day - won_on[rows]) // 7)
            hit = np.flatnonzero((week >= 1) & (week <= WEEKS))
            weeks, gained = week[hit], won_for[rows[hit]]
            seen[snapshot] = np.bincount(cells, minlength=size)
            flat = np.bincount(cells[hit] * (WEEKS + 1) + weeks, minlength=size * (WEEKS + 1))
            won[snapshot] = flat.reshape(size, WEEKS + 1)
            for side, worth in enumerate((value[hit], gained)):
                values[snapshot, :, side] = np.bincount(weeks, weights=worth, minlength=WEEKS + 1)
            held[snapshot] = np.bincount(cells, weights=value, minlength=size)
            due = (-((day - spans["due"][rows]) // 7)).clip(1)
            soon = np.flatnonzero(due <= WEEKS)
            worth = value[soon] * spans["probability"][rows[soon]]
            shown[snapshot] = np.bincount(due[soon] - 1, weights=worth, minlength=WEEKS)
        return np.cumsum(seen, axis=0), np.cumsum(won, axis=0), np.cumsum(values, axis=0), held, shown

    def chances(self, origin: int) -> Floats:
        """P(won in week k | cell) as known at snapshot `origin`, shape (cells, WEEKS).

        For week k only snapshots at least k weeks old count. A cell is shrunk to its stage, a stage
        to all, by `KAPPA` deals.
        """
        seen, won = self._sums[:2]
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

    def expected(self, origin: int) -> Floats:
        """What the open deals of a snapshot bring in each week."""
        return np.asarray((self._sums[3][origin] * self.value_ratio(origin)) @ self.chances(origin))

    def expected_each(self, origin: int) -> tuple[pd.DataFrame, Floats]:
        """The open deals of a snapshot, and what each brings in each week: shape (deals, WEEKS)."""
        rows, day = self.replay.rows_at(origin), int(self.replay.days[origin])
        chances = self.chances(origin)[self._cells(rows, day)]
        deals = self.replay.open_at(origin)
        value = deals["value"].to_numpy(dtype="float64") * self.value_ratio(origin)
        return deals.assign(chance=np.minimum(chances.sum(axis=1), 1.0)), chances * value[:, None]

    def weighted(self, origin: int) -> Floats:
        """The weighted pipeline as CRMs show it: value x stage probability in the week of expected close."""
        return np.asarray(self._sums[4][origin])


def order_of(deal: NDArray[Any], day: NDArray[Any]) -> NDArray[np.int64]:
    """The order of rows by deal and day (a number); quickly found where most stand so already, as in the mirror."""
    return np.argsort(deal.astype("int64") * _DAYS + day, kind="stable")


def is_ordered(deal: NDArray[Any], day: NDArray[Any]) -> bool:
    """Whether rows are in `order_of` already, which is sooner said than found."""
    place = deal.astype("int64") * _DAYS + day
    return bool((place[1:] >= place[:-1]).all())


def _entered(
    deal: NDArray[Any], stage: NDArray[Any], since: NDArray[np.int64], until: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The day on which each row's stay in its stage began: the first of its run. The rows are by deal and day."""
    new = np.ones(len(deal), dtype=bool)
    new[1:] = (deal[1:] != deal[:-1]) | (stage[1:] != stage[:-1]) | (since[1:] != until[:-1])
    return np.asarray(since[np.maximum.accumulate(np.where(new, np.arange(len(deal)), 0))])


def _day_numbers(days: NDArray[Any]) -> NDArray[np.int64]:
    """Days as numbers since 1970; what is numbers already is returned as it is."""
    return days if days.dtype.kind == "i" else days.astype("datetime64[D]").astype("int64")


def _day_number(day: date) -> int:
    return int(np.datetime64(day, "D").astype("int64"))
