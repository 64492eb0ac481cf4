"""Subqueries of many tables, of which a statement gets those alone whose columns it asks for.

DuckDB leaves no join out, since it cannot know that each finds one row at most; whoever makes the subquery does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, ColumnClause, FromClause, Subquery, select
from sqlalchemy.sql import visitors

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.sql.cache_key import CacheKey

    from core.analytics.facts import Statement

Join: TypeAlias = Callable[[FromClause], FromClause]
"""Joins a table that gives each row one other row, or none that is missed."""

_made: WeakKeyDictionary[Subquery, Callable[[Collection[str]], Subquery]] = WeakKeyDictionary()


def made_of(
    base: FromClause,
    joins: Mapping[str, Join],
    columns: Mapping[str, ColumnElement[Any]],
    needs: Mapping[str, Collection[str]],
    *,
    name: str,
) -> Subquery:
    """Return a subquery of `columns`; `needs`: the `joins` beyond `base` that a column asks for, if any."""

    def of(chosen: Collection[str]) -> Subquery:
        wanted = {join for column in chosen for join in needs.get(column, ())}
        joined = base
        for key, join in joins.items():
            if key in wanted:
                joined = join(joined)
        given = (columns[column].label(column) for column in columns if column in chosen)
        return select(*given).select_from(joined).subquery(name)

    whole = of(columns)
    _made[whole] = of
    return whole


def leaned(statement: Statement, key: CacheKey) -> Statement:
    """Return the statement with each subquery of `made_of` cut to what is asked of it.

    key: the statement's own; where a value would not be found in it again, the statement is returned as it is.
    """
    asked: dict[Any, set[str]] = {}
    for element in visitors.iterate(statement):
        if isinstance(element, Subquery) and element in _made:
            asked.setdefault(element, set())  # whoever counts rows asks for no column
        elif isinstance(element, FromClause) and getattr(element, "element", None) in _made:
            return statement
        elif isinstance(element, ColumnClause) and element.table in _made:
            asked.setdefault(element.table, set()).add(element.key)
    if not asked:
        return statement
    cut = {whole: _made[whole](columns or whole.c.keys()[:1]) for whole, columns in asked.items()}

    def other(element: Any, **_how: Any) -> Any:
        if isinstance(element, Subquery):
            return cut.get(element)
        if isinstance(element, ColumnClause) and element.table in cut:
            return cut[element.table].c[element.key]
        return None

    found = cast("Statement", visitors.replacement_traverse(statement, {}, other))
    known = {value.key for value in key.bindparams}
    values = (each for each in visitors.iterate(found) if isinstance(each, BindParameter))
    kept = all(any(each.key in known for each in value._cloned_set) for value in values)  # noqa: SLF001 - as compilers do
    return found if kept else statement
