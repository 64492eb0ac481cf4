"""DuckDB's statements that fill the mirror's tables from rows as the database has them.

Small tables are registered as `in_<table>`; of the large ones a part is the variable `rows` where the statement is run,
which DuckDB finds by its name in half the time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

STAGES: Final = """
INSERT INTO stages BY NAME
SELECT id, pipeline_id, expected_days, name, name_en, kind, probability, CAST(active AS BOOLEAN) AS active,
       row_number() OVER (PARTITION BY pipeline_id ORDER BY
           CASE kind WHEN 'open' THEN 0 WHEN 'won' THEN 1 ELSE 2 END, position, id) AS position
FROM in_stage"""

WORDS: Final = """
INSERT INTO words
SELECT name, name, name_en FROM in_word_pair
UNION ALL
SELECT name_en, any_value(name), name_en FROM in_word_pair WHERE name_en NOT IN (SELECT name FROM in_word_pair)
GROUP BY name_en HAVING count(*) = 1"""

SUBTREES: Final = """
INSERT INTO subtrees
WITH RECURSIVE tree(top_id, team_id) AS (
    SELECT id, id FROM teams
    UNION
    SELECT tree.top_id, teams.id FROM tree JOIN teams ON teams.parent_id = tree.team_id)
SELECT top_id, team_id FROM tree"""

QUOTAS: Final = """
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

ACTIVITIES: Final = """
INSERT INTO activities BY NAME
SELECT a.id, a.deal_id, a.rep_id, r.team_id, a.customer_id, a.kind, CAST(a.due_on AS DATE) AS due_on,
       CAST(a.done_at AS TIMESTAMP) AS done_at, a.done_on
FROM rows a LEFT JOIN reps r ON r.id = a.rep_id"""

CHANGES: Final = """
INSERT INTO changes BY NAME
SELECT id, deal_id, field, before, after, CAST(effective_at AS TIMESTAMP) AS changed_at
FROM rows WHERE before IS NOT NULL"""

SHARES: Final = """
INSERT INTO shares BY NAME
SELECT deal_id, rep_id, share, company_day(CAST(recorded_at AS TIMESTAMP)) AS known_from,
       company_day(CAST(until_at AS TIMESTAMP)) AS known_until
FROM rows"""

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


def day_of(zone: str) -> str:
    """Return the expression of a UTC instant's day; where the clocks have not changed since 1992, by adding alone."""
    slow = f"CAST(timezone('{zone}', timezone('UTC', instant)) AS DATE)"
    days = (datetime(year, month, 1, tzinfo=ZoneInfo(zone)) for year in range(1992, 2060) for month in (1, 4, 7, 10))
    ahead = {day.utcoffset() for day in days}
    if len(ahead) > 1:
        return slow
    seconds = int((ahead.pop() or timedelta()).total_seconds())
    quick = f"CAST(instant + INTERVAL {seconds} SECOND AS DATE)"
    return f"CASE WHEN instant >= TIMESTAMP '1992-01-01' THEN {quick} ELSE {slow} END"
