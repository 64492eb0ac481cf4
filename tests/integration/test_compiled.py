"""A statement compiled once for all values says what a fresh compilation would."""

from __future__ import annotations

from datetime import date

import duckdb
import duckdb_engine
import pytest
from sqlalchemy import not_, or_, select

from core.access.actors import Scope
from core.analytics import kpis
from core.analytics.facts import Facts
from core.analytics.filters import Filters
from core.db.compiled import compiled
from core.domain.periods import Period

FRESH = duckdb_engine.Dialect(paramstyle="numeric_dollar")
SPRING, SUMMER = Period(date(2026, 1, 1), date(2026, 4, 1)), Period(date(2026, 4, 1), date(2026, 7, 1))
NARROWED = (
    Filters(), Filters(team_ids=(3,)), Filters(team_ids=(4, 5, 6)), Filters(segments=("A", "B"), rep_ids=(1,)),
    Filters(segments=("C",), rep_ids=(2, 9)),
)  # fmt: skip


def afresh(statement):
    found = statement.compile(dialect=FRESH, compile_kwargs={"render_postcompile": True})
    return str(found), [found.params[name] for name in found.positiontup or ()]


@pytest.mark.parametrize("scope", [Scope.everything(), Scope.of_reps({7, 8})], ids=["everything", "two reps"])
@pytest.mark.parametrize("asked", [kpis.totals, kpis.booked_by])
def test_text_and_values_are_those_of_a_fresh_compilation(scope, asked):
    facts = Facts(scope)
    for period in (SPRING, SUMMER, SPRING):
        for filters in NARROWED:
            statement = asked(facts, period=period, filters=filters, today=date(2026, 5, 5))
            assert compiled(statement) == afresh(statement)


def test_values_of_an_earlier_asker_do_not_stay():
    deals = Facts(Scope.everything()).deals
    for rep in (1, 2):
        assert compiled(select(deals.c.id).where(deals.c.owner_id == rep))[1] == [rep]


def test_a_list_grows_with_its_values():
    deals = Facts(Scope.everything()).deals
    lengths = [compiled(select(deals.c.id).where(deals.c.owner_id.in_(reps)))[1] for reps in ([1], [2, 3], [])]
    assert lengths[:2] == [[1], [2, 3]]


@pytest.mark.parametrize("reps", [range(10, 15), range(10, 38), range(99_970, 100_000), range(-20, 20)])
def test_a_long_list_is_one_value_and_finds_the_same_rows(reps):
    owners = [*range(-3, 45), None, 2_000_000_000, 99_980]
    deals = Facts(Scope.everything()).deals
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE deals AS SELECT unnest(range(51)) AS id, unnest(?) AS owner_id", [owners])
        inside = {n for n, owner in enumerate(owners) if owner in reps}
        outside = {n for n, owner in enumerate(owners) if owner is not None and owner not in reps}
        owner = deals.c.owner_id
        for rule, wanted in (
            (owner.in_(reps), inside),
            (owner.not_in(reps), outside),
            (not_(or_(owner.in_(reps), owner == 7)), outside - {owners.index(7)}),
        ):
            text, values = compiled(select(deals.c.id).where(rule, deals.c.id > -1))
            assert {row[0] for row in connection.execute(text, values).fetchall()} == wanted
            assert len(values) == 1 + (len(reps) if len(reps) < 16 else 1) + (7 in values)
