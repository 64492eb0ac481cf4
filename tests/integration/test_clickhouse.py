"""The mirror in ClickHouse gives the answers of the mirror in the process, to the last digit, in every scope.

ClickHouse's own engine runs in the tests' process (chdb); where the network matters, behind a server of our own that
speaks its HTTP interface to the driver that the program uses.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from math import isclose
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import (
    BigInteger,
    Date,
    Double,
    Numeric,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)

from core import gate
from core.access.actors import SYSTEM, Actor, Scope
from core.access.policy import Role
from core.analytics import tables
from core.analytics.as_of import AsOf
from core.analytics.facts import Facts
from core.analytics.selection import Selection
from core.db.clickhouse_feed import Feed, fingerprint
from core.db.clickhouse_mirror import ClickHouseMirror
from core.db.clickhouse_reading import read
from core.db.clickhouse_sql import compiled
from core.db.clickhouse_tables import Version, stored
from core.db.clickhouse_tidy import tidy
from core.db.compiled import compiled as compiled_for_duckdb
from core.db.single_writer import single_writer
from core.db.work import Database
from core.domain.periods import Period
from core.errors import NotFound
from core.model import CreditShare, Deal
from core.settings import Settings
from data.demo import load_demo
from tests.clickhouse import served
from tests.conftest import SHANGHAI, actor
from tests.databases import drop_database, fresh_database
from tests.factories import NOW, Company
from tests.histories import random_change, random_deals
from tests.integration import test_cast as cast_tables
from tests.integration.test_cast import BUSINESS, BY_NUMBER, NOBODY, Q3, REP, SECRET, Ask, West
from tests.integration.test_mirror_increments import contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clickhouse import InProcess

EVERYTHING = Scope.everything()
DAY = timedelta(days=1)
HALF_YEAR = Period(date(2026, 1, 1), date(2026, 7, 1))
MORE: dict[str, dict[str, Any]] = {
    "process_shown": {},
    "default_process": {},
    "own_rank": {"period": Q3},
    "fair_leaderboard": {"period": Q3},
    "team_leaderboard": {"period": Q3},
    "acquisition_cost": {"period": Q3},
    "acquired_customers": {"period": Q3},
}
"""Questions of the mirror that the cast's tables ask nothing of, and how they are asked here."""

MIRRORED = {name for name, entry in gate.QUERIES.items() if entry.mirrored}
ASKED = sorted(MIRRORED & BUSINESS.keys())
SOMEBODY = West(deal=1, won=2, customer=1, contact=1, activity=1, rep=3, team=2, scenario=1, link=1, sign_in=1)
INTERPOLATED = {"time_in_stage", "funnel_snapshot"}
"""They have 90th percentiles: DuckDB's last digit goes by whether its build multiplies and adds in one step."""


class Pair(NamedTuple):
    """One company read twice: by DuckDB in the process, and by ClickHouse."""

    near: Database
    far: Database

    def asked(self, who: Actor, name: str, values: dict[str, Any], *, far: bool) -> Any:
        database = self.far if far else self.near
        try:
            return exactly(gate.answer(database, who, gate.QUERIES[name].function, NOW, **values))
        except NotFound as error:
            return error.message()

    def agree(self, who: Actor, name: str, values: dict[str, Any]) -> Any:
        """Return the answer that both give."""
        far, near = (self.asked(who, name, values, far=there) for there in (True, False))
        assert nearly(far, near) if name in INTERPOLATED else far == near, (far, near)
        return far


def paired(url: str, engine: InProcess) -> Pair:
    """Read a database twice; the second time in a ClickHouse that holds nothing yet."""
    engine.start_anew()
    near, far = (Database(url, zone=SHANGHAI) for _twice in range(2))
    far._mirror = ClickHouseMirror(far, engine)
    return Pair(near, far)


