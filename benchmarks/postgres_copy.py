"""Filling a PostgreSQL with the demo company that a SQLite file holds, by COPY."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
from sqlalchemy import Boolean, DateTime, make_url

from core.db.mirror_columns import READ


def copy_company(file: Path, url: str) -> None:
    """Put the rows of what a mirror reads into a migrated PostgreSQL, with no trigger and no check of references."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    rows = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    with psycopg.connect(address) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(f"TRUNCATE {', '.join(map(_quoted, READ))} CASCADE")
        for model, _key, _columns in READ.values():
            _copy(rows, connection, model)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("ANALYZE")
    rows.close()


def _copy(rows: sqlite3.Connection, connection: psycopg.Connection, model: type) -> None:
    table = model.__table__  # type: ignore[attr-defined]
    names = [_quoted(column.name) for column in table.columns]
    told = ", ".join(
        f"CASE {name} WHEN 1 THEN 't' WHEN 0 THEN 'f' END" if isinstance(column.type, Boolean)
        else f"{name} || '+00'" if _is_instant(column.type) else name
        for name, column in zip(names, table.columns, strict=True)
    )  # fmt: skip
    with connection.cursor().copy(f"COPY {_quoted(table.name)} ({', '.join(names)}) FROM STDIN") as copy:
        for row in rows.execute(f"SELECT {told} FROM {_quoted(table.name)}"):
            copy.write_row(row)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _is_instant(kind: object) -> bool:
    return isinstance(getattr(kind, "impl_instance", kind), DateTime)
