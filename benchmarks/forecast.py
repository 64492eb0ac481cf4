"""Measure the project's forecasts on public series, against what people would use instead.

Series: ../shared/data/forecast (see the README there). Every forecast is made by `prepare` and
`fit_series`, the functions of the Forecast page, from what came before its origin alone.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import resource
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.forecast_pipeline import lines as pipeline_lines
from core.forecasting.fit import fit_series
from core.forecasting.flow import Flow
from core.forecasting.levers import Levers
from core.forecasting.prophet_model import SEED
from core.forecasting.scenarios import apply
from core.forecasting.series import prepare
from core.forecasting.spread import PUBLIC, ratio_of, relative_misses
from core.forecasting.steps import PANDAS, SEASON, Frequency
from core.settings import PROJECT_ROOT

SERIES = PROJECT_ROOT.parent / "shared" / "data" / "forecast"
RESULTS = PROJECT_ROOT / "docs" / "benchmarks-forecast.md"
LIBRARIES = ("prophet", "cmdstanpy", "statsforecast", "numpy", "pandas", "scipy")
OURS, ETS, THETA, NAIVE, PROPHET = "Luopan", "AutoETS", "AutoTheta", "Seasonal naive", "Prophet's defaults"
METHODS = (OURS, ETS, THETA, NAIVE, PROPHET)


@dataclass(frozen=True)
class SeriesSet:
    """One file: its step, how far it is forecast, from how many past days, and the history used."""

    name: str
    frequency: Frequency
    horizon: int
    origins: int
    apart: int
    least: int
    history: int


SETS = (
    SeriesSet("m3_monthly_dev", "month", 18, 1, 18, 24, 240),
    SeriesSet("aus_retail_dev", "month", 12, 3, 12, 36, 120),
    SeriesSet("pbs_dev", "month", 12, 3, 12, 36, 120),
    SeriesSet("walmart45_weekly", "week", 13, 2, 13, 104, 261),
    SeriesSet("avocado_dev", "week", 13, 3, 13, 104, 261),
    SeriesSet("daily_mix", "day", 28, 3, 56, 200, 1_096),
    SeriesSet("china_trade_monthly", "month", 12, 8, 12, 36, 120),
)
TARGETS = {"m3_monthly_dev": 0.97, "aus_retail_dev": 0.92, "walmart45_weekly": 0.93}
GEOMETRIC_TARGET = 0.93


@dataclass(frozen=True)
class Task:
    """One forecast to make: the rows known, and what happened."""

    of: SeriesSet
    series: str
    known: pd.DataFrame
    today: date
    actual: np.ndarray

    @property
    def name(self) -> str:
        """What no other task is called."""
        return f"{self.of.name} {self.series} {self.today}"


def tasks(sample: int | None, seed: int) -> Iterator[Task]:
    """Yield the forecasts to make; `sample` of each set, drawn by `seed`."""
    for of in SETS:
        table = pd.read_csv(SERIES / f"{of.name}.csv", parse_dates=["ds"])
        made = [task for name, rows in table.groupby("unique_id") for task in _tasks_of(of, str(name), rows)]
        if sample is not None and sample < len(made):
            drawn = np.random.default_rng(seed).choice(len(made), sample, replace=False)
            made = [made[place] for place in sorted(drawn)]
        yield from made


def _tasks_of(of: SeriesSet, name: str, rows: pd.DataFrame) -> Iterator[Task]:
    rows = pd.DataFrame({"on": rows["ds"].dt.date, "value": rows["y"]})
    after = (pd.Timestamp(rows["on"].max()) + pd.tseries.frequencies.to_offset(PANDAS[of.frequency])).date()
    points = prepare(rows, frequency=of.frequency, today=after).points
    for origin in range(of.origins):
        cut = len(points) - of.horizon - origin * of.apart
        if cut < of.least:
            continue
        known = points.iloc[max(0, cut - of.history) : cut]
        actual = points["y"].to_numpy()[cut : cut + of.horizon]
        today = points["ds"].iloc[cut].date()
        yield Task(of, name, known.rename(columns={"ds": "on", "y": "value"}), today, actual)


def forecast_all(task: Task) -> dict[str, Any]:
    """Forecast one task by every method; return errors over the in-sample seasonal naive error."""
    quiet()
    of = task.of
    y = task.known["value"].to_numpy(dtype="float64")
    season = SEASON[of.frequency]
    lag = season if len(y) > season else 1
    scale = float(np.mean(np.abs(y[lag:] - y[:-lag]))) or float("nan")
    began = time.perf_counter()
    prepared = prepare(task.known, frequency=of.frequency, today=task.today)
    fit = fit_series(prepared, horizon=of.horizon)
    took = time.perf_counter() - began
    frame = apply(fit).frame
    made = {OURS: frame["yhat"].to_numpy(), **rivals(task, y, season)}
    inside = (task.actual >= frame["lo"].to_numpy()) & (task.actual <= frame["hi"].to_numpy())
    return {
        "set": of.name,
        "series": task.series,
        "method": fit.method,
        "seconds": took,
        "cover": float(inside.mean()),
        "misses": relative_misses(fit).tolist(),
        **{name: float(np.mean(np.abs(task.actual - ahead))) / scale for name, ahead in made.items()},
    }


def rivals(task: Task, y: np.ndarray, season: int) -> dict[str, np.ndarray]:
    """What people would use instead, each as its library has it."""
    from prophet import Prophet
    from statsforecast import StatsForecast
    from statsforecast.models import MSTL, AutoETS, AutoTheta, SeasonalNaive

    of = task.of
    seasonal = season if len(y) >= 2 * season else 1
    if of.frequency == "week" and seasonal > 1:
        models = [
            MSTL(season_length=season, trend_forecaster=AutoETS(model="ZZN"), alias=ETS),
            MSTL(season_length=season, trend_forecaster=AutoTheta(season_length=1), alias=THETA),
        ]
    else:
        models = [AutoETS(season_length=seasonal, alias=ETS), AutoTheta(season_length=seasonal, alias=THETA)]
    models.append(SeasonalNaive(season_length=seasonal, alias=NAIVE))
    table = pd.DataFrame({"unique_id": 0, "ds": np.arange(len(y)), "y": y})
    engine = StatsForecast(models=models, freq=1, n_jobs=1, fallback_model=SeasonalNaive(season_length=seasonal))
    found = engine.forecast(df=table, h=of.horizon)
    made = {name: found[name].to_numpy(dtype="float64") for name in (ETS, THETA, NAIVE)}
    plain = Prophet(uncertainty_samples=0)
    plain.fit(pd.DataFrame({"ds": pd.to_datetime(task.known["on"]), "y": y}), seed=SEED)
    future = plain.make_future_dataframe(of.horizon, freq=PANDAS[of.frequency], include_history=False)
    made[PROPHET] = plain.predict(future)["yhat"].to_numpy(dtype="float64")
    return made


def accuracy(results: pd.DataFrame) -> Iterator[str]:
    """Yield the table of errors against AutoETS, and of the cover, with how far it is known from so many series."""
    means = results.groupby("set", sort=False)[list(METHODS)].mean()
    relative = means.div(means[ETS], axis=0)
    by_series = results.groupby(["set", "series"], sort=False)["cover"].mean().groupby("set", sort=False)
    cover, error = by_series.mean(), by_series.std() / np.sqrt(by_series.size())
    count = results.groupby("set", sort=False).agg(series=("series", "nunique"), forecasts=("series", "size"))
    yield "| set | series | forecasts | " + " | ".join(METHODS) + " | must reach | 80 % band holds |"
    yield "|---|--:|--:|" + "--:|" * (len(METHODS) + 2)
    for name in means.index:
        cells = [f"{relative.loc[name, method]:.3f}" for method in METHODS]
        cells += [f"{TARGETS[name]:.2f}" if name in TARGETS else "", f"{cover[name]:.1%} ± {error[name] * 100:.1f}"]
        yield f"| `{name}` | {count.loc[name, 'series']} | {count.loc[name, 'forecasts']} | " + " | ".join(cells) + " |"
    geometric = np.exp(np.log(relative).mean())
    cells = [f"**{geometric[method]:.3f}**" for method in METHODS]
    yield "| geometric mean | | | " + " | ".join(cells) + f" | {GEOMETRIC_TARGET:.2f} | |"


def chosen(results: pd.DataFrame) -> Iterator[str]:
    """Yield which method made the forecasts, and how long it took."""
    table = results.groupby("set", sort=False)
    yield "| set | combination | seasonal naive | mean or other | seconds a series, median | 95 of 100 within |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, part in table:
        combined, naive = (part["method"] == "combination").mean(), (part["method"] == "seasonal_naive").mean()
        median, most = part["seconds"].quantile([0.5, 0.95])
        others = abs(1 - combined - naive)
        yield f"| `{name}` | {combined:.0%} | {naive:.0%} | {others:.0%} | {median:.2f} | {most:.2f} |"


def spreads(results: pd.DataFrame, seed: int) -> Iterator[str]:
    """Yield what past errors were over what in-sample errors suggest, on one half of each set and on the other."""
    random = np.random.default_rng(seed)
    first = results.groupby("set", sort=False)["set"].transform(lambda part: random.permutation(len(part)) % 2 == 0)
    frequency = results["set"].map({of.name: of.frequency for of in SETS})
    yield "| step | one half | the other half | taken where nothing else is known |"
    yield "|---|--:|--:|--:|"
    for step, taken in PUBLIC.items():
        of = frequency == step
        halves = (ratio_of(results.loc[of & (first == half), "misses"]) for half in (True, False))
        yield f"| {step} | " + " | ".join(f"{ratio:.2f}" for ratio in halves) + f" | {taken.ratio:.2f} |"


def history(frequency: Frequency, count: int, seed: int) -> pd.DataFrame:
    """A made-up history with growth, a season and noise, as rows."""
    random = np.random.default_rng(seed)
    season = SEASON[frequency]
    steps = np.arange(count)
    level = 1e6 * np.exp(
        0.4 * steps / count + 0.25 * np.sin(2 * np.pi * steps / season) + random.normal(0, 0.08, count)
    )
    days = pd.date_range("2023-01-02" if frequency != "month" else "2023-01-01", periods=count, freq=PANDAS[frequency])
    return pd.DataFrame({"on": days.date, "value": level.round(2)})


def first_fit(job: tuple[Frequency, int, int, int]) -> tuple[float, float]:
    """Time a first answer for one series, one Prophet fit, from rows to numbers: by the clock, of processors."""
    frequency, count, horizon, seed = job
    rows = history(frequency, count, seed)
    after = pd.Timestamp(rows["on"].iloc[-1]) + pd.tseries.frequencies.to_offset(PANDAS[frequency])
    began, spent = time.perf_counter(), processor_time()
    prepared = prepare(rows, frequency=frequency, today=after.date())
    apply(fit_series(prepared, horizon=horizon, depth="first"))
    return time.perf_counter() - began, processor_time() - spent


LEVERS = ("growth", "win_rate", "average_deal", "headcount", "leads", "cycle", "price", "seasonality", "flexibility")


def scenario_moves(frequency: Frequency, count: int, horizon: int, seed: int) -> list[tuple[float, float]]:
    """Time 200 moves of all levers, forecast, band and totals, open deals in 36 groups: by the clock, of processors."""
    from core.forecasting.scenario_totals import compare

    rows = history(frequency, count, seed)
    after = pd.Timestamp(rows["on"].iloc[-1]) + pd.tseries.frequencies.to_offset(PANDAS[frequency])
    fit = fit_series(prepare(rows, frequency=frequency, today=after.date()), horizon=horizon, depth="first")
    random = np.random.default_rng(seed)
    flow = Flow(
        after.date(), random.random((36, 13)) * 1e4, random.random(36), new_share=np.linspace(0.1, 0.9, 13),
        series=np.full(13, 2e5), weights=np.full(13, 0.5),
    )  # fmt: skip
    took = []
    for _move in range(200):
        moved = {name: float(random.uniform(-0.3, 0.3)) for name in LEVERS}
        levers = Levers(**moved, elasticity=-1.2, capacity=3e6)
        began, spent = time.perf_counter(), time.process_time()
        apply(fit, levers, flow)
        compare(fit, {"moved": levers}, by="quarter" if frequency == "month" else "month", flow=flow)
        took.append((time.perf_counter() - began, time.process_time() - spent))
    return took


def speed(asked: argparse.Namespace) -> Iterator[str]:
    """Yield the timings; processors' time of many series holds the start of their processes."""
    yield "| measured | by the clock | processors' time | must reach |"
    yield "|---|--:|--:|--:|"
    first_fit(("month", 36, 12, 0))
    for frequency, count, horizon in (("month", 36, 12), ("day", 1_095, 90)):
        took = [first_fit((frequency, count, horizon, asked.seed + k)) for k in range(15)]
        clock, spent = (f"{each * 1e3:.0f} ms" for each in np.median(took, axis=0))
        yield f"| first fit of {count:,} {frequency}s, warm, median of 15 | {clock} | {spent} | ≤ 150 ms |"
    for frequency, count, horizon in (("month", 36, 12), ("week", 156, 52), ("day", 1_095, 90)):
        most = np.quantile(scenario_moves(frequency, count, horizon, asked.seed), 0.95, axis=0)
        clock, spent = (f"{each * 1e3:.1f} ms" for each in most)
        yield f"| scenario move on {count:,} {frequency}s, 95 of 100 within | {clock} | {spent} | ≤ 20 ms |"
    many = 1_000 if asked.sample is None else 100
    limit = f"≤ {30 * many / 1000:.0f} s, {60 * many / 1000:.0f} s of two"
    before = processor_time()
    with ProcessPoolExecutor(2, initializer=quiet) as pool:
        list(pool.map(first_fit, [("month", 36, 12, 0)] * 8))
        began = time.perf_counter()
        list(pool.map(first_fit, [("month", 36, 12, seed) for seed in range(many)], chunksize=20))
        took_all = time.perf_counter() - began
    after = processor_time()
    title = f"{many:,} series of 36 months, one fit each, two processes"
    yield f"| {title} | {took_all:.1f} s | {after - before:.1f} s | {limit} |"
    took_all, off = together(many)
    title = "the same by the program's workers, their parts made to add up"
    yield f"| {title} | {took_all:.1f} s | {processor_time() - after:.1f} s | {limit} |"
    yield f"| how far the parts then miss their whole, at most | {off:.0e} of it | | |"