def exactly(answer: Any) -> Any:
    """Return an answer of any shape as plain values that are equal only if every digit is."""
    match answer:
        case pd.DataFrame():
            cells = answer.astype(object).where(answer.notna(), None)
            return [list(map(str, answer.columns)), [list(map(exactly, row)) for row in cells.itertuples()]]
        case dict():
            return {str(key): exactly(value) for key, value in answer.items()}
        case list() | tuple():
            return [exactly(value) for value in answer]
        case float():
            return repr(answer)
    if is_dataclass(answer) and not isinstance(answer, type):
        return {field.name: exactly(getattr(answer, field.name)) for field in fields(answer)}
    return str(answer)


def nearly(there: Any, here: Any) -> bool:
    """Say whether two answers differ in the last digits of floats alone, by no more than 1e-12 of them."""
    if isinstance(here, list):
        return len(there) == len(here) and all(map(nearly, there, here))
    if there == here or not all("." in said and said.replace(".", "").isdigit() for said in (there, here)):
        return bool(there == here)
    return isclose(float(there), float(here), rel_tol=1e-12)


# --- every question, in every scope ---------------------------------------------------------------


class Told(NamedTuple):
    """What the east was told before the west had any business, and the company as it is after that."""

    pair: Pair
    company: Company
    west: West
    before: dict[str, Any]


def asked_last(name: str) -> Ask:
    """Return the last way to ask, a manager's."""
    return BUSINESS[name][-1]


@pytest.fixture(scope="module")
def told(founded_sqlite, tmp_path_factory, engine) -> Iterator[Told]:
    path = tmp_path_factory.mktemp("told") / "luopan.db"
    shutil.copy(founded_sqlite, path)
    pair = paired(f"sqlite:///{path}", engine)
    company = Company(pair.near)
    cast_tables._business(company, "alice", "东方")
    cast_tables._business(company, "bob", "东海")
    west = West(*[NOBODY] * 10)._replace(rep=company.reps["charlie"], team=company.teams["west"])
    before = {
        name: pair.asked(actor(company, (ask := asked_last(name)).who), name, ask.values(company, west), far=False)
        for name in ASKED
    }
    pair.far.mirror.refresh()
    generation = pair.far.mirror._seen.generation
    west = cast_tables._business(company, "charlie", SECRET)
    pair.far.mirror.refresh()
    assert pair.far.mirror._seen.generation == generation, "the west's business was to come by increments"
    yield Told(pair, company, west, before)
    pair.near.close()
    pair.far.close()


@pytest.mark.parametrize("name", ASKED)
def test_a_question_has_one_answer_whoever_computes_it_and_tells_the_east_nothing_of_the_west(told, name):
    ask = asked_last(name)
    found = told.pair.agree(actor(told.company, ask.who), name, ask.values(told.company, told.west))
    assert found == told.before[name], f"{name} told {ask.who} of the west"
    assert SECRET not in str(found)


@pytest.mark.parametrize("name", [*sorted(MIRRORED & BY_NUMBER.keys()), *sorted(MORE)])
def test_the_other_questions_of_the_mirror_have_one_answer_too(told, name):
    values = MORE[name] if name in MORE else BY_NUMBER[name](told.west)
    people = [actor(told.company, who) for who in (REP, "western rep", "leader")]
    may = [one for one in people if one.may(gate.QUERIES[name].action)]
    assert may
    for one in may:
        told.pair.agree(one, name, values)


def test_no_question_of_the_mirror_is_left_out():
    assert MIRRORED - {*BUSINESS, *BY_NUMBER, *MORE} == set(), "say in MORE how it is asked"


@pytest.fixture(scope="module")
def demo(founded_sqlite, tmp_path_factory, engine) -> Iterator[Pair]:
    path = tmp_path_factory.mktemp("demo") / "luopan.db"
    shutil.copy(founded_sqlite, path)
    pair = paired(f"sqlite:///{path}", engine)
    load_demo(pair.near, deals=300, seed=7, until=date(2026, 6, 30))
    yield pair
    pair.near.close()
    pair.far.close()


def in_the_half_year(values: dict[str, Any]) -> dict[str, Any]:
    found = {name: HALF_YEAR if value == Q3 else value for name, value in values.items()}
    wanted = found.get("selection")
    if isinstance(wanted, Selection):
        found["selection"] = replace(wanted, period=wanted.period and HALF_YEAR)
    return found


