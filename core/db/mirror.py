"""The columnar mirror: DuckDB in the process, kept up with the database, read in an actor's scope.

A refresh is one DuckDB transaction, so a reader sees the state before it or after it, never between.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import duckdb
import psycopg

from core.access.actors import Scope
from core.analytics.facts import Facts, Statement
from core.db.compiled import compiled
from core.db.mirror_load import DIMENSIONS, Loader
from core.db.mirror_source import Changed, Source, open_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from core.db.work import Database

MOST_KEYS = 5_000
"""Changed deals, customers or activities above which everything is built anew."""

_BROKEN = (sqlite3.Error, psycopg.Error, duckdb.Error)
"""What a lost or broken connection raises; the mirror then starts over once."""

_REBUILT = frozenset({"stage", "pipeline"})
_BY_KEY = frozenset({"deal", "customer", "activity"})


class Standing(NamedTuple):
    """A place in a ranking: how many are ahead plus one, among how many."""

    rank: int | None
    of: int


class Mirror:
    """The mirror of one database, for all threads of the process."""

    def __init__(self, database: Database) -> None:
        self._engine = database.engine
        self._zone = str(database.zone)
        self._base = database.base_currency
        self._lock = Lock()
        self._source: Source | None = None
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._version = 0
        self._trusted = False

    @property
    def version(self) -> int:
        """A number that grows whenever a change has been taken over; 0 before the first load."""
        return self._version

    def refresh(self, *, wait: bool = True) -> int:
        """Take over what was committed since the last time, and return the version.

        Costs microseconds where nothing was. With `wait=False` another thread's refresh is not waited for,
        except for the very first load.
        """
        if not self._lock.acquire(blocking=wait or self._connection is None):
            return self._version
        try:
            self._catch_up()
        except _BROKEN:
            self._start_over()
            self._catch_up()
        finally:
            self._lock.release()
        return self._version

    def rebuild(self) -> int:
        """Load everything anew beside the present state, put it in its place, and return the version."""
        with self._lock:
            source = self._opened()
            with source.snapshot():
                self._build(source)
        return self._version

    def scoped(self, scope: Scope) -> ScopedMirror:
        """Return the mirror as a scope may see it, up to date."""
        self.refresh(wait=False)
        return ScopedMirror(self._filled(), scope)

    def close(self) -> None:
        """Forget everything and give the connections back."""
        with self._lock:
            if self._source is not None:
                self._source.close()
            if self._connection is not None:
                self._connection.close()
            self._source = self._connection = None

    def _filled(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            raise RuntimeError("the mirror was closed")
        return self._connection

    def _opened(self) -> Source:
        if self._source is None:
            self._source = open_source(self._engine)
        return self._source

    def _start_over(self) -> None:
        """Give up a connection that broke; what it had told is not trusted, so the next look loads everything."""
        if self._source is not None:
            with suppress(*_BROKEN):
                self._source.close()
        self._source, self._trusted = None, False

    def _catch_up(self) -> None:
        source = self._opened()
        if self._connection is None or not self._trusted:
            with source.snapshot():
                self._build(source)
            return
        if not source.moved():
            return
        with source.snapshot():
            changes = source.changes()
            if changes is None or _needs_rebuild(changes):
                self._build(source)
            elif changes:
                self._apply(source, changes)
                source.mark()
            else:
                source.mark()

    def _build(self, source: Source) -> None:
        connection = duckdb.connect(":memory:")
        loader = Loader(source, connection, self._zone, self._base)
        loader.create()
        loader.load_everything()
        connection.execute("UPDATE mirror_state SET version = ?", [self._version + 1])
        source.mark()
        self._connection, self._version, self._trusted = connection, self._version + 1, True

    def _apply(self, source: Source, changes: Iterable[Changed]) -> None:
        with self._filled().cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION")
            _apply(Loader(source, cursor, self._zone, self._base), cursor, changes)
            cursor.execute("UPDATE mirror_state SET version = ?", [self._version + 1])
            cursor.execute("COMMIT")
        self._version += 1


class ScopedMirror:
    """One actor's view of the mirror: a single state, for as long as this object lives."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, scope: Scope) -> None:
        self.scope = scope
        self.facts = _facts(scope)
        self._connection = connection
        self._cursor: duckdb.DuckDBPyConnection | None = None

    @property
    def version(self) -> int:
        """The version of the state that is read here."""
        found = self._reading().execute("SELECT version FROM mirror_state").fetchall()
        return int(found[0][0])

    def frame(self, statement: Statement) -> pd.DataFrame:
        """Run a statement and return a frame; whole numbers that may be missing are Int64."""
        return self._run(statement).df()

    def rows(self, statement: Statement) -> list[Any]:
        """Run a statement and return its rows as named tuples."""
        found = self._run(statement)
        row = _row_of(tuple(column.name for column in statement.selected_columns))
        return [row(*values) for values in found.fetchall()]

    def value(self, statement: Statement) -> Any:
        """Return the first column of the first row, None where there is none."""
        found = self._run(statement).fetchone()
        return None if found is None else found[0]

    def standing(self, ranking: Callable[[Facts], Statement], *, rep_id: int, least_first: bool = False) -> Standing:
        """Return the place of one rep of this scope in a ranking among all, and nothing else of it.

        `ranking` gives rows (key, value). No place where the rep is not in the scope or has no value, or where
        the best value is nought.
        """
        if not self.scope.allows_rep(rep_id):
            return Standing(None, 0)
        found = self._run(ranking(_facts(Scope.everything()))).fetchall()
        values = {key: value for key, value in found if value is not None}
        if rep_id not in values:
            return Standing(None, len(values))
        own = values[rep_id]
        if not least_first and max(values.values()) == 0:
            return Standing(None, len(values))
        ahead = sum(value < own if least_first else value > own for value in values.values())
        return Standing(ahead + 1, len(values))

    def of_everyone(self, build: Callable[[Facts], Statement]) -> list[Any]:
        """Return the rows of a statement over everybody's facts, to compare people by, never to show as they are.

        For the leaderboard's questions alone (a test holds us to it), which show of people outside the scope no
        more than the company's setting allows.
        """
        return self.rows(build(_facts(Scope.everything())))

    def _run(self, statement: Statement) -> duckdb.DuckDBPyConnection:
        text, values = compiled(statement)
        return self._reading().execute(text, values)

    def _reading(self) -> duckdb.DuckDBPyConnection:
        if self._cursor is None:
            self._cursor = self._connection.cursor()
            self._cursor.execute("BEGIN TRANSACTION READ ONLY")
        return self._cursor


