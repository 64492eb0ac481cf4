"""A running program with a small demo company, and a browser that signs in to it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEALS = 1_500
HOMES = frozenset({"/today", "/people"})
"""Pages that have the bare address, for one role or another."""
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
ROLES = {
    "rep": "shanghai.rep",
    "manager": "east.manager",
    "leadership": "leader",
    "operations": "operations",
    "administrator": "administrator",
}
_MAKE = """
import sys
from datetime import UTC, datetime
from core.db import migrate
from core.db.work import open_database
from core.services.installation import load_demo_company
from core.settings import settings
migrate.migrate(settings().url)
load_demo_company(open_database(), now=datetime.now(UTC), deals=int(sys.argv[1]))
"""


@dataclass(frozen=True)
class AppServer:
    """A running program: its address, its data folder, and the demo company's passphrase."""

    url: str
    data_dir: Path
    passphrase: str
    environment: dict[str, str]

    def admin(self, *arguments: str) -> str:
        """Run `python -m core.admin` on this program's data; return what it prints."""
        return _python(self.environment, "-m", "core.admin", *arguments)


def _python(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="session")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The program on a port of its own, with the demo company."""
    with serving(tmp_path_factory.mktemp("app")) as server:
        yield server


@contextmanager
def serving(folder: Path) -> Iterator[AppServer]:
    """Serve a demo company made in `folder`."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LUOPAN_")}
    environment |= {"LUOPAN_DATA_DIR": str(folder), "LUOPAN_PORT": str(port), "LUOPAN_DEMO": "never"}
    _python(environment, "-c", _MAKE, str(DEALS))
    said = (folder / "demo-sign-in.txt").read_text(encoding="utf-8")
    passphrase = re.search(r"\S+-\d\d\b", said)
    assert passphrase, said
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.serve"], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    url = f"http://localhost:{port}"
    try:
        _wait_for(url, process, log)
        yield AppServer(url, folder, passphrase[0], environment)
    finally:
        process.terminate()
        process.wait(20)


def chromium_path() -> str | None:
    """Where Chromium is, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, or a skip that says it is missing."""
    path = chromium_path()
    if path is None:
        pytest.skip("Chromium is not installed; the browser flows were not run")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield started
        started.close()


_STILL = """idle => {
    if (window.changedAt === undefined) {
        window.changedAt = performance.now();
        const watch = new MutationObserver(() => { window.changedAt = performance.now(); });
        watch.observe(document, {childList: true, subtree: true});
    }
    const isDrawn = document.querySelector("[data-testid='stSkeleton']") === null;
    return isDrawn && document.querySelector(idle) !== null && performance.now() - window.changedAt > 250;
}"""


def settle(page: Any) -> None:
    """Wait until the script has run, each element's code is loaded, and for 250 ms nothing has come or gone."""
    page.wait_for_timeout(250)
    page.wait_for_function(_STILL, arg=IDLE, timeout=30_000)


_TURN = """address => {
    window.hasTurned = false;
    const app = document.querySelector("[data-testid='stApp']");
    const watch = new MutationObserver(records => {
        window.hasTurned ||= records.some(({type, target}) => type === "attributes" || target.closest("main"));
        if (window.hasTurned) watch.disconnect();
    });
    watch.observe(app, {attributeFilter: ["data-test-script-state"], childList: true, subtree: true});
    history.pushState({}, "", address);
    dispatchEvent(new PopStateEvent("popstate", {state: {}}));
}"""
"""A script may be over before its state is drawn, but then what it drew has come."""


def load(page: Any, address: str) -> None:
    """Load the program at an address."""
    page.goto(address)
    settle(page)


def turn_to(page: Any, address: str) -> None:
    """Open another page as the program's own links do; the present one, and what comes after home, is loaded anew."""
    asked = urlsplit(address).path
    if urlsplit(page.url).path in {asked, "/"}:
        load(page, address)
    else:
        page.evaluate(_TURN, address)
        page.wait_for_function("() => window.hasTurned")
        settle(page)
    landed = urlsplit(page.url).path
    assert landed == asked or (landed == "/" and asked in HOMES), f"{address} led to {page.url}"


def fill_sign_in(page: Any, username: str, password: str) -> None:
    """Fill the sign-in form and send it."""
    page.locator("input[type=text]").first.fill(username)
    page.locator("input[type=password]").fill(password)
    page.locator('[data-testid="stFormSubmitButton"] button').click()


PageAs = Callable[..., Any]


@pytest.fixture(scope="session")
def cookies() -> dict[str, list[Any]]:
    """By role, the cookies of who signed in last: one sign-in serves many tests, as it does a reader's tabs."""
    return {}


@pytest.fixture
def page_as(app_server: AppServer, browser: Any, cookies: dict[str, list[Any]]) -> Iterator[PageAs]:
    """`page_as("rep", path="funnel", locale="zh-CN", width=390, dark=True)`: a page, signed in."""
    contexts: list[Any] = []

    def make(
        role: str,
        path: str = "",
        *,
        locale: str = "en-US",
        width: int = 1440,
        height: int = 1200,
        dark: bool = False,
    ) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=locale, timezone_id="Asia/Shanghai",
            color_scheme="dark" if dark else "light", base_url=app_server.url,
            storage_state={"cookies": cookies.get(role, []), "origins": []},
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/{path.lstrip('/')}")
        settle(page)
        if not page.get_by_test_id("stSidebar").count():  # nobody has signed in yet, or somebody signed out
            fill_sign_in(page, ROLES[role], app_server.passphrase)
            page.get_by_test_id("stSidebar").wait_for(state="attached", timeout=30_000)
            settle(page)
            cookies[role] = context.cookies()
        return page

    yield make
    for context in contexts:
        context.close()
