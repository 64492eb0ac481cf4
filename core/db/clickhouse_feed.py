"""Writing versions of the mirror into ClickHouse: the loader derives them in DuckDB, some thousand deals at a time.

So a machine holds a part of the deals in its memory, never all, and what ClickHouse is given are the very rows that
a mirror in the process would have.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import duckdb
import pyarrow as pa
from sqlalchemy import or_, select

from core.analytics import tables
from core.db.clickhouse_reading import read
from core.db.clickhouse_tables import (
    FOLLOWED,
    GENERATION,
    STATES,
    SUBJECT_OF,
    SUBJECTS,
    SUPERSEDED,
    VERSION,
    WHOLE,
    Version,
    definitions,
    stored,
)
from core.db.clickhouse_tidy import tidy
from core.db.mirror_definitions import table_definitions
from core.db.mirror_load import DERIVED_BY, DIMENSIONS, PLAIN, Loader
from core.model import Activity, Customer, Deal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from core.analytics.facts import Statement
    from core.db.clickhouse_server import Server
    from core.db.mirror_asked import AskedSource
    from core.db.mirror_build import Plan
    from core.db.mirror_source import Changed

AT_ONCE: Final = 20_000
"""Deals, customers or activities that are derived and written together."""

_TIDIED_EVERY: Final = 64
"""Versions after which rows that nobody can read any more are deleted."""

_TOLD_BY: Final[dict[str, tuple[str, ...]]] = {
    "team": ("teams", "subtrees", "quotas"), "rep": ("reps", "quotas"), "quota": ("quotas",), "fx_rate": ("rates",),
}  # fmt: skip
"""Small tables that a subject's change touches, where they are more than the subject's own."""


class Feed:
    """Writes one version, of one snapshot of the database; a version that is not finished is never read."""

    def __init__(self, server: Server, source: AskedSource, plan: Plan) -> None:
        self._server = server
        self._source = source
        self._plan = plan
        self._print = fingerprint(plan)
        self._staged = duckdb.connect(":memory:")
        self._staging = Loader(source, self._staged, plan.zone, plan.base)
        self._staging.create(table_definitions())

    def build(self, progress: Callable[[float], None]) -> Version:
        """Write everything, as a generation of its own. `progress` is called with the share done."""
        number = self._begin(None)
        self._staging.load_small()
        whole = {table.name: number for table in WHOLE}
        for table in WHOLE:
            self._write(table.name, number, number)
        steps: list[tuple[Any, Callable[[Collection[int]], None], tuple[str, ...]]] = [
            (Customer, self._staging.load_customers, ("customers",)),
            (Activity, self._staging.load_activities, ("activities",)),
            (Deal, self._stage_deals, _names_of("deal")),
        ]
        for place, (model, stage, names) in enumerate(steps):
            parts = list(_parts(self._ids(select(model.id))))
            for done, part in enumerate(parts, start=1):
                stage(part)
                for name in names:
                    self._write(name, number, number)
                self._empty()
                progress((place + done / len(parts)) / len(steps))
        return self._finish(Version(number, number, self._source.position(), whole))

    def follow(self, before: Version, changes: Iterable[Changed]) -> Version:
        """Write what these changes touch, and what was there before as superseded."""
        number = self._begin(before)
        keys: dict[str, set[int]] = {}
        for subject, key in changes:
            keys.setdefault(subject, set())
            if key is not None:
                keys[subject].add(key)
        self._staging.load_small()
        whole = dict(before.whole)
        for name in sorted(_whole_tables(keys)):
            self._write(name, before.generation, number)
            whole[name] = number
        touched = self._touched(before, keys)
        for subject, stage in (
            ("customer", self._staging.load_customers),
            ("activity", self._staging.load_activities),
            ("deal", self._stage_deals),
        ):
            for part in _parts(sorted(touched[subject])):
                stage(part)
                self._supersede(before, number, subject, part)
                for name in _names_of(subject):
                    self._write(name, before.generation, number)
                self._empty()
        return self._finish(Version(number, before.generation, self._source.position(), whole))

    def close(self) -> None:
        """Give the memory back."""
        self._staged.close()

    def _touched(self, before: Version, keys: dict[str, set[int]]) -> dict[str, set[int]]:
        """Return the deals, customers and activities to be written again."""
        deals, met = set(keys.get("deal", ())), set(keys.get("activity", ()))
        d, a = tables.DEALS.c, tables.ACTIVITIES.c
        reps, customers = sorted(keys.get("rep", ())), sorted(keys.get("customer", ()))
        if reps:
            deals |= self._seen(before, select(d.id).where(or_(d.owner_id.in_(reps), d.credited_id.in_(reps))))
            met |= self._seen(before, select(a.id).where(a.rep_id.in_(reps)))
        if customers:
            deals |= self._seen(before, select(d.id).where(d.customer_id.in_(customers)))
        for part in _parts(sorted(met)):
            deals |= self._seen(before, select(a.deal_id).where(a.id.in_(part), a.deal_id.is_not(None)).distinct())
            now = Activity.__table__.c  # type: ignore[attr-defined]
            deals |= set(self._ids(select(now.deal_id).where(now.id.in_(part), now.deal_id.is_not(None)).distinct()))
        return {"deal": deals, "customer": set(customers), "activity": met}

    def _empty(self) -> None:
        for table in FOLLOWED:
            self._staged.execute(f"DELETE FROM {table.name}")

    def _stage_deals(self, keys: Collection[int]) -> None:
        activity = Activity.__table__.c  # type: ignore[attr-defined]
        self._staging.load_activities(self._ids(select(activity.id).where(activity.deal_id.in_(keys))))
        self._staging.load_deals(keys)

    def _ids(self, statement: Any) -> list[int]:
        return [number for number in self._source.read(statement).column(0).to_pylist() if number is not None]

    def _seen(self, version: Version, statement: Statement) -> set[int]:
        return set(read(self._server, version, statement).column(0).to_pylist())

    def _supersede(self, before: Version, number: int, subject: str, keys: list[int]) -> None:
        """Say that what was there of these is no longer what a reader of this version sees."""
        name, column = next((name, SUBJECT_OF[name][1]) for name in _names_of(subject))
        self._server.run(
            f"INSERT INTO {SUPERSEDED} SELECT DISTINCT {GENERATION}, {{subject:UInt8}}, {column}, {VERSION}, "
            f"{{by:UInt64}} FROM {stored(name)} WHERE {GENERATION} = {{generation:UInt64}} "
            f"AND {VERSION} <= {{version:UInt64}} AND {column} IN {{keys:Array(Int64)}} AND (assumeNotNull({column}), "
            f"{VERSION}) NOT IN (SELECT key, version FROM {SUPERSEDED} WHERE generation = {{generation:UInt64}} "
            f"AND subject = {{subject:UInt8}} AND by <= {{version:UInt64}})",
            {
                "subject": SUBJECTS.index(subject),
                "by": number,
                "generation": before.generation,
                "version": before.number,
                "keys": keys,
            },
        )

    def _write(self, name: str, generation: int, number: int) -> None:
        rows = self._staged.sql(f"SELECT * FROM {name}").to_arrow_table()
        if rows.num_rows:
            marks = pa.table(
                {
                    GENERATION: pa.array([generation], pa.uint64()).take(pa.array([0] * rows.num_rows)),
                    VERSION: pa.array([number], pa.uint64()).take(pa.array([0] * rows.num_rows)),
                }
            )
            for column in marks.column_names:
                rows = rows.append_column(column, marks.column(column))
            self._server.write(stored(name), rows)

    def _begin(self, before: Version | None) -> int:
        """Return the number of the version to write, and clear away what a writer that broke off left."""
        found = self._server.read(
            f"SELECT version, any(generation) AS generation, max(done) AS finished FROM {STATES} GROUP BY version"
        ).to_pylist()
        for row in found:
            if not row["finished"]:
                self._clear(row["version"], row["generation"])
        number = 1 + max((row["version"] for row in found), default=0)
        self._state(number, before.generation if before else number, done=False)
        return number

    def _finish(self, version: Version) -> Version:
        self._state(version.number, version.generation, done=True, mark=version.mark, whole=version.whole)
        if version.number == version.generation or version.number % _TIDIED_EVERY == 0:
            tidy(self._server, version, fingerprint(self._plan))
        return version

    def _state(
        self, number: int, generation: int, *, done: bool, mark: str = "", whole: dict[str, int] | None = None
    ) -> None:
        self._server.run(
            f"INSERT INTO {STATES} (version, generation, done, fingerprint, mark, whole) SELECT {{version:UInt64}}, "
            f"{{generation:UInt64}}, {{done:Bool}}, {{fingerprint:String}}, {{mark:String}}, "
            f"mapFromArrays({{names:Array(String)}}, {{numbers:Array(UInt64)}})",
            {
                "version": number, "generation": generation, "done": done, "fingerprint": self._print, "mark": mark,
                "names": list(whole or {}), "numbers": list((whole or {}).values()),
            },
        )  # fmt: skip

    def _clear(self, number: int, generation: int) -> None:
        values = {"version": number, "generation": generation}
        for table in (*FOLLOWED, *WHOLE):
            self._server.run(
                f"DELETE FROM {stored(table.name)} WHERE {GENERATION} = {{generation:UInt64}} "
                f"AND {VERSION} = {{version:UInt64}}", values,
            )  # fmt: skip
        self._server.run(
            f"DELETE FROM {SUPERSEDED} WHERE generation = {{generation:UInt64}} AND by = {{version:UInt64}}", values
        )
        self._server.run(f"DELETE FROM {STATES} WHERE version = {{version:UInt64}} AND NOT done", values)


def prepare(server: Server) -> None:
    """Make the tables where they are missing."""
    for definition in definitions():
        server.run(definition)


def newest(server: Server, plan: Plan) -> Version | None:
    """Return the newest finished version that was made for this plan."""
    found = server.read(
        f"SELECT version, generation, mark, mapKeys(whole) AS names, mapValues(whole) AS numbers FROM {STATES} "
        "WHERE done AND fingerprint = {fingerprint:String} ORDER BY version DESC LIMIT 1",
        {"fingerprint": fingerprint(plan)},
    ).to_pylist()
    return next(
        (Version(r["version"], r["generation"], r["mark"], dict(zip(r["names"], r["numbers"], strict=True)))
         for r in found),
        None,
    )  # fmt: skip


def fingerprint(plan: Plan) -> str:
    """Return what a version depends on besides the database's rows; not its address, which differs by machine."""
    found = hashlib.sha256(f"{plan.zone}\n{plan.base}".encode())
    for path in DERIVED_BY:
        found.update(path.read_bytes())
    return found.hexdigest()


def _names_of(subject: str) -> tuple[str, ...]:
    """Return the tables of a subject, the one that has a row for each first."""
    names = [name for name, (whose, _column) in SUBJECT_OF.items() if whose == subject]
    return tuple(sorted(names, key=lambda name: (SUBJECT_OF[name][1] != "id", name)))


def _whole_tables(subjects: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for subject in subjects:
        own = (PLAIN[subject],) if subject in DIMENSIONS else ()
        found.update(_TOLD_BY.get(subject, own))
    return found


def _parts(keys: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]
