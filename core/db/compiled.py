"""Statements of the mirror as DuckDB's text, compiled once for all values of their parameters.

A page asks some twenty questions and compiling took a quarter of their time. SQLAlchemy keeps compiled
statements for its own connections; the mirror's cursors are DuckDB's (ADR 2), so it is done here with the same
means: a statement's cache key, and the parameters of the one at hand. A long list behind IN, such as the reps of a
manager, is one parameter: written out one by one, a thousand took DuckDB longer to read than the question to answer.

DuckDB's reading of a text is kept as well: a quarter of what a question on a small company costs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import duckdb
import duckdb_engine
from sqlalchemy.util import LRUCache

from core.analytics.lean import leaned

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.sql.compiler import SQLCompiler

    from core.analytics.facts import Statement

_KEPT_STATEMENTS = 512
_LONG = 16
"""Values behind IN from which on they are one parameter."""
_LIST = re.compile(r"__\[POSTCOMPILE_(\w+)\]")
_COLUMN_IN = re.compile(r"(?!NOT\b)\b([a-z_]\w*(?:\.\w+)?) IN \(__\[POSTCOMPILE_(\w+)\]\)")
_MOST_BITS = 65_536
_DIALECT = duckdb_engine.Dialect(paramstyle="numeric_dollar")
_compiled: LRUCache[Any, SQLCompiler] = LRUCache(_KEPT_STATEMENTS)
_read: LRUCache[str, duckdb.Statement] = LRUCache(2 * _KEPT_STATEMENTS)


def compiled(statement: Statement) -> tuple[str, list[Any]]:
    """Return a statement's text with numbered places, and the values for these in order."""
    key = statement._generate_cache_key()  # noqa: SLF001 - as SQLAlchemy's own connections do
    if key is None:
        found = statement.compile(dialect=_DIALECT)
        return _with_lists(found, found.params)
    kept = _compiled.get(key.key)
    if kept is None:
        kept = leaned(statement, key).compile(dialect=_DIALECT, cache_key=key)
        _compiled[key.key] = kept
    return _with_lists(kept, kept.construct_params(extracted_parameters=key.bindparams, escape_names=False))


def read(text: str, connection: duckdb.DuckDBPyConnection) -> duckdb.Statement:
    """Return a statement's text as DuckDB reads it; each run takes a copy, on whichever connection."""
    found = _read.get(text)
    if found is None:
        (found,) = connection.extract_statements(text)
        _read[text] = found
    return found


def _with_lists(found: SQLCompiler, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    lists = {found.bind_names[each] for each in found.post_compile_params}
    if not all(values[name] for name in lists):  # IN nothing is written in words of its own
        state = found._process_parameters_for_postcompile(dict(values))  # noqa: SLF001
        return state.statement, list(state.positional_parameters)
    given = [values[name] for name in found.positiontup or () if name not in lists]
    written: dict[str, str] = {}
    looked_up: dict[str, tuple[int, int]] = {}

    def places(place: re.Match[str]) -> str:
        name = place[1]
        if name not in written:
            many = list(values[name])
            first = len(given) + 1
            given.extend([many] if len(many) >= _LONG else many)
            numbers = ", ".join(f"${number}" for number in range(first, len(given) + 1))
            written[name] = f"SELECT unnest({numbers})" if len(many) >= _LONG else numbers
        return written[name]

    def bits(place: re.Match[str]) -> str:
        many = set(values[place[2]])
        if len(many) < _LONG or not all(type(each) is int and 0 <= each < _MOST_BITS for each in many):
            return place[0]
        if place[2] not in looked_up:
            beyond = max(many) + 1
            given.append("".join("1" if each in many else "0" for each in range(beyond + 1)))
            looked_up[place[2]] = len(given), beyond
        number, beyond = looked_up[place[2]]
        column = place[1]
        within = f"CASE WHEN {column} BETWEEN 0 AND {beyond} THEN {column} WHEN {column} IS NOT NULL THEN {beyond} END"
        return f"get_bit(CAST(${number} AS BIT), {within}) > 0"

    return _LIST.sub(places, _COLUMN_IN.sub(bits, found.string)), given
