"""The programs that are measured, on data made for the measurement."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlmodel import select

from core.access.actors import SYSTEM
from core.db.migrate import migrate
from core.db.work import Database
from core.model import User
from core.services import sign_in
from core.services.founding import found_company
from core.settings import PROJECT_ROOT, settings
from data.demo.load import SEED, load_demo

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Company:
    """A data folder with the demo company in it."""

    folder: Path

    @property
    def database_file(self) -> Path:
        """The SQLite file, as core.settings names it."""
        return self.folder / "luopan.db"

    @property
    def database_url(self) -> str:
        """Its address for SQLAlchemy."""
        return f"sqlite:///{self.database_file}"

    def save_a_deal(self, number: int) -> None:
        """Make a deal worth one more, as somebody's form would; its triggers say so to the mirror."""
        with sqlite3.connect(self.database_file, timeout=30) as connection:
            connection.execute(
                "UPDATE deal SET base_amount = base_amount + 100 WHERE id = "
                "(SELECT id FROM deal WHERE id >= ? ORDER BY id LIMIT 1)", (number,)
            )  # fmt: skip
        connection.close()

    def open(self) -> Database:
        """Open the database in this process."""
        chosen = settings()
        return Database(self.database_url, zone=chosen.zone, base_currency=chosen.base_currency)


def make_company(folder: Path, *, deals: int, until: date, seed: int = SEED) -> Company:
    """Make the demo company in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    company = Company(folder)
    migrate(company.database_url)
    database = company.open()
    if deals:
        load_demo(database, deals=deals, seed=seed, until=until)
    else:
        with database.writing(SYSTEM, now=datetime.now(UTC), action="found") as work:
            found_company(work)
    database.close()
    return company


@contextmanager
def a_company(*, deals: int, until: date, kept: Path | None = None) -> Iterator[Company]:
    """Give the demo company in a folder that goes with it, or in one of `kept`, where it is made once.

    A kept one has its mirror taken away, so that whoever opens it first builds one.
    """
    if kept is None:
        with tempfile.TemporaryDirectory() as folder:
            yield make_company(Path(folder), deals=deals, until=until)
        return
    folder = kept / f"{deals}-until-{until}"
    if not (folder / "luopan.db").exists():
        making = kept / f"making-{deals}"
        shutil.rmtree(making, ignore_errors=True)
        make_company(making, deals=deals, until=until)
        making.rename(folder)
    shutil.rmtree(folder / "mirror", ignore_errors=True)
    yield Company(folder)


def signed_in(company: Company, username: str) -> dict[str, str]:
    """Sign a user in by a ticket, as the sign-in page does after the password; return the cookies."""
    database, now = company.open(), datetime.now(UTC)
    binding = secrets.token_urlsafe(32)
    with database.reading(SYSTEM, now=now) as work:
        user_id = work.session.exec(select(User.id).where(User.username == username)).one()
    assert user_id is not None
    ticket = sign_in.issue_ticket(database, user_id=user_id, binding=binding, next_path="/", now=now)
    redeemed = sign_in.redeem_ticket(
        database, ticket=ticket, binding=binding, address="127.0.0.1", browser="benchmark", now=now, hours=12
    )
    database.close()
    assert redeemed is not None
    return {"sid": redeemed.token, "browser": binding}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@dataclass
class Server:
    """A program that is being served."""

    url: str
    process: subprocess.Popen[bytes]
    seconds_to_start: float

    def memory_mb(self) -> float:
        """Resident memory in MB; NaN where the system does not say."""
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.is_file():
            return float("nan")
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


@contextmanager
def luopan(company: Company, *, port: int | None = None, command: list[str] | None = None) -> Iterator[Server]:
    """Serve Luopan on the company's data."""
    port = port or free_port()
    own = {"LUOPAN_DATA_DIR": str(company.folder), "LUOPAN_PORT": str(port), "LUOPAN_DEMO": "never"}
    with _served(command or [sys.executable, "-m", "core.serve"], port, "/healthz", own, company.folder) as server:
        yield server


@contextmanager
def typical(company: Company) -> Iterator[Server]:
    """Serve the typical dashboard on the same data, by plain `streamlit run`."""
    port = free_port()
    command = [
        sys.executable, "-m", "streamlit", "run", "Overview.py", "--server.port", str(port),
        "--server.headless", "true", "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    own = {"DASHBOARD_DATABASE": str(company.database_file)}
    with _served(command, port, "/_stcore/health", own, company.folder, HERE / "typical") as server:
        yield server


@contextmanager
def _served(
    command: list[str], port: int, ready: str, own: dict[str, str], folder: Path, place: Path = PROJECT_ROOT
) -> Iterator[Server]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("LUOPAN_", "STREAMLIT_"))}
    url = f"http://localhost:{port}"
    log = folder / f"server-{port}.log"
    begun = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=place, env=others | own, stdout=output, stderr=output)
    try:
        _wait(url + ready, process, log)
        yield Server(url, process, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(log.read_text(errors="replace"))
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(log.read_text(errors="replace"))
