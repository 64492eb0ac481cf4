"""Many viewers, one interaction each some seconds, while reps log deals: how long pages take and how fresh they are.

python -m benchmarks.viewers --viewers 50 --every 10 --reps 10 --seconds 120 --deals 100000
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from benchmarks.interactions import OURS, PAGES, median, percentile, steps
from benchmarks.servers import Server, luopan, make_company, signed_in
from benchmarks.stress import Person, hire
from benchmarks.wire import PageBroke, Shown, Tab

_COUNTED = "open-overview-pipeline"
_PATIENCE = 10.0


@dataclass
class Seen:
    """What the viewers waited, how long after its confirmation a page had counted a deal, and errors."""

    waits: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> int:
    """Run it and print its table."""
    for line in report(parsed(arguments)):
        print(line, flush=True)
    return 0


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewers", description=__doc__)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two interactions of a viewer")
    parser.add_argument("--reps", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--deals", type=int, default=100_000, help="size of the company")
    parser.add_argument("--until", type=date.fromisoformat, default=datetime.now(UTC).date() - timedelta(days=1))
    return parser.parse_args(arguments)


def report(asked: argparse.Namespace) -> Iterator[str]:
    """Yield the table of one run."""
    with tempfile.TemporaryDirectory() as folder:
        company = make_company(Path(folder), deals=asked.deals, until=asked.until)
        staff, cookies = hire(company, asked.reps), signed_in(company, "leader")
        with luopan(company) as server:
            Tab(server.url, "overview", cookies=cookies).close()
            seen = _run(server, staff, cookies, asked)
            memory = server.memory_mb()
    yield f"{asked.viewers} viewers, one interaction each {asked.every:g} s, {asked.reps} reps, {asked.deals:,} deals:"
    yield ""
    yield "| figure | n | median | p95 |"
    yield "|---|--:|--:|--:|"
    for name, values in (
        ("a viewer's interaction, s", seen.waits),
        ("from a deal's confirmation until its rep's Overview has counted it, s", seen.fresh),
    ):
        if values:
            yield f"| {name} | {len(values)} | {median(values):.2f} | {percentile(values, 0.95):.2f} |"
    yield f"| errors | {len(seen.errors)} | | |"
    yield f"| resident memory at the end, MB | 1 | {memory:,.0f} | |"
    yield from (f"! {error}" for error in seen.errors[:10])


def _run(server: Server, staff: list[Person], cookies: dict[str, str], asked: argparse.Namespace) -> Seen:
    seen, over = Seen(), threading.Event()
    with ThreadPoolExecutor(asked.viewers + asked.reps) as pool:
        work = [pool.submit(_view, server, cookies, n, asked, seen, over) for n in range(asked.viewers)]
        work += [pool.submit(_log, server, person, asked.every, seen, over) for person in staff]
        over.wait(asked.seconds)
        over.set()
        for each in work:
            each.result()
    return seen


def _view(
    server: Server, cookies: dict[str, str], number: int, asked: argparse.Namespace, seen: Seen, over: threading.Event
) -> None:
    dice = random.Random(number)
    if over.wait(dice.uniform(0, asked.every)):
        return
    with Tab(server.url, PAGES[number % len(PAGES)], cookies=cookies) as tab:
        filters = steps(tab.shown, OURS, count=1_000, seed=number)
        while not over.wait(asked.every):
            period, team = dice.choice(filters)
            try:
                tab.put(OURS.team, [team] if team else [])
                seen.waits.append(tab.choose(OURS.period, period).seconds)
            except PageBroke as error:
                seen.errors.append(str(error))


def _log(server: Server, person: Person, every: float, seen: Seen, over: threading.Event) -> None:
    """Log deals, and look at one's own Overview after each, as reps do."""
    dice = random.Random(person.username)
    if over.wait(dice.uniform(0, every)):
        return
    with Tab(server.url, "overview", cookies=person.cookies) as own:
        count = _counted(own.shown)
        while not over.wait(every * dice.uniform(0.5, 1.5)):
            try:
                count += 1
                _save(server, person, f"Viewed {person.username}-{count}")
                seen.fresh.append(_counting(own, count))
            except PageBroke as error:
                seen.errors.append(str(error))


def _save(server: Server, person: Person, name: str) -> None:
    with Tab(server.url, "log_deal", query=f"customer={person.customer_id}", cookies=person.cookies) as tab:
        tab.put("log_deal.name", name)
        tab.choose("log_deal.amount", "1000")
        if not tab.press("save-deal").says("Saved"):
            raise PageBroke("a deal was not confirmed")


def _counting(own: Tab, count: int) -> float:
    """Return the seconds from now until Overview counts so many open deals. Raises PageBroke where it never does."""
    began = time.perf_counter()
    while time.perf_counter() - began < _PATIENCE:
        if _counted(own.run()) >= count:
            return time.perf_counter() - began
    raise PageBroke(f"a deal was not counted within {_PATIENCE:g} s")


def _counted(shown: Shown) -> int:
    _kind, button = shown.widget(_COUNTED)
    return int("".join(c for c in button.label if c.isdigit()))


if __name__ == "__main__":
    sys.exit(main())
