"""Which lever matters most, and how far one must go to reach an amount.

Source: docs/methods/scenarios.md, parts 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
import pandas as pd

from core.forecasting.levers import BOUNDS, Levers
from core.forecasting.scenarios import expected, sample_paths

if TYPE_CHECKING:
    from core.forecasting.flow import Flow
    from core.forecasting.result import Fit

TRIED: Final = (
    "growth", "win_rate", "average_deal", "headcount", "leads", "cycle", "price", "seasonality", "flexibility",
)  # fmt: skip
"""The levers of a tornado; the capacity joins them where one is set."""
SOUGHT: Final = ("win_rate", "growth", "average_deal", "headcount", "leads", "cycle")
"""The levers that a goal can be sought by: more of each (less of the cycle) never brings less."""
HALVINGS: Final = 20
LIKELY: Final = 0.8


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


def seek(
    fit: Fit,
    levers: Levers,
    lever: str,
    goal: float,
    flow: Flow | None = None,
    *,
    between: tuple[float, float],
    likely: bool = False,
) -> Sought:
    """Return the least change of `lever` by which the total over the horizon reaches `goal`.

    The other levers stay. `between`: how far it may go down and up; a cycle goes down to bring more. `likely`: reach
    it in 80 of 100 paths instead of in the middle of them.
    """
    worst, best = between if lever != "cycle" else (between[1], between[0])

    def reached(value: float) -> float:
        tried = at(levers, lever, value)
        if likely:
            return float(np.quantile(sample_paths(fit, tried, flow).sum(axis=1), 1 - LIKELY))
        return float(expected(fit, tried, flow).sum())

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
