"""The mirror's statements as ClickHouse's text: the same questions as DuckDB's, said so that they mean the same.

The compiler of clickhouse-connect is the base; here is what the two engines call or count differently. A table is
read as of one version (docs/adr/0006-clickhouse.md), by a filter that the server puts on each reading of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.cc_sqlalchemy.dialect import ClickHouseDialect
from clickhouse_connect.cc_sqlalchemy.sql.compiler import ChStatementCompiler
from sqlalchemy import Date, DateTime, Double, Float, Integer, Interval, String
from sqlalchemy.exc import CompileError
from sqlalchemy.sql import elements, functions, operators
from sqlalchemy.types import NullType
from sqlalchemy.util import LRUCache

from core.analytics import tables
from core.analytics.lean import leaned
from core.db.clickhouse_tables import seen_at, stored, stored_type

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler
    from sqlalchemy.types import TypeEngine

    from core.analytics.facts import Statement
    from core.db.clickhouse_tables import Version

SETTINGS: Final = {
    "join_use_nulls": 1,  # what an outer join does not find is NULL, not 0
    "aggregate_functions_null_for_empty": 1,  # the sum of no rows is NULL
    "prefer_column_name_to_alias": 1,  # a name means a column before it means a label
    "enable_extended_results_for_datetime_functions": 1,  # the month of a day before 1970 too
    "allow_experimental_correlated_subqueries": 1,
    "enable_materialized_cte": 1,  # what is named once is computed once
}
_SUFFIX = " SETTINGS " + ", ".join(f"{name} = {value}" for name, value in SETTINGS.items())
_KEPT_STATEMENTS = 512
_MICROSECOND = timedelta(microseconds=1)


class _Compiler(ChStatementCompiler):  # type: ignore[misc] # an untyped class
    def visit_table(self, table: Any, asfrom: Any = None, enclosing_alias: Any = None, **kw: Any) -> Any:
        if not asfrom or table.metadata is not tables.MIRRORED:
            return super().visit_table(table, asfrom=asfrom, enclosing_alias=enclosing_alias, **kw)
        self.__dict__.setdefault("tables_read", set()).add(table.name)
        aliased = enclosing_alias is not None and enclosing_alias.element is table
        return stored(table.name) if aliased else f"{stored(table.name)} AS {table.name}"

    def bindparam_string(self, name: str, **kw: Any) -> str:
        if kw.get("post_compile") or kw.get("expanding"):
            return str(super().bindparam_string(name, **kw))
        kind = kw.get("bindparam_type") or self._ch_bind_type
        place = placeholder(name, type_name(kind))
        return f"toIntervalMicrosecond({place})" if isinstance(kind, Interval) else place

    def _ch_expanding_bindparam(self, bindparam: Any, **kw: Any) -> str:
        text = str(super()._ch_expanding_bindparam(bindparam, **kw))
        name = text[1:].split(":", 1)[0]
        return placeholder(name, f"Array({type_name(bindparam.type)})")

    def visit_cte(self, cte: Any, **kw: Any) -> Any:
        text = super().visit_cte(cte, **kw)
        for named, said in self.ctes.items():
            self.ctes[named] = said.replace(" AS \n(", " AS MATERIALIZED\n(", 1)
        return text

    def visit_cast(self, cast: Any, **kw: Any) -> str:
        value, kind = self.process(cast.clause, **kw), cast.type
        if isinstance(kind, Date) and isinstance(type_of(cast.clause), String):
            return f"toDate32OrNull({value})"  # of other rows' texts too, which are no days
        return f"CAST({value} AS Nullable({stored_type(kind)}))"

    def visit_truediv_binary(self, binary: Any, _operator: Any, **kw: Any) -> str:
        return f"{self.process(binary.left, **kw)} / {self.process(binary.right, **kw)}"

    def visit_binary(self, binary: Any, **kw: Any) -> str:
        if (
            binary.operator is operators.sub
            and isinstance(type_of(binary.left), Date)
            and isinstance(type_of(binary.right), Date)
        ):
            return f"dateDiff('day', {self.process(binary.right, **kw)}, {self.process(binary.left, **kw)})"
        return str(super().visit_binary(binary, **kw))

    def _raise_on_escape(self, binary: Any, operator_name: str) -> None:
        """Allow ESCAPE, which this version of ClickHouse knows."""

    def visit_funcfilter(self, funcfilter: Any, **kw: Any) -> Any:
        name, chosen = funcfilter.func.name, f" FILTER (WHERE {self.process(funcfilter.criterion, **kw)})"
        if name == "count":
            return f"toInt64(count(){chosen})"
        if name in {"quantile_cont", "median"}:
            return self._quantile(funcfilter.func, chosen, **kw)
        return super().visit_funcfilter(funcfilter, **kw)

    def visit_count_func(self, fn: Any, **kw: Any) -> str:
        counted = f"count{self.function_argspec(fn, **kw) or '()'}"
        return counted if kw.get("inside_over") else f"toInt64({counted})"

    def visit_over(self, over: Any, **kw: Any) -> str:
        text = str(super().visit_over(over, inside_over=True, **kw))
        return f"toInt64({text})" if over.element.name in {"count", "rank", "dense_rank", "row_number"} else text

    def visit_bool_or_func(self, fn: Any, **kw: Any) -> str:
        (value,) = self._arguments(fn, **kw)
        return f"max({value})"

    def visit_sum_func(self, fn: Any, **kw: Any) -> str:
        (value,) = self._arguments(fn, **kw)
        return f"sum(toInt64({value}))" if isinstance(type_of(fn.clauses.clauses[0]), Integer) else f"sum({value})"

    def visit_round_func(self, fn: Any, **kw: Any) -> str:
        """Halves away from nought, as DuckDB rounds; ClickHouse rounds halves of floats to the even number."""
        (value,) = self._arguments(fn, **kw)
        if not isinstance(type_of(fn.clauses.clauses[0]), Float):
            return f"round({value})"
        return f"(trunc({value}) + if(abs({value} - trunc({value})) >= 0.5, sign({value}), 0))"

    def visit_greatest_func(self, fn: Any, **kw: Any) -> str:
        return f"greatest({', '.join(self._alike(fn, **kw))})"

    def visit_least_func(self, fn: Any, **kw: Any) -> str:
        return f"least({', '.join(self._alike(fn, **kw))})"

    def visit_coalesce_func(self, fn: Any, **kw: Any) -> str:
        return f"coalesce({', '.join(self._alike(fn, **kw))})"

    def _alike(self, fn: Any, **kw: Any) -> list[str]:
        """Return the arguments, whole numbers as floats where others are: ClickHouse joins the two in no type."""
        kinds = [type_of(clause) for clause in fn.clauses.clauses]
        mixed = any(isinstance(kind, Float) for kind in kinds)
        return [
            f"toFloat64({value})" if mixed and isinstance(kind, Integer) else value
            for value, kind in zip(self._arguments(fn, **kw), kinds, strict=True)
        ]

    def visit_quantile_cont_func(self, fn: Any, **kw: Any) -> str:
        return self._quantile(fn, "", **kw)

    def visit_median_func(self, fn: Any, **kw: Any) -> str:
        return self._quantile(fn, "", **kw)

    def _quantile(self, fn: Any, chosen: str, **kw: Any) -> str:
        """Interpolate in the order in which DuckDB does, which `quantileExactInclusive` does not."""
        value, rate = (*self._arguments(fn, **kw), "0.5")[:2]
        place = f"((length(s) - 1) * {rate})"
        low, high = f"s[toInt64(floor{place}) + 1]", f"s[toInt64(ceil{place}) + 1]"
        part = f"({place} - floor{place})"
        between = f"{low} * (1 - {part}) + {high} * {part}"
        values = f"arraySort(groupArray(toFloat64({value})){chosen})"
        return f"arrayMap(s -> if(empty(s), NULL, {between}), [{values}])[1]"

    def visit_arg_min_func(self, fn: Any, **kw: Any) -> str:
        return f"argMin({', '.join(self._arguments(fn, **kw))})"

    def visit_arg_max_func(self, fn: Any, **kw: Any) -> str:
        return f"argMax({', '.join(self._arguments(fn, **kw))})"

    def visit_divide_func(self, fn: Any, **kw: Any) -> str:
        return f"intDiv({', '.join(self._arguments(fn, **kw))})"

    def visit_hash_func(self, fn: Any, **kw: Any) -> str:
        return f"reinterpretAsInt64(cityHash64({', '.join(self._arguments(fn, **kw))}))"

    def visit_bit_xor_func(self, fn: Any, **kw: Any) -> str:
        (value,) = self._arguments(fn, **kw)
        return f"groupBitXor({value})"

    def visit_bit_or_func(self, fn: Any, **kw: Any) -> str:
        (value,) = self._arguments(fn, **kw)
        return f"groupBitOr({value})"

    def visit_bit_count_func(self, fn: Any, **kw: Any) -> str:
        (value,) = self._arguments(fn, **kw)
        return f"bitCount({value})"

    def visit_list_extract_func(self, fn: Any, **kw: Any) -> str:
        return f"arrayElement({', '.join(self._arguments(fn, **kw))})"

    def visit_epoch_func(self, fn: Any, **kw: Any) -> str:
        (value,) = self._arguments(fn, **kw)
        kind = type_of(fn.clauses.clauses[0])
        if isinstance(kind, DateTime):
            return f"(toUnixTimestamp64Micro({value}) / 1000000.0)"
        return f"(toInt32({value}) * 86400.0)"

    def visit_date_diff_func(self, fn: Any, **kw: Any) -> str:
        unit, start, end = self._arguments(fn, **kw)
        return f"dateDiff({unit}, {start}, {end})"

    def visit_to_months_func(self, fn: Any, **kw: Any) -> str:
        (value,) = self._arguments(fn, **kw)
        return f"toIntervalMonth({value})"

    def visit_unnest_func(self, fn: Any, **kw: Any) -> str:
        (value,) = self._arguments(fn, **kw)
        return f"arrayJoin({value})"

    def visit_split_part_func(self, fn: Any, **kw: Any) -> str:
        value, by, place = self._arguments(fn, **kw)
        return f"splitByString({by}, assumeNotNull({value}))[{place}]"

    def _arguments(self, fn: Any, **kw: Any) -> list[str]:
        return [self.process(clause, **kw) for clause in fn.clauses.clauses]


class _Dialect(ClickHouseDialect):  # type: ignore[misc]
    statement_compiler = _Compiler
    supports_statement_cache = True
    div_is_floordiv = False


_DIALECT = _Dialect(server_side_params=True)
_compiled: LRUCache[Any, SQLCompiler] = LRUCache(_KEPT_STATEMENTS)


def compiled(statement: Statement, version: Version) -> tuple[str, dict[str, Any]]:
    """Return a statement's text as of a version, with named places, and the values for these."""
    key = statement._generate_cache_key()  # noqa: SLF001 - as SQLAlchemy's own connections do
    if key is None:
        found = statement.compile(dialect=_DIALECT)
        values = found.params
    else:
        kept = _compiled.get(key.key)
        if kept is None:
            kept = leaned(statement, key).compile(dialect=_DIALECT, cache_key=key)
            _compiled[key.key] = kept
        found, values = kept, kept.construct_params(extracted_parameters=key.bindparams, escape_names=False)
    read = sorted(getattr(found, "tables_read", ()))
    seen = ", ".join(f"'{stored(name)}': '{seen_at(name, version)}'" for name in read)
    text = f"{found}{_SUFFIX}, additional_table_filters = {{{seen}}}"
    return text, {name: _plain(value) for name, value in values.items()}


