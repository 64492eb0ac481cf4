"""The process that builds a mirror: `python -m core.db.mirror_child`, started by `core.db.mirror_builder`.

It is told the statements, and so loads neither SQLAlchemy nor the company's tables.
"""

from __future__ import annotations

import gc
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.db.mirror_source import Source


def main() -> None:
    """Build as told; what is loaded before stays to the end, so nobody looks through it for garbage."""
    gc.disable()
    import duckdb

    from core.db.mirror_build import Plan, build

    told = json.load(sys.stdin)
    source = _source_of(told["url"], told["reads"])
    gc.freeze()
    gc.enable()
    plan = Plan(told["url"], told["zone"], told["base"])
    with duckdb.connect(told["path"]) as connection, source.snapshot():
        build(connection, source, plan, told["tables"], progress=_say)
    source.close()


def _source_of(url: str, reads: dict[str, Any] | None) -> Source:
    if reads is None:
        from core.db.engine import open_engine
        from core.db.mirror_asked import open_source

        return open_source(open_engine(url))
    from core.db.mirror_told import Told, ToldPostgres

    told = {subject: Told.of_text(each) for subject, each in reads["told"].items()}
    if reads["kind"] == "postgresql":
        import psycopg  # a builder from SQLite does without

        return ToldPostgres(psycopg.connect(reads["where"]), told)
    from core.db.mirror_adbc import AdbcSource  # never in the program's own process

    return AdbcSource(reads["where"], told)


def _say(share: float) -> None:
    sys.stdout.write(f"{share:.2f}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
