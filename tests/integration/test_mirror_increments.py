"""The mirror follows the database: an increment equals a rebuild, and both equal the raw events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pandas as pd
import pytest
from sqlalchemy import select
from sqlmodel import select as orm_select

from core.access.actors import SYSTEM, Scope
from core.analytics import tables
from core.db.engine import WRITING
from core.db.mirror_load import Loader
from core.model import Activity, Deal, Stage, StageMove
from tests.factories import NOW
from tests.histories import random_change, random_deals

EVERYTHING = Scope.everything()


def contents(mirror):
    """Every table of the mirror, its rows in a fixed order."""
    scoped = mirror.scoped(EVERYTHING)
    found = {}
    for table in tables.MIRRORED.sorted_tables:
        if table.name == "mirror_state":
            continue
        rows = scoped.rows(select(table))
        found[table.name] = sorted(map(tuple, rows), key=repr)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_an_increment_equals_a_rebuild(company, seed):
    random = Random(seed)
    random_deals(company, random, 6)
    mirror = company.database.mirror
    version = mirror.refresh()
    connection = mirror._connection
    for _round in range(12):
        for _change in range(random.randint(1, 3)):
            random_change(company, random)
        mirror.refresh()
        assert mirror.version > version
        version = mirror.version
    assert mirror._connection is connection, "this was to be done by increments"
    followed = contents(mirror)
    mirror.rebuild()
    assert followed == contents(mirror)


def test_deals_of_before_1970_are_in_the_mirror_too(company):
    days = [datetime(1899, 12, 30, tzinfo=UTC), datetime(1969, 2, 1, tzinfo=UTC), datetime(1969, 8, 1, tzinfo=UTC)]
    for day in [*days, days[0]]:
        company.deal(owner="alice", amount=1, path=(("identified", day - timedelta(days=90)), ("won", day)))
    company.database.mirror.rebuild()
    scoped = company.database.mirror.scoped(EVERYTHING)
    deals, states = scoped.facts.deals.c, scoped.facts.states.c
    assert sorted(row.closed_on for row in scoped.rows(select(deals.closed_on))) == sorted(
        day.date() for day in [*days, days[0]]
    )
    assert sorted(row.since_on for row in scoped.rows(select(states.since_on).where(states.is_won))) == sorted(
        day.date() for day in [*days, days[0]]
    )


def replay(moves, stages):
    """The stays of one deal, by plain Python: (stage, position, entered, left, seconds before, furthest)."""
    stays, furthest, spent = [], 1, {}
    for i, move in enumerate(moves):
        stage = stages[move.to_stage_id]
        left = moves[i + 1].effective_at if i + 1 < len(moves) else None
        if stage.kind != "lost":
            furthest = max(furthest, stage.position)
        stays.append((stage.id, stage.position, move.effective_at, left, spent.get(stage.id, 0), furthest))
        if left is not None:
            spent[stage.id] = spent.get(stage.id, 0) + int((left - move.effective_at).total_seconds())
    return stays


def test_spans_are_what_the_raw_moves_say(company):
    random_deals(company, Random(7), 25)
    with company.database.reading(SYSTEM, now=NOW) as work:
        stages = {stage.id: stage for stage in work.session.exec(orm_select(Stage))}
        order = StageMove.deal_id, StageMove.effective_at, StageMove.id
        moves = list(work.session.exec(orm_select(StageMove).order_by(*order)))
        deals = {deal.id: deal for deal in work.session.exec(orm_select(Deal))}
    scoped = company.database.mirror.scoped(EVERYTHING)
    spans = scoped.rows(select(scoped.facts.spans))
    facts = {row.id: row for row in scoped.rows(select(scoped.facts.deals))}
    assert len(spans) == len(moves)
    for number, deal in deals.items():
        expected = replay([move for move in moves if move.deal_id == number], stages)
        found = sorted((span for span in spans if span.deal_id == number), key=lambda s: s.entered_at)
        assert [(s.stage_id, s.position, s.entered_at, s.left_at, s.seconds_before, s.furthest) for s in found] == [
            (stage, position, entered.replace(tzinfo=None), left and left.replace(tzinfo=None), before, far)
            for stage, position, entered, left, before, far in expected
        ]
        assert facts[number].furthest == expected[-1][-1]
        assert facts[number].amount == deal.base_amount * 100


def test_spans_say_where_a_deal_arrived_for_the_first_time_and_how_soon_it_went_on(company):
    random_deals(company, Random(8), 25)
    scoped = company.database.mirror.scoped(EVERYTHING)
    spans = scoped.rows(select(scoped.facts.spans))
    moved_on = {(row.deal_id, row.moved_at): row.moved_on for row in scoped.rows(select(scoped.facts.moves))}
    arrived = 0
    for number in {span.deal_id for span in spans}:
        stays = sorted((span for span in spans if span.deal_id == number), key=lambda s: s.entered_at)
        for place, stay in enumerate(stays):
            later = [s for s in stays[place + 1 :] if s.furthest > stay.furthest]
            goes_on = (later[0].entered_at - stay.entered_at).total_seconds() if later else None
            assert stay.furthest_before == (stays[place - 1].furthest if place else 0)
            assert stay.entered_on == moved_on[number, stay.entered_at]
            assert stay.entered_on == (stay.entered_at + timedelta(hours=8)).date()
            if stay.furthest > stay.furthest_before:
                assert stay.advance_seconds == goes_on
                arrived += 1
            else:
                assert stay.advance_seconds is None
    assert 25 <= arrived < len(spans), "there are returns among them"


def test_nothing_new_leaves_the_version_alone(company):
    company.deal()
    mirror = company.database.mirror
    version = mirror.refresh()
    assert mirror.refresh() == version


def test_a_reader_keeps_the_state_it_began_with(company):
    company.deal()
    mirror = company.database.mirror
    before = mirror.scoped(EVERYTHING)
    assert before.version == mirror.version
    company.deal()
    after = mirror.scoped(EVERYTHING)
    count = select(before.facts.deals.c.id)
    assert (len(before.rows(count)), len(after.rows(select(after.facts.deals.c.id)))) == (1, 2)
    assert after.version == before.version + 1


def test_a_deleted_deal_is_gone(company):
    deal = company.deal()
    company.deal()
    mirror = company.database.mirror
    mirror.refresh()
    engine = company.database.engine.execution_options(**{WRITING: True})
    with engine.begin() as connection:
        for table in ("deal_line", "deal_change", "stage_move"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE deal_id = {deal.id}")
        connection.exec_driver_sql(f"DELETE FROM deal WHERE id = {deal.id}")
    left = contents(mirror)
    assert len(left["deals"]) == len(left["spans"]) == 1


def test_many_deals_changed_at_once_keep_the_days_of_their_last_activities(company):
    """More deals than a statement names one by one; of one the activity went to another deal meanwhile."""
    deals = [company.deal() for _number in range(20)]
    engine = company.database.engine.execution_options(**{WRITING: True})
    with engine.begin() as connection:
        for deal in deals[:10]:
            rows = [{"kind": "call", "customer_id": deal.customer_id, "deal_id": deal.id, "rep_id": deal.owner_id,
                     "done_at": NOW - timedelta(days=deal.id), "created_at": NOW, "updated_at": NOW}]  # fmt: skip
            connection.execute(Activity.__table__.insert(), rows)
    mirror = company.database.mirror
    mirror.refresh()
    first, other = deals[0].id, deals[19].id
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE deal SET base_amount = base_amount + 100")
        connection.exec_driver_sql(f"UPDATE activity SET deal_id = {other} WHERE deal_id = {first}")
    followed = contents(mirror)
    scoped = mirror.scoped(EVERYTHING)
    last = dict(scoped.rows(select(tables.DEALS.c.id, tables.DEALS.c.last_activity_on)))
    mirror.rebuild()

    assert followed == contents(mirror)
    assert last[first] is None
    assert last[other] == (NOW - timedelta(days=first)).date()
    assert last[deals[1].id] == (NOW - timedelta(days=deals[1].id)).date()
    assert {number for number in last if last[number]} == {other, *(deal.id for deal in deals[1:10])}


def test_a_whole_table_logged_as_a_batch_is_read_again(company):
    company.deal()
    mirror = company.database.mirror
    mirror.refresh()
    engine = company.database.engine.execution_options(**{WRITING: True})
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO change_log (subject, key) VALUES ('deal', NULL)")
    before = mirror.version
    assert mirror.refresh() == before + 1


@pytest.mark.postgres
def test_a_late_commit_with_an_earlier_number_is_not_missed(postgres, founded_postgres):
    """On PostgreSQL a transaction that began first may commit last."""
    from core.db.work import Database
    from tests.conftest import SHANGHAI
    from tests.databases import drop_database, fresh_database
    from tests.factories import Company

    url = fresh_database(founded_postgres)
    database = Database(url, zone=SHANGHAI)
    company = Company(database)
    deal, other = company.deal(), company.deal()
    mirror = database.mirror
    mirror.refresh()
    late, quick = database.engine.connect(), database.engine.connect()
    late.exec_driver_sql(f"UPDATE deal SET base_amount = 100 WHERE id = {deal.id}")
    quick.exec_driver_sql(f"UPDATE deal SET base_amount = 200 WHERE id = {other.id}")
    quick.commit()
    mirror.refresh()
    late.commit()
    scoped = mirror.scoped(EVERYTHING)
    deals = scoped.facts.deals.c
    assert [tuple(row) for row in scoped.rows(select(deals.id, deals.amount).order_by(deals.id))] == [
        (deal.id, 100),
        (other.id, 200),
    ]
    late.close()
    quick.close()
    database.close()
    drop_database(url)


def test_days_are_the_companys_days(company):
    """23:30 in London is the next morning in Shanghai."""
    late = NOW.replace(hour=23, minute=30) - timedelta(days=5)
    company.deal(path=(("identified", late), ("won", late + timedelta(days=1))))
    scoped = company.database.mirror.scoped(EVERYTHING)
    deals = scoped.facts.deals.c
    row = scoped.rows(select(deals.opened_on, deals.closed_on, deals.cycle_days))[0]
    assert tuple(row) == (date(2026, 7, 11), date(2026, 7, 12), 1.0)


def test_names_with_quotes_commas_and_lines_arrive_whole(company):
    name = '他说 "好", 然后\n换行; ' + "空"
    company.deal(name=name)
    scoped = company.database.mirror.scoped(EVERYTHING)
    assert scoped.value(select(scoped.facts.deals.c.name)) == name


def test_missing_numbers_stay_missing(company):
    company.deal(channel=None, product=None)
    scoped = company.database.mirror.scoped(EVERYTHING)
    deals = scoped.facts.deals.c
    frame = scoped.frame(select(deals.channel_id, deals.product_id, deals.credited_id, deals.closed_on))
    assert bool(pd.isna(frame.iloc[0]).all())


def test_a_lost_connection_is_opened_again_and_nothing_is_missed(company):
    """A database that was restarted, or a connection that was cut, costs one load and no restart of the program."""
    mirror = company.database.mirror
    mirror.refresh()
    mirror._source._connection.close()
    deal = company.deal()

    mirror.refresh()

    found = mirror.scoped(EVERYTHING).rows(select(tables.DEALS.c.id))
    assert [row.id for row in found] == [deal.id]


def test_a_change_that_could_not_be_taken_over_is_read_at_the_next_look(company, monkeypatch):
    import duckdb

    mirror = company.database.mirror
    mirror.refresh()
    deal = company.deal()

    def broken(*_given):
        raise duckdb.Error("out of memory")

    monkeypatch.setattr(mirror, "_apply", broken)
    mirror.refresh()

    assert [row.id for row in mirror.scoped(EVERYTHING).rows(select(tables.DEALS.c.id))] == [deal.id]


def test_what_could_not_be_taken_over_is_asked_for_again(company, monkeypatch):
    """By whoever comes next, though nothing more was saved."""
    random_deals(company, Random(5), 3)
    mirror = company.database.mirror
    before = contents(mirror)
    random_change(company, Random(5))
    with monkeypatch.context() as failing:
        failing.setattr(Loader, "_deal_rows", lambda *_: {}["deals"])
        with pytest.raises(KeyError):
            mirror.refresh()

    assert contents(mirror) != before
    found = contents(mirror)
    mirror.rebuild()
    assert contents(mirror) == found
