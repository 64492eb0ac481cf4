"""Deals that need somebody: the same on Today as in the table, the fresh before the old, the long dead apart."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlmodel import select

from core.access.actors import SYSTEM
from core.analytics.attention import LONG_DEAD_DAYS, NEEDS
from core.domain.stages import DealField, StageKind
from core.errors import InvalidFields, NotFound
from core.model import Deal, DealChange, StageMove
from core.queries.deals import DealFilter, deals_board, deals_page
from core.queries.today_numbers import attention_counts, deals_needing_attention
from core.services.deal_bulk import MOST_DEALS, DealAt, expect_deals, lose_deals, undo_last_moves
from core.services.deals import edit_deal
from tests.factories import NOW
from tests.histories import random_deals

TODAY = date(2026, 7, 15)
DAY = timedelta(days=1)


@pytest.mark.parametrize("who", ["leader", "eastern manager", "eastern rep", "western rep"])
def test_what_today_counts_is_what_the_table_lists(company, answer_as, who):
    random_deals(company, Random(5), 60)
    for days in (-89, -90, -91, -300, 0, -1):
        company.deal(expected_close_on=TODAY + days * DAY, path=(("identified", NOW - 400 * DAY),), amount=7)
    for row in answer_as(who, attention_counts).to_dict("records"):
        wanted = DealFilter(need=row["need"])
        found = answer_as(who, deals_page, wanted=wanted, size=None)
        assert (found.total, float(found.value)) == (row["count"], row["value"]), row["need"]
        board = answer_as(who, deals_board, wanted=wanted)
        assert sum(column.count for column in board) == row["count"]
    listed = answer_as(who, deals_needing_attention, limit=1_000)
    table = answer_as(who, deals_page, wanted=DealFilter(need="attention"), size=None)
    assert set(listed["deal_id"]) == set(table.rows["id"])


def test_days_begin_where_the_company_is(company, answer_as):
    """An activity at 00:30 in Shanghai is of that day, though it is still the day before in UTC."""
    since = TODAY - 14 * DAY
    deal = company.deal(path=(("identified", NOW - 60 * DAY),), expected_close_on=TODAY + 30 * DAY)
    for at, idle in ((datetime(2026, 6, 30, 15, 59, tzinfo=UTC), 1), (datetime(2026, 6, 30, 16, 1, tzinfo=UTC), 0)):
        assert since == date(2026, 7, 1)
        company.activity(deal_id=deal.id, done_at=at)
        assert answer_as("leader", attention_counts).set_index("need").loc["idle", "count"] == idle
        assert answer_as("leader", deals_page, wanted=DealFilter(need="idle")).total == idle


def test_what_became_late_last_comes_first_and_the_long_dead_not_at_all(small_company, answer_as):
    def late(days, amount):
        return small_company.deal(
            expected_close_on=TODAY - days * DAY, path=(("identified", NOW - 5 * DAY),), amount=amount
        ).id

    old, fresh, fresh_and_large = late(LONG_DEAD_DAYS, 9_999), late(2, 10), late(2, 20)
    dead = late(LONG_DEAD_DAYS + 1, 100_000)
    listed = answer_as("leader", deals_needing_attention)["deal_id"].to_list()
    assert listed == [fresh_and_large, fresh, old]
    assert dead not in listed
    counts = answer_as("leader", attention_counts).set_index("need")
    assert counts["count"].to_dict() == {"attention": 3, "overdue": 3, "idle": 0, "slow": 0, "dead": 1}
    assert counts.loc["dead", "value"] == 100_000
    assert tuple(counts.index) == NEEDS


@pytest.fixture
def dead(company):
    """Three deals of Alice and one of Bob that were expected a year ago."""
    return [
        company.deal(owner=owner, expected_close_on=TODAY - 365 * DAY, path=(("identified", NOW - 400 * DAY),))
        for owner in ("alice", "alice", "alice", "bob")
    ]


def at(deals, on=None):
    return tuple(DealAt(deal.id, deal.version, on) for deal in deals)


def stands(company, deal):
    with company.database.reading(SYSTEM, now=NOW) as work:
        return work.session.get(Deal, deal.id)


def test_many_deals_get_a_new_day_and_their_old_ones_again(company, dead, perform_as):
    done = perform_as("eastern manager", expect_deals, deals=at(dead, TODAY + 30 * DAY))
    assert (len(done.done), done.left) == (4, ())
    assert {stands(company, deal).expected_close_on for deal in dead} == {TODAY + 30 * DAY}
    assert {one.expected_close_on for one in done.done} == {TODAY - 365 * DAY}
    back = perform_as("eastern manager", expect_deals, deals=done.done)
    assert {stands(company, deal).expected_close_on for deal in dead} == {TODAY - 365 * DAY}
    assert len(back.done) == 4
    with company.database.reading(SYSTEM, now=NOW) as work:
        events = work.session.exec(
            select(DealChange).where(DealChange.deal_id == dead[0].id, DealChange.field == DealField.EXPECTED_CLOSE)
        ).all()
    assert len(events) == 3, "the first value, the new day and the way back all stand in the history"


def test_many_deals_are_lost_for_one_reason_and_come_back(company, dead, perform_as):
    reason = company.lost_reasons["price"]
    done = perform_as("eastern manager", lose_deals, deals=at(dead), lost_reason_id=reason, note="Old data")
    assert len(done.done) == 4
    for deal in dead:
        lost = stands(company, deal)
        assert (lost.state, lost.lost_reason_id) == (StageKind.LOST, reason)
    back = perform_as("eastern manager", undo_last_moves, deals=done.done)
    assert len(back.done) == 4
    for deal in dead:
        assert (stands(company, deal).state, stands(company, deal).stage_id) == (StageKind.OPEN, deal.stage_id)
    with company.database.reading(SYSTEM, now=NOW) as work:
        moves = work.session.exec(select(StageMove).where(StageMove.deal_id == dead[0].id)).all()
    assert len(moves) == 3


def test_a_deal_that_was_changed_meanwhile_is_left_and_named_and_the_others_go_on(company, dead, perform_as):
    seen = at(dead)
    perform_as("eastern rep", edit_deal, deal_id=dead[1].id, version=1, changes={"note": "I am on it"})
    reason = company.lost_reasons["fit"]
    outcome = perform_as("eastern manager", lose_deals, deals=seen, lost_reason_id=reason)
    assert [number for number, _why in outcome.left] == [dead[1].id]
    assert "meanwhile" in outcome.left[0][1]
    assert {one.deal_id for one in outcome.done} == {dead[0].id, dead[2].id, dead[3].id}
    assert stands(company, dead[1]).state is StageKind.OPEN
    again = perform_as("eastern manager", lose_deals, deals=seen, lost_reason_id=reason)
    assert not again.done, "a second press changes nothing"


def test_nothing_is_lost_without_a_reason_nor_before_its_last_event_nor_of_another_team(company, dead, perform_as):
    with pytest.raises(InvalidFields):
        perform_as("eastern manager", lose_deals, deals=at(dead), lost_reason_id=None)
    western = company.deal(owner="charlie")
    with pytest.raises(NotFound):
        perform_as("eastern manager", lose_deals, deals=at([*dead, western]), lost_reason_id=1)
    assert stands(company, dead[0]).state is StageKind.OPEN, "one foreign deal, and none is changed"
    early = perform_as("eastern manager", lose_deals, deals=at(dead), lost_reason_id=1, effective_on=TODAY - 500 * DAY)
    assert (len(early.done), len(early.left)) == (0, 4)
    with pytest.raises(InvalidFields):
        perform_as("eastern manager", expect_deals, deals=tuple(DealAt(1, 1, TODAY) for _ in range(MOST_DEALS + 1)))