def processor_time() -> float:
    """Seconds of processors that this process and its ended children took: unlike a clock, no matter what else runs."""
    used = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def together(many: int) -> tuple[float, float]:
    """Seconds for so many series as the page of all series makes them, and the largest gap that is left in a sum."""
    from core.domain.periods import FiscalCalendar
    from core.forecasting.many import SeriesName, forecast_all
    from core.forecasting.workers import FitPool

    parts = [SeriesName(("team", "product")[place % 2], str(place)) for place in range(many - 1)]
    whole = SeriesName("company", "")
    made = [history("month", 36, seed).assign(dimension=name.dimension, key=name.key)
            for seed, name in enumerate(parts)]  # fmt: skip
    rows = pd.concat(made, ignore_index=True)
    teams = rows[rows["dimension"] == "team"].groupby("on", as_index=False)["value"].sum()
    products = rows["dimension"] == "product"  # scaled, so that both kinds add up to one company
    share = teams.set_index("on")["value"] / rows[products].groupby("on")["value"].sum()
    rows.loc[products, "value"] *= rows.loc[products, "on"].map(share)
    rows = pd.concat([teams.assign(dimension="company", key=""), rows], ignore_index=True)
    kinds = [tuple(name for name in parts if name.dimension == kind) for kind in ("team", "product")]
    today = (pd.Timestamp(rows["on"].max()) + pd.DateOffset(months=1)).date()
    pool = FitPool(workers=2, background=True)
    try:
        first = prepare(rows[rows["key"] == ""], frequency="month", today=today)
        for task in [pool.submit(place, first, 12, depth="first") for place in range(8)]:
            task.result()
        began = time.perf_counter()
        found = forecast_all(
            rows, [whole, *parts], tuple((whole, kind) for kind in kinds), today=today, calendar=FiscalCalendar(1),
            pool=pool, depth="first",
        )  # fmt: skip
        took = time.perf_counter() - began
    finally:
        pool.shutdown()
    totals = {each.name: each.quarter for each in found}
    off = max(abs(totals[whole] - sum(totals[name] for name in kind)) for kind in kinds) / totals[whole]
    return took, off


