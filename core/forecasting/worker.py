"""A worker process: reads one fit's order a line on standard input, answers a line each.

Lines of JSON rather than pickles: nothing that arrives is ever executed. Ends with its input.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from typing import Final, TextIO, cast

import numpy as np
import pandas as pd

from core.forecasting.calendar import Event
from core.forecasting.fit import Depth, fit_series
from core.forecasting.prophet_model import warm
from core.forecasting.series import PreparedSeries
from core.forecasting.spread import Spread
from core.forecasting.steps import Frequency, steps_from

BACKGROUND: Final = "--background"
"""Has a worker give way to whatever else runs on the machine."""


def order(
    prepared: PreparedSeries,
    horizon: int,
    events: tuple[Event, ...],
    *,
    china: bool = True,
    depth: Depth = "full",
    spread: Spread | None = None,
) -> str:
    """Write an order as one line."""
    days = prepared.points["ds"].to_numpy().astype("datetime64[D]")
    return json.dumps(
        {
            "frequency": prepared.frequency,
            "ds": [str(day) for day in days],
            "y": prepared.points["y"].tolist(),
            "horizon": horizon,
            "events": [event.to_dict() for event in events],
            "china": china,
            "depth": depth,
            "spread": None if spread is None else [spread.ratio, spread.weight],
        }
    )


def answer(line: str) -> str:
    """Fit what an order asks for, and return the fit as one line."""
    asked = json.loads(line)
    points = pd.DataFrame({"ds": pd.to_datetime(asked["ds"]), "y": asked["y"]})
    prepared = PreparedSeries(cast(Frequency, asked["frequency"]), points, ())
    events = tuple(Event.from_dict(kept) for kept in asked["events"])
    fit = fit_series(
        prepared,
        horizon=int(asked["horizon"]),
        events=events,
        china=bool(asked["china"]),
        depth=cast(Depth, asked["depth"]),
        spread=Spread(*asked["spread"]) if asked.get("spread") else None,
    )
    return fit.to_json()


def warm_up() -> None:
    """Import Prophet, and fit once what nobody asked for: a first fit takes ten times as long as the next."""
    warm()
    months = pd.DataFrame({"ds": steps_from(date(2020, 1, 1), 30, "month"), "y": 2.0 + np.sin(np.arange(30.0))})
    fit_series(PreparedSeries("month", months, ()), horizon=1, depth="first")


def serve(orders: TextIO, answers: TextIO) -> None:
    """Answer orders until there are no more; statsforecast is imported with the first full one."""
    warm_up()
    for line in orders:
        print(answer(line), file=answers, flush=True)


if __name__ == "__main__":
    if BACKGROUND in sys.argv and hasattr(os, "nice"):
        os.nice(10)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        serve(sys.stdin, out)
