"""Many people logging deals at once, with and without a power cut: is every deal there, once?"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlmodel import select
from websockets.exceptions import WebSocketException

from benchmarks.interactions import median, percentile
from benchmarks.servers import Company, free_port, luopan, make_company, signed_in
from benchmarks.wire import PageBroke, Tab
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.model import Customer, Rep, User

_LOST = (OSError, WebSocketException, TimeoutError, EOFError)
_BROWSED = ("overview", "funnel", "leaderboard", "deals")


@dataclass
class Person:
    """A rep at work: the sign-in, a customer of theirs, and what the screen has confirmed."""

    username: str
    customer_id: int
    cookies: dict[str, str]
    confirmed: list[str] = field(default_factory=list)
    found_later: list[str] = field(default_factory=list)
    taken_up: int = 0
    seconds: list[float] = field(default_factory=list)


@dataclass
class Outcome:
    """What is in the database against what was shown."""

    wanted: int
    confirmed: int
    found_later: int
    taken_up: int
    stored: int
    doubled: int
    lost: list[str]
    errors: list[str]
    pages_browsed: int
    killed: bool
    seconds: float
    saves: list[float]
    browses: list[float]

    @property
    def well(self) -> bool:
        """Whether every deal is there, once, and nobody was shown an error."""
        return not (self.lost or self.doubled or self.errors) and self.stored == self.wanted


class Stress:
    """One run: `people` reps log `deals` each while a manager browses."""

    def __init__(self, folder: Path, *, people: int, deals: int, kill: bool, company_deals: int = 1_500) -> None:
        self.people, self.deals, self.kill = people, deals, kill
        until = date.today() - timedelta(days=1)  # noqa: DTZ011 - the demo's last day, not an instant
        self.company = make_company(folder, deals=company_deals, until=until)
        self.staff = hire(self.company, people)
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        self.done = threading.Event()
        self.over = threading.Event()
        self.up = threading.Event()
        self.errors: list[str] = []
        self.browses: list[float] = []

    def run(self) -> Outcome:
        """Do it, and look at the database afterwards."""
        begun = time.perf_counter()
        with ThreadPoolExecutor(self.people + 2) as pool:
            serving = pool.submit(self._serve)
            self.up.wait(120)
            browsing = pool.submit(self._browse)
            working = [pool.submit(self._work, number, person) for number, person in enumerate(self.staff)]
            try:
                for work in working:
                    work.result()
                self.done.set()
                browsing.result()
            finally:
                self.done.set()
                self.over.set()
            serving.result()
        return self._outcome(time.perf_counter() - begun)

    def _serve(self) -> None:
        try:
            if self.kill:
                with luopan(self.company, port=self.port) as server:
                    self.up.set()
                    half = self.people * self.deals // 2
                    while self._confirmed() < half and not self.over.wait(0.01):
                        pass
                    self.up.clear()
                    server.kill()
            with luopan(self.company, port=self.port):
                self.up.set()
                self.over.wait()
        finally:
            self.up.set()

    def _confirmed(self) -> int:
        return sum(len(person.confirmed) for person in self.staff)

    def _work(self, number: int, person: Person) -> None:
        for count in range(self.deals):
            name = f"Stress {number:02d}-{count:03d}"
            amount = str(1_000 + number * 1_000 + count)
            try:
                self._log(person, name, amount, twice=count % 5 == 0)
            except PageBroke as error:
                self.errors.append(f"{name}: {error}")

    def _log(self, person: Person, name: str, amount: str, *, twice: bool) -> None:
        cut_off = False
        while True:
            self.up.wait(120)
            try:
                with Tab(self.url, "log_deal", query=f"customer={person.customer_id}", cookies=person.cookies) as tab:
                    if _take_up(tab):
                        person.taken_up += 1
                    elif cut_off and name in self.names():
                        person.found_later.append(name)
                        return
                    else:
                        tab.put("log_deal.name", name)
                        tab.choose("log_deal.amount", amount)
                    shown = tab.press("save-deal", twice=twice)
                    if not shown.says("Saved"):
                        raise PageBroke(f"not confirmed: {[alert.body for alert in shown.of('alert')]}")
                    person.confirmed.append(name)
                    person.seconds.append(shown.seconds)
                    return
            except _LOST:
                if not self.kill:
                    raise
                cut_off = True
                time.sleep(0.2)

    def _browse(self) -> None:
        cookies = signed_in(self.company, "leader")
        step = 0
        while not self.done.is_set():
            self.up.wait(120)
            page = _BROWSED[step % len(_BROWSED)]
            step += 1
            try:
                with Tab(self.url, page, cookies=cookies) as tab:
                    self.browses.append(tab.shown.seconds)
            except PageBroke as error:
                self.errors.append(f"{page}: {error}")
            except _LOST:
                if not self.kill:
                    raise
                time.sleep(0.2)

    def names(self) -> list[str]:
        """Return the names of the deals that were logged in this run, as the database has them."""
        with sqlite3.connect(self.company.database_file, timeout=30) as connection:
            found = connection.execute("SELECT name FROM deal WHERE name LIKE 'Stress %'").fetchall()
        connection.close()
        return [name for (name,) in found]

    def _outcome(self, seconds: float) -> Outcome:
        stored = self.names()
        confirmed = [name for person in self.staff for name in person.confirmed]
        return Outcome(
            wanted=self.people * self.deals,
            confirmed=len(confirmed),
            found_later=sum(len(person.found_later) for person in self.staff),
            taken_up=sum(person.taken_up for person in self.staff),
            stored=len(stored),
            doubled=len(stored) - len(set(stored)),
            lost=sorted(set(confirmed) - set(stored)),
            errors=self.errors,
            pages_browsed=len(self.browses),
            killed=self.kill,
            seconds=seconds,
            saves=[value for person in self.staff for value in person.seconds],
            browses=self.browses,
        )


def _take_up(tab: Tab) -> bool:
    """Continue with the draft that the page offers, as a person would after a lost connection."""
    try:
        tab.press_labelled("Continue with it")
    except KeyError:
        return False
    return True


def hire(company: Company, people: int) -> list[Person]:
    """Give `people` reps of the company sign-ins, and sign them in."""
    database, now = company.open(), datetime.now(UTC)
    chosen: list[tuple[str, int]] = []
    with database.writing(SYSTEM, now=now, action="hire") as work:
        reps = work.session.exec(select(Rep).where(Rep.left_on == None)).all()  # noqa: E711 - SQL's IS NULL
        for rep in reps:
            customer = work.session.exec(select(Customer.id).where(Customer.owner_id == rep.id)).first()
            if customer is None or len(chosen) == people:
                continue
            username = f"stress.{len(chosen):02d}"
            work.session.add(User(username=username, name=rep.name, role=Role.REP, rep_id=rep.id, language="en"))
            chosen.append((username, customer))
    database.close()
    if len(chosen) < people:
        raise SystemExit(f"The demo company has only {len(chosen)} reps with customers.")
    return [Person(username, customer, signed_in(company, username)) for username, customer in chosen]


def said(outcome: Outcome) -> str:
    """Return the outcome in words."""
    saves, browses = outcome.saves, outcome.browses
    lines = [
        f"{'with kill -9 halfway' if outcome.killed else 'undisturbed'}: {'WELL' if outcome.well else 'NOT WELL'}",
        f"  deals wanted {outcome.wanted:,}, stored {outcome.stored:,}, doubled {outcome.doubled}",
        f"  confirmed on screen {outcome.confirmed:,}, of those missing {len(outcome.lost)}",
        f"  found saved after the cut {outcome.found_later}, drafts taken up {outcome.taken_up}",
        f"  errors shown {len(outcome.errors)}; pages browsed meanwhile {outcome.pages_browsed}",
        f"  save: median {median(saves):.2f} s, p95 {percentile(saves, 0.95):.2f} s",
        f"  page: median {median(browses):.2f} s, p95 {percentile(browses, 0.95):.2f} s",
        f"  {outcome.seconds:.0f} s in all",
    ]
    return "\n".join([*lines, *(f"  ! {error}" for error in outcome.errors[:10])])


def main(arguments: list[str] | None = None) -> int:
    """Run it undisturbed and with a power cut; return 1 where a deal was lost or doubled or an error shown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stress", description=__doc__)
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--deals", type=int, default=50, help="of each (default: %(default)s)")
    parser.add_argument("--only", choices=["undisturbed", "kill"], help="one of the two runs")
    asked = parser.parse_args(arguments)
    well = True
    for kill in (False, True):
        if asked.only == ("undisturbed" if kill else "kill"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            outcome = Stress(Path(folder), people=asked.people, deals=asked.deals, kill=kill).run()
        print(said(outcome), flush=True)
        well = well and outcome.well
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