def quiet() -> None:
    """Rivals and libraries print what nobody reads here."""
    warnings.filterwarnings("ignore")
    for name in ("cmdstanpy", "prophet", "prophet.models"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def circumstances(asked: argparse.Namespace) -> Iterator[str]:
    """Yield where and with what this was measured."""
    said = "every series" if asked.sample is None else f"a sample of {asked.sample} forecasts a set"
    yield (
        f"Measured by `make bench-forecast` on {said}, seed {asked.seed} (of Prophet {SEED}), Python "
        f"{platform.python_version()} on {platform.system()}, {os.cpu_count()} processors, with "
        + ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
        + "."
    )


def forecasts(wanted: list[Task], processes: int, kept: Path | None) -> pd.DataFrame:
    """Forecast each task by every method; those in the file `kept` are not made again, and new ones are added to it."""
    done: dict[str, dict[str, Any]] = {}
    if kept is not None and kept.exists():
        lines = kept.read_text(encoding="utf-8").splitlines()
        done = {str(each["task"]): each for each in map(json.loads, lines)}
    todo = [task for task in wanted if task.name not in done]
    with ProcessPoolExecutor(processes, initializer=quiet) as pool:
        for task, made in zip(todo, pool.map(forecast_all, todo, chunksize=2), strict=True):
            done[task.name] = made
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"task": task.name, **made}) + "\n")
    return pd.DataFrame([done[task.name] for task in wanted])


