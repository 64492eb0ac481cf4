"""Statements of the mirror as DuckDB's text, compiled once for all values of their parameters.

A page asks some twenty questions and compiling took a quarter of their time. SQLAlchemy keeps compiled
statements for its own connections; the mirror's cursors are DuckDB's (ADR 2), so it is done here with the same
means: a statement's cache key, and the parameters of the one at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb_engine
from sqlalchemy.util import LRUCache

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

    from core.analytics.facts import Statement

_KEPT_STATEMENTS = 512
_DIALECT = duckdb_engine.Dialect(paramstyle="numeric_dollar")
_compiled: LRUCache[Any, SQLCompiler] = LRUCache(_KEPT_STATEMENTS)


def compiled(statement: Statement) -> tuple[str, list[Any]]:
    """Return a statement's text with numbered places, and the values for these in order."""
    key = statement._generate_cache_key()  # noqa: SLF001 - as SQLAlchemy's own connections do
    if key is None:
        found = statement.compile(dialect=_DIALECT)
        values = found.params
    else:
        kept = _compiled.get(key.key)
        if kept is None:
            kept = statement.compile(dialect=_DIALECT, cache_key=key)
            _compiled[key.key] = kept
        found, values = kept, kept.construct_params(extracted_parameters=key.bindparams, escape_names=False)
    state = found._process_parameters_for_postcompile(values)  # noqa: SLF001 - lists behind IN
    return state.statement, list(state.positional_parameters)
