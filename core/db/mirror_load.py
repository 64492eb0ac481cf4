"""Filling the mirror: what is read from the database, and what is derived of it and written into DuckDB.

The same code builds everything and loads single deals again, so an increment equals a rebuild.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import duckdb_engine
from sqlalchemy.schema import CreateTable

from core.analytics import tables
from core.analytics.tables import MIRRORED
from core.db import mirror_columns, mirror_days, mirror_histories, mirror_runs, mirror_states
from core.db.mirror_columns import statement_of
from core.db.mirror_days import Days
from core.db.mirror_histories import Moves, Stages
from core.db.mirror_states import RATES, states_table

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from concurrent.futures import Future

    import duckdb
    import pyarrow as pa

    from core.db.mirror_source import Source

Keys = "Collection[int] | None"

_STAGES = """
INSERT INTO stages BY NAME
SELECT id, pipeline_id, expected_days, name, name_en, kind, probability, CAST(active AS BOOLEAN) AS active,
       row_number() OVER (PARTITION BY pipeline_id ORDER BY
           CASE kind WHEN 'open' THEN 0 WHEN 'won' THEN 1 ELSE 2 END, position, id) AS position
FROM in_stage"""

_WORDS = """
INSERT INTO words
SELECT name, name, name_en FROM in_word_pair
UNION ALL
SELECT name_en, any_value(name), name_en FROM in_word_pair WHERE name_en NOT IN (SELECT name FROM in_word_pair)
GROUP BY name_en HAVING count(*) = 1"""

_SUBTREES = """
INSERT INTO subtrees
WITH RECURSIVE tree(top_id, team_id) AS (
    SELECT id, id FROM teams
    UNION
    SELECT tree.top_id, teams.id FROM tree JOIN teams ON teams.parent_id = tree.team_id)
SELECT top_id, team_id FROM tree"""

_QUOTAS = """
INSERT INTO quotas BY NAME
WITH owed AS (
    SELECT q.id, q.rep_id, q.team_id AS own_team_id, coalesce(q.team_id, r.team_id) AS team_id,
           CAST(q.month AS DATE) AS month, q.amount
    FROM in_quota q LEFT JOIN reps r ON r.id = q.rep_id),
covered AS (
    SELECT DISTINCT t.top_id, o.month FROM owed o JOIN subtrees t ON t.team_id = o.team_id
    WHERE o.rep_id IS NOT NULL OR t.top_id <> t.team_id)
SELECT o.*, o.rep_id IS NOT NULL OR c.top_id IS NULL AS counts
FROM owed o LEFT JOIN covered c ON c.top_id = o.own_team_id AND c.month = o.month"""

_ACTIVITIES = """
INSERT INTO activities BY NAME
SELECT a.id, a.deal_id, a.rep_id, r.team_id, a.customer_id, a.kind, CAST(a.due_on AS DATE) AS due_on,
       CAST(a.done_at AS TIMESTAMP) AS done_at,
       company_day(CAST(a.done_at AS TIMESTAMP)) AS done_on
FROM in_activity a LEFT JOIN reps r ON r.id = a.rep_id"""

_CHANGES = """
INSERT INTO changes BY NAME
SELECT id, deal_id, field, before, after, CAST(effective_at AS TIMESTAMP) AS changed_at
FROM in_deal_change WHERE before IS NOT NULL"""

_DEALS = """
INSERT INTO deals BY NAME
WITH main_product AS (
    SELECT deal_id, product_id, CAST(sum(quantity) OVER (PARTITION BY deal_id) AS BIGINT) AS units FROM in_deal_line
    QUALIFY row_number() OVER (PARTITION BY deal_id ORDER BY amount DESC, id) = 1),
met AS (
    SELECT deal_id, max(done_on) AS last_activity_on FROM activities
    WHERE deal_id IN (SELECT id FROM in_deal) GROUP BY deal_id),
timed AS (
    SELECT * REPLACE (CAST(opened_at AS TIMESTAMP) AS opened_at, CAST(closed_at AS TIMESTAMP) AS closed_at,
                      CAST(stage_entered_at AS TIMESTAMP) AS stage_entered_at)
    FROM in_deal)
