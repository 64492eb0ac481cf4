"""DuckDB's statements that fill the mirror's tables from rows as the database has them, registered as `in_<table>`."""

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
FROM in_activity a LEFT JOIN reps r ON r.id = a.rep_id"""

CHANGES: Final = """
INSERT INTO changes BY NAME
SELECT id, deal_id, field, before, after, CAST(effective_at AS TIMESTAMP) AS changed_at
FROM in_deal_change WHERE before IS NOT NULL"""

DEALS: Final = """
INSERT INTO deals BY NAME
WITH timed AS (
    SELECT * REPLACE (CAST(opened_at AS TIMESTAMP) AS opened_at, CAST(closed_at AS TIMESTAMP) AS closed_at,
                      CAST(stage_entered_at AS TIMESTAMP) AS stage_entered_at)
    FROM in_deal)
SELECT d.name, CAST(d.auto_named AS BOOLEAN) AS auto_named, d.id, d.pipeline_id, d.stage_id, s.position,
       d.owner_id, d.credited_id,
       greatest(coalesce(d.furthest, 1), CASE WHEN s.kind = 'lost' THEN 1 ELSE s.position END) AS furthest,
       coalesce(d.credited_id, d.owner_id) AS credit_id, o.team_id, c.team_id AS credited_team_id,
       CASE WHEN d.credited_id IS NULL THEN o.team_id ELSE c.team_id END AS credit_team_id,
       d.customer_id, k.territory_id, d.channel_id, d.product_id, d.lost_reason_id, s.expected_days, d.state,
       coalesce(k.segment, '') AS segment, coalesce(k.industry, '') AS industry, d.competitor, d.base_amount AS amount,
       d.base_cost AS cost,
       d.units,
       CASE WHEN d.state = 'open' THEN CAST(round(CAST(d.base_amount AS DECIMAL(18, 0))
            * CAST(s.probability AS DECIMAL(9, 6))) AS BIGINT) ELSE 0 END AS weighted, s.probability,
       d.opened_at, d.closed_at, d.stage_entered_at,
       company_day(d.opened_at) AS opened_on,
       company_day(d.closed_at) AS closed_on,
       company_day(d.stage_entered_at) AS stage_entered_on,
       CAST(d.expected_close_on AS DATE) AS expected_close_on, d.last_activity_on,
       (epoch(d.closed_at) - epoch(d.opened_at)) / 86400.0 AS cycle_days
FROM timed d JOIN stages s ON s.id = d.stage_id
LEFT JOIN reps o ON o.id = d.owner_id LEFT JOIN reps c ON c.id = d.credited_id
LEFT JOIN customers k ON k.id = d.customer_id"""

SHARES: Final = """
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
