"""How open and new deals carry a forecast: what win rate, cycle and lead volume act on.

Source: docs/methods/scenarios.md, part 2; the letters below are its.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from core.forecasting.pipeline import AGES
from core.forecasting.steps import Frequency, ends
from core.forecasting.transform import Floats

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.forecasting.levers import Levers

LAST_WEEKS: Final = 4
"""Weeks whose mean decline goes on beyond those learned."""
WEEK: Final = 7
SLOWEST: Final = 0.995
"""The share of a day's part by open deals that is left a day later, at most, beyond the weeks learned."""


@dataclass(frozen=True, eq=False)
class Flow:
    """What the weeks from `start` on are carried by, as the near term learned it.

    open_worth: what the open deals of each group (stage x age) bring in each week, shape (groups,
    weeks), in the series' unit; chance: each group's chance to be won in any of them; new_share:
    of each week's wins, the share by deals that are not open yet; series: what bookings alone say
    of each week; weights: of the open deals against that. All empty: nothing is known of deals.
    """

    start: date
    open_worth: Floats
    chance: Floats
    new_share: Floats
    series: Floats
    weights: Floats

    @classmethod
    def unknown(cls, start: date) -> Flow:
        """Where deals say nothing: all that is ahead counts as new business."""
        none = np.zeros(0)
        return cls(start, np.zeros((0, 0)), none, none, none, none)

    @classmethod
    def of(
        cls, start: date, deals: pd.DataFrame, worth: Floats, *, new_share: Floats, series: Floats, weights: Floats
    ) -> Flow:
        """Group the open deals (stage, age, chance) with what each brings a week, shape (deals, weeks)."""
        group = deals["stage"].to_numpy(dtype="int64") * (len(AGES) + 1) + np.searchsorted(AGES, deals["age"], "right")
        groups, place = np.unique(group, return_inverse=True)
        sums = np.zeros((len(groups), worth.shape[1]))
        np.add.at(sums, place, worth)
        chance = np.zeros(len(groups))
        chance[place] = deals["chance"].to_numpy(dtype="float64")
        return cls(start, sums, chance, new_share, series, weights)

    @property
    def known(self) -> bool:
        """Whether deals say anything."""
        return len(self.weights) > 0

    def open_share(self) -> Floats:
        """The share of each week that open deals carry, never rising from a week to a later one (o)."""
        pipeline, alone = self._open()
        whole = pipeline + alone + self._new()
        share = np.divide(pipeline + alone, whole, out=np.zeros(len(whole)), where=whole > 0)
        return np.minimum.accumulate(np.clip(share, 0.0, 1.0))

    def open_gain(self, wins: float) -> Floats:
        """What wins from open deals are multiplied by in each week where chances are by `wins` (g).

        No deal is more than certain to be won.
        """
        pipeline, alone = self._open()
        most = np.divide(1.0, self.chance, out=np.full(len(self.chance), np.inf), where=self.chance > 0)
        held = self.weights * (np.minimum(wins, np.maximum(most, 1.0)) @ self.open_worth)
        whole = pipeline + alone
        return np.asarray(np.divide(held + alone * wins, whole, out=np.full(len(whole), wins), where=whole > 0))

    def _open(self) -> tuple[Floats, Floats]:
        """What open deals bring by themselves, and the part of the series that they account for, weighted."""
        pipeline = self.weights * self.open_worth.sum(axis=0)
        return pipeline, (1 - self.weights) * (1 - self.new_share) * self.series

    def _new(self) -> Floats:
        return np.asarray(self.new_share * self.series)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        arrays = {name: getattr(self, name).tolist() for name in _ARRAYS}
        return {"start": self.start.isoformat(), **arrays}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any]) -> Flow:
        """The inverse of `to_dict`."""
        arrays = {name: np.array(kept[name], dtype="float64") for name in _ARRAYS}
        if arrays["open_worth"].ndim < 2:
            arrays["open_worth"] = np.zeros((0, len(arrays["weights"])))
        return cls(date.fromisoformat(kept["start"]), **arrays)


_ARRAYS: Final = ("open_worth", "chance", "new_share", "series", "weights")


def remaining(future: pd.DatetimeIndex, frequency: Frequency, start: date | None) -> Floats:
    """Return the share of each step's days that lie at or after `start`; all of them without one."""
    if start is None:
        return np.ones(len(future))
    edges = _edges(future, frequency, start)
    return np.asarray((edges[1:].clip(0) - edges[:-1].clip(0)) / np.diff(edges), dtype="float64")


def carried(future: pd.DatetimeIndex, frequency: Frequency, flow: Flow, levers: Levers) -> Floats:
    """Return what each step (row) gets of each step's forecast (column): a matrix without negative values (M).

    Open deals bring theirs `1 + cycle` times as late, new ones begin to, each by their changed
    chances; what lies before `flow.start` is as it was.
    """
    edges = _edges(future, frequency, flow.start)
    length = np.diff(edges)
    count = len(length)
    pace = 1 + levers.cycle
    last = max(1, int(np.ceil(edges[-1] / min(pace, 1.0))))
    days = np.arange(last)
    step = np.minimum(np.searchsorted(edges[1:], days, "right"), count - 1)
    share = _daily(flow.open_share(), last, decays=True)
    gain = _daily(flow.open_gain(levers.wins), last, decays=False, beyond=levers.wins)
    brought = np.zeros((last + 1, count))
    brought[days + 1, step] = share * gain / length[step]
    reached = np.cumsum(brought, axis=0)
    until = edges.clip(0) / pace
    whole = np.minimum(until.astype("int64"), last - 1)
    part = (until - whole)[:, None]
    opened = np.diff(reached[whole] * (1 - part) + reached[whole + 1] * part, axis=0)
    ahead = np.arange(max(0, edges[-1]))
    begun = 1 - np.interp(ahead / pace, days, share)
    sums = np.concatenate([[0.0], np.cumsum(begun)])
    inside = edges.clip(0)
    new = (sums[inside[1:]] - sums[inside[:-1]]) / length * levers.wins * (1 + levers.leads)
    found: Floats = opened + np.diag(new + 1 - (inside[1:] - inside[:-1]) / length)
    return np.maximum(found, 0.0)  # differences of equal sums may lie a last digit below nought


def _daily(weekly: Floats, count: int, *, decays: bool, beyond: float = 0.0) -> Floats:
    """A value a day: its week's; later ones go on falling as the last weeks did, or stay at `beyond`."""
    found = np.repeat(weekly, WEEK)[:count]
    left = count - len(found)
    if left <= 0:
        return found
    if not decays or not len(weekly):
        return np.concatenate([found, np.full(left, beyond)])
    span = min(len(weekly) - 1, LAST_WEEKS)
    before = weekly[-1 - span]
    rate = (weekly[-1] / before) ** (1 / (span * WEEK)) if span and before > 0 else 0.0
    return np.concatenate([found, weekly[-1] * min(rate, SLOWEST) ** np.arange(1, left + 1)])


def _edges(future: pd.DatetimeIndex, frequency: Frequency, start: date) -> np.ndarray:
    """The steps' borders in days from `start`, the first step's own at the earliest; steps leave no gap."""
    stops = ends(future[-1:], frequency)
    stamps = np.concatenate([future.to_numpy(), stops.to_numpy()]).astype("datetime64[D]").astype("int64")
    return np.asarray(stamps - max(np.datetime64(start, "D").astype("int64"), stamps[0]))
