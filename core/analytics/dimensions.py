"""The ways to break a number down, and the names of the parts."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, FromClause, String, case, cast, func, literal, literal_column

from core.analytics.facts import Facts, spoken
from core.analytics.team_parts import TeamPart, in_part, number_in, part_key, said_part
from core.i18n import _, format_compact

if TYPE_CHECKING:
    from collections.abc import Callable

Dimension = Literal["team", "territory", "product", "channel", "segment", "rep", "size", "lost_reason", "competitor"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
NONE = "none"
"""The key of the deals that have no value in a dimension."""
BESIDE: Final = "|"
"""Between keys that are counted together, in a dimension whose keys are numbers and that has no subtrees."""

SIZES: Final = (10_000, 50_000, 200_000, 1_000_000)
"""Where one size of deals ends and the next begins, in major units."""

_TEXTS: Final = frozenset({"segment", "competitor"})

_NONE: ColumnElement[str] = literal_column(f"'{NONE}'", String)
_EMPTY: ColumnElement[str] = literal_column("''", String)

_COLUMN: Final[dict[str, str]] = {
    "team": "credit_team_id",
    "territory": "territory_id",
    "product": "product_id",
    "channel": "channel_id",
    "segment": "segment",
    "rep": "credit_id",
    "size": "amount",
    "lost_reason": "lost_reason_id",
    "competitor": "competitor",
}
_TABLE: Final[dict[str, Callable[[Facts], FromClause]]] = {
    "team": lambda facts: facts.teams,
    "territory": lambda facts: facts.territories,
    "product": lambda facts: facts.products,
    "channel": lambda facts: facts.channels,
    "rep": lambda facts: facts.reps,
    "lost_reason": lambda facts: facts.lost_reasons,
}


def key_of(facts: Facts, by: Dimension, parts: tuple[TeamPart, ...] = ()) -> ColumnElement[str]:
    """Return the key of a deal of `facts.deals` in a dimension, as text; teams by the `parts` being looked at."""
    return key_in(column_of(facts, by), by, parts)


def column_of(facts: Facts, by: Dimension) -> ColumnElement[Any]:
    """Return what a dimension's key is made of: a column of `facts.deals`, a size's place as text."""
    column = facts.deals.c[_COLUMN[by]]
    return _size(column) if by == "size" else column


def key_in(column: ColumnElement[Any], by: Dimension, parts: tuple[TeamPart, ...] = ()) -> ColumnElement[str]:
    """Return the key of what it is made of, wherever that stands."""
    if by == "team":
        return part_key(parts, column, NONE)
    if by == "size":
        return column
    if by in _TEXTS:
        return func.coalesce(func.nullif(column, _EMPTY), _NONE)
    return text_or_none(column)


def has_key(facts: Facts, by: Dimension, key: str) -> ColumnElement[bool]:
    """Return the condition under which a deal of `facts.deals` has a key; a team's is its whole subtree's.

    Several keys may stand `BESIDE` each other: the deals that have one of them.
    """
    if by == "team":
        return in_part(facts, key, NONE)
    keys = [key] if by in _TEXTS else key.split(BESIDE)
    return key_of(facts, by) == key if len(keys) == 1 else key_of(facts, by).in_(keys)


def text_or_none(column: ColumnElement[int]) -> ColumnElement[str]:
    """Return a number as the text that keys are, "none" for NULL (no parameter, so that it can be grouped by)."""
    return func.coalesce(cast(column, String), _NONE)


def names_of(facts: Facts, by: Dimension, key: ColumnElement[str]) -> tuple[FromClause | None, ColumnElement[str]]:
    """Return the table that names the keys (to be joined on `table_key`) and the name itself."""
    if by == "size":
        return None, case(
            *((key == str(place), literal(name)) for place, name in enumerate(size_names())), else_=_EMPTY
        )
    if by in _TEXTS:
        said = func.coalesce(func.nullif(spoken(facts.words), _EMPTY), key)
        return facts.words, case((key == _NONE, _EMPTY), else_=said)
    table = _TABLE[by](facts)
    return table, said_part(key, spoken(table)) if by == "team" else spoken(table)


def table_key(by: Dimension, key: ColumnElement[str]) -> ColumnElement[str]:
    """Return the number, as text, of the row that names a key."""
    return number_in(key) if by == "team" else key


def _size(amount: ColumnElement[int]) -> ColumnElement[str]:
    """Return the place of an amount in hundredths among `SIZES`, as text."""
    bounds = [
        (amount < literal_column(str(limit * 100)), literal_column(f"'{place}'", String))
        for place, limit in enumerate(SIZES)
    ]
    return case(*bounds, else_=literal_column(f"'{len(SIZES)}'", String))


def size_names() -> list[str]:
    """Return what each size of deals is called, the smallest first."""
    said = [format_compact(limit) for limit in SIZES]
    between = [f"{low}\N{EN DASH}{high}" for low, high in pairwise(said)]
    return [_("Below {amount}", amount=said[0]), *between, _("{amount} and above", amount=said[-1])]
