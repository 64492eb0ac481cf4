"""The demo company's tables agree with each other: replayed, they give the same state."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

import bcrypt
import pytest
from sqlalchemy import func, select, text

from core import gate
from core.access.actors import SYSTEM
from core.db import audit
from core.db.actors import actor_named
from core.db.change_log import LOGGED
from core.domain.periods import Period
from core.domain.stages import DealField, StageKind
from core.model import (
    Activity,
    AuditEntry,
    ChangeLog,
    CreditShare,
    Customer,
    Deal,
    DealChange,
    DealLine,
    FxRate,
    Quota,
    Rep,
    Sku,
    Stage,
    StageMove,
    Team,
    User,
)
from core.queries.plans import plan_by_month, plan_now
from core.queries.scenarios import my_scenarios
from core.queries.series import booked_series
from core.services.deal_costs import total_cost
from data.demo import DEMO_USERS, DemoSummary, NotEmpty, load_demo
from data.demo.calendar import Calendar, instant
from data.demo.parameters import TrueParameters
from tests.factories import NOW

if TYPE_CHECKING:
    from sqlmodel import Session

    from core.db.work import Database

UNTIL = date(2026, 6, 30)
CENT = Decimal("0.01")


@pytest.fixture
def loaded(database: Database) -> tuple[Database, DemoSummary]:
    return database, load_demo(database, deals=300, seed=7, until=UNTIL)


def _reading(database: Database):
    return database.reading(SYSTEM, now=NOW)


def test_replaying_a_deals_history_gives_the_deal(loaded):
    database, _summary = loaded
    with _reading(database) as work:
        kinds = {stage.id: stage.kind for stage in work.session.scalars(select(Stage))}
        rates = _rates(work.session)
        moves = _by_deal(work.session.scalars(select(StageMove).order_by(StageMove.id)))
        changes = _by_deal(work.session.scalars(select(DealChange).order_by(DealChange.id)))
        lines = _by_deal(work.session.scalars(select(DealLine).order_by(DealLine.id)))
        deals = list(work.session.scalars(select(Deal)))
        assert len(deals) == 300
        for deal in deals:
            _replay(deal, moves[deal.id], changes[deal.id], kinds, rates, database)
            assert sum(line.amount for line in lines[deal.id]) == deal.amount
            for line in lines[deal.id]:
                net = line.quantity * line.unit_price * (1 - Decimal(str(line.discount_rate)))
                assert line.amount == net.quantize(CENT, rounding=ROUND_HALF_UP)


def test_won_deals_have_the_stated_costs_and_splits(loaded):
    database, summary = loaded
    with _reading(database) as work:
        skus = {sku.id: sku for sku in work.session.scalars(select(Sku))}
        assert sum(sku.cost is None for sku in skus.values()) == len(skus) - summary.parameters.costed_skus
        lines = _by_deal(work.session.scalars(select(DealLine)))
        deals = {deal.id: deal for deal in work.session.scalars(select(Deal))}
        reps = {rep.id: rep for rep in work.session.scalars(select(Rep))}
        for deal in deals.values():
            won = deal.state is StageKind.WON
            assert [line.unit_cost for line in lines[deal.id]] == [
                skus[line.sku_id].cost if won else None for line in lines[deal.id]
            ]
            assert deal.base_cost == total_cost([(line.quantity, line.unit_cost) for line in lines[deal.id]])
        for number, shares in _by_deal(work.session.scalars(select(CreditShare))).items():
            deal = deals[number]
            assert sorted(row.share for row in shares) == [3_000, 7_000]
            assert deal.credited_id == max(shares, key=lambda row: row.share).rep_id
            assert len({reps[row.rep_id].team_id for row in shares}) == 1
            assert {row.effective_at for row in shares} == {deal.closed_at}


def test_the_stated_shares_of_deals_are_split_and_entered_late(database):
    load_demo(database, deals=3_000, seed=7, until=UNTIL)
    with _reading(database) as work:
        won = work.session.scalar(select(func.count()).select_from(Deal).where(Deal.state == StageKind.WON))
        split = work.session.scalar(select(func.count(func.distinct(CreditShare.deal_id))))
        late = list(work.session.scalars(select(StageMove).where(StageMove.recorded_at > StageMove.effective_at)))
        closed = work.session.scalar(select(func.count()).select_from(Deal).where(Deal.state != StageKind.OPEN))
    assert split / won == pytest.approx(0.04, abs=0.01)
    assert len(late) / closed == pytest.approx(0.06, abs=0.015), "of some deals the end is entered late"
    assert max(move.recorded_at - move.effective_at for move in late) == timedelta(days=5)
    assert max(move.recorded_at for move in late).date() <= UNTIL


def _replay(deal, moves, changes, kinds, rates, database) -> None:
    assert moves[0].from_stage_id is None
    assert moves[0].effective_at == deal.opened_at
    for earlier, later in pairwise(moves):
        assert later.from_stage_id == earlier.to_stage_id
        assert later.effective_at > earlier.effective_at
    last = moves[-1]
    kind = kinds[last.to_stage_id]
    assert (deal.stage_id, deal.stage_entered_at, deal.state) == (last.to_stage_id, last.effective_at, kind)
    assert deal.closed_at == (None if kind is StageKind.OPEN else last.effective_at)
    assert deal.lost_reason_id == (last.lost_reason_id if kind is StageKind.LOST else None)
    assert all((move.lost_reason_id is not None) == (kinds[move.to_stage_id] is StageKind.LOST) for move in moves)

    state: dict[DealField, str] = {}
    for change in changes:
        assert change.before == state.get(change.field)
        assert change.effective_at == change.recorded_at
        assert change.effective_at == deal.opened_at or deal.opened_at < change.effective_at
        assert deal.closed_at is None or change.effective_at < deal.closed_at
        state[change.field] = change.after
    assert state[DealField.AMOUNT] == f"{deal.amount:.2f} {deal.currency}"
    assert state[DealField.OWNER] == str(deal.owner_id)
    assert state[DealField.EXPECTED_CLOSE] == deal.expected_close_on.isoformat()
    assert deal.credited_id == (deal.owner_id if kind is StageKind.WON else None)

    day = UNTIL if deal.closed_at is None else deal.closed_at.astimezone(database.zone).date()
    rate = Decimal(1)
    if deal.currency != "CNY":
        rate = max((on, value) for on, value in rates[deal.currency].items() if on <= day)[1]
    assert deal.base_amount == (deal.amount * rate).quantize(CENT, rounding=ROUND_HALF_UP)


def _by_deal(rows) -> dict[int, list]:
    found: dict[int, list] = {}
    for row in rows:
        found.setdefault(row.deal_id, []).append(row)
    return found


def _rates(session: Session) -> dict[str, dict[date, Decimal]]:
    found: dict[str, dict[date, Decimal]] = {}
    for row in session.scalars(select(FxRate)):
        found.setdefault(row.currency, {})[row.on] = row.rate
    return found


def test_nothing_is_dated_after_the_last_day_and_only_hired_reps_own_deals(loaded):
    database, _summary = loaded
    with _reading(database) as work:
        end = instant(Calendar.of(UNTIL, database.zone, _summary.parameters).end)
        for column in (StageMove.effective_at, DealChange.effective_at, Activity.done_at):
            assert work.session.scalar(select(func.max(column))) <= end
        reps = {rep.id: rep for rep in work.session.scalars(select(Rep))}
        for change in work.session.scalars(select(DealChange).where(DealChange.field == DealField.OWNER)):
            rep, day = reps[int(change.after)], change.effective_at.astimezone(database.zone).date()
            assert rep.joined_on <= day
            assert rep.left_on is None or day <= rep.left_on
        held = select(Deal.id).join(Rep, Rep.id == Deal.owner_id)
        assert not work.session.scalars(held.where(Deal.state == "open", Rep.left_on.is_not(None))).all()


def test_activities_are_done_or_due_and_done_by_the_owner_of_the_time(loaded):
    database, _summary = loaded
    with _reading(database) as work:
        owners = _by_deal(
            work.session.scalars(select(DealChange).where(DealChange.field == DealField.OWNER).order_by(DealChange.id))
        )
        deals = {deal.id: deal for deal in work.session.scalars(select(Deal))}
        for activity in work.session.scalars(select(Activity)):
            assert (activity.done_at is None) != (activity.due_on is None)
            assert activity.customer_id == deals[activity.deal_id].customer_id
            at = activity.done_at
            past = [change.after for change in owners[activity.deal_id] if at is None or change.effective_at <= at]
            assert str(activity.rep_id) == past[-1]


def test_a_teams_quota_is_the_sum_of_the_reps_in_it_and_below(loaded):
    database, _summary = loaded
    with _reading(database) as work:
        parents = dict(work.session.execute(select(Team.id, Team.parent_id)).all())
        owed: Counter[tuple[int, date]] = Counter()
        mine = select(Rep.team_id, Quota.month, Quota.amount).join(Rep, Rep.id == Quota.rep_id)
        for own_team, month, amount in work.session.execute(mine):
            team = own_team
            while team is not None:
                owed[team, month] += amount
                team = parents[team]
        theirs = select(Quota).where(Quota.team_id.is_not(None))
        of_teams = {(quota.team_id, quota.month): quota.amount for quota in work.session.scalars(theirs)}
        assert of_teams == dict(owed)
        assert max(month for _team, month in of_teams) == date(2026, 12, 1)


def test_the_company_has_its_size_and_a_tree_of_teams(loaded):
    database, summary = loaded
    with _reading(database) as work:
        for table, count in ((Team, 6), (Rep, 40), (Customer, 1500), (Deal, 300), (User, len(DEMO_USERS))):
            assert work.session.scalar(select(func.count()).select_from(table)) == count
        teams = {team.id: team for team in work.session.scalars(select(Team))}
        roots = [team for team in teams.values() if team.parent_id is None]
        assert len(roots) == 1
        assert any(team.parent_id and teams[team.parent_id].parent_id for team in teams.values())
        users = list(work.session.scalars(select(User)))
        assert all(user.is_demo for user in users)
        assert bcrypt.checkpw(summary.passphrase.encode(), users[0].password_hash.encode())
        assert summary.passphrase not in repr(summary)


def test_the_load_leaves_the_chain_whole_and_tells_the_mirror_once_a_table(loaded):
    database, _summary = loaded
    with _reading(database) as work:
        assert list(audit.broken_links(work.session)) == []
        said = work.session.scalars(select(AuditEntry).where(AuditEntry.action == "load_demo")).all()
        assert [entry.after for entry in said] == [{"deals": 300, "seed": 7, "until": "2026-06-30"}]
        logged = work.session.execute(
            select(ChangeLog.subject, func.count()).where(ChangeLog.key.is_(None)).group_by(ChangeLog.subject)
        ).all()
        assert {"deal", "activity", "quota", "rep", "customer"} <= {subject for subject, _count in logged}
        assert {count for _subject, count in logged} == {1}


def test_the_triggers_indexes_and_foreign_keys_are_back_after_the_load(loaded):
    database, _summary = loaded
    with database.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            names = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'log_%'"
        else:
            names = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'log_%'"
        assert connection.execute(text(names)).scalar() == 3 * len(LOGGED)
    with database.writing(SYSTEM, now=NOW, action="log") as work:
        work.session.add(Customer(name="新客户"))


def test_a_database_with_data_is_refused(loaded):
    database, _summary = loaded
    with pytest.raises(NotEmpty, match="already holds data"):
        load_demo(database, deals=300, seed=7, until=UNTIL)


def test_indexes_dropped_for_a_large_load_are_made_again(sqlite_database):
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    with sqlite_database.engine.connect() as connection:
        before = connection.execute(text(query)).all()
    load_demo(sqlite_database, deals=5_000, seed=3, until=UNTIL)
    with sqlite_database.engine.connect() as connection:
        assert connection.execute(text(query)).all() == before


def test_no_deals_are_a_company_too(sqlite_database):
    assert load_demo(sqlite_database, deals=0, until=UNTIL).rows["rep"] == 40


def test_the_company_planned_its_year_the_east_its_quarter_and_leadership_keeps_two_outlooks(sqlite_database):
    """Each month of the plan stands 8 % above the same month of the last year, to the thousand, and parts add up."""
    load_demo(sqlite_database, deals=1_000, seed=7, until=UNTIL)
    now = instant(Calendar.of(UNTIL, sqlite_database.zone, TrueParameters()).end)
    leader, manager, rep = (
        actor_named(sqlite_database, who, now=now, origin="test") for who in ("leader", "east.manager", "shanghai.rep")
    )
    year = Period(date(2026, 1, 1), date(2027, 1, 1))
    plan = gate.answer(sqlite_database, leader, plan_by_month, now, period=year).set_index("month")["plan"]
    before = gate.answer(sqlite_database, leader, booked_series, now).set_index("on")["value"]
    assert len(plan) == 12
    for month, amount in plan.items():
        assert amount == pytest.approx(1.08 * before.get(month.replace(year=2025), 0.0), abs=500.01)
    whole = gate.answer(sqlite_database, leader, plan_now, now).set_index("row")
    assert whole.loc["year", "booked"] > 0
    assert whole["team"].tolist() == ["", "", ""]
    east = gate.answer(sqlite_database, manager, plan_now, now).set_index("row")
    assert east.loc["quarter", "team"] != ""
    assert 0 < east.loc["quarter", "company"] != east.loc["quarter", "plan"]
    assert gate.answer(sqlite_database, rep, plan_now, now).set_index("row").loc["month", "plan"] > 0
    kept = gate.answer(sqlite_database, leader, my_scenarios, now)
    assert len(kept) == 2
    assert {outlook["on"] for outlook in kept["outlook"]} == {"2026-02-10"}
    assert all(len(outlook["ds"]) == 6 and outlook["ds"][0] == "2026-02-01" for outlook in kept["outlook"])
