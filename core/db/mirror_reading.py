"""The mirror as one actor may see it: a single state, narrowed to a scope."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from core.access.actors import Scope
from core.analytics.facts import Facts, Statement
from core.db.compiled import compiled, read

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb
    import pandas as pd
    from numpy.typing import NDArray


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
        made = _row_of(tuple(column.name for column in statement.selected_columns))
        return list(map(made, found.fetchall()))

    def columns(self, statement: Statement) -> dict[str, NDArray[Any]]:
        """Run a statement and return its columns as arrays, masked where one holds NULL; for very many rows."""
        return cast("dict[str, NDArray[Any]]", self._run(statement).fetchnumpy())

    def value(self, statement: Statement) -> Any:
        """Return the first column of the first row, None where there is none."""
        found = self._run(statement).fetchone()
        return None if found is None else found[0]

    def of_everyone(self, build: Callable[[Facts], Statement]) -> list[Any]:
        """Return the rows of a statement over everybody's facts, to compare people by, never to show as they are.

        For the leaderboard's questions alone (a test holds us to it), which show of people outside the scope no
        more than the company's setting allows.
        """
        return self.rows(build(_facts(Scope.everything())))

    def columns_of_everyone(self, build: Callable[[Facts], Statement]) -> dict[str, NDArray[Any]]:
        """Return the columns of such a statement as arrays; for the leaderboard's questions alone as well."""
        return self.columns(build(_facts(Scope.everything())))

    def _run(self, statement: Statement) -> duckdb.DuckDBPyConnection:
        text, values = compiled(statement)
        reading = self._reading()
        return reading.execute(read(text, reading), values)

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
    return cast("Callable[..., Any]", kind._make)
