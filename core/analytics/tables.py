"""The mirror's tables: their columns, and which hold somebody's business.

Money is whole hundredths of the base currency; `*_on` are days of the company, `*_at` UTC without a zone,
since DuckDB keeps those in eight plain bytes. Only `core.db.mirror*` and `core.analytics.facts` import this.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Integer,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
)

MIRRORED = MetaData()


def _ids(*names: str) -> list[Column[int]]:
    return [Column(name, Integer) for name in names]


DEALS = Table(
    "deals", MIRRORED, Column("name", Text), Column("auto_named", Boolean),
    *_ids("id", "pipeline_id", "stage_id", "position", "furthest", "owner_id", "credited_id", "credit_id",
          "team_id", "credited_team_id", "credit_team_id", "customer_id", "territory_id", "channel_id",
          "product_id", "lost_reason_id", "expected_days"),
    Column("state", Text), Column("segment", Text), Column("industry", Text), Column("competitor", Text),
    Column("amount", BigInteger), Column("cost", BigInteger), Column("units", BigInteger),
    Column("weighted", BigInteger),
    Column("probability", Double), Column("opened_at", DateTime), Column("closed_at", DateTime),
    Column("stage_entered_at", DateTime),
    Column("opened_on", Date), Column("closed_on", Date), Column("stage_entered_on", Date),
    Column("expected_close_on", Date), Column("last_activity_on", Date), Column("cycle_days", Double),
)  # fmt: skip
"""One row a deal. `position` counts the stages of its pipeline: open ones, then won, then lost; `furthest` is the
highest position that it ever had, lost apart, at least 1. `credit_id` is the credited rep, else the owner.
`units` adds up the quantities of its lines; `cost` is what those of a won deal cost, NULL where that is not known.
`auto_named` deals are called after customer and main product (`core.analytics.facts.title`)."""

SPANS = Table(
    "spans", MIRRORED,
    *_ids("deal_id", "owner_id", "credited_id", "pipeline_id", "stage_id", "position", "furthest", "move_id",
          "from_stage_id", "lost_reason_id"),
    Column("kind", Text), Column("entered_at", DateTime), Column("left_at", DateTime),
    Column("next_same_at", DateTime), Column("seconds_before", BigInteger), Column("seconds", BigInteger),
    Column("entered_on", Date), Column("furthest_before", SmallInteger), Column("advance_seconds", Integer),
)  # fmt: skip
"""One row a stay of a deal in a stage; `left_at` NULL while it stays; `next_same_at` the deal's next entry into the
same stage; `seconds_before` spent there in earlier stays; `furthest` position so far, `furthest_before` before this
stay (0 for the first). Where the two differ, the deal arrived at the positions between them for the first time;
`advance_seconds` is then the time to the next such arrival, NULL where none came. `owner_id` and `credited_id` are
the deal's own, so that a scope need not look the deal up. The move that began the stay is `move_id` (0 where a deal
has none); it came from `from_stage_id`, NULL for a deal's first. `core.analytics.facts` reads moves of these rows."""

LATE_MOVES = Table(
    "late_moves", MIRRORED, *_ids("id", "deal_id"), Column("moved_on", Date), Column("known_on", Date),
)  # fmt: skip
"""The moves that were written down on a later day than they happened, and both days; few, so that `spans` need not
carry it."""

CHANGES = Table(
    "changes", MIRRORED, *_ids("id", "deal_id"), Column("field", Text), Column("before", Text),
    Column("after", Text), Column("changed_at", DateTime),
)  # fmt: skip
"""Changes of amount, owner and expected close after the first value."""

