"""Following the database row by row: which changes can be, and which rows of the mirror they touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.db.mirror_load import DIMENSIONS, Loader

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def follow(loader: Loader, cursor: duckdb.DuckDBPyConnection, changes: Iterable[Changed]) -> None:
    """Load again, inside the cursor's transaction, what these changes touch."""
    keys: dict[str, set[int]] = {}
    whole: set[str] = set()
    for subject, key in changes:
        keys.setdefault(subject, set())
        if key is None:
            whole.add(subject)
        else:
            keys[subject].add(key)
    deals, activities = keys.get("deal", set()), keys.get("activity", set())
    for subject in sorted(DIMENSIONS & keys.keys()):
        loader.load_dimension(subject)
    if keys.keys() & {"rep", "team", "quota"}:
        loader.load_quotas()
    if "fx_rate" in keys:
        loader.load_rates()
    if "rep" in keys:
        everyone = "rep" in whole
        deals |= _numbers(cursor, "SELECT id FROM deals WHERE $all OR list_contains($keys, owner_id) "
                          "OR list_contains($keys, credited_id)", keys["rep"], everything=everyone)  # fmt: skip
        activities |= _numbers(
            cursor,
            "SELECT id FROM activities WHERE $all OR list_contains($keys, rep_id)",
            keys["rep"],
            everything=everyone,
        )
    if keys.get("customer"):
        loader.load_customers(keys["customer"])
        deals |= _numbers(
            cursor, "SELECT id FROM deals WHERE $all OR list_contains($keys, customer_id)", keys["customer"]
        )
    if activities:
        met = "SELECT DISTINCT deal_id FROM activities WHERE deal_id IS NOT NULL AND ($all OR list_contains($keys, id))"
        deals |= _numbers(cursor, met, activities)
        loader.load_activities(activities)
        deals |= _numbers(cursor, met, activities)
    if deals:
        loader.load_deals(deals)


def _numbers(cursor: duckdb.DuckDBPyConnection, sql: str, keys: Iterable[int], *, everything: bool = False) -> set[int]:
    found = cursor.execute(sql, {"keys": list(keys), "all": everything}).fetchall()
    return {number for (number,) in found}
