"""How a database is read, as texts: made once, and told to a builder, which need not load what makes statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pyarrow as pa

from core.db.mirror_source import PostgresSource

if TYPE_CHECKING:
    from collections.abc import Collection

KEYS: Final = "{keys}"
"""Stands in a statement for which keys are asked for, after the column that they are of."""
_KINDS: Final = {
    str(kind): kind
    for kind in (pa.int64(), pa.int32(), pa.bool_(), pa.float64(), pa.string(), pa.date32(), pa.timestamp("us"))
}


class Told(NamedTuple):
    """How a subject is read: the statement, and the kinds of its columns."""

    sql: str
    kinds: dict[str, pa.DataType]

    def as_text(self) -> list[Any]:
        """Return this as JSON has it."""
        return [self.sql, {name: str(kind) for name, kind in self.kinds.items()}]

    @classmethod
    def of_text(cls, told: list[Any]) -> Told:
        """Return what `as_text` gave."""
        sql, kinds = told
        return cls(sql, {name: _KINDS[kind] for name, kind in kinds.items()})

    def among(self, keys: Collection[int] | None) -> str:
        """Return the statement of the rows with these keys (a range: all between its ends), or all."""
        if keys is None:
            chosen = "IS NOT NULL"
        elif isinstance(keys, range):
            chosen = f"BETWEEN {keys.start} AND {keys.stop - 1}"
        else:
            chosen = f"IN ({', '.join(map(str, sorted(keys))) or 'NULL'})"
        return self.sql.replace(KEYS, chosen)


class ToldPostgres(PostgresSource):
    """A PostgreSQL that is read by columns."""

    def __init__(self, connection: Any, told: dict[str, Told]) -> None:
        super().__init__(connection)
        self._told = told

    def rows(self, subject: str, keys: Collection[int] | None) -> pa.Table:
        """Return a subject's rows with these keys, or all."""
        told = self._told[subject]
        found = self._packed(told.among(keys), told.kinds)
        wide = [(name, pa.int64() if kind == pa.int32() else kind) for name, kind in told.kinds.items()]
        return found.cast(pa.schema(wide))