def errors(asked: argparse.Namespace) -> Iterator[str]:
    """Forecast every series by every method, and yield what came of it, with titles."""
    results = forecasts(list(tasks(asked.sample, asked.seed)), asked.processes, asked.kept)
    yield (
        "\n## Error\n\nMean absolute error over the in-sample error of seasonal naive (MASE), its mean over the "
        "forecasts of a set,\nrelative to AutoETS: below 1 is better than AutoETS. Weeks are decomposed (MSTL) for "
        "AutoETS and AutoTheta.\n± is the standard error over a set's series.\n"
    )
    yield from accuracy(results)
    yield "\n## Methods chosen\n"
    yield from chosen(results)
    yield (
        "\n## Widths\n\nWhat 80 % of past errors stayed within, over what errors in the sample suggest "
        "(docs/methods/forecast.md,\nsection 7), on one half of the forecasts of each set, drawn at random, and on the "
        "other.\n"
    )
    yield from spreads(results, asked.seed)


def report(asked: argparse.Namespace, show: Callable[[str], None]) -> None:
    """Measure, and hand each line to `show` as it is known."""
    began = time.perf_counter()
    show("# Forecast benchmarks\n")
    for line in circumstances(asked):
        show(line)
    if asked.speed:
        show("\n## Speed\n")
        for line in speed(asked):
            show(line)
    if asked.accuracy:
        for line in errors(asked):
            show(line)
    if asked.pipeline:
        show("\n## Open deals\n")
        for line in pipeline_lines():
            show(line)
    show(f"\nThe run took {time.perf_counter() - began:.0f} s.")