ALSO: dict[str, int] = {"breakdown": 0, "deals_behind": -1, "monthly_quotas": 0, "pipeline_changes": 3}
"""Questions with a second way of other SQL functions than the first one asked; which of the cast's ways it is."""


def ways_of(name: str) -> list[Ask]:
    """Return the ways to ask the demo company: as of a day, as it was then, where that can be asked; else the last.

    Together they meet every SQL function of every way; the company as it is today is the cast's to ask.
    """
    then = [ask for ask in BUSINESS[name] if "'then'" in repr(ask.values(None, SOMEBODY))]
    return [(then or BUSINESS[name])[-1], *(BUSINESS[name][ALSO[name]] for _once in range(name in ALSO))]


@pytest.mark.parametrize("name", ASKED)
def test_the_demo_companys_numbers_are_the_same(demo, name):
    leader = Actor(1, "x", "x", Role.LEADERSHIP, EVERYTHING, rep_id=None, team_id=None)
    for ask in ways_of(name):
        demo.agree(leader, name, in_the_half_year(ask.values(None, SOMEBODY)))


# --- increments, versions, writers ----------------------------------------------------------------


@pytest.fixture
def pair(small_company, engine) -> Iterator[Pair]:
    found = paired(small_company.database.url, engine)
    yield found
    found.near.close()
    found.far.close()


def both(pair: Pair) -> tuple[Any, Any]:
    return contents(pair.far.mirror), contents(pair.near.mirror)


def test_random_histories_followed_are_what_a_mirror_in_the_process_holds(small_company, pair):
    random = Random(2)
    random_deals(small_company, random, 5)
    far, near = both(pair)
    assert far == near
    generation = pair.far.mirror._seen.generation
    for _round in range(5):
        for _change in range(random.randint(1, 4)):
            random_change(small_company, random)
        far, near = both(pair)
        assert far == near
    assert pair.far.mirror._seen.generation == generation, "this was to be done by increments"
    pair.far.mirror.rebuild()
    assert contents(pair.far.mirror) == near
    assert pair.far.mirror._seen.generation > generation


def test_split_deals_are_credited_alike(small_company, pair):
    """On the present day and on past ones, as now known and as then, to whole scopes and to one rep."""
    make, random = small_company, Random(20)
    for deal in random_deals(make, random, 24):
        if deal.state != "won":
            continue
        for age, until in ((9, NOW - 3 * DAY), (3, None)):
            when = {"effective_at": deal.closed_at, "recorded_at": NOW - age * DAY, "until_at": until}
            first = random.randint(1, 9_999)
            for rep, share in (("alice", first), ("charlie", 10_000 - first)):
                make._write(CreditShare(deal_id=deal.id, rep_id=make.reps[rep], share=share, **when))
    for who in ("leader", "western rep"):
        asker, year = actor(make, who), Period(date(2025, 7, 1), date(2026, 10, 1))
        for day in (None, AsOf(NOW.date() - 5 * DAY, "then")):
            pair.agree(asker, "leaderboard", {"period": year, "splits": True, "as_of": day})
            pair.agree(asker, "selection_total", {"selection": Selection("credited", year, as_of=day)})
            pair.agree(asker, "selection_total", {"selection": Selection("pushed", year, as_of=day)})
            pair.agree(asker, "rep_against_team", {"rep_id": make.reps["charlie"], "period": year, "as_of": day})
        rows = pair.agree(asker, "deals_behind", {"selection": Selection("credited", year)})
        assert len(rows[1]) > 3


def test_a_reader_keeps_the_version_it_began_with(small_company, pair):
    deal = small_company.deal(amount=5)
    before = pair.far.mirror.scoped(EVERYTHING)
    with small_company.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.get(Deal, deal.id).base_amount = Decimal(7)
    after = pair.far.mirror.scoped(EVERYTHING)
    amount = select(before.facts.deals.c.amount)
    assert (before.value(amount), after.value(amount)) == (500, 700)
    assert after.version > before.version == before.version
    assert after.version == pair.far.mirror.version


