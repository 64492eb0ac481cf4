"""Filling the mirror: what is read from the database, and the statements that derive the facts in DuckDB.

The same statements build everything and load single deals again, so an increment equals a rebuild.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import duckdb_engine
from sqlalchemy.schema import CreateTable

from core.analytics.tables import MIRRORED
from core.db.mirror_columns import statement_of
from core.db.mirror_states import RATES, STATES

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

_MOVES = """
INSERT INTO moves BY NAME
WITH stepped AS (
    SELECT id, deal_id, from_stage_id, to_stage_id, CAST(effective_at AS TIMESTAMP) AS moved_at, lost_reason_id
    FROM in_stage_move
    UNION ALL
    SELECT 0, id, NULL, stage_id, CAST(stage_entered_at AS TIMESTAMP), lost_reason_id
    FROM in_deal WHERE id NOT IN (SELECT deal_id FROM in_stage_move))
SELECT m.*, company_day(m.moved_at) AS moved_on,
       f.position AS from_position, f.kind AS from_kind, t.position AS to_position, t.kind AS to_kind
FROM stepped m JOIN stages t ON t.id = m.to_stage_id LEFT JOIN stages f ON f.id = m.from_stage_id"""

_LATE_MOVES = """
INSERT INTO late_moves BY NAME
SELECT id, deal_id, company_day(CAST(recorded_at AS TIMESTAMP)) AS known_on
FROM in_stage_move
WHERE recorded_at > effective_at
  AND company_day(CAST(recorded_at AS TIMESTAMP)) > company_day(CAST(effective_at AS TIMESTAMP))"""

_SPANS = """
INSERT INTO spans BY NAME
WITH stays AS (
    SELECT m.deal_id, t.pipeline_id, m.to_stage_id AS stage_id, m.to_position AS position, m.to_kind AS kind, m.id,
           m.moved_at AS entered_at, lead(m.moved_at) OVER deal AS left_at,
           m.moved_on AS entered_on,
           greatest(coalesce(max(CASE WHEN m.to_kind <> 'lost' THEN m.to_position END) OVER deal, 1), 1) AS furthest
    FROM moves m JOIN stages t ON t.id = m.to_stage_id
    WHERE m.deal_id IN (SELECT id FROM in_deal)
    WINDOW deal AS (PARTITION BY m.deal_id ORDER BY m.moved_at, m.id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)),
timed AS (
    SELECT *, CAST(epoch(left_at) - epoch(entered_at) AS BIGINT) AS seconds,
           coalesce(lag(furthest) OVER (PARTITION BY deal_id ORDER BY entered_at, id), 0) AS furthest_before
    FROM stays)
SELECT * EXCLUDE (id),
       CASE WHEN furthest > furthest_before THEN CAST(epoch(lead(entered_at) OVER arrivals) - epoch(entered_at)
            AS INTEGER) END AS advance_seconds,
       lead(entered_at) OVER same AS next_same_at,
       CAST(coalesce(sum(seconds) OVER (same ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS BIGINT)
           AS seconds_before
FROM timed
WINDOW same AS (PARTITION BY deal_id, stage_id ORDER BY entered_at, id),
       arrivals AS (PARTITION BY deal_id, furthest > furthest_before ORDER BY entered_at, id)"""

_CHANGES = """
INSERT INTO changes BY NAME
SELECT id, deal_id, field, before, after, CAST(effective_at AS TIMESTAMP) AS changed_at
FROM in_deal_change WHERE before IS NOT NULL"""

_DEALS = """
INSERT INTO deals BY NAME
WITH main_product AS (
    SELECT deal_id, product_id, CAST(sum(quantity) OVER (PARTITION BY deal_id) AS BIGINT) AS units FROM in_deal_line
    QUALIFY row_number() OVER (PARTITION BY deal_id ORDER BY amount DESC, id) = 1),
reached AS (
    SELECT deal_id, max(furthest) AS furthest FROM spans
    WHERE deal_id IN (SELECT id FROM in_deal) GROUP BY deal_id),
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
LEFT JOIN reached r ON r.deal_id = d.id LEFT JOIN met ON met.deal_id = d.id"""

_OF_DEALS: Final = ("deal", "deal_line", "stage_move", "deal_change")

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


class Loader:
    """Reads from a source and writes into one DuckDB connection, within the caller's transaction."""

    def __init__(self, source: Source, cursor: duckdb.DuckDBPyConnection, zone: str, base: str) -> None:
        self._source = source
        self._cursor = cursor
        self._zone = zone
        self._base = base
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
            order = ("stage", "pipeline", *sorted(DIMENSIONS), "customer", "quota", "fx_rate", "activity", *_OF_DEALS)
            self._coming = {subject: reader.submit(self._source.read, statement_of(subject, None), whole=True)
                            for subject in order}  # fmt: skip
            self.load_small()
            self._load_plain("customer")
            progress(0.05)
            self.load_activities(None)
            progress(0.2)
            for done, subject in enumerate(_OF_DEALS, start=1):
                self._read(subject)
                progress(0.2 + 0.3 * done / len(_OF_DEALS))
            self._derive_deals(progress)

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
        for table, column in (
            ("deals", "id"),
            ("spans", "deal_id"),
            ("moves", "deal_id"),
            ("changes", "deal_id"),
            ("states", "deal_id"),
            ("late_moves", "deal_id"),
        ):
            self._delete(table, column, keys)
        for subject in _OF_DEALS:
            self._read(subject, keys)
        self._derive_deals(lambda _share: None)

    def _derive_deals(self, progress: Callable[[float], None]) -> None:
        for share, statement in (
            (0.53, _MOVES),
            (0.55, _LATE_MOVES),
            (0.7, _SPANS),
            (0.72, _CHANGES),
            (0.8, _DEALS),
            (1.0, STATES),
        ):
            self._cursor.execute(statement, {"base": self._base} if statement is STATES else None)
            progress(share)

    def _load_plain(self, subject: str, keys: Collection[int] | None = None) -> None:
        self._read(subject, keys)
        plain = f"INSERT INTO {PLAIN[subject]} BY NAME SELECT * FROM in_{subject}"
        self._cursor.execute(_WORDS if subject == "word_pair" else plain)

    def _read(self, subject: str, keys: Collection[int] | None = None) -> None:
        coming = self._coming.pop(subject, None) if keys is None else None
        found = coming.result() if coming else self._source.read(statement_of(subject, keys), whole=keys is None)
        self._cursor.register(f"in_{subject}", found)

    def _delete(self, table: str, column: str, keys: Collection[int] | None) -> None:
        if keys is not None:
            self._cursor.execute(
                f"DELETE FROM {table} WHERE {column} IN (SELECT unnest($keys))",
                {"keys": list(keys)},
            )


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
