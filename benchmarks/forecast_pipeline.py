"""Measure the pipeline-aware near term on the demo company, against the weighted pipeline and Prophet alone.

Each past forecast knows what was known on its day: `core.forecasting.near_term`, which the Forecast page uses.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks.servers import make_company
from core import gate
from core.access.actors import SYSTEM
from core.forecasting.near_term import near_term
from core.forecasting.pipeline import LEARNED, WEEKS, Replay
from core.forecasting.prophet_model import SEED as PROPHET_SEED
from core.queries.near_term import deal_spans
from data.demo.load import SEED

DEALS = 12_000
AHEAD = 4
UNTIL = date(2026, 11, 21)
NAMES = {
    "forecast": "Luopan, open deals and bookings",
    "series": "bookings alone, with their season",
    "weighted": "weighted pipeline",
    "prophet": "Prophet's defaults on weekly bookings",
}


def spans_of(folder: Path, *, deals: int, until: date) -> pd.DataFrame:
    """Make the demo company and return how every deal went."""
    database = make_company(folder, deals=deals, until=until).open()
    now = datetime(until.year, until.month, until.day, 12, tzinfo=UTC) + timedelta(days=1)
    try:
        return gate.answer(database, SYSTEM, deal_spans, now, since=until - timedelta(days=7 * (LEARNED + WEEKS)))
    finally:
        database.close()


def prophet_alone(replay: Replay, origins: list[int]) -> pd.DataFrame:
    """Forecast the weeks after each origin by Prophet's defaults on the bookings until then."""
    from prophet import Prophet

    first = int(replay.wins["day"].min())
    rows = []
    for origin in origins:
        last = int(replay.days[origin])
        days = last - 7 * np.arange((last - first) // 7, -1, -1)
        booked = replay.won_between(days - 7, days)
        stamps = pd.to_datetime(days.astype("datetime64[D]"))
        model = Prophet(uncertainty_samples=0)
        model.fit(pd.DataFrame({"ds": stamps, "y": booked}), seed=PROPHET_SEED)
        ahead = pd.DataFrame({"ds": stamps[-1] + pd.to_timedelta(7 * np.arange(1, AHEAD + 1), unit="D")})
        made = model.predict(ahead)["yhat"].to_numpy()
        rows += [{"origin": origin, "week": week, "prophet": made[week - 1]} for week in range(1, AHEAD + 1)]
    return pd.DataFrame(rows)


def lines(*, deals: int = DEALS, until: date = UNTIL) -> Iterator[str]:
    """Yield the table."""
    with TemporaryDirectory(prefix="luopan-bench-") as folder:
        spans = spans_of(Path(folder), deals=deals, until=until)
    found = near_term(spans, last=until)
    if found is None:
        yield "The demo company is too young."
        return
    past = found.past[found.past["week"] <= AHEAD]
    past = past.merge(prophet_alone(Replay(spans, until), sorted(past["origin"].unique())), on=["origin", "week"])
    size = float(past["actual"].abs().sum())
    sums = past.groupby("origin")[["actual", *NAMES]].sum()[past.groupby("origin").size() == AHEAD]
    whole = float(sums["actual"].abs().sum())
    yield (
        f"Demo company of {deals:,} deals (seed {SEED}) until {until}: {past['origin'].nunique()} past weeks, each "
        f"with what was known then; weeks 1 to {AHEAD} ahead.\n"
    )
    yield "| method | weekly WAPE | total of four weeks off by |"
    yield "|---|--:|--:|"
    for name, title in NAMES.items():
        off = float((past[name] - past["actual"]).abs().sum()) / size
        total = float((sums[name] - sums["actual"]).abs().sum()) / whole
        yield f"| {title} | {off:.1%} | {total:.1%} |"
    shares = ", ".join(f"{share:.0%}" for share in found.weights)
    yield f"\nWeight of the open deals in the weeks 1 to {WEEKS} now: {shares}; of the season: {found.season:.0%}."


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast_pipeline", description=__doc__)
    parser.add_argument("--deals", type=int, default=DEALS)
    asked = parser.parse_args(arguments)
    for name in ("cmdstanpy", "prophet"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for line in lines(deals=asked.deals):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