SELECT d.name, CAST(d.auto_named AS BOOLEAN) AS auto_named, d.id, d.pipeline_id, d.stage_id, s.position,
       d.owner_id, d.credited_id,
       greatest(coalesce(r.furthest, 1), CASE WHEN s.kind = 'lost' THEN 1 ELSE s.position END) AS furthest,
       coalesce(d.credited_id, d.owner_id) AS credit_id, o.team_id, c.team_id AS credited_team_id,
       CASE WHEN d.credited_id IS NULL THEN o.team_id ELSE c.team_id END AS credit_team_id,
       d.customer_id, k.territory_id, d.channel_id, p.product_id, d.lost_reason_id, s.expected_days, d.state,
       coalesce(k.segment, '') AS segment, coalesce(k.industry, '') AS industry, d.competitor, d.base_amount AS amount,
       d.base_cost AS cost,
       coalesce(p.units, 0) AS units,
       CASE WHEN d.state = 'open' THEN CAST(round(CAST(d.base_amount AS DECIMAL(18, 0))
            * CAST(s.probability AS DECIMAL(9, 6))) AS BIGINT) ELSE 0 END AS weighted, s.probability,
       d.opened_at, d.closed_at, d.stage_entered_at,
       company_day(d.opened_at) AS opened_on,
       company_day(d.closed_at) AS closed_on,
       company_day(d.stage_entered_at) AS stage_entered_on,
       CAST(d.expected_close_on AS DATE) AS expected_close_on, met.last_activity_on,
       (epoch(d.closed_at) - epoch(d.opened_at)) / 86400.0 AS cycle_days
FROM timed d JOIN stages s ON s.id = d.stage_id
LEFT JOIN reps o ON o.id = d.owner_id LEFT JOIN reps c ON c.id = d.credited_id
LEFT JOIN customers k ON k.id = d.customer_id LEFT JOIN main_product p ON p.deal_id = d.id
LEFT JOIN in_reached r ON r.deal_id = d.id LEFT JOIN met ON met.deal_id = d.id"""

_HISTORIES: Final = ("spans", "moves", "changes", "states", "late_moves", "shares")
_FEW: Final = 16
"""Keys up to which a statement names them one by one, which DuckDB then looks for in few of a table's parts."""

_SHARES = """
INSERT INTO shares BY NAME
SELECT deal_id, rep_id, share, company_day(CAST(recorded_at AS TIMESTAMP)) AS known_from,
       company_day(CAST(until_at AS TIMESTAMP)) AS known_until
FROM in_credit_share"""

PLAIN: Final[dict[str, str]] = {
    "rep": "reps",
    "rep_leave": "leaves",
    "team": "teams",
    "territory": "territories",
    "product": "products",
    "channel": "channels",
    "lost_reason": "lost_reasons",
    "word_pair": "words",
    "pipeline": "pipelines",
    "customer": "customers",
}
DIMENSIONS: Final = frozenset(
    {"rep", "rep_leave", "team", "territory", "product", "channel", "lost_reason", "word_pair"}
)
"""Subjects whose whole table is read again when a row of it changes."""


DERIVED_BY: Final = tuple(
    Path(str(module.__file__))
    for module in (
        tables, mirror_columns, mirror_days, mirror_histories, mirror_runs, mirror_states, sys.modules[__name__],
    )
)  # fmt: skip
"""The files on which a mirror's content depends besides the database's rows."""


