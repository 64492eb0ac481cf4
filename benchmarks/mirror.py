"""Measure the mirror: building, warm start, refreshing, memory, and its questions beside rivals in the same run.

python -m benchmarks.mirror --deals 10000 100000 1000000
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from inspect import Parameter, signature
from itertools import product
from math import exp, log
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.interactions import median, percentile
from benchmarks.questions import QUESTIONS, Answer, Asked, Days, by_hand, ours, pandas_cached, pandas_reading
from benchmarks.servers import Company, make_company
from core.access.actors import Actor, Scope
from core.analytics.as_of import AsOf
from core.ask import questions
from core.db.actors import actor_named
from core.db.engine import WRITING
from core.db.work import Database
from core.errors import SalesError
from core.gate import answer
from core.settings import settings

_TABLES = ("deals", "spans", "states", "reps", "activities", "quotas")
_ASKERS = ("leader", "east.manager", "shanghai.rep")
_READING_RUNS = 3


@dataclass
class Found:
    """What one subject showed: seconds of each question, by the clock and of the processors, and its answers.

    `memory` in MB beyond what the process began with.
    """

    seconds: dict[str, list[float]] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)
    memory: float = 0.0
    figures: dict[str, list[float]] = field(default_factory=dict)
    pages: dict[str, list[float]] = field(default_factory=dict)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mirror", description=__doc__)
    parser.add_argument("--deals", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--until", type=date.fromisoformat, default=datetime.now(UTC).date() - timedelta(days=1))
    parser.add_argument("--runs", type=int, default=30, help="of each question")
    asked = parser.parse_args(arguments)
    for line in report(asked.deals, until=asked.until, runs=asked.runs):
        print(line, flush=True)
    return 0


def report(sizes: list[int], *, until: date, runs: int) -> Iterator[str]:
    """Yield the tables of all sizes, and how time grows with the data."""
    medians: dict[int, dict[str, float]] = {}
    for deals in sizes:
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            company = make_company(Path(folder), deals=deals, until=until)
            pace = deals / (time.perf_counter() - began)
            size = company.database_file.stat().st_size / 1e6
            yield f"### The mirror at {deals:,} deals"
            yield ""
            yield f"The generator wrote {pace:,.0f} deals a second with migration; the database has {size:,.0f} MB."
            yield ""
            found = {subject.__name__: _alone(subject, company, until, runs) for subject in (*_SUBJECTS, _LAST)}
        yield from _figures(found)
        yield from _comparison(found)
        yield from _pages(found["of_luopan"])
        medians[deals] = {name: median(found["of_luopan"].seconds[name]) for name in QUESTIONS}
    if len(sizes) > 1:
        yield from _growth(medians)


def _alone(subject: Callable[..., Found], company: Company, until: date, runs: int) -> Found:
    """Run a subject in a process of its own, so that none has another's memory."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(subject, company.folder, until, runs).result()


def of_luopan(folder: Path, until: date, runs: int) -> Found:
    """Measure the mirror in a process that has nothing else; leave its tables as Parquet for the SQL by hand."""
    company, found, days = Company(folder), Found(), Days(until)
    before = _memory()
    database = _opened(company)
    found.figures["build, seconds"] = [_timed(database.mirror.refresh)[0]]
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    found.figures["build, processor seconds of the child"] = [spent.ru_utime + spent.ru_stime]
    found.figures["build, peak memory of the child, MB"] = [spent.ru_maxrss / 1024]
    database.close()
    starts = []
    for _start in range(5):
        database = _opened(company)
        starts.append(_timed(database.mirror.refresh)[0])
        if len(starts) < 5:
            database.close()
    found.figures["warm start, seconds"] = starts
    everything = Scope.everything()
    _ask(found, ours(lambda: database.mirror.scoped(everything), days), runs)
    found.memory = _memory() - before
    _ask_pages(found, database, days, runs)
    found.figures["memory at the end, MB over the bare process"] = [_memory() - before]
    kept = company.folder / "mirror"
    found.figures["mirror on disk, MB"] = [sum(file.stat().st_size for file in kept.iterdir()) / 1e6]
    database.close()
    (file,) = kept.glob("*.duckdb")
    with duckdb.connect(str(file), read_only=True) as connection:
        for name in _TABLES:
            connection.execute(f"COPY {name} TO '{folder}/{name}.parquet'")
    return found