def test_nothing_new_writes_nothing(small_company, pair):
    small_company.deal()
    version = pair.far.mirror.refresh()
    assert pair.far.mirror.refresh() == pair.far.mirror.refresh() == version


def test_what_a_writer_left_that_broke_off_is_never_read(small_company, pair, engine, monkeypatch):
    small_company.deal(amount=5)
    seen = pair.far.mirror.refresh()
    small_company.deal(amount=7)

    def broken(*_given, **_more):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(Feed, "_finish", broken)
        with pytest.raises(SystemExit):
            pair.far.mirror.refresh()
    left = engine.read(f"SELECT DISTINCT mirror_version AS v FROM {stored('deals')}").column(0).to_pylist()
    assert max(left) > seen, "something was left"
    far, near = both(pair)
    assert far == near
    found = engine.read(f"SELECT id, count() AS n FROM {stored('deals')} GROUP BY id").column(1).to_pylist()
    assert found == [1, 1]


def test_tidying_deletes_what_nobody_sees_and_nothing_else(small_company, pair, engine):
    random = Random(4)
    random_deals(small_company, random, 4)
    pair.far.mirror.refresh()
    pair.far.mirror.rebuild()
    for _round in range(2):
        random_change(small_company, random)
        pair.far.mirror.refresh()
    mirror = pair.far.mirror
    tidy(engine, mirror._seen, fingerprint(mirror._plan), kept_seconds=-1)
    random_change(small_company, random)
    small_company.deal()
    far, near = both(pair)
    assert far == near
    tidy(engine, mirror._seen, fingerprint(mirror._plan), kept_seconds=-1)
    tidy(engine, mirror._seen, fingerprint(mirror._plan), kept_seconds=-1)
    assert contents(mirror) == near


def test_a_second_process_reads_what_the_first_wrote_and_waits_for_nobody(small_company, pair, engine, monkeypatch):
    small_company.deal()
    first = pair.far.mirror
    second = ClickHouseMirror(pair.near, engine)
    assert second.refresh() == first.refresh(), "nothing was to be written again"
    small_company.deal()
    with single_writer(pair.near.engine, wait=False) as alone:
        assert alone
        assert second.refresh() == first.version, "somebody else is writing"
    assert second.refresh() > first.version
    assert first.refresh() == second.version
    assert contents(first) == contents(second)


@pytest.mark.postgres
def test_two_processes_on_postgresql_follow_late_commits(postgres, founded_postgres, engine):
    url = fresh_database(founded_postgres)
    pair = paired(url, engine)
    company = Company(pair.near)
    deal, other = company.deal(), company.deal()
    second = ClickHouseMirror(pair.near, engine)
    pair.far.mirror.refresh()
    late, quick = pair.near.engine.connect(), pair.near.engine.connect()
    late.exec_driver_sql(f"UPDATE deal SET base_amount = 100 WHERE id = {deal.id}")
    quick.exec_driver_sql(f"UPDATE deal SET base_amount = 200 WHERE id = {other.id}")
    quick.commit()
    with single_writer(pair.near.engine, wait=False) as alone, single_writer(pair.far.engine, wait=False) as too:
        assert (alone, too) == (True, False)
    second.refresh()
    late.commit()
    far, near = both(pair)
    assert far == near
    amounts = {row.id: row.amount for row in second.scoped(EVERYTHING).rows(select(tables.DEALS))}
    assert amounts == {deal.id: 100, other.id: 200}
    for connection in (late, quick):
        connection.close()
    second.close()
    pair.near.close()
    pair.far.close()
    drop_database(url)


# --- over HTTP, by the driver that the program uses -----------------------------------------------

ODD = ("它's \"\\ \t\n {a:String} %(b)s", "\\N", "NULL", "a%b_c", "")