def placeholder(name: str, kind: str) -> str:
    """Return the place of a value that the server binds."""
    return f"{{{name}:{kind}}}"


def type_name(kind: TypeEngine[Any] | None) -> str:
    """Return the type that a value is bound as. Raises CompileError for a value of no known type."""
    if isinstance(kind, (Integer, Interval)):
        return "Int64"
    if kind is None or isinstance(kind, NullType):
        raise CompileError("a value needs a type for ClickHouse")
    return stored_type(kind)


def _plain(value: Any) -> Any:
    """Return a value in the form in which it is bound: instants as texts, since the driver cuts their fractions."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, (tuple, set, frozenset)):
        return list(value)
    return value


def type_of(element: Any) -> TypeEngine[Any]:
    """Return the type of an expression, also of the functions that SQLAlchemy knows none of."""
    kind: TypeEngine[Any] = element.type
    if not isinstance(kind, NullType):
        return kind
    if isinstance(element, (elements.Grouping, elements.Label)):
        return type_of(element.element)
    if isinstance(element, functions.FunctionElement):
        if element.name in ("ceil", "floor", "epoch"):
            return Double()
        if element.name in ("greatest", "least", "coalesce", "nullif", "round", "abs", "any_value"):
            return next((k for c in element.clauses.clauses if not isinstance(k := type_of(c), NullType)), kind)
    if isinstance(element, elements.BinaryExpression):
        if element.operator is operators.truediv:
            return Double()
        return type_of(element.left)
    return kind