class Loader:
    """Reads from a source and writes into one DuckDB connection, within the caller's transaction."""

    def __init__(self, source: Source, cursor: duckdb.DuckDBPyConnection, zone: str, base: str) -> None:
        self._source = source
        self._cursor = cursor
        self._zone = zone
        self._base = base
        self._days = Days(zone)
        self._coming: dict[str, Future[pa.Table]] = {}

    def create(self) -> None:
        """Make the empty tables, and `company_day`, which says on what day of the company an instant falls."""
        self._cursor.execute(f"CREATE MACRO company_day(instant) AS {_day_of(self._zone)}")
        for definition in _definitions():
            self._cursor.execute(definition)
        self._cursor.execute("INSERT INTO mirror_state VALUES (0)")

    def load_everything(self, progress: Callable[[float], None]) -> None:
        """Fill the empty tables; what the next step needs is read while one is derived.

        progress: called with the share done.
        """
        with ThreadPoolExecutor(1) as reader:
            small = ("stage", "pipeline", *sorted(DIMENSIONS), "customer", "quota", "fx_rate")
            order = (*small, "deal", "stage_move", "deal_change", "credit_share", "activity", "deal_line")
            self._coming = {subject: reader.submit(self._source.read, statement_of(subject, None), whole=True)
                            for subject in order}  # fmt: skip
            self.load_small()
            self._load_plain("customer")
            progress(0.05)
            self._load_histories(None, progress)
            self.load_activities(None)
            progress(0.8)
            self._load_deal_rows(None)
            progress(1.0)

    def load_small(self) -> None:
        """Fill the empty tables that are read whole: the process, people, goods, quotas and rates."""
        self._read("stage")
        self._cursor.execute(_STAGES)
        for subject in ("pipeline", *sorted(DIMENSIONS)):
            self._load_plain(subject)
        self._cursor.execute(_SUBTREES)
        self.load_quotas()
        self.load_rates()

    def load_dimension(self, subject: str) -> None:
        """Read a small table again, with what is derived from it and no deal holds."""
        self._cursor.execute(f"DELETE FROM {PLAIN[subject]}")
        self._load_plain(subject)
        if subject == "team":
            self._cursor.execute("DELETE FROM subtrees")
            self._cursor.execute(_SUBTREES)

    def load_quotas(self) -> None:
        """Read the quotas again; which of them count depends on reps and teams."""
        self._cursor.execute("DELETE FROM quotas")
        self._read("quota")
        self._cursor.execute(_QUOTAS)

    def load_rates(self) -> None:
        """Read the exchange rates again."""
        self._cursor.execute("DELETE FROM rates")
        self._read("fx_rate")
        self._cursor.execute(RATES)

    def load_customers(self, keys: Collection[int]) -> None:
        """Read some customers again."""
        self._delete("customers", "id", keys)
        self._load_plain("customer", keys)

    def load_activities(self, keys: Collection[int] | None) -> None:
        """Read some activities again, or all of them."""
        self._delete("activities", "id", keys)
        self._read("activity", keys)
        self._cursor.execute(_ACTIVITIES)

    def load_deals(self, keys: Collection[int] | None) -> None:
        """Read some deals again, or all of them, with their moves, changes and spans."""
        for table in _HISTORIES:
            self._delete(table, "deal_id", keys)
        self._load_histories(keys, lambda _share: None)
        self._delete("deals", "id", keys)
        self._load_deal_rows(keys)

    def _load_histories(self, keys: Collection[int] | None, progress: Callable[[float], None]) -> None:
        """Derive what deals went through; `_load_deal_rows` needs it."""
        stages = Stages.of(self._cursor.execute("SELECT id, position, kind, pipeline_id FROM stages").fetchall())
        deals = self._read("deal", keys)
        progress(0.2)
        moves = Moves.of(self._rows("stage_move", keys), deals, self._days)
        progress(0.35)
        self._insert("moves", moves.table(stages))
        self._insert("late_moves", moves.late_table(self._days))
        progress(0.45)
        self._insert("spans", moves.spans_table(stages))
        self._cursor.register("in_reached", moves.reached_table(stages))
        progress(0.55)
        changes = self._read("deal_change", keys)
        if changes.num_rows:
            self._cursor.execute(_CHANGES)
        states = states_table(moves, changes, deals, stages=stages, days=self._days, base=self._base)
        progress(0.65)
        self._insert("states", states)
        self._forget("deal_change")
        if self._read("credit_share", keys).num_rows:
            self._cursor.execute(_SHARES)
        progress(0.7)

    def _load_deal_rows(self, keys: Collection[int] | None) -> None:
        self._read("deal_line", keys)
        self._cursor.execute(_DEALS)
        for subject in ("deal", "deal_line", "reached"):
            self._forget(subject)

    def _insert(self, table: str, rows: pa.Table) -> None:
        if rows.num_rows:
            self._cursor.register("in_derived", rows)
            self._cursor.execute(f"INSERT INTO {table} BY NAME SELECT * FROM in_derived")
            self._forget("derived")

    def _load_plain(self, subject: str, keys: Collection[int] | None = None) -> None:
        self._read(subject, keys)
        plain = f"INSERT INTO {PLAIN[subject]} BY NAME SELECT * FROM in_{subject}"
        self._cursor.execute(_WORDS if subject == "word_pair" else plain)

    def _read(self, subject: str, keys: Collection[int] | None = None) -> pa.Table:
        found = self._rows(subject, keys)
        self._cursor.register(f"in_{subject}", found)
        return found

    def _rows(self, subject: str, keys: Collection[int] | None = None) -> pa.Table:
        coming = self._coming.pop(subject, None) if keys is None else None
        return coming.result() if coming else self._source.read(statement_of(subject, keys), whole=keys is None)

    def _forget(self, subject: str) -> None:
        """Let what was read go, which may be large."""
        self._cursor.unregister(f"in_{subject}")

    def _delete(self, table: str, column: str, keys: Collection[int] | None) -> None:
        if keys is not None:
            chosen = ", ".join(map(str, sorted(keys))) if len(keys) <= _FEW else "SELECT unnest($keys)"
            given = None if len(keys) <= _FEW else {"keys": list(keys)}
            self._cursor.execute(f"DELETE FROM {table} WHERE {column} IN ({chosen})", given)


def _day_of(zone: str) -> str:
    """Return the expression of a UTC instant's day; where the clocks have not changed since 1992, by adding alone."""
    slow = f"CAST(timezone('{zone}', timezone('UTC', instant)) AS DATE)"
    days = (datetime(year, month, 1, tzinfo=ZoneInfo(zone)) for year in range(1992, 2060) for month in (1, 4, 7, 10))
    ahead = {day.utcoffset() for day in days}
    if len(ahead) > 1:
        return slow
    seconds = int((ahead.pop() or timedelta()).total_seconds())
    quick = f"CAST(instant + INTERVAL {seconds} SECOND AS DATE)"
    return f"CASE WHEN instant >= TIMESTAMP '1992-01-01' THEN {quick} ELSE {slow} END"


@cache
def _definitions() -> list[str]:
    dialect = duckdb_engine.Dialect()
    return [str(CreateTable(table).compile(dialect=dialect)) for table in MIRRORED.sorted_tables]