@lru_cache(maxsize=256)
def _facts(scope: Scope) -> Facts:
    return Facts(scope)


@lru_cache(maxsize=256)
def _row_of(names: tuple[str, ...]) -> Callable[..., Any]:
    kind: Any = NamedTuple("Row", [(name, Any) for name in names])  # type: ignore[misc]
    return cast("Callable[..., Any]", kind)


def _needs_rebuild(changes: list[Changed]) -> bool:
    return (
        any(c.subject in _REBUILT or (c.key is None and c.subject in _BY_KEY) for c in changes)
        or sum(c.subject in _BY_KEY for c in changes) > MOST_KEYS
    )


def _apply(loader: Loader, cursor: duckdb.DuckDBPyConnection, changes: Iterable[Changed]) -> None:
    keys: dict[str, set[int]] = {}
    whole: set[str] = set()
    for subject, key in changes:
        keys.setdefault(subject, set())
        if key is None:
            whole.add(subject)
        else:
            keys[subject].add(key)
    deals, activities = keys.get("deal", set()), keys.get("activity", set())
    for subject in sorted(DIMENSIONS & keys.keys()):
        loader.load_dimension(subject)
    if keys.keys() & {"rep", "team", "quota"}:
        loader.load_quotas()
    if "fx_rate" in keys:
        loader.load_rates()
    if "rep" in keys:
        everyone = "rep" in whole
        deals |= _numbers(cursor, "SELECT id FROM deals WHERE $all OR list_contains($keys, owner_id) "
                          "OR list_contains($keys, credited_id)", keys["rep"], everything=everyone)  # fmt: skip
        activities |= _numbers(
            cursor,
            "SELECT id FROM activities WHERE $all OR list_contains($keys, rep_id)",
            keys["rep"],
            everything=everyone,
        )
    if keys.get("customer"):
        loader.load_customers(keys["customer"])
        deals |= _numbers(
            cursor, "SELECT id FROM deals WHERE $all OR list_contains($keys, customer_id)", keys["customer"]
        )
    if activities:
        met = "SELECT DISTINCT deal_id FROM activities WHERE deal_id IS NOT NULL AND ($all OR list_contains($keys, id))"
        deals |= _numbers(cursor, met, activities)
        loader.load_activities(activities)
        deals |= _numbers(cursor, met, activities)
    if deals:
        loader.load_deals(deals)


def _numbers(cursor: duckdb.DuckDBPyConnection, sql: str, keys: Iterable[int], *, everything: bool = False) -> set[int]:
    found = cursor.execute(sql, {"keys": list(keys), "all": everything}).fetchall()
    return {number for (number,) in found}
