"""Building a mirror whole: in this process, or by a child that leaves it as a file.

`python -m core.db.mirror_child` is that child: it is told what to build on its standard input and says the share
done, line by line. It has a core and memory of its own, and gives both back at its end.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import duckdb
from sqlalchemy import make_url

from core.db.engine import open_engine
from core.db.mirror_load import DERIVED_BY, Loader
from core.db.mirror_source import open_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.db.mirror_source import Source

ROOT = Path(__file__).resolve().parents[2]


class BuildFailed(Exception):
    """The child process ended without a mirror; its last words are the text."""


class Stopped(Exception):
    """The mirror was closed while it was built."""


@dataclass(frozen=True)
class Plan:
    """What is built: of which database, in whose days and money."""

    url: str
    zone: str
    base: str

    @property
    def fingerprint(self) -> str:
        """A text that changes with whatever a mirror's content depends on besides the database's rows."""
        found = hashlib.sha256(f"{duckdb.__version__}\n{self.url}\n{self.zone}\n{self.base}".encode())
        for path in DERIVED_BY:
            found.update(path.read_bytes())
        return found.hexdigest()


def build(
    connection: duckdb.DuckDBPyConnection, source: Source, plan: Plan, *, progress: Callable[[float], None]
) -> None:
    """Fill an empty connection with version 1, inside a snapshot of the source, and mark what it holds.

    One thread writes while others read and derive: two would leave row groups half filled.
    """
    connection.execute("SET threads TO 1")
    connection.execute("SET write_buffer_row_group_count TO 1")
    connection.execute("BEGIN TRANSACTION")
    loader = Loader(source, connection, plan.zone, plan.base)
    loader.create()
    loader.load_everything(progress)
    source.mark()
    said = [source.position(), plan.fingerprint]
    connection.execute("CREATE TABLE mirror_mark AS SELECT ? AS mark, ? AS fingerprint", said)
    connection.execute("UPDATE mirror_state SET version = 1")
    connection.execute("COMMIT")
    connection.execute("RESET threads")


def build_by_child(plan: Plan, path: Path, *, progress: Callable[[float], None]) -> None:
    """Build a file in a process of its own. Raises BuildFailed."""
    command = [sys.executable, "-m", "core.db.mirror_child"]
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with subprocess.Popen(  # noqa: S603 - our own module
        command, env={**os.environ, "PYTHONPATH": paths}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        told, lines, errors = cast("tuple[IO[str], IO[str], IO[str]]", (child.stdin, child.stdout, child.stderr))
        told.write(json.dumps({**asdict(plan), "path": str(path)}))
        told.close()
        try:
            for line in lines:
                progress(float(line))
        except BaseException:
            child.kill()
            raise
        said = errors.read()
    if child.returncode:
        raise BuildFailed(said.partition("nanobind:")[0].strip()[-2_000:])


def build_as_told() -> None:
    """Build the mirror that standard input tells of."""
    told = json.load(sys.stdin)
    path = Path(told.pop("path"))
    plan = Plan(**told)
    source = _source_of(plan.url)
    with duckdb.connect(str(path)) as connection, source.snapshot():
        build(connection, source, plan, progress=_say)
    source.close()


def _source_of(url: str) -> Source:
    """Return the source that reads a database fastest in a process that opens it in no other way."""
    address = make_url(url)
    backend = address.get_backend_name()
    if backend == "sqlite" and find_spec("adbc_driver_sqlite") is not None:
        from core.db.mirror_adbc import AdbcSource  # never in the program's own process

        return AdbcSource(str(address.database))
    if backend == "postgresql" and find_spec("adbc_driver_postgresql") is not None:
        from core.db.mirror_adbc_postgres import AdbcPostgresSource

        return AdbcPostgresSource(url)
    return open_source(open_engine(url))


def _say(share: float) -> None:
    sys.stdout.write(f"{share:.2f}\n")
    sys.stdout.flush()
