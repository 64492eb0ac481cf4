"""Having a mirror built by a child process, which has a core and memory of its own, and gives both back at its end.

`python -m core.db.mirror_child` is that child: it is told what to build on its standard input and says the share
done, line by line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from core.db.mirror_columns import told_of
from core.db.mirror_definitions import table_definitions

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Dialect

    from core.db.mirror_build import Plan

ROOT = Path(__file__).resolve().parents[2]


class BuildFailed(Exception):
    """The child process ended without a mirror; its last words are the text."""


def build_by_child(plan: Plan, path: Path, *, progress: Callable[[float], None]) -> None:
    """Build a file in a process of its own. Raises BuildFailed."""
    command = [sys.executable, "-m", "core.db.mirror_child"]
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    told = {**asdict(plan), "path": str(path), "tables": table_definitions(), "reads": _reads(plan.url)}
    with subprocess.Popen(  # noqa: S603 - our own module
        command, env={**os.environ, "PYTHONPATH": paths}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as child:  # fmt: skip
        orders, lines, errors = cast("tuple[IO[str], IO[str], IO[str]]", (child.stdin, child.stdout, child.stderr))
        orders.write(json.dumps(told))
        orders.close()
        try:
            for line in lines:
                progress(float(line))
        except BaseException:
            child.kill()
            raise
        said = errors.read()
    if child.returncode:
        raise BuildFailed(said.partition("nanobind:")[0].strip()[-2_000:])


def _reads(url: str) -> dict[str, Any] | None:
    """Return how a child reads a database fastest that it opens in no other way; None where the wheel is missing."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        if find_spec("adbc_driver_sqlite") is None:
            return None
        kind, where = "sqlite", str(address.database)
        dialect: Dialect = SQLiteDialect_pysqlite()
    else:
        kind, where = "postgresql", address.set(drivername="postgresql").render_as_string(hide_password=False)
        dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]
    told = {subject: each.as_text() for subject, each in told_of(dialect).items()}
    return {"kind": kind, "where": where, "told": told}
