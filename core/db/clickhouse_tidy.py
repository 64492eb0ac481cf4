"""Clearing away what no reader of the mirror in ClickHouse can see any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.db.clickhouse_tables import (
    FOLLOWED,
    GENERATION,
    STATES,
    SUBJECT_OF,
    SUBJECTS,
    SUPERSEDED,
    VERSION,
    WHOLE,
    stored,
)

if TYPE_CHECKING:
    from core.db.clickhouse_server import Server
    from core.db.clickhouse_tables import Version

KEPT_SECONDS: Final = 3_600
"""How long a version stays readable after a later one; a page that began with it is long done."""

FORGOTTEN_SECONDS: Final = 7 * 86_400
"""How long the last version of another program version or company setting stays after its last change."""


def tidy(server: Server, version: Version, fingerprint: str, *, kept_seconds: int = KEPT_SECONDS) -> None:
    """Delete generations, rows and versions that ended long enough ago; what `version` sees stays."""
    values = {
        "fingerprint": fingerprint,
        "generation": version.generation,
        "kept": kept_seconds,
        "forgotten": FORGOTTEN_SECONDS,
    }
    over = server.read(
        f"SELECT generation FROM {STATES} GROUP BY generation HAVING generation != {{generation:UInt64}} "
        "AND max(made_at) <= now() - if(any(fingerprint) = {fingerprint:String}, {kept:Int64}, {forgotten:Int64})",
        values,
    )
    for generation in over.column(0).to_pylist():
        for name in (*(stored(table.name) for table in (*FOLLOWED, *WHOLE)), SUPERSEDED):
            server.run(f"ALTER TABLE {name} DROP PARTITION {int(generation)}")
        server.run(f"DELETE FROM {STATES} WHERE generation = {int(generation)}")
    _drop_superseded(server, version, values)


def _drop_superseded(server: Server, version: Version, values: dict[str, object]) -> None:
    found = server.read(
        f"SELECT max(version) AS until FROM {STATES} WHERE done AND generation = {{generation:UInt64}} "
        "AND made_at <= now() - {kept:Int64} AND version < {version:UInt64} HAVING count() > 0",
        {**values, "version": version.number},
    )
    if not found.num_rows:
        return
    until = {"generation": version.generation, "until": found.column(0)[0].as_py()}
    inside = "generation = {generation:UInt64} AND by <= {until:UInt64}"
    for table in FOLLOWED:
        subject, key = SUBJECT_OF[table.name]
        server.run(
            f"DELETE FROM {stored(table.name)} WHERE {GENERATION} = {{generation:UInt64}} "
            f"AND (assumeNotNull({key}), {VERSION}) IN "
            f"(SELECT key, version FROM {SUPERSEDED} WHERE {inside} AND subject = {SUBJECTS.index(subject)})",
            until,
        )
    for table in WHOLE:
        read_last = f"(SELECT max({VERSION}) FROM {stored(table.name)} WHERE {GENERATION} = {{generation:UInt64}} "
        server.run(
            f"DELETE FROM {stored(table.name)} WHERE {GENERATION} = {{generation:UInt64}} "
            f"AND {VERSION} < {read_last} AND {VERSION} <= {{until:UInt64}})",
            until,
        )
    server.run(f"DELETE FROM {SUPERSEDED} WHERE {inside}", until)
    server.run(f"DELETE FROM {STATES} WHERE generation = {{generation:UInt64}} AND version < {{until:UInt64}}", until)
