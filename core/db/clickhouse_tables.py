"""How the mirror's tables lie in ClickHouse: every row says in which version it was written.

docs/adr/0006-clickhouse.md says how a reader sees one version of all tables while the next one is written.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import BigInteger, Boolean, Date, DateTime, Float, Integer, Numeric, SmallInteger, String
from sqlalchemy.types import TypeEngine

from core.analytics import tables

if TYPE_CHECKING:
    from sqlalchemy import Table

SUBJECT_OF: Final[dict[str, tuple[str, str]]] = {
    table.name: ("deal", "deal_id") for table in tables.MIRRORED.sorted_tables if "deal_id" in table.columns
} | {"deals": ("deal", "id"), "customers": ("customer", "id"), "activities": ("activity", "id")}
"""Tables that are followed row by row: whose rows they are, and the column that says of which one."""

SUBJECTS: Final = ("deal", "customer", "activity")
"""They stand in `superseded` by their place in here."""

FOLLOWED: Final = tuple(table for table in tables.MIRRORED.sorted_tables if table.name in SUBJECT_OF)
WHOLE: Final = tuple(
    table for table in tables.MIRRORED.sorted_tables if table.name not in SUBJECT_OF and table is not tables.STATE
)
"""Small tables that are written whole."""

GENERATION, VERSION = "mirror_generation", "mirror_version"


_TYPES: Final[tuple[tuple[type[TypeEngine[Any]], str], ...]] = (
    (BigInteger, "Int64"), (SmallInteger, "Int16"), (Integer, "Int32"), (Float, "Float64"), (Boolean, "Bool"),
    (DateTime, "DateTime64(6, 'UTC')"), (Date, "Date32"), (String, "String"),
)  # fmt: skip
"""The first that a type is an instance of names it."""


def stored_type(kind: TypeEngine[Any]) -> str:
    """Return ClickHouse's name of a type. Raises TypeError for one that it has none for."""
    if isinstance(kind, Numeric) and not isinstance(kind, Float):
        return f"Decimal({kind.precision or 18}, {kind.scale or 0})"
    for known, name in _TYPES:
        if isinstance(kind, known):
            return name
    raise TypeError(f"{kind!r} has no place in ClickHouse")


def _columns(table: Table) -> str:
    return ", ".join(f"{column.name} Nullable({stored_type(column.type)})" for column in table.columns)


LAYOUT: Final = hashlib.sha256("\n".join(_columns(table) for table in (*FOLLOWED, *WHOLE)).encode()).hexdigest()[:8]
"""Part of every name, so that two versions of the program with other columns do not meet."""


def stored(name: str) -> str:
    """Return the name in ClickHouse of a table of the mirror, or of `superseded` and `mirror_states`."""
    return f"{name}_{LAYOUT}"


STATES: Final = stored("mirror_states")
SUPERSEDED: Final = stored("superseded")


def definitions() -> list[str]:
    """Return the statements that make the tables where they are missing."""
    states = (
        "version UInt64, generation UInt64, done Bool, fingerprint String, mark String, "
        "whole Map(String, UInt64), made_at DateTime DEFAULT now()"
    )
    superseded = "generation UInt64, subject UInt8, key Int64, version UInt64, by UInt64"
    parted = "ENGINE = MergeTree PARTITION BY generation ORDER BY (subject, by)"
    made = [
        f"CREATE TABLE IF NOT EXISTS {STATES} ({states}) ENGINE = MergeTree ORDER BY version",
        f"CREATE TABLE IF NOT EXISTS {SUPERSEDED} ({superseded}) {parted}",
    ]
    for table in (*FOLLOWED, *WHOLE):
        order = f"ifNull({SUBJECT_OF[table.name][1]}, 0)" if table in FOLLOWED else VERSION
        made.append(
            f"CREATE TABLE IF NOT EXISTS {stored(table.name)} ({_columns(table)}, {GENERATION} UInt64, "
            f"{VERSION} UInt64) ENGINE = MergeTree PARTITION BY {GENERATION} ORDER BY {order}"
        )
    return made


class Version(NamedTuple):
    """A state of the mirror that is there whole: its number, the generation of its rows, and of its small tables."""

    number: int
    generation: int
    mark: str
    whole: dict[str, int]


def seen_at(name: str, version: Version) -> str:
    """Return the condition under which a row of a table is seen by a reader of a version; no quotes in it."""
    of = f"{GENERATION} = {int(version.generation)}"
    if name not in SUBJECT_OF:
        return f"{of} AND {VERSION} = {int(version.whole[name])}"
    subject, key = SUBJECT_OF[name]
    gone = (
        f"SELECT key, version FROM {SUPERSEDED} WHERE generation = {int(version.generation)} "
        f"AND subject = {SUBJECTS.index(subject)} AND by <= {int(version.number)}"
    )
    upto = f"{of} AND {VERSION} <= {int(version.number)}"
    return f"{upto} AND (assumeNotNull({key}), {VERSION}) NOT IN ({gone})"
