"""`python -m core.serve`: prepare the installation, say where it is, and serve it."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import socket
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from core.access.actors import SYSTEM
from core.db import migrate
from core.db.work import open_database
from core.i18n import _, use_language
from core.services import people, sign_in
from core.services.founding import found_company
from core.services.passwords import dummy_hash
from core.settings import PROJECT_ROOT, settings, unknown_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

COOKIE_KEY = "cookie.key"
DEMO_SIGN_IN = "demo-sign-in.txt"
SETUP_CODE = "setup-code.txt"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_GRACE_SECONDS = 10


@cache
def prepare() -> None:
    """Make the installation ready: folder, schema, standard process, demo where it is asked for.

    Once a process; on a database that is ready it takes well under a second.
    """
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
        load_demo(database, now)
    dummy_hash()


def load_demo(database: Any, now: datetime) -> None:
    """Load the demo company, saying how far it is."""
    from data.demo import load_demo as load

    print("Loading the demo company …", flush=True)
    load(database, now=now)


def private_file(name: str, make: Callable[[], str]) -> str:
    """Return what the file `name` in the data folder says; made at first, for this user alone to read."""
    path = settings().data_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        text = make()
        file.write(text + "\n")
    return text


def set_cookie_secret(use: Callable[[str], None]) -> None:
    """Give Streamlit the key that it signs its cookies with."""
    use(private_file(COOKIE_KEY, lambda: secrets.token_urlsafe(48)))


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    """Prepare before the first request, and put what start-up made out of the garbage collector's sight."""
    await asyncio.to_thread(prepare)
    gc.collect()
    gc.freeze()
    yield
    open_database().close()


def welcome() -> str:
    """Return what the console says once the program is ready."""
    chosen = settings()
    place = (
        chosen.base_url or f"http://{'localhost' if chosen.host in _LOOPBACK else chosen.host}:{chosen.port}"
    )
    lines = ["", f"  Luopan 罗盘  {place}", ""]
    demo = chosen.data_dir / DEMO_SIGN_IN
    if demo.is_file():
        lines += [f"  {line}" for line in demo.read_text(encoding="utf-8").splitlines()]
    elif not people.anybody_there(open_database(), now=datetime.now(UTC)):
        lines += ["  " + _("Nobody has an account yet: open the address to begin.")]
    return "\n".join([*lines, ""])


def listener(host: str, port: int) -> socket.socket:
    """Return a listening socket whose connections send small messages at once (TCP_NODELAY)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.bind((host, port))
    opened.set_inheritable(True)
    return opened


def main() -> int:
    """Serve until stopped; return the exit status."""
    import uvicorn

    use_language(settings().default_language or "en")
    chosen = settings()
    try:
        opened = listener(chosen.host, chosen.port)
    except OSError as error:
        print(
            _(
                "{host}:{port} cannot be opened: {reason}",
                host=chosen.host,
                port=chosen.port,
                reason=error.strerror,
            )
        )
        return 1
    prepare()
    sys.path.insert(0, str(PROJECT_ROOT))
    config = uvicorn.Config(
        "Home:app", log_level="warning", access_log=False, proxy_headers=False, server_header=False, ws_ping_interval=20,
        ws_ping_timeout=30, timeout_graceful_shutdown=_GRACE_SECONDS, lifespan="on",
    )  # fmt: skip
    print(welcome(), flush=True)
    uvicorn.Server(config).run(sockets=[opened])
    return 0


if __name__ == "__main__":
    from core.serve import (
        main as serve,  # Home.py imports this module by its own name: one `prepare`, not two
    )

    sys.exit(serve())
