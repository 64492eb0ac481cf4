"""Mirrors kept on disk, so that a start opens the last one and catches up instead of building anew.

DuckDB lets one process alone open a file. Each process of a data folder so has a file of its own, and takes over
one that nobody holds. What a child builds has another name until it is finished, so that nobody takes it from its
builder.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from pathlib import Path

_LOG = logging.getLogger(__name__)
_PATTERN = "mirror-*.duckdb"
_BUILDING = "building-*.duckdb"
_USELESS = ("not a valid duckdb", "version number", "corrupt", "checksum")
"""Words of DuckDB's about a file that no later try will open either; any other error may pass."""


class MirrorFiles:
    """The mirrors in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: Path | None = None

    def newest(self, fingerprint: str) -> tuple[duckdb.DuckDBPyConnection, str] | None:
        """Return the newest mirror of this fingerprint that nobody holds, with its mark; delete the useless ones."""
        found: tuple[duckdb.DuckDBPyConnection, str] | None = None
        self._forget_unfinished()
        for path in sorted(self._folder.glob(_PATTERN), key=lambda path: path.stat().st_mtime, reverse=True):
            try:
                connection = duckdb.connect(str(path))
            except duckdb.Error as error:
                if any(word in str(error).lower() for word in _USELESS):
                    self._delete(path)
                elif "lock" not in str(error):  # else another process holds it
                    _LOG.warning("The mirror %s cannot be opened now: %s", path.name, error)
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

    def unfinished(self) -> Path:
        """Return a path for a mirror that a child builds, at which nobody looks for one to take over."""
        path = self.fresh()
        return path.with_name(f"building-{path.name}")

    def finished(self, path: Path) -> Path:
        """Give a mirror that a child has built its lasting name, and return that."""
        return path.rename(self.fresh())

    def hold(self, path: Path) -> None:
        """Say that `path` is the one in use; the one before is deleted when its last reader lets it go."""
        if self._held is not None and self._held != path:
            self._delete(self._held)
        self._held = path

    def _forget_unfinished(self) -> None:
        """Delete what a child left half built; one that still builds holds its file."""
        for path in self._folder.glob(_BUILDING):
            try:
                duckdb.connect(str(path)).close()
            except duckdb.Error as error:
                if "lock" in str(error):
                    continue
            self._delete(path)

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
        ((mark, made_for, _followed),) = connection.execute("FROM mirror_mark").fetchall()
    except (duckdb.Error, ValueError):
        return None
    return str(mark) if made_for == fingerprint else None