def of_following(folder: Path, _until: date, runs: int) -> Found:
    """Measure refreshes; last of all, since it changes deals."""
    found, database = Found(), _opened(Company(folder))
    database.mirror.refresh()
    for changes in (1, 1_000):
        name = f"refresh after {changes:,} change{'s' if changes > 1 else ''}"
        found.figures[f"{name}, ms"], found.figures[f"{name}, processor ms"] = _refreshed(database, changes, runs)
    database.close()
    return found


def of_sql_by_hand(folder: Path, until: date, runs: int) -> Found:
    """Measure hand-written SQL over Parquet."""
    found, before = Found(), _memory()
    with duckdb.connect() as connection:
        _ask(found, by_hand(connection, folder, Days(until)), runs)
        found.memory = _memory() - before
    return found


def of_pandas_cached(folder: Path, until: date, runs: int) -> Found:
    """Measure pandas over frames in memory."""
    found, before = Found(), _memory()
    _ask(found, pandas_cached(Company(folder).database_file, Days(until)), runs)
    found.memory = _memory() - before
    return found


def of_pandas_reading(folder: Path, until: date, runs: int) -> Found:
    """Measure pandas that reads its rows, a few times only."""
    found, before = Found(), _memory()
    _ask(found, pandas_reading(Company(folder).database_file, Days(until)), min(runs, _READING_RUNS))
    found.memory = _memory() - before
    return found


_SUBJECTS = (of_luopan, of_sql_by_hand, of_pandas_cached, of_pandas_reading)
_LAST = of_following


def _opened(company: Company) -> Database:
    chosen = settings()
    return Database(
        company.database_url,
        zone=chosen.zone,
        base_currency=chosen.base_currency,
        mirror_folder=company.folder / "mirror",
    )


def _ask(found: Found, asked: Asked, runs: int) -> None:
    for name, ask in asked.items():
        found.seconds[name] = []
        began = time.process_time()
        for _run in range(runs):
            seconds, found.answers[name] = _timed(ask)
            found.seconds[name].append(seconds)
        found.processor[name] = (time.process_time() - began) / runs


def _ask_pages(found: Found, database: Database, days: Days, runs: int) -> None:
    """Ask every mirrored question that needs a period at most, as three people, through the gate."""
    now = datetime(days.until.year, days.until.month, days.until.day, 10, tzinfo=UTC)
    given = {"period": days.quarter, "since": days.quarter.start}
    for name, entry in questions().items():
        parameters = list(signature(entry.function).parameters.values())[1:]
        needed = {each.name for each in parameters if each.default is Parameter.empty}
        if not entry.mirrored or needed - given.keys():
            continue
        chosen: dict[str, Any] = {each: given[each] for each in needed}
        variants = {name: chosen}
        if "as_of" in {each.name for each in parameters}:
            variants[f"{name} as of a year ago"] = chosen | {"as_of": AsOf(days.past)}
        for (title, values), who in product(variants.items(), _ASKERS):
            actor = actor_named(database, who, now=now, origin="benchmark")
            try:
                found.pages[f"{title}, {who}"] = _page_times(database, actor, entry.function, now, values, runs)
            except SalesError:
                continue


def _page_times(
    database: Database, actor: Actor, function: Any, now: datetime, chosen: dict[str, Any], runs: int
) -> list[float]:
    return [_timed(lambda: answer(database, actor, function, now, **chosen))[0] for _run in range(runs)]


