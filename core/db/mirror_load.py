"""Filling the mirror: what is read from the database, and what is derived of it and written into DuckDB.

The same code builds everything and loads single deals again, so an increment equals a rebuild.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pyarrow as pa

from core.db.mirror_days import days_in
from core.db.mirror_deals import Beside, Met, deals_table, with_days
from core.db.mirror_histories import Moves, Stages
from core.db.mirror_pipeline import in_turn
from core.db.mirror_statements import (
    ACTIVITIES,
    CHANGES,
    DIMENSIONS,
    PLAIN,
    QUOTAS,
    SHARES,
    STAGES,
    SUBTREES,
    WORDS,
    day_of,
)
from core.db.mirror_states import RATES, former_table, states_table
from core.db.mirror_waiting import Waiting, in_bins

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import duckdb

    from core.db.mirror_source import Source

_Rows: TypeAlias = dict[str, pa.Table]
"""Rows by the name of what they are of."""

__all__ = ["DERIVED_BY", "DIMENSIONS", "PLAIN", "Loader"]

_OF_DEALS: Final = ("deal", "stage_move", "deal_change", "credit_share", "deal_line")
_OF_CUSTOMERS: Final = ("id", "territory_id", "segment", "industry")
_HISTORIES: Final = ("spans", "changes", "states", "former", "late_moves", "shares")
_AT_ONCE: Final = 50_000
"""Numbers of deals, activities or customers that make a part of the whole: what is derived of them fits the caches."""

_HERE: Final = Path(__file__).parent
DERIVED_BY: Final = (
    _HERE.parent / "analytics" / "tables.py",
    *(_HERE / f"mirror_{name}.py" for name in (
        "columns", "days", "deals", "histories", "load", "order", "runs", "statements", "states"
    )),
)  # fmt: skip
"""The files on which a mirror's content depends besides the database's rows."""


class Loader:
    """Reads from a source and writes into one DuckDB connection, within the caller's transaction."""

    def __init__(self, source: Source, cursor: duckdb.DuckDBPyConnection, zone: str, base: str) -> None:
        self._source = source
        self._cursor = cursor
        self._zone = zone
        self._base = base
        self._days = days_in(zone)

    def create(self, tables: list[str]) -> None:
        """Make the empty tables by these statements, and `company_day`: the company's day of an instant."""
        self._cursor.execute(f"CREATE MACRO company_day(instant) AS {day_of(self._zone)}")
        for definition in tables:
            self._cursor.execute(definition)
        self._cursor.execute("INSERT INTO mirror_state VALUES (0)")

    def load_large(self, progress: Callable[[float], None]) -> None:
        """Fill the tables that `load_small` leaves, part by part, beside what is committed.

        One part is read while another is derived and a third one written, by threads that share the tables among them
        and have a transaction each. progress: called with the share done.
        """
        customers, met = list[pa.Table](), list[Met]()
        reps, known = self._reps(), list[Beside]()

        def derived(part: _Rows) -> _Rows:
            if "deal" in part:
                if not known:
                    belong = pa.concat_tables(customers).sort_by("id")
                    known.append(Beside(self._stages, reps, belong, Met.together(met)))
                return in_bins(self._deal_rows(part, known[0]))
            if "activity" in part:
                part["activity"], found = with_days(part["activity"], self._days)
                met.append(found)
            else:
                customers.append(part["customer"].select(_OF_CUSTOMERS))
                return {"customers": part["customer"]}
            return part

        with ExitStack() as cursors:
            in_turn(
                [(subject, part) for subject in ("customer", "activity", "deal") for part in self._parts(subject)],
                read=lambda part: self._rows_of(*part),
                derive=derived,
                writers=[Waiting(cursors.enter_context(self._cursor.cursor()), _insert, tables) for tables in _WRITERS],
                progress=progress,
            )

    def load_small(self) -> None:
        """Fill the empty tables that are read whole: the process, people, goods, quotas and rates."""
        self.__dict__.pop("_stages", None)
        self._read("stage")
        self._cursor.execute(STAGES)
        for subject in ("pipeline", *sorted(DIMENSIONS)):
            self._load_plain(subject)
        self._cursor.execute(SUBTREES)
        self.load_quotas()
        self.load_rates()

    def load_dimension(self, subject: str) -> None:
        """Read a small table again, with what is derived from it and no deal holds."""
        self._cursor.execute(f"DELETE FROM {PLAIN[subject]}")
        self._load_plain(subject)
        if subject == "team":
            self._cursor.execute("DELETE FROM subtrees")
            self._cursor.execute(SUBTREES)

    def load_quotas(self) -> None:
        """Read the quotas again; which of them count depends on reps and teams."""
        self._cursor.execute("DELETE FROM quotas")
        self._read("quota")
        self._cursor.execute(QUOTAS)

    def load_rates(self) -> None:
        """Read the exchange rates again."""
        self._cursor.execute("DELETE FROM rates")
        self._read("fx_rate")
        self._cursor.execute(RATES)

    def load_customers(self, keys: Collection[int]) -> None:
        """Read some customers again."""
        self._delete("customers", "id", keys)
        self._write({"customers": self._rows_of("customer", keys)["customer"]})

    def load_activities(self, keys: Collection[int]) -> None:
        """Read some activities again."""
        self._delete("activities", "id", keys)
        rows, _met = with_days(self._rows_of("activity", keys)["activity"], self._days)
        self._write({"activity": rows})

    def load_deals(self, keys: Collection[int], *, met: Collection[int] = ()) -> None:
        """Load some deals again, with all that they went through.

        Another thread reads the database and derives, while this one deletes the old rows: it alone uses the mirror.
        met: those of whose activities something may have changed, which were loaded before.
        """
        with ThreadPoolExecutor(1) as other:
            reading = other.submit(self._rows_of, "deal", keys)
            places, last = self._standing(keys, met)
            stages, reps = self._stages, self._reps()

            def derived() -> _Rows:
                rows = reading.result()
                customers = self._source.rows("customer", set(filter(None, rows["deal"]["customer_id"].to_pylist())))
                return self._deal_rows(rows, Beside(stages, reps, customers.select(_OF_CUSTOMERS).sort_by("id"), last))

            coming = other.submit(derived)
            for table in _HISTORIES:
                self._delete(table, "deal_id", keys)
            self._delete("deals", "rowid", places)
            self._write(coming.result())

    def _standing(self, keys: Collection[int], met: Collection[int]) -> tuple[list[int], Met]:
        """Return where deals stand in `deals`, and the last days on which something was done for each.

        That holds in a transaction that has written already, since none writes the log into the tables beside it.
        DELETE … RETURNING would read every column of a row, one row after the other.
        """
        last = "SELECT rowid, id, last_activity_on - DATE '1970-01-01' FROM deals WHERE id IN ({})"
        found = self._cursor.execute(*_among(last, keys)).fetchall()
        asked = set(met) | set(keys).difference(deal for _row, deal, _day in found)
        known = {deal: day for _row, deal, day in found if deal not in asked and day is not None}
        return [row for row, _deal, _day in found], self._met(asked, known)

    def _met(self, keys: Collection[int], known: dict[int, int]) -> Met:
        """Return the last days of deals: those known, and of the activities that were loaded before."""
        told = Met.of(*(np.fromiter(each, np.int64, len(known)) for each in (known.keys(), known.values())))
        if not keys:
            return told
        last = "SELECT deal_id, done_on - DATE '1970-01-01' AS done FROM activities WHERE done_on IS NOT NULL"
        found = self._cursor.execute(*_among(f"{last} AND deal_id IN ({{}})", keys)).fetchnumpy()
        return Met.together([told, Met.of(*(np.asarray(found[name], np.int64) for name in ("deal_id", "done")))])

    @cached_property
    def _stages(self) -> Stages:
        """The stages, which stay as they are while a mirror is followed."""
        columns = "id, position, kind, pipeline_id, expected_days, probability"
        return Stages.of(self._cursor.execute(f"SELECT {columns} FROM stages").fetchall())

    def _reps(self) -> pa.Table:
        return self._cursor.sql("SELECT id, team_id FROM reps ORDER BY id").to_arrow_table()

    def _parts(self, subject: str) -> list[range]:
        first, last = self._source.extent(subject)
        return [range(start, start + _AT_ONCE) for start in range(first, last + 1, _AT_ONCE)]

    def _rows_of(self, subject: str, keys: Collection[int]) -> _Rows:
        """Return the database's rows of some deals, activities or customers, by their table's name."""
        return {name: self._source.rows(name, keys) for name in (_OF_DEALS if subject == "deal" else (subject,))}

    def _deal_rows(self, rows: _Rows, beside: Beside) -> _Rows:
        """Return what is written of deals, with what they went through."""
        days, stages, deals, changed = self._days, beside.stages, rows["deal"], rows["deal_change"]
        moves = Moves.of(rows["stage_move"], deals, days)
        states = states_table(moves, changed, deals, stages=stages, days=days, base=self._base)
        return {
            "late_moves": moves.late_table(days), "spans": moves.spans_table(stages),
            "states": states, "former": former_table(states, deals),
            "deal_change": changed, "credit_share": rows["credit_share"],
            "deals": deals_table(deals, rows["deal_line"], moves, beside, days),
        }  # fmt: skip

    def _write(self, rows: _Rows) -> None:
        for name, table in rows.items():
            _insert(self._cursor, name, table)

    def _load_plain(self, subject: str) -> None:
        self._read(subject)
        plain = f"INSERT INTO {PLAIN[subject]} BY NAME SELECT * FROM in_{subject}"
        self._cursor.execute(WORDS if subject == "word_pair" else plain)

    def _read(self, subject: str) -> pa.Table:
        found = self._source.rows(subject, None)
        self._cursor.register(f"in_{subject}", found)
        return found

    def _delete(self, table: str, column: str, keys: Collection[int]) -> None:
        self._cursor.execute(*_among(f"DELETE FROM {table} WHERE {column} IN ({{}})", keys))


def _insert(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    """Write what was read and derived; the statement finds `rows` by that name."""
    if rows.num_rows:
        cursor.execute(_WRITTEN[name])


def _among(sql: str, keys: Collection[int]) -> tuple[str, dict[str, list[int]] | None]:
    """Return a statement with keys in the place of its braces, and its values; one alone is found without a join."""
    if len(keys) <= 1:
        return sql.format(next(iter(keys), "NULL")), None
    return sql.format("SELECT unnest($keys)"), {"keys": list(keys)}


_WRITTEN: Final = {
    **{name: f"INSERT INTO {name} BY NAME SELECT * FROM rows"
       for name in ("late_moves", "spans", "states", "former", "deals", "customers")},
    "activity": ACTIVITIES, "deal_change": CHANGES, "credit_share": SHARES,
}  # fmt: skip
"""The statement that writes rows of each name."""
_LARGEST: Final = (frozenset({"deals"}), frozenset({"states"}))
_WRITERS: Final = (*_LARGEST, frozenset(_WRITTEN).difference(*_LARGEST))
"""What each of three threads writes in a build, so that what is left is written together at the end. No table is in
two, or row groups would be half full."""
