"""Which lever matters most, and how far one must go to reach an amount.

Source: docs/methods/scenarios.md, parts 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from core.forecasting.levers import BOUNDS, Levers
from core.forecasting.scenario_totals import landed
from core.forecasting.scenarios import expected, sample_paths
from core.forecasting.steps import ends, overlap_share

if TYPE_CHECKING:
    from core.domain.periods import Period
    from core.forecasting.flow import Flow
    from core.forecasting.result import Fit
    from core.forecasting.scenario_totals import Booked
    from core.forecasting.transform import Floats

TRIED: Final = (
    "growth", "win_rate", "average_deal", "headcount", "leads", "cycle", "price", "seasonality", "flexibility",
)  # fmt: skip
"""The levers of a tornado; the capacity joins them where one is set."""
SOUGHT: Final = ("win_rate", "growth", "average_deal", "headcount", "leads", "cycle")
"""The levers that a goal can be sought by: more of each (less of the cycle) never brings less."""
HALVINGS: Final = 20
LIKELY: Final = 0.8
ALIKE: Final = 1e-3
"""Levers whose effects differ by less than this share of the larger one come to the same."""


def tornado(fit: Fit, levers: Levers, flow: Flow | None = None, *, step: float = 0.1) -> pd.DataFrame:
    """Return what each lever, `step` less and more than it stands, makes of the total; the most telling first.

    Columns: lever str; less, more: the change of the total over the horizon, in the series' unit; swing: the larger
    of the two, without its sign, float64.
    """
    base = expected(fit, levers, flow).sum()
    rows = []
    for lever in (*TRIED, *(("capacity",) if levers.capacity is not None else ())):
        less, more = (float(expected(fit, moved(levers, lever, sign * step), flow).sum() - base) for sign in (-1, 1))
        rows.append((lever, less, more, max(abs(less), abs(more))))
    frame = pd.DataFrame(rows, columns=["lever", "less", "more", "swing"])
    return frame.sort_values("swing", ascending=False, kind="stable", ignore_index=True)


def alike(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the levers of a tornado that come to the same, where there are several: the most telling such group."""
    for row in frame.to_dict("records"):
        near = ALIKE * row["swing"]
        same = frame[(abs(frame["less"] - row["less"]) <= near) & (abs(frame["more"] - row["more"]) <= near)]
        if len(same) > 1 and row["swing"] > 0:
            return tuple(same["lever"])
    return ()


def moved(levers: Levers, lever: str, by: float) -> Levers:
    """Return the levers with one moved, within its bounds; the capacity by a share of itself."""
    if lever == "capacity":
        return replace(levers, capacity=(levers.capacity or 0.0) * (1 + by))
    least, most = BOUNDS[lever]
    return at(levers, lever, min(max(getattr(levers, lever) + by, least), most))


def at(levers: Levers, lever: str, value: float) -> Levers:
    """Return the levers with one at a value."""
    return replace(levers, **cast("Any", {lever: value}))


@dataclass(frozen=True)
class Sought:
    """How far a lever must go: `value` of it (None: not even at its `end`), and what is reached there."""

    lever: str
    value: float | None
    reached: float
    end: float


@dataclass(frozen=True)
class Counted:
    """What of a fit counts: `known` of it already, and the share of each step ahead, shape (horizon,)."""

    known: float
    shares: Floats

    @classmethod
    def whole(cls, fit: Fit) -> Counted:
        """Every step ahead, and nothing of what is over."""
        return cls(0.0, np.ones(fit.horizon))

    @classmethod
    def within(cls, fit: Fit, period: Period, booked: Booked | None = None) -> Counted:
        """A month or a quarter: what was booked in it, and of a step over its border the share of its days."""
        shares = overlap_share(fit.steps, ends(fit.steps, fit.frequency), period.start, period.end)
        over = len(fit.y)
        if booked is None:
            return cls(float(shares[:over] @ fit.y), shares[over:])
        known = landed(fit, booked, period.start, period.end)
        if fit.near is not None:
            known -= float(shares[over] * fit.near.booked[0])
        return cls(known, shares[over:])

    @property
    def sought(self) -> tuple[str, ...]:
        """The levers that a goal can be sought by: the cycle moves bookings, also out of a period that begins later."""
        begins_now = bool((np.diff(self.shares) <= 0).all())
        return tuple(lever for lever in SOUGHT if begins_now or lever != "cycle")


def seek(
    fit: Fit,
    levers: Levers,
    lever: str,
    goal: float,
    flow: Flow | None = None,
    *,
    between: tuple[float, float],
    likely: bool = False,
    counted: Counted | None = None,
) -> Sought:
    """Return the least change of `lever` by which the total reaches `goal`: of the horizon, or of what is `counted`.

    The other levers stay. `between`: how far it may go down and up; a cycle goes down to bring more. `likely`: reach
    it in 80 of 100 paths instead of in the middle of them. `lever` is one of `counted.sought`.
    """
    counted = counted or Counted.whole(fit)
    worst, best = between if lever != "cycle" else (between[1], between[0])

    def reached(value: float) -> float:
        tried = at(levers, lever, value)
        if likely:
            paths = counted.known + (sample_paths(fit, tried, flow) * counted.shares).sum(axis=1)
            return float(np.quantile(paths, 1 - LIKELY))
        return counted.known + float((expected(fit, tried, flow) * counted.shares).sum())

    most = reached(best)
    if most < goal:
        return Sought(lever, None, most, best)
    if (least := reached(worst)) >= goal:
        return Sought(lever, worst, least, best)
    low, high = worst, best
    for _halving in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) >= goal else (middle, high)
    return Sought(lever, high, reached(high), best)
