"""The ways to break a number down, and the names of the parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

from sqlalchemy import ColumnElement, FromClause, String, case, cast, func, literal_column

from core.analytics.facts import Facts, spoken
from core.analytics.team_parts import TeamPart, in_part, number_in, part_key, said_part

if TYPE_CHECKING:
    from collections.abc import Callable

Dimension = Literal["team", "territory", "product", "channel", "segment", "rep"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
NONE = "none"
"""The key of the deals that have no value in a dimension."""

_NONE: ColumnElement[str] = literal_column(f"'{NONE}'", String)
_EMPTY: ColumnElement[str] = literal_column("''", String)

_COLUMN: Final[dict[str, str]] = {
    "team": "credit_team_id",
    "territory": "territory_id",
    "product": "product_id",
    "channel": "channel_id",
    "segment": "segment",
    "rep": "credit_id",
}
_TABLE: Final[dict[str, Callable[[Facts], FromClause]]] = {
    "team": lambda facts: facts.teams,
    "territory": lambda facts: facts.territories,
    "product": lambda facts: facts.products,
    "channel": lambda facts: facts.channels,
    "rep": lambda facts: facts.reps,
}


def key_of(facts: Facts, by: Dimension, parts: tuple[TeamPart, ...] = ()) -> ColumnElement[str]:
    """Return the key of a deal of `facts.deals` in a dimension, as text; teams by the `parts` being looked at."""
    column = facts.deals.c[_COLUMN[by]]
    if by == "team":
        return part_key(parts, column, NONE)
    if by == "segment":
        return func.coalesce(func.nullif(column, _EMPTY), _NONE)
    return text_or_none(column)


def has_key(facts: Facts, by: Dimension, key: str) -> ColumnElement[bool]:
    """Return the condition under which a deal of `facts.deals` has a key; a team's is its whole subtree's."""
    return in_part(facts, key, NONE) if by == "team" else key_of(facts, by) == key


def text_or_none(column: ColumnElement[int]) -> ColumnElement[str]:
    """Return a number as the text that keys are, "none" for NULL (no parameter, so that it can be grouped by)."""
    return func.coalesce(cast(column, String), _NONE)


def names_of(facts: Facts, by: Dimension, key: ColumnElement[str]) -> tuple[FromClause | None, ColumnElement[str]]:
    """Return the table that names the keys (to be joined on `table_key`) and the name itself."""
    if by == "segment":
        said = func.coalesce(func.nullif(spoken(facts.words), _EMPTY), key)
        return facts.words, case((key == _NONE, _EMPTY), else_=said)
    table = _TABLE[by](facts)
    return table, said_part(key, spoken(table)) if by == "team" else spoken(table)


def table_key(by: Dimension, key: ColumnElement[str]) -> ColumnElement[str]:
    """Return the number, as text, of the row that names a key."""
    return number_in(key) if by == "team" else key
