"""Mirrors kept on disk, so that a start opens the last one and catches up instead of building anew.

DuckDB lets one process alone open a file. Each process of a data folder so has a file of its own, and takes over
one that nobody holds.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

_PATTERN = "mirror-*.duckdb"


class MirrorFiles:
    """The mirrors in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: Path | None = None

    def newest(self, fingerprint: str) -> tuple[duckdb.DuckDBPyConnection, str] | None:
        """Return the newest mirror of this fingerprint that nobody holds, with its mark; delete the useless ones."""
        found: tuple[duckdb.DuckDBPyConnection, str] | None = None
        for path in sorted(self._folder.glob(_PATTERN), key=lambda path: path.stat().st_mtime, reverse=True):
            try:
                connection = duckdb.connect(str(path))
            except duckdb.Error as error:
                if "lock" not in str(error):  # else another process holds it
                    self._delete(path)
                continue
            if found is None and (mark := _mark_for(connection, fingerprint)) is not None:
                self._held, found = path, (connection, mark)
            else:
                connection.close()
                self._delete(path)
        return found

    def fresh(self) -> Path:
        """Return a path for a new mirror."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)  # it holds a copy of every deal
        return self._folder / f"mirror-{secrets.token_hex(6)}.duckdb"

    def hold(self, path: Path) -> None:
        """Say that `path` is the one in use; the one before is deleted when its last reader lets it go."""
        if self._held is not None and self._held != path:
            self._delete(self._held)
        self._held = path

    def _delete(self, path: Path) -> None:
        for each in (path, path.with_name(f"{path.name}.wal")):
            with suppress(OSError):
                each.unlink(missing_ok=True)


def mark_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Return how much of the database a mirror holds."""
    mark: str = connection.execute("SELECT mark FROM mirror_mark").fetchall()[0][0]
    return mark


def _mark_for(connection: duckdb.DuckDBPyConnection, fingerprint: str) -> str | None:
    try:
        ((mark, made_for),) = connection.execute("SELECT mark, fingerprint FROM mirror_mark").fetchall()
    except duckdb.Error:
        return None
    return str(mark) if made_for == fingerprint else None