def test_the_programs_driver_writes_and_reads_the_same_over_http(small_company, engine):
    engine.start_anew()
    for name in ODD[:-1]:
        small_company.deal(name=name)
    with served(engine) as url:
        far = Database(small_company.database.url, zone=SHANGHAI, analytics_url=url)
        assert isinstance(far.mirror, ClickHouseMirror)
        assert contents(far.mirror) == contents(small_company.database.mirror)
        random_change(small_company, Random(1))
        assert contents(far.mirror) == contents(small_company.database.mirror)
        scoped = far.mirror.scoped(EVERYTHING)
        deals = scoped.facts.deals.c
        for name in ODD:
            for found in (deals.name == name, deals.name.in_([name, "no such"])):
                assert [row.name for row in scoped.rows(select(deals.name).where(found))] == [name] * (name != "")
        many = select(func.count()).where(deals.id.in_(range(20_000)))
        assert scoped.value(many) == len(ODD) - 1
        far.close()


def test_an_address_says_where_and_as_whom():
    with pytest.raises(ValidationError, match="clickhouse"):
        Settings(analytics_url="https://db.example.com")
    assert "secret" not in repr(Settings(analytics_url="clickhouse://a:secret@db:8123/luopan"))


# --- what the engines say differently -------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(-10**12, 10**12), st.integers(1, 8), st.dates(date(1900, 1, 1), date(2200, 1, 1))),
        min_size=1, max_size=6,
    )
)  # fmt: skip
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arithmetic_rounds_divides_and_counts_days_alike(engine, values):
    rows = [
        select(literal(n, BigInteger).label("n"), literal(d, BigInteger).label("d"), literal(day, Date).label("day"))
        for n, d, day in values
    ]
    r = union_all(*rows).subquery("r").c
    month = cast(func.date_trunc(literal_column("'month'"), r.day), Date)
    part, half = cast(r.n, Double) / r.d, cast(r.n, Numeric(18, 0)) * cast(literal(0.5), Numeric(9, 6))
    statement = select(
        cast(func.sum(r.n), BigInteger).label("total"),
        cast(func.sum(cast(func.round(part), BigInteger)), BigInteger).label("rounded"),
        cast(func.sum(cast(func.round(half), BigInteger)), BigInteger).label("halves"),
        *(func.quantile_cont(part, literal_column(rate)).label(f"p{rate}") for rate in ("0.1", "0.5", "0.9")),
        func.quantile_cont(part, literal_column("0.9")).filter(r.d > 3).label("p0.9 of some"),
        func.median(r.d).label("median"),
        func.sum(literal(date(2026, 7, 15), Date) - r.day).label("days"),
        func.max(cast(r.day + func.to_months(1), Date)).label("later"),
        func.min(month).label("month"),
        func.max(func.epoch(r.day)).label("epoch"),
        func.sum(r.n).filter(r.d > 9).label("none"),
        func.count().filter(r.day < date(2000, 1, 1)).label("old"),
        func.greatest(func.max(r.n), null()).label("greatest"),
    )  # fmt: skip
    near = duckdb.connect().execute(*compiled_for_duckdb(statement)).fetchall()[0]
    far = duckdb.connect().from_arrow(read(engine, Version(1, 1, "", {}), statement)).fetchall()[0]
    names = [column.name for column in statement.selected_columns]
    for name, there, here in zip(names, far, near, strict=True):
        if name.startswith("p0"):  # DuckDB's own last digit goes by whether its build multiplies and adds in one step
            assert there == here or there == pytest.approx(here, rel=1e-12, abs=1e-12)
        else:
            assert repr(there) == repr(here), name


def test_values_of_an_earlier_asker_do_not_stay():
    deals = Facts(EVERYTHING).deals
    version = Version(3, 2, "", {})
    for rep in (1, 2):
        text, values = compiled(select(deals.c.id).where(deals.c.owner_id == rep), version)
        assert list(values.values()) == [rep]
        assert "mirror_generation = 2 AND mirror_version <= 3" in text


def test_the_program_starts_without_the_driver():
    said = "import core.db.work, core.db.mirror, sys; print(sorted(m for m in sys.modules if 'clickhouse' in m))"
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
