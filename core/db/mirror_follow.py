"""Following the database row by row: which changes can be, and which rows of the mirror they touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.db.mirror_load import DIMENSIONS, Loader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import duckdb

    from core.db.mirror_source import Changed

MOST_KEYS = 5_000
"""Changed deals, customers or activities above which everything is built anew."""

_REBUILT = frozenset({"stage", "pipeline"})
_BY_KEY = frozenset({"deal", "customer", "activity"})


def needs_rebuild(changes: list[Changed]) -> bool:
    """Say whether so much changed that everything is loaded anew."""
    return (
        any(c.subject in _REBUILT or (c.key is None and c.subject in _BY_KEY) for c in changes)
        or sum(c.subject in _BY_KEY for c in changes) > MOST_KEYS
    )


def follow(loader: Loader, cursor: duckdb.DuckDBPyConnection, changes: Iterable[Changed]) -> int:
    """Load again, inside the cursor's transaction, what these changes touch; return how many deals that were."""
    keys: dict[str, set[int]] = {}
    whole: set[str] = set()
    for subject, key in changes:
        keys.setdefault(subject, set())
        if key is None:
            whole.add(subject)
        else:
            keys[subject].add(key)
    deals, activities, met = keys.get("deal", set()), keys.get("activity", set()), set[int]()
    for subject in sorted(DIMENSIONS & keys.keys()):
        loader.load_dimension(subject)
    if keys.keys() & {"rep", "team", "quota"}:
        loader.load_quotas()
    if "fx_rate" in keys:
        loader.load_rates()
    if "rep" in keys:
        of_reps = None if "rep" in whole else keys["rep"]
        deals |= _numbers(cursor, "SELECT id FROM deals", ("owner_id", "credited_id"), of_reps)
        activities |= _numbers(cursor, "SELECT id FROM activities", ("rep_id",), of_reps)
    if keys.get("customer"):
        loader.load_customers(keys["customer"])
        deals |= _numbers(cursor, "SELECT id FROM deals", ("customer_id",), keys["customer"])
    if activities:
        of_deals = "SELECT DISTINCT deal_id FROM (FROM activities WHERE deal_id IS NOT NULL)"
        met = _numbers(cursor, of_deals, ("id",), activities)
        loader.load_activities(activities)
        met |= _numbers(cursor, of_deals, ("id",), activities)
    if deals or met:
        loader.load_deals(deals | met, met=met)
    return len(deals | met)


def _numbers(
    cursor: duckdb.DuckDBPyConnection, sql: str, columns: tuple[str, ...], keys: Collection[int] | None
) -> set[int]:
    """Return the numbers that a statement gives of rows that have one of these keys in a column; None is all rows."""
    where = " OR ".join(f"{column} IN (SELECT unnest($keys))" for column in columns)
    asked = (sql, None) if keys is None else (f"{sql} WHERE {where}", {"keys": list(keys)})
    return {number for (number,) in cursor.execute(*asked).fetchall()}