def _refreshed(database: Database, changes: int, runs: int) -> tuple[list[float], list[float]]:
    """Change deals here and there and return the milliseconds that each refresh takes, and those of processors."""
    engine = database.engine.execution_options(**{WRITING: True})
    found: tuple[list[float], list[float]] = ([], [])
    with engine.begin() as connection:
        last = int(connection.exec_driver_sql("SELECT max(id) FROM deal").scalar() or 0)
    for run in range(runs):
        step = max(last // changes, 1)
        numbers = ", ".join(str(1 + (run + place * step) % last) for place in range(changes))
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE deal SET base_amount = base_amount + 100 WHERE id IN ({numbers})")
        began = time.process_time()
        found[0].append(_timed(database.mirror.refresh)[0] * 1000)
        found[1].append((time.process_time() - began) * 1000)
    return found


def _timed(ask: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    said = ask()
    return time.perf_counter() - began, said


def _memory() -> float:
    """Return the process's resident memory in MB; NaN where the system does not say."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _figures(found: dict[str, Found]) -> Iterator[str]:
    luopan = found["of_luopan"]
    yield "| figure | n | median | p95 |"
    yield "|---|--:|--:|--:|"
    for name, values in (luopan.figures | found[_LAST.__name__].figures).items():
        yield f"| {name} | {len(values)} | {median(values):,.2f} | {percentile(values, 0.95):,.2f} |"
    yield (
        f"| memory over the bare process, MB: mirror; pandas, cached frames | 1 | {luopan.memory:,.0f}; "
        f"{found['of_pandas_cached'].memory:,.0f} | |"
    )
    yield ""


def _comparison(found: dict[str, Found]) -> Iterator[str]:
    subjects = [found[subject.__name__] for subject in _SUBJECTS]
    luopan, *rivals = subjects
    yield "Everybody's rows, ms: median by the clock / processor time, which other work on the machine disturbs less."
    yield ""
    yield (
        "| question | mirror | p95 | SQL by hand over Parquet | pandas, cached frames | pandas, reading rows | "
        "reading ÷ mirror | cached ÷ mirror | mirror ÷ by hand | answers agree |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|"
    ratios: list[list[tuple[float, float]]] = []
    for name in QUESTIONS:
        times = [(median(each.seconds[name]), each.processor[name]) for each in subjects]
        mine, hand, cached, reading = times
        ratios.append([_ratio(reading, mine), _ratio(cached, mine), _ratio(mine, hand)])
        agree = all(_alike(luopan.answers[name], rival.answers[name]) for rival in rivals)
        shown = [f"{clock * 1000:,.1f} / {spent * 1000:,.1f}" for clock, spent in times]
        shown.insert(1, f"{percentile(luopan.seconds[name], 0.95) * 1000:,.1f}")
        shown += [f"{clock:,.1f} / {spent:,.1f}" for clock, spent in ratios[-1]]
        yield f"| {name} | {' | '.join(shown)} | {'yes' if agree else '**no**'} |"
    means = [" / ".join(f"**{_geometric([row[at][of] for row in ratios]):,.1f}**" for of in (0, 1)) for at in range(3)]
    yield f"| geometric mean | | | | | | {' | '.join(means)} | |"
    yield ""


def _ratio(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] / other[0], one[1] / max(other[1], 1e-6)


def _geometric(values: list[float]) -> float:
    return exp(sum(map(log, values)) / len(values))


def _alike(one: Answer, other: Answer) -> bool:
    """Say whether two answers are the same, keys without rows and the last digits of quantiles apart."""
    if isinstance(one, dict):
        keys = {key for key, value in one.items() if value} | {key for key, value in other.items() if value}
        return all(key in one and key in other and _alike(one[key], other[key]) for key in keys)
    if isinstance(one, (tuple, list)):
        return len(one) == len(other) and all(map(_alike, one, other))
    return abs(float(one) - float(other)) <= 1e-6 * max(1.0, abs(float(one)))


def _pages(luopan: Found) -> Iterator[str]:
    if not luopan.pages:
        return
    slowest = sorted(luopan.pages.items(), key=lambda each: -percentile(each[1], 0.95))
    within = sum(percentile(values, 0.95) <= 0.08 for _name, values in slowest)
    yield f"Of {len(slowest)} questions of the pages, asked by three people, {within} have p95 ≤ 80 ms; the slowest:"
    yield ""
    yield "| question, who asks | median, ms | p95 |"
    yield "|---|--:|--:|"
    for name, values in slowest[:10]:
        yield f"| {name} | {median(values) * 1000:,.1f} | {percentile(values, 0.95) * 1000:,.1f} |"
    yield ""


def _growth(medians: dict[int, dict[str, float]]) -> Iterator[str]:
    sizes = list(medians)
    yield "### Growth"
    yield ""
    yield f"| question | {' | '.join(f'{size:,} deals, ms' for size in sizes)} | time ÷ data, last ÷ first |"
    yield f"|---|{'--:|' * (len(sizes) + 1)}"
    for name in QUESTIONS:
        times = [medians[size][name] for size in sizes]
        share = (times[-1] / times[0]) / (sizes[-1] / sizes[0])
        yield f"| {name} | {' | '.join(f'{each * 1000:,.1f}' for each in times)} | {share:.2f} |"
    yield ""


if __name__ == "__main__":
    sys.exit(main())
