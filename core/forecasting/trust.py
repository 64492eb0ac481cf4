"""How past forecasts fared: by how far ahead they looked, and as totals.

Source: docs/methods/forecast.md, "Backtest".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from core.forecasting.backtest import score
from core.forecasting.result import Backtest
from core.forecasting.steps import Frequency

DISTANCES: Final[dict[Frequency, tuple[tuple[int, int], ...]]] = {
    "month": ((1, 1), (2, 3), (4, 6), (7, 12)),
    "week": ((1, 1), (2, 4), (5, 13), (14, 26), (27, 52)),
    "day": ((1, 7), (8, 14), (15, 30), (31, 90)),
}
"""First and last step of each row of the table."""


@dataclass(frozen=True)
class Totals:
    """The totals of past forecasts over `steps` steps: how far off, and on which side, as shares."""

    steps: int
    forecasts: int
    off: float
    bias: float
    naive_off: float
    ets_off: float


def by_distance(backtest: Backtest, frequency: Frequency) -> pd.DataFrame:
    """Return a row a distance that was tested, nearest first.

    Columns: first, last int (steps ahead); wape, bias, mase, coverage, naive_wape, ets_wape
    float64; forecasts int, single steps compared.
    """
    rows = []
    for first, last in DISTANCES[frequency]:
        part = backtest.frame[backtest.frame["step"].between(first, last)]
        if part.empty:
            continue
        scores = score(part, scale=backtest.scale)
        rows.append(
            {
                "first": first,
                "last": min(last, int(part["step"].max())),
                "wape": scores.wape,
                "bias": scores.bias,
                "mase": scores.mase,
                "coverage": scores.coverage,
                "naive_wape": scores.naive_wape,
                "ets_wape": scores.ets_wape,
                "forecasts": len(part),
            }
        )
    return pd.DataFrame(rows)


def totals(backtest: Backtest, steps: int) -> Totals | None:
    """Score the totals of the first `steps` steps, or of as many as two forecasts reached."""
    reached = backtest.frame.groupby("origin")["step"].max().sort_values(ascending=False)
    if reached.empty:
        return None
    count = min(steps, int(reached.iloc[min(1, len(reached) - 1)]))
    whole = reached.index[reached >= count]
    part = backtest.frame[backtest.frame["origin"].isin(whole) & (backtest.frame["step"] <= count)]
    sums = part.groupby("origin")[["actual", "forecast", "naive", "ets"]].sum(min_count=count)
    size = float(np.abs(sums["actual"]).sum())
    if not size:
        return None

    def off(name: str) -> float:
        return float(np.abs((sums[name] - sums["actual"]).to_numpy(dtype="float64")).sum()) / size

    return Totals(
        count,
        len(sums),
        off("forecast"),
        float((sums["forecast"] - sums["actual"]).sum()) / size,
        off("naive"),
        off("ets"),
    )
