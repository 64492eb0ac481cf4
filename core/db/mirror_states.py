"""Deriving the mirror's `states` and `rates`: what every deal was on every day, in both readings.

docs/methods/as-of.md says what the readings are. The same statements build everything and load single deals again.
"""

from __future__ import annotations

from typing import Final

_DAY = "company_day({})"
_NUMBER = (
    "CAST(ascii(substr({0}, 1, 1)) * 65536 + ascii(substr({0}, 2, 1)) * 256 + ascii(substr({0}, 3, 1)) AS INTEGER)"
)
"""A currency's three letters as one number: four bytes a row, and the same after every increment."""

_CENTS = "CAST(CAST(split_part({0}, ' ', 1) AS DECIMAL(18, 2)) * 100 AS BIGINT)"
_CODE = _NUMBER.format("split_part({0}, ' ', 2)")
_FIRST = "arg_min(before, ROW(rec, id)) FILTER (WHERE field = '{}')"

RATES: Final = f"""
INSERT INTO rates BY NAME
SELECT {_NUMBER.format("currency")} AS currency, CAST(rate AS DECIMAL(18, 0)) / 100000000 AS rate,
       CASE WHEN row_number() OVER dated = 1 THEN DATE '0001-01-01' ELSE CAST("on" AS DATE) END AS from_on,
       coalesce(lead(CAST("on" AS DATE)) OVER dated, DATE '9999-12-31') AS until_on
FROM in_fx_rate
WINDOW dated AS (PARTITION BY currency ORDER BY "on")"""

STATES: Final = f"""
INSERT INTO states BY NAME
WITH changed AS (
    SELECT deal_id, CAST(effective_at AS TIMESTAMP) AS eff, CAST(recorded_at AS TIMESTAMP) AS rec, id,
           field, before, after
    FROM in_deal_change WHERE before IS NOT NULL),
began AS (
    SELECT deal_id, {_FIRST.format("amount")} AS amount, {_FIRST.format("owner")} AS owner,
           {_FIRST.format("expected_close")} AS expected
    FROM changed GROUP BY deal_id),
events AS (
    SELECT deal_id, CAST(effective_at AS TIMESTAMP) AS eff, CAST(recorded_at AS TIMESTAMP) AS rec, 1 AS turn, id,
           'stage' AS field, to_stage_id AS stage_id, CAST(NULL AS INTEGER) AS owner_id,
           CAST(NULL AS BIGINT) AS amount, CAST(NULL AS INTEGER) AS currency, CAST(NULL AS DATE) AS expected
    FROM in_stage_move
    UNION ALL
    SELECT id, CAST(stage_entered_at AS TIMESTAMP), CAST(stage_entered_at AS TIMESTAMP), 1, 0, 'stage', stage_id,
           NULL, NULL, NULL, NULL
    FROM in_deal WHERE id NOT IN (SELECT deal_id FROM in_stage_move)
    UNION ALL
    SELECT deal_id, eff, rec, 0, id, field, NULL, CASE field WHEN 'owner' THEN CAST(after AS INTEGER) END,
           CASE field WHEN 'amount' THEN {_CENTS.format("after")} END,
           CASE field WHEN 'amount' THEN {_CODE.format("after")} END,
           CASE field WHEN 'expected_close' THEN CAST(after AS DATE) END
    FROM changed),
late AS (
    SELECT DISTINCT deal_id FROM events
    WHERE CASE WHEN rec > eff THEN {_DAY.format("rec")} > {_DAY.format("eff")} ELSE FALSE END),
known AS (
    SELECT e.*, e.eff AS seen, TRUE AS known_now, late.deal_id IS NULL AS known_then
    FROM events e LEFT JOIN late ON late.deal_id = e.deal_id
    UNION ALL
    SELECT e.*, greatest(e.eff, e.rec) AS seen, FALSE, TRUE
    FROM events e JOIN late ON late.deal_id = e.deal_id
    QUALIFY ROW(e.eff, e.rec, e.id) = max(ROW(e.eff, e.rec, e.id)) OVER (
        PARTITION BY e.deal_id, e.field ORDER BY greatest(e.eff, e.rec), e.eff, e.rec, e.id
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)),
staged AS (
    SELECT k.*, {_DAY.format("k.seen")} AS day, s.kind FROM known k LEFT JOIN stages s ON s.id = k.stage_id),
filled AS (
    SELECT deal_id, known_now, known_then, seen, eff, day, lead(day) OVER told AS next_day, row_number() OVER told AS n,
           last_value(stage_id IGNORE NULLS) OVER told AS stage_id, last_value(kind IGNORE NULLS) OVER told AS kind,
           last_value(owner_id IGNORE NULLS) OVER told AS owner_id, last_value(amount IGNORE NULLS) OVER told AS amount,
           last_value(currency IGNORE NULLS) OVER told AS currency,
           last_value(expected IGNORE NULLS) OVER told AS expected,
           kind IN ('won', 'lost') AND kind IS DISTINCT FROM lag(kind IGNORE NULLS) OVER told AS closes,
           min(CASE WHEN kind IS NOT NULL THEN day END) OVER told AS first_on
    FROM staged
    WINDOW told AS (PARTITION BY deal_id, known_now ORDER BY seen, eff, turn, rec, id
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)),
closings AS (
    SELECT f.deal_id, f.known_now, f.n, f.day, f.eff,
           coalesce(f.owner_id, CAST(b.owner AS INTEGER), d.owner_id) AS winner
    FROM filled f JOIN in_deal d ON d.id = f.deal_id LEFT JOIN began b ON b.deal_id = f.deal_id WHERE f.closes),
kept AS (
    SELECT * FROM filled WHERE kind IS NOT NULL AND next_day IS DISTINCT FROM day),
told AS (
    SELECT k.*, NULL AS winner, CAST(NULL AS DATE) AS since_on, CAST(NULL AS TIMESTAMP) AS closed_at
    FROM kept k WHERE kind = 'open'
    UNION ALL
    SELECT k.*, c.winner, c.day, c.eff
    FROM (SELECT * FROM kept WHERE kind <> 'open') k
    ASOF JOIN closings c ON c.deal_id = k.deal_id AND c.known_now = k.known_now AND c.n <= k.n)
SELECT t.deal_id, t.stage_id, t.kind = 'open' AS is_open, t.kind = 'won' AS is_won, t.known_now, t.known_then,
       CASE WHEN t.kind <> 'won' THEN coalesce(t.owner_id, CAST(b.owner AS INTEGER), d.owner_id)
            WHEN d.state = 'won' AND CAST(d.closed_at AS TIMESTAMP) = t.closed_at THEN d.credited_id
            ELSE t.winner END AS credit_id,
       coalesce(t.amount, {_CENTS.format("b.amount")}, d.amount) AS amount,
       nullif(coalesce(t.currency, {_CODE.format("b.amount")}, {_NUMBER.format("d.currency")}),
              {_NUMBER.format("$base")}) AS currency,
       coalesce(t.expected, CAST(b.expected AS DATE), CAST(d.expected_close_on AS DATE)) AS expected_close_on,
       t.day AS from_on, coalesce(t.next_day, DATE '9999-12-31') AS until_on, t.first_on, t.since_on,
       {_DAY.format("t.closed_at")} AS closed_on, t.closed_at
FROM told t JOIN in_deal d ON d.id = t.deal_id LEFT JOIN began b ON b.deal_id = t.deal_id"""
