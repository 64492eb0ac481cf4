"""What is done on each page, and how long each answer took."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers import Company, Server, luopan, signed_in, typical
from benchmarks.wire import Shown, Tab

PAGES = ("overview", "funnel", "leaderboard")
NEW, AGAIN, FIRST = "a filter not asked before", "a filter asked before", "a page opened by another tab"
SAVED = "a filter, after a deal was saved"
KINDS = (NEW, AGAIN, SAVED, FIRST)


@dataclass(frozen=True)
class Contender:
    """A program and how its pages and filters are called; `refresh`: its button that reads the data again."""

    name: str
    serve: Callable[[Company], object]
    paths: dict[str, str]
    period: str
    team: str
    user: str = ""
    refresh: str = ""


OURS = Contender("Luopan", luopan, {page: page for page in PAGES}, "filter-period", "filter-team", user="leader")
RIVAL = Contender(
    "typical",
    typical,
    {"overview": "", "funnel": "Funnel", "leaderboard": "Leaderboard"},
    "period",
    "team",
    refresh="refresh",
)


@dataclass
class Measured:
    """One contender's answers on one page: wall seconds and CPU seconds of the server."""

    wall: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def note(self, kind: str, wall: float, cpu: float) -> None:
        """Keep one answer."""
        self.wall.setdefault(kind, []).append(wall)
        self.cpu.setdefault(kind, []).append(cpu)


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def median(values: list[float]) -> float:
    """Return the median; NaN of nothing."""
    return statistics.median(values) if values else float("nan")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used; NaN where the system does not say."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.is_file():
        return float("nan")
    said = stat.read_text().rpartition(")")[2].split()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")


def steps(shown: Shown, who: Contender, *, count: int, seed: int) -> list[tuple[str, str]]:
    """Return `count` filters as (period, team), "" for all teams: the same for each contender."""
    _kind, period = shown.widget(who.period)
    _kind, team = shown.widget(who.team)
    periods = [option for option in period.options if "…" not in option][:16]
    teams = ["", *sorted(team.options)]
    every = [(a, b) for a in range(len(periods)) for b in range(len(teams))]
    random.Random(seed).shuffle(every)
    return [(periods[a], teams[b]) for a, b in every[:count]]


def measure(server: Server, who: Contender, company: Company, *, count: int, seed: int) -> dict[str, Measured]:
    """Return what each page took: each filter once, again, and after a deal was saved, then new tabs' first runs.

    What was saved counts in all: Luopan sees it by itself, the rival when its button is pressed with the filter. It
    then reads everything again, so it is asked for a third of the filters.
    """
    cookies = signed_in(company, who.user) if who.user else {}
    found = {page: Measured() for page in PAGES}
    for page, path in who.paths.items():
        Tab(server.url, path, cookies=cookies).close()
        with Tab(server.url, path, cookies=cookies) as tab:
            chosen = steps(tab.shown, who, count=count, seed=seed)
            for kind in (NEW, AGAIN):
                for period, team in chosen:
                    tab.put(who.team, [team] if team else [])
                    before = cpu_seconds(server.process.pid)
                    shown = tab.choose(who.period, period)
                    found[page].note(kind, shown.seconds, cpu_seconds(server.process.pid) - before)
            saved = chosen[: max(3, count // 3)] if who.refresh else chosen
            for number, (period, team) in enumerate(saved, start=1):
                company.save_a_deal(number)
                tab.put(who.team, [team] if team else [])
                tab.put(who.period, period)
                before = cpu_seconds(server.process.pid)
                shown = tab.press(who.refresh) if who.refresh else tab.run()
                found[page].note(SAVED, shown.seconds, cpu_seconds(server.process.pid) - before)
        for _again in range(max(3, count // 4)):
            before = cpu_seconds(server.process.pid)
            with Tab(server.url, path, cookies=cookies) as tab:
                found[page].note(FIRST, tab.shown.seconds, cpu_seconds(server.process.pid) - before)
    return found


def first_charts(server: Server, who: Contender, company: Company, *, count: int) -> Iterator[tuple[str, float]]:
    """Return page and seconds from the address to the first chart in a real browser, cache empty."""
    from playwright.sync_api import sync_playwright

    from benchmarks.browser import chromium

    path = chromium()
    if path is None:
        return
    cookies = signed_in(company, who.user) if who.user else {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _again in range(count):
            for page, address in who.paths.items():
                context = browser.new_context(viewport={"width": 1440, "height": 1200}, locale="en-US")
                context.add_cookies([{"name": n, "value": v, "url": server.url} for n, v in cookies.items()])
                opened = context.new_page()
                begun = time.perf_counter()
                opened.goto(f"{server.url}/{address}")
                opened.locator('[data-testid="stPlotlyChart"] .main-svg').first.wait_for(timeout=60_000)
                yield page, time.perf_counter() - begun
                context.close()
        browser.close()