def laid_in(kept: str, measured: str) -> str:
    """Return the report `kept` with the sections that were measured anew."""
    old, new = (
        {part.split("\n", 1)[0]: part.split("\nThe run took")[0].rstrip() for part in text.split("\n## ")}
        for text in (kept, measured)
    )
    whole = old | {title: part for title, part in new.items() if not title.startswith("#")}
    return "\n\n## ".join(whole.values()) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print it; on every series, what was measured goes into docs/benchmarks-forecast.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forecast", description=__doc__)
    parser.add_argument("--sample", type=int, default=None, help="only so many forecasts of each set")
    parser.add_argument("--seed", type=int, default=7, help="of the sample and the made-up series")
    parser.add_argument("--processes", type=int, default=2, help="to forecast in")
    parser.add_argument("--no-speed", dest="speed", action="store_false", help="leave the timings out")
    parser.add_argument("--no-accuracy", dest="accuracy", action="store_false", help="leave the errors out")
    parser.add_argument("--no-pipeline", dest="pipeline", action="store_false", help="leave the open deals out")
    parser.add_argument(
        "--kept", type=Path, default=None, help="a file that keeps each forecast's errors, from which a run goes on"
    )
    asked = parser.parse_args(arguments)
    if asked.accuracy and not SERIES.is_dir():
        print(f"The series are missing: {SERIES} (see docs/methods/forecast.md).", file=sys.stderr)
        return 1
    quiet()
    said: list[str] = []

    def show(line: str) -> None:
        print(line, flush=True)
        said.append(line)

    report(asked, show)
    if asked.sample is None:
        text = "\n".join(said) + "\n"
        whole = asked.speed and asked.accuracy and asked.pipeline
        RESULTS.write_text(text if whole else laid_in(RESULTS.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
