"""Measure the pages over their websocket, beside a typical Streamlit dashboard on the same data."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from benchmarks import viewers
from benchmarks.interactions import (
    KINDS,
    OURS,
    PAGES,
    RIVAL,
    Measured,
    first_charts,
    measure,
    median,
    percentile,
)  # fmt: skip
from benchmarks.mirror import Runs, report
from benchmarks.servers import a_company
from core.settings import PROJECT_ROOT
from data.demo.load import SEED

RESULTS = PROJECT_ROOT / "docs" / "benchmarks.md"
LIBRARIES = ("streamlit", "uvicorn", "pandas", "plotly", "duckdb", "SQLAlchemy")
Run = dict[str, dict[str, Measured]]


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print its tables; a whole run also writes docs/benchmarks.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: 1,500 deals, 4 filters a page")
    parser.add_argument("--deals", type=int, nargs="+", default=[12_000, 100_000], help="sizes of the company")
    parser.add_argument("--filters", type=int, default=40, help="filters tried on each page")
    parser.add_argument("--seed", type=int, default=7, help="of the order of filters")
    parser.add_argument("--until", type=date.fromisoformat, default=datetime.now(UTC).date() - timedelta(days=1))
    parser.add_argument(
        "--mirror-deals", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="sizes for the mirror's part"
    )
    parser.add_argument("--kept", type=Path, help="a folder for the companies, which are made once and then reused")
    parser.add_argument("--no-browser", action="store_true", help="leave the first chart out")
    asked = parser.parse_args(arguments)
    if asked.quick:
        asked.deals, asked.filters, asked.mirror_deals = [1_500], 4, [1_500]
    said = ["# Benchmarks", "", *circumstances(asked), ""]
    print("\n".join(said), flush=True)
    for deals in asked.deals:
        said.append("")
        for line in of_size(deals, asked):
            print(line, flush=True)
            said.append(line)
        if not asked.quick:
            RESULTS.write_text("\n".join(said) + "\n", encoding="utf-8")
    runs = Runs(3, 1) if asked.quick else Runs(30, 10)
    for line in report(asked.mirror_deals, until=asked.until, runs=runs, kept=asked.kept) if asked.mirror_deals else ():
        print(line, flush=True)
        said.append(line)
    few = ["--viewers", "5", "--every", "2", "--reps", "2", "--seconds", "15", "--deals", "1500"]
    said += ["", "## Many viewers", "", "`python -m benchmarks.viewers` alone gives this part.", ""]
    for line in viewers.report(viewers.parsed([*(few if asked.quick else []), "--until", str(asked.until)])):
        print(line, flush=True)
        said.append(line)
    if not asked.quick:
        RESULTS.write_text("\n".join(said) + "\n", encoding="utf-8")
        print(f"\nWritten to {RESULTS.relative_to(PROJECT_ROOT)}")
    return 0


def circumstances(asked: argparse.Namespace) -> list[str]:
    """Return what the figures depend on."""
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"Written by `python -m benchmarks` ({datetime.now(UTC):%Y-%m-%d %H:%M} UTC). A client speaks Streamlit's",
        "websocket protocol: it changes period and team as a reader would and waits until the page's script has",
        "finished. Both programs run on the same SQLite file, one after the other, in the same run; the rival,",
        "`benchmarks/typical/`, reads everything with pandas, keeps it in `st.cache_data`, groups by, draws with",
        "plotly.express, has no sign-in and no scopes, and is served by plain `streamlit run`. What it keeps it shows",
        "for good, so after a deal was saved its *Refresh data* is pressed with the filter (a third of the filters);",
        "Luopan sees the deal by itself. *CPU* is the server process's own time (resolution 10 ms), which other work",
        "on the machine disturbs less than the wall clock.",
        "",
        f"- {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}",
        f"- load of the machine at the start (1, 5, 15 minutes): {load}",
        f"- {versions}",
        f"- demo company: seed {SEED}, until {asked.until}",
        f"- {asked.filters} filters on each page, each asked twice, in an order of seed {asked.seed}",
    ]


def of_size(deals: int, asked: argparse.Namespace) -> Iterator[str]:
    """Yield the lines about a company of one size."""
    yield f"## {deals:,} deals"
    yield ""
    with a_company(deals=deals, until=asked.until, kept=asked.kept) as company:
        runs: Run = {}
        charts: dict[str, dict[str, list[float]]] = {}
        notes = []
        for who in (OURS, RIVAL):
            with who.serve(company) as server:  # type: ignore[attr-defined]
                runs[who.name] = measure(server, who, company, count=asked.filters, seed=asked.seed)
                if not asked.no_browser:
                    charts[who.name] = {}
                    for page, seconds in first_charts(server, who, company, count=1 if asked.quick else 3):
                        charts[who.name].setdefault(page, []).append(seconds)
                notes.append(
                    f"{who.name}: started in {server.seconds_to_start:.1f} s, "
                    f"{server.memory_mb():,.0f} MB resident at the end"
                )
    yield from table(runs)
    yield from browser_table(charts)
    yield ""
    yield "; ".join(notes) + "."


def table(runs: Run) -> Iterator[str]:
    """Yield the comparison, in milliseconds."""
    ours, rival = runs[OURS.name], runs[RIVAL.name]
    yield (
        "| page | after | n | Luopan, median | p95 | CPU | typical, median | p95 | CPU "
        "| typical ÷ Luopan, median | CPU |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for page in PAGES:
        for kind in KINDS:
            cells = [*_cells(ours[page], kind), *_cells(rival[page], kind)]
            wall = median(rival[page].wall[kind]) / median(ours[page].wall[kind])
            spent = mean(ours[page].cpu[kind])
            cpu = f"{mean(rival[page].cpu[kind]) / spent:.1f}" if spent else ""
            counts = dict.fromkeys(str(len(each[page].wall[kind])) for each in (ours, rival))
            yield f"| {page} | {kind} | {', '.join(counts)} | {' | '.join(cells)} | **{wall:.1f}** | {cpu} |"


def mean(values: list[float]) -> float:
    """Return the mean; CPU time comes in ticks, whose median says little."""
    return sum(values) / len(values)


def _cells(measured: Measured, kind: str) -> list[str]:
    wall = measured.wall[kind]
    values = (median(wall), percentile(wall, 0.95), mean(measured.cpu[kind]))
    return [f"{value * 1000:,.0f}" for value in values]


def browser_table(charts: dict[str, dict[str, list[float]]]) -> Iterator[str]:
    """Yield the time to the first chart in a browser."""
    if not charts or not all(charts.values()):
        yield ""
        yield "No browser was used: the time to the first chart was not measured."
        return
    yield ""
    yield "From the address to the first chart in Chromium, empty browser cache, seconds (median):"
    yield ""
    yield "| page | n | Luopan | typical | typical ÷ Luopan |"
    yield "|---|--:|--:|--:|--:|"
    for page in PAGES:
        ours, rival = (median(charts[who.name][page]) for who in (OURS, RIVAL))
        yield f"| {page} | {len(charts[OURS.name][page])} | {ours:.2f} | {rival:.2f} | **{rival / ours:.1f}** |"


if __name__ == "__main__":
    sys.exit(main())
