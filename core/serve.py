"""`python -m core.serve`: prepare the installation, say where it is, and serve it.

`uvicorn Home:app` and `streamlit run Home.py` come through `lifespan` here, which prepares it for them too.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from argparse import ArgumentParser
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from threading import Event, Thread
from typing import TYPE_CHECKING

from core.access.actors import SYSTEM
from core.db import migrate
from core.db.work import open_database
from core.errors import AnalyticsAway
from core.i18n import _, use_language
from core.jobs.allocator import share_memory
from core.jobs.collector import Spared
from core.jobs.period_awards import keep_giving
from core.services import installation, people, sign_in
from core.services.founding import found_company
from core.services.passwords import dummy_hash
from core.settings import PROJECT_ROOT, settings, unknown_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.db.work import Database

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_GRACE_SECONDS = 10
_announced: list[str] = []
_CHATTER = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "websockets")


@cache
def prepare() -> None:
    """Make the installation ready: folder, schema, standard process, demo where it is asked for.

    Once a process; on a database that is ready it takes well under a second.
    """
    os.umask(0o077)  # the database and its keys are this user's alone
    chosen = settings()
    for name in unknown_settings(os.environ):
        print(f"{name} is not a setting of Luopan and changes nothing.", file=sys.stderr)
    chosen.data_dir.mkdir(parents=True, exist_ok=True)
    migrate.migrate(chosen.url)
    database, now = open_database(), datetime.now(UTC)
    with database.writing(SYSTEM, now=now, action="found") as work:
        found_company(work)
    sign_in.forget_old(database, now=now)
    if chosen.demo == "load" and not people.anybody_there(database, now=now):
        print(_("Loading the demo company …"), flush=True)
        installation.load_demo_company(database, now=now)
    dummy_hash()


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Prepare before the first request, and put what start-up made out of the garbage collector's sight."""
    share_memory()
    keep_quiet()
    await asyncio.to_thread(prepare)
    announce()
    spared = Spared()
    spared.begin()
    database = open_database()
    opening = Thread(target=make_ready, args=(database,), name="mirror", daemon=True)
    opening.start()
    stopping = Event()
    giving = Thread(
        target=keep_giving, args=(database,), name="awards", daemon=True,
        kwargs={"stopping": stopping, "now": lambda: datetime.now(UTC)},
    )  # fmt: skip
    giving.start()
    yield
    spared.end()
    stopping.set()
    giving.join(_GRACE_SECONDS)
    end_forecasts()
    end_answers()
    database.close()
    opening.join(_GRACE_SECONDS)


def make_ready(database: Database) -> None:
    """Open the mirror; then, where anybody works here, warm the worker that makes first forecasts (140 MB).

    Where the analytics server is away that is said on the console: the first question tries again.
    """
    use_language(settings().default_language or "en")
    try:
        database.mirror.open()
    except AnalyticsAway as error:
        print(error.message(), file=sys.stderr, flush=True)
    if people.anybody_there(database, now=datetime.now(UTC)):
        from core.forecasting import workers

        workers.begin()


def end_forecasts() -> None:
    """End what computes forecasts in the background; what was fitted is kept."""
    for name, end in (("runs", "stop"), ("workers", "shutdown")):
        module = sys.modules.get(f"core.forecasting.{name}")
        if module is not None:
            getattr(module, end)()


def end_answers() -> None:
    """End what pages began to ask: nobody is there any more to whom it would be shown."""
    page = sys.modules.get("core.ui.page")
    if page is not None:
        page.stop_ahead()


def keep_quiet() -> None:
    """Have the server say what goes wrong, and nothing else.

    Streamlit turns uvicorn's chatter on when it is imported, the log of each request with it: and addresses hold
    one-time tickets and the tokens of share links.
    """
    for name in _CHATTER:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True


def announce(address: str = "") -> None:
    """Say on the console, once a process, that the program is ready and how to begin."""
    if not _announced:
        _announced.append(address)
        print(welcome(address), flush=True)


def welcome(address: str = "") -> str:
    """Return what the console says once the program is ready; `address` where the one who starts it knows it."""
    lines = ["", f"  Luopan 罗盘  {address}".rstrip(), ""]
    if not people.anybody_there(open_database(), now=datetime.now(UTC)):
        code = installation.setup_code()
        lines += [
            "  " + _("Nobody has an account yet: open the address to begin."),
            "  " + _("Setup code, asked for from other machines: {code}", code=code),
        ]
    elif installation.demo_sign_ins():
        lines += [f"  {line}" for line in installation.demo_sign_ins().splitlines()]
    return "\n".join([*lines, ""])


def _address() -> str:
    chosen = settings()
    name = "localhost" if chosen.host in _LOOPBACK else chosen.host
    return chosen.base_url or f"http://{name}:{chosen.port}"


def listener(host: str, port: int) -> socket.socket:
    """Return a listening socket whose connections send small messages at once (TCP_NODELAY)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.bind((host, port))
    opened.set_inheritable(True)
    return opened


def main(arguments: Sequence[str] = ()) -> int:
    """Serve until stopped; return the exit status."""
    import uvicorn

    said = "Serve Luopan. Where, and on what data, the settings say: environment variables, listed in the README."
    ArgumentParser(prog="python -m core.serve", description=said).parse_args(arguments)

    use_language(settings().default_language or "en")
    chosen = settings()
    try:
        opened = listener(chosen.host, chosen.port)
    except OSError as error:
        place = f"{chosen.host}:{chosen.port}"
        print(_("{place} cannot be opened: {reason}", place=place, reason=error.strerror), file=sys.stderr)
        return 1
    prepare()
    sys.path.insert(0, str(PROJECT_ROOT))
    config = uvicorn.Config(
        "Home:app", log_level="warning", access_log=False, proxy_headers=False, server_header=False,
        ws_ping_interval=20, ws_ping_timeout=30, timeout_graceful_shutdown=_GRACE_SECONDS, lifespan="on",
    )  # fmt: skip
    config.load()
    keep_quiet()
    announce(_address())
    uvicorn.Server(config).run(sockets=[opened])
    return 0


if __name__ == "__main__":
    from core.serve import (
        main as serve,  # Home.py imports this module by its own name: one `prepare`, not two
    )

    sys.exit(serve(sys.argv[1:]))
