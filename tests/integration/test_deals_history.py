"""A deal's row is what its history says, whatever was done to it."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.db.work import Database
from core.domain.stages import DealField, StageKind
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed, NotFound, SalesError
from core.model import Currency, Deal, DealChange, DealLine, FxRate, Stage, StageMove
from core.services.deal_history import (
    BeforeTheLastEvent,
    DayInTheFuture,
    RateMissing,
    StageMoveNotAllowed,
    StageRetired,
)
from core.services.deal_moves import (
    DealIsClosed,
    DealIsOpen,
    NothingToUndo,
    advance_deal,
    lose_deal,
    reassign_deal,
    reopen_deal,
    undo_hand_over,
    undo_last_move,
)
from core.services.deal_rules import LineFields
from core.services.deals import change_amount, edit_deal, log_deal
from tests.conftest import SHANGHAI, actor
from tests.factories import NOW, Company

TODAY = date(2026, 7, 15)


def logged(make, perform_as, who="eastern rep", **values):
    values.setdefault("customer_id", make.customer().id)
    values.setdefault("amount", Decimal(1000))
    values.setdefault("expected_close_on", TODAY + timedelta(days=30))
    return perform_as(who, log_deal, key=values.pop("key", "k1"), **values)


def history(database, deal_id):
    with database.reading(SYSTEM, now=NOW) as work:
        moves = work.session.exec(select(StageMove).where(StageMove.deal_id == deal_id)).all()
        changes = work.session.exec(select(DealChange).where(DealChange.deal_id == deal_id)).all()
    return list(moves), list(changes)


def test_a_logged_deal_begins_its_history_with_stage_amount_owner_and_expected_close(make, perform_as, company):
    deal = logged(
        make, perform_as, lines=[LineFields(make.products["compass"], 3, Decimal("100.10"), 0.1)], amount=None
    )
    assert (deal.amount, deal.base_amount, deal.state, deal.version) == (Decimal("270.27"),) * 2 + (
        StageKind.OPEN,
        1,
    )
    assert deal.stage_id == make.stages["identified"]
    assert "罗盘" in deal.name
    moves, changes = history(make.database, deal.id)
    assert [(m.from_stage_id, m.to_stage_id) for m in moves] == [(None, make.stages["identified"])]
    assert {(c.field, c.before, c.after) for c in changes} == {
        (DealField.AMOUNT, None, "270.27 CNY"),
        (DealField.OWNER, None, str(make.reps["alice"])),
        (DealField.EXPECTED_CLOSE, None, "2026-08-14"),
    }


def test_the_same_form_sent_twice_saves_one_deal(make, perform_as, company):
    customer = make.customer()
    first = logged(make, perform_as, customer_id=customer.id)
    again = logged(make, perform_as, customer_id=customer.id, amount=Decimal(5))
    assert again.id == first.id
    assert again.amount == Decimal(1000)


def test_a_past_won_deal_is_booked_on_its_closing_day(make, perform_as, company):
    deal = logged(
        make,
        perform_as,
        stage_id=make.stages["won"],
        opened_on=date(2025, 3, 1),
        closed_on=date(2025, 4, 2),
        expected_close_on=None,
    )
    assert deal.closed_at.astimezone(SHANGHAI).date() == date(2025, 4, 2)
    assert deal.opened_at.astimezone(SHANGHAI).date() == date(2025, 3, 1)
    assert deal.credited_id == make.reps["alice"]
    moves, _changes = history(make.database, deal.id)
    assert [m.to_stage_id for m in moves] == [make.stages["identified"], make.stages["won"]]
    assert all(m.recorded_at == NOW for m in moves)


def test_a_lost_deal_needs_a_reason(make, perform_as, company):
    with pytest.raises(InvalidFields) as refused:
        logged(make, perform_as, stage_id=make.stages["lost"])
    assert set(refused.value.problems) == {"lost_reason_id"}
    deal = logged(make, perform_as)
    with pytest.raises(InvalidFields):
        perform_as("eastern rep", lose_deal, deal_id=deal.id, version=1, lost_reason_id=None)
    lost = perform_as("eastern rep", lose_deal, deal_id=deal.id, version=1, lost_reason_id=make.lost_reasons["price"])
    assert (lost.state, lost.closed_at, lost.credited_id) == (StageKind.LOST, NOW, None)


def test_every_broken_field_is_named_at_once(make, perform_as, company):
    with pytest.raises(InvalidFields) as refused:
        perform_as(
            "eastern rep",
            log_deal,
            key="k",
            amount=Decimal(-1),
            currency="XXX",
            channel_id=999,
            stage_id=999,
            lines=[LineFields(999, 1, Decimal(1))],
        )
    assert set(refused.value.problems) == {
        "customer_id",
        "amount",
        "currency",
        "channel_id",
        "stage_id",
        "lines",
        "expected_close_on",
    }


def test_a_deal_may_skip_and_go_back_but_not_leave_its_process(make, perform_as, company):
    deal = logged(make, perform_as)
    deal = perform_as(
        "eastern rep", advance_deal, deal_id=deal.id, to_stage_id=make.stages["demo"], version=deal.version
    )
    deal = perform_as(
        "eastern rep",
        advance_deal,
        deal_id=deal.id,
        to_stage_id=make.stages["contacted"],
        version=deal.version,
    )
    assert deal.stage_id == make.stages["contacted"]
    for stage in (make.stages["contacted"], make.stages["lost"], 999):
        with pytest.raises(StageMoveNotAllowed):
            perform_as("eastern rep", advance_deal, deal_id=deal.id, to_stage_id=stage, version=deal.version)


def test_a_won_deal_moves_again_only_after_it_was_reopened(make, perform_as, company):
    deal = logged(make, perform_as)
    with pytest.raises(DealIsOpen):
        perform_as("eastern rep", reopen_deal, deal_id=deal.id, to_stage_id=make.stages["demo"], version=deal.version)
    deal = perform_as(
        "eastern rep", advance_deal, deal_id=deal.id, to_stage_id=make.stages["won"], version=deal.version
    )
    assert (deal.state, deal.credited_id, deal.closed_at) == (StageKind.WON, make.reps["alice"], NOW)
    with pytest.raises(DealIsClosed):
        perform_as(
            "eastern rep",
            advance_deal,
            deal_id=deal.id,
            to_stage_id=make.stages["demo"],
            version=deal.version,
        )
    deal = perform_as(
        "eastern rep", reopen_deal, deal_id=deal.id, to_stage_id=make.stages["demo"], version=deal.version
    )
    assert (deal.state, deal.credited_id, deal.closed_at) == (StageKind.OPEN, None, None)


def test_effective_days_lie_between_the_last_event_and_today(make, perform_as, company):
    deal = logged(make, perform_as, opened_on=date(2026, 7, 1))
    with pytest.raises(DayInTheFuture):
        perform_as(
            "eastern rep",
            advance_deal,
            deal_id=deal.id,
            to_stage_id=make.stages["demo"],
            version=1,
            effective_on=date(2026, 7, 16),
        )
    with pytest.raises(BeforeTheLastEvent):
        perform_as(
            "eastern rep",
            advance_deal,
            deal_id=deal.id,
            to_stage_id=make.stages["demo"],
            version=1,
            effective_on=date(2026, 6, 30),
        )
    moved = perform_as(
        "eastern rep",
        advance_deal,
        deal_id=deal.id,
        to_stage_id=make.stages["demo"],
        version=1,
        effective_on=date(2026, 7, 1),
    )
    assert moved.stage_entered_at == deal.opened_at


def test_a_retired_stage_takes_no_deal(make, perform_as, company):
    deal = logged(make, perform_as)
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        stage = work.session.get(Stage, make.stages["demo"])
        stage.active = False
        work.session.add(stage)
    with pytest.raises(StageRetired):
        perform_as("eastern rep", advance_deal, deal_id=deal.id, to_stage_id=make.stages["demo"], version=1)
    with pytest.raises(InvalidFields) as refused:
        logged(make, perform_as, key="k2", stage_id=make.stages["demo"])
    assert set(refused.value.problems) == {"stage_id"}


def test_a_stale_form_never_overwrites(make, perform_as, company):
    deal = logged(make, perform_as)
    perform_as("eastern manager", change_amount, deal_id=deal.id, version=1, amount=Decimal(7))
    with pytest.raises(EditedMeanwhile):
        perform_as("eastern rep", edit_deal, deal_id=deal.id, version=1, changes={"note": "mine"})


def test_new_lines_change_the_amount_and_leave_no_old_line(make, perform_as, company):
    deal = logged(make, perform_as, lines=[LineFields(make.products["compass"], 1, Decimal(10))], amount=None)
    deal = perform_as(
        "eastern rep",
        edit_deal,
        deal_id=deal.id,
        version=1,
        changes={"lines": [LineFields(make.products["sextant"], 2, Decimal(40))], "expected_close_on": TODAY},
    )
    assert (deal.amount, deal.expected_close_on, deal.version) == (Decimal(80), TODAY, 2)
    with make.database.reading(SYSTEM, now=NOW) as work:
        lines = work.session.exec(select(DealLine).where(DealLine.deal_id == deal.id)).all()
    assert [(line.product_id, line.amount) for line in lines] == [(make.products["sextant"], Decimal(80))]
    _moves, changes = history(make.database, deal.id)
    assert ("10.00 CNY", "80.00 CNY") in {(c.before, c.after) for c in changes}


def test_only_managers_hand_deals_over_and_only_inside_their_team(make, perform_as, company):
    deal = logged(make, perform_as)
    with pytest.raises(NotAllowed):
        perform_as("eastern rep", reassign_deal, deal_id=deal.id, version=1, owner_id=make.reps["bob"])
    with pytest.raises(InvalidFields):
        perform_as("eastern manager", reassign_deal, deal_id=deal.id, version=1, owner_id=make.reps["charlie"])
    with pytest.raises(NotFound):
        perform_as("western manager", reassign_deal, deal_id=deal.id, version=1, owner_id=make.reps["charlie"])
    moved = perform_as("eastern manager", reassign_deal, deal_id=deal.id, version=1, owner_id=make.reps["bob"])
    assert moved.owner_id == make.reps["bob"]


def test_who_won_a_deal_keeps_the_credit_and_cannot_edit_what_was_handed_over(make, perform_as, company):
    deal = logged(make, perform_as)
    deal = perform_as("eastern rep", advance_deal, deal_id=deal.id, to_stage_id=make.stages["won"], version=1)
    deal = perform_as(
        "eastern manager", reassign_deal, deal_id=deal.id, version=deal.version, owner_id=make.reps["bob"]
    )
    assert deal.credited_id == make.reps["alice"]
    with pytest.raises(NotAllowed):
        perform_as("eastern rep", edit_deal, deal_id=deal.id, version=deal.version, changes={"note": "x"})


def test_a_move_is_undone_by_its_author_and_stays_in_the_history(make, perform_as, company):
    deal = logged(make, perform_as)
    with pytest.raises(NothingToUndo):
        perform_as("eastern rep", undo_last_move, deal_id=deal.id, version=1)
    deal = perform_as("eastern rep", advance_deal, deal_id=deal.id, to_stage_id=make.stages["won"], version=1)
    with pytest.raises(NothingToUndo):
        perform_as("eastern manager", undo_last_move, deal_id=deal.id, version=deal.version)
    deal = perform_as("eastern rep", undo_last_move, deal_id=deal.id, version=deal.version)
    assert (deal.state, deal.stage_id, deal.closed_at) == (StageKind.OPEN, make.stages["identified"], None)
    moves, _changes = history(make.database, deal.id)
    assert len(moves) == 3


def test_a_hand_over_is_undone_by_its_author_while_nobody_changed_the_deal(make, perform_as, company):
    deal = logged(make, perform_as)
    with pytest.raises(NothingToUndo):
        perform_as("eastern manager", undo_hand_over, deal_id=deal.id, version=1)
    handed = perform_as("eastern manager", reassign_deal, deal_id=deal.id, version=1, owner_id=make.reps["bob"])
    with pytest.raises(NothingToUndo):
        perform_as("operations", undo_hand_over, deal_id=deal.id, version=handed.version)
    back = perform_as("eastern manager", undo_hand_over, deal_id=deal.id, version=handed.version)
    assert back.owner_id == make.reps["alice"]
    _moves, changes = history(make.database, deal.id)
    owners = [(change.before, change.after) for change in changes if change.field is DealField.OWNER]
    alice, bob = str(make.reps["alice"]), str(make.reps["bob"])
    assert owners == [(None, alice), (alice, bob), (bob, alice)], "history keeps both"
    handed = perform_as(
        "eastern manager", reassign_deal, deal_id=deal.id, version=back.version, owner_id=make.reps["bob"]
    )
    perform_as("second eastern rep", edit_deal, deal_id=deal.id, version=handed.version, changes={"note": "Mine now"})
    with pytest.raises(EditedMeanwhile):
        perform_as("eastern manager", undo_hand_over, deal_id=deal.id, version=handed.version)


def test_a_hand_over_of_yesterday_is_not_undone(make, perform_as, company):
    deal = logged(make, perform_as)
    handed = perform_as("eastern manager", reassign_deal, deal_id=deal.id, version=1, owner_id=make.reps["bob"])
    manager = actor(make, "eastern manager")
    later = NOW + timedelta(days=1, seconds=1)
    with pytest.raises(NothingToUndo):
        gate.perform(make.database, manager, undo_hand_over, later, deal_id=deal.id, version=handed.version)


def test_a_foreign_deal_closes_at_the_closing_days_rate(make, perform_as, company):
    with pytest.raises(InvalidFields, match="check") as refused:
        logged(make, perform_as, currency="USD")
    assert set(refused.value.problems) == {"currency"}
    make._write(
        FxRate(currency="USD", on=date(2026, 7, 1), rate=Decimal(7)),
        FxRate(currency="USD", on=date(2026, 7, 10), rate=Decimal(8)),
    )
    deal = logged(make, perform_as, currency="USD", opened_on=date(2026, 7, 2), amount=Decimal("100.55"))
    assert deal.base_amount == Decimal("804.40")
    won = perform_as(
        "eastern rep",
        advance_deal,
        deal_id=deal.id,
        to_stage_id=make.stages["won"],
        version=1,
        effective_on=date(2026, 7, 5),
    )
    assert won.base_amount == Decimal("703.85")
    deal = perform_as("eastern rep", reopen_deal, deal_id=deal.id, to_stage_id=make.stages["demo"], version=won.version)
    assert deal.base_amount == Decimal("804.40")


def test_without_a_rate_on_the_closing_day_the_refusal_says_so(make, perform_as, company):
    make._write(FxRate(currency="USD", on=date(2026, 7, 10), rate=Decimal(8)))
    deal = logged(make, perform_as, currency="USD", opened_on=date(2026, 7, 2))
    with pytest.raises(RateMissing, match="no exchange rate for USD on 2026-07-05"):
        perform_as(
            "eastern rep",
            advance_deal,
            deal_id=deal.id,
            to_stage_id=make.stages["won"],
            version=1,
            effective_on=date(2026, 7, 5),
        )


def test_a_manager_without_sales_of_their_own_chooses_whose_deal_it_is(make, perform_as, company):
    with pytest.raises(InvalidFields) as refused:
        logged(make, perform_as, "eastern manager")
    assert set(refused.value.problems) == {"owner_id"}
    assert logged(make, perform_as, "eastern manager", owner_id=make.reps["bob"]).owner_id == make.reps["bob"]
    with pytest.raises(InvalidFields):
        logged(make, perform_as, "eastern manager", key="k2", owner_id=make.reps["charlie"])


def test_a_new_customer_comes_with_the_deal_or_not_at_all(make, perform_as, company):
    deal = logged(make, perform_as, customer_id=None, new_customer={"name": "新城科技有限公司"})
    with make.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(Deal, deal.id).customer_id == deal.customer_id
    with pytest.raises(InvalidFields) as refused:
        logged(make, perform_as, key="k3", customer_id=None, new_customer={"name": " "})
    assert set(refused.value.problems) == {"customer_name"}


def replayed(database: Database, deal_id: int) -> dict[str, object]:
    """Return what the history alone says the deal is now."""
    with database.reading(SYSTEM, now=NOW) as work:
        kinds = {stage.id: stage.kind for stage in work.session.exec(select(Stage))}
    moves, changes = history(database, deal_id)
    events = sorted([*changes, *moves], key=lambda e: (e.effective_at, e.recorded_at, isinstance(e, StageMove), e.id))
    row: dict[str, object] = {
        "opened_at": events[0].effective_at,
        "state": None,
        "closed_at": None,
        "credited_id": None,
        "lost_reason_id": None,
    }
    for event in events:
        if isinstance(event, DealChange):
            assert event.before == row.get(event.field)
            row[event.field] = event.after
            continue
        assert event.from_stage_id == row.get("stage_id")
        kind = kinds[event.to_stage_id]
        if not (row["state"] == kind == StageKind.WON):
            row["closed_at"] = None if kind is StageKind.OPEN else event.effective_at
            row["credited_id"] = int(str(row[DealField.OWNER])) if kind is StageKind.WON else None
            row["lost_reason_id"] = event.lost_reason_id
        row.update(stage_id=event.to_stage_id, stage_entered_at=event.effective_at, state=kind)
    return row


STEPS = st.tuples(
    st.sampled_from(("advance", "lose", "reopen", "reassign", "amount", "expected", "undo")),
    st.integers(0, 6),
    st.sampled_from((0, 0, 0, 1, 3, 20)),
)


@pytest.fixture
def replay_company(company: Company) -> Company:
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        currency = work.session.get(Currency, "USD")
        currency.active = True
        work.session.add(FxRate(currency="USD", on=date(2020, 1, 1), rate=Decimal(7)))
    return company


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14))
def test_replaying_the_history_gives_the_row(replay_company, steps):
    make = replay_company
    manager = actor(make, "eastern manager")
    key = uuid4()  # each example logs a deal of its own
    stages, reps = list(make.stages.values()), [make.reps["alice"], make.reps["bob"]]
    now: datetime = NOW
    deal = gate.perform(
        make.database,
        manager,
        log_deal,
        now,
        key=str(key),
        new_customer={"name": f"客户 {key}"},
        amount=Decimal(100),
        owner_id=reps[0],
        expected_close_on=date(2026, 9, 1),
        opened_on=date(2026, 6, 1),
    )
    for what, choice, days in steps:
        now += timedelta(hours=9)
        on = now.astimezone(SHANGHAI).date() - timedelta(days=days) if days else None
        common = {"deal_id": deal.id, "version": deal.version}
        try:
            match what:
                case "advance":
                    deal = gate.perform(
                        make.database,
                        manager,
                        advance_deal,
                        now,
                        to_stage_id=stages[choice],
                        effective_on=on,
                        **common,
                    )
                case "lose":
                    deal = gate.perform(
                        make.database,
                        manager,
                        lose_deal,
                        now,
                        lost_reason_id=make.lost_reasons["price"],
                        effective_on=on,
                        **common,
                    )
                case "reopen":
                    deal = gate.perform(
                        make.database,
                        manager,
                        reopen_deal,
                        now,
                        to_stage_id=stages[choice],
                        effective_on=on,
                        **common,
                    )
                case "reassign":
                    deal = gate.perform(make.database, manager, reassign_deal, now, owner_id=reps[choice % 2], **common)
                case "amount":
                    money = ("CNY", "USD")[choice % 2]
                    deal = gate.perform(
                        make.database,
                        manager,
                        change_amount,
                        now,
                        amount=Decimal(choice),
                        currency=money,
                        **common,
                    )
                case "expected":
                    changes = {"expected_close_on": date(2026, 9, 1) + timedelta(days=choice)}
                    deal = gate.perform(make.database, manager, edit_deal, now, changes=changes, **common)
                case "undo":
                    undo = (undo_last_move, undo_hand_over)[choice % 2]
                    deal = gate.perform(make.database, manager, undo, now, **common)
        except SalesError:
            continue
    with make.database.reading(SYSTEM, now=now) as work:
        row = work.session.get(Deal, deal.id)
    expected = {
        "opened_at": row.opened_at,
        "state": row.state,
        "closed_at": row.closed_at,
        "credited_id": row.credited_id,
        "lost_reason_id": row.lost_reason_id,
        "stage_id": row.stage_id,
        "stage_entered_at": row.stage_entered_at,
        DealField.AMOUNT: f"{row.amount:.2f} {row.currency}",
        DealField.OWNER: str(row.owner_id),
        DealField.EXPECTED_CLOSE: row.expected_close_on.isoformat(),
    }
    assert replayed(make.database, deal.id) == expected
    assert row.base_amount == row.amount * (7 if row.currency == "USD" else 1)