STATES = Table(
    "states", MIRRORED,
    *_ids("deal_id", "stage_id", "credit_id", "customer_id"), Column("is_open", Boolean), Column("is_won", Boolean),
    Column("known_now", Boolean), Column("known_then", Boolean),
    Column("amount", BigInteger), Column("currency", Integer), Column("expected_close_on", Date),
    Column("from_on", Date), Column("until_on", Date), Column("first_on", Date), Column("since_on", Date),
    Column("closed_on", Date), Column("closed_at", DateTime),
)  # fmt: skip
"""One row a time in which nothing of a deal changed, by whole days: it was so at the end of each day in
[`from_on`, `until_on`). `known_now` rows are the deal's past as it is known now, `known_then` rows what was known on
each of those days; most rows are both. `amount` in hundredths of the deal's currency; `currency` NULL where that is
the company's, else as in `rates`. `credit_id` had the deal, or had won it. `customer_id` is the
deal's. `first_on` is its first day in its reading, `since_on` the day on which it became won or lost there,
`closed_on` and `closed_at` when it really did."""

FORMER = Table("former", MIRRORED, *_ids("deal_id", "rep_id"))
"""Who had a deal on some day, in either reading of `states`, and is neither its owner nor credited with it now: few,
so that a scope need not look through the states for what was handed over."""

RATES = Table(
    "rates", MIRRORED, Column("currency", Integer), Column("from_on", Date), Column("until_on", Date),
    Column("rate", Numeric(20, 8)),
)  # fmt: skip
"""What a unit of each foreign currency was worth on the days of [`from_on`, `until_on`)."""

SHARES = Table(
    "shares", MIRRORED, *_ids("deal_id", "rep_id", "share"), Column("known_from", Date), Column("known_until", Date),
)  # fmt: skip
"""How much of a deal somebody is credited with, in ten-thousandths; those of a deal add up. It was known on the days
of [`known_from`, `known_until`), which is NULL for what is known now. Deals that nobody split have none."""

ACTIVITIES = Table(
    "activities", MIRRORED, *_ids("id", "deal_id", "rep_id", "team_id", "customer_id"), Column("kind", Text),
    Column("due_on", Date), Column("done_on", Date), Column("done_at", DateTime),
)  # fmt: skip
QUOTAS = Table(
    "quotas", MIRRORED, *_ids("id", "rep_id", "team_id"), Column("own_team_id", Integer), Column("month", Date),
    Column("amount", BigInteger), Column("counts", Boolean),
)  # fmt: skip
"""`own_team_id` is set where the quota is a team's own, `team_id` also where it is a rep's. `counts` is false for a
team's own quota in a month in which somebody below it has one, so that quotas can be added up."""

CUSTOMERS = Table(
    "customers", MIRRORED, *_ids("id", "owner_id", "territory_id"), Column("name", Text), Column("name_en", Text),
    Column("segment", Text), Column("industry", Text),
)  # fmt: skip
REPS = Table(
    "reps", MIRRORED, *_ids("id", "team_id"), Column("name", Text), Column("name_en", Text),
    Column("joined_on", Date), Column("left_on", Date),
)  # fmt: skip
LEAVES = Table("leaves", MIRRORED, *_ids("id", "rep_id"), Column("from_on", Date), Column("until_on", Date))
"""The days on which reps were on leave, the last one too."""

TEAMS = Table("teams", MIRRORED, *_ids("id", "parent_id"), Column("name", Text), Column("name_en", Text))
SUBTREES = Table("subtrees", MIRRORED, *_ids("top_id", "team_id"))
"""Each team with itself and every team below it."""


def _named(table: str, *more: Column[int]) -> Table:
    return Table(table, MIRRORED, *_ids("id"), *more, Column("name", Text), Column("name_en", Text))


TERRITORIES = _named("territories")
PRODUCTS = _named("products")
CHANNELS = _named("channels")
LOST_REASONS = _named("lost_reasons")
WORDS = Table("words", MIRRORED, *(Column(name, Text) for name in ("id", "name", "name_en")))
"""The company's word list: a row for each word in either language, which is its `id`, with both."""
PIPELINES = Table(
    "pipelines",
    MIRRORED,
    *_ids("id"),
    Column("name", Text),
    Column("name_en", Text),
    Column("is_default", Boolean),
)
STAGES = Table(
    "stages", MIRRORED, *_ids("id", "pipeline_id", "position", "expected_days"), Column("name", Text),
    Column("name_en", Text), Column("kind", Text), Column("probability", Double), Column("active", Boolean),
)  # fmt: skip
STATE = Table("mirror_state", MIRRORED, Column("version", BigInteger))
