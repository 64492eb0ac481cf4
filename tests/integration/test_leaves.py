"""Leave: kept by managers for their people, and taken off the days that quotas go by."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

import pytest
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.analytics.as_of import AsOf, Known
from core.analytics.selection import Selection
from core.db.engine import WRITING
from core.db.mirror import Mirror
from core.domain.honours import ContestBy, ContestMeasure
from core.domain.periods import Period
from core.domain.stages import DealField
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed, NotFound
from core.jobs.period_awards import give_due_awards
from core.model import Award, DealChange, Rep, Team
from core.queries.contests import awards
from core.queries.drill import deals_behind
from core.queries.leaderboard_fair import fair_leaderboard
from core.queries.leaves import leaves_of
from core.queries.rep_page import rep_against_team
from core.services.contests import hold_contest
from core.services.leaves import record_leave, take_back_leave
from tests.factories import NOW, Company

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))
JULY = date(2026, 7, 1)
WEEK = {"from_on": date(2026, 7, 6), "until_on": date(2026, 7, 12)}


def test_leave_is_taken_off_the_days_and_the_quota(company: Company, make, perform_as, answer_as) -> None:
    make.quota(rep="alice", month=JULY, amount=31_000)
    alice = company.reps["alice"]
    perform_as("eastern manager", record_leave, key="k", rep_id=alice, **WEEK)
    board = answer_as("leader", fair_leaderboard, period=Q3, measure="attainment").set_index("key")
    row = board.loc[str(alice)]
    assert (row["days_worked"], row["leave_days"]) == (92 - 7, 7)
    assert row["quota_by_days"] == 24_000
    whole = answer_as("leader", fair_leaderboard, period=Q3, measure="attainment", adjust=()).set_index("key")
    assert whole.loc[str(alice), "fair_quota"] == 31_000, "switched off, the whole quota counts"


def test_leave_is_refused_where_it_makes_no_sense(company: Company, perform_as) -> None:
    alice = company.reps["alice"]
    perform_as("operations", record_leave, key="k", rep_id=alice, **WEEK)
    for from_on, until_on, field in (
        (date(2026, 7, 12), date(2026, 7, 14), "from_on"), (date(2026, 8, 2), date(2026, 8, 1), "until_on"),
        (None, date(2026, 8, 1), "from_on"), (date(2027, 1, 1), date(2028, 6, 1), "until_on"),
    ):  # fmt: skip
        with pytest.raises(InvalidFields) as refused:
            perform_as("operations", record_leave, key=f"{from_on}", rep_id=alice, from_on=from_on, until_on=until_on)
        assert set(refused.value.problems) == {field}


def test_only_managers_of_a_rep_keep_their_leave(company: Company, perform_as, answer_as) -> None:
    alice = company.reps["alice"]
    with pytest.raises(NotAllowed):
        perform_as("eastern rep", record_leave, key="k", rep_id=alice, **WEEK)
    with pytest.raises(NotFound):
        perform_as("western manager", record_leave, key="k", rep_id=alice, **WEEK)
    number = perform_as("eastern manager", record_leave, key="k", rep_id=alice, **WEEK)
    assert perform_as("eastern manager", record_leave, key="k", rep_id=alice, **WEEK) == number, "twice is once"
    (row,) = answer_as("eastern rep", leaves_of, rep_id=alice).to_dict("records")
    assert (row["from_on"], row["until_on"], row["days"]) == (*WEEK.values(), 7)
    with pytest.raises(NotFound):
        answer_as("western rep", leaves_of, rep_id=alice)
    with pytest.raises(NotFound):
        perform_as("western manager", take_back_leave, leave_id=number, version=1)
    with pytest.raises(EditedMeanwhile):
        perform_as("eastern manager", take_back_leave, leave_id=number, version=9)
    perform_as("eastern manager", take_back_leave, leave_id=number, version=1)
    assert answer_as("eastern rep", leaves_of, rep_id=alice).empty


def test_awards_of_missed_months_give_themselves_once(small_company: Company) -> None:
    for month in (4, 5, 6):
        won = datetime(2026, month, 9, tzinfo=NOW.tzinfo)
        small_company.deal(path=(("identified", won.replace(day=1)), ("won", won)), amount=1_000 * month)
    database = small_company.database
    assert give_due_awards(database, now=NOW.replace(month=5, day=2)) == 3, "April: best seller, best team, first deal"
    assert give_due_awards(database, now=NOW) == 2 * 3, "May and June: best seller, best team, most improved"
    assert give_due_awards(database, now=NOW) == 0
    with database.reading(SYSTEM, now=NOW) as work:
        kinds = sorted(str(award.kind) for award in work.session.exec(select(Award)))
    assert kinds == sorted(["best_seller"] * 3 + ["best_team"] * 3 + ["first_deal"] + ["most_improved"] * 2)


def test_the_mirror_is_made_ready_before_awards_keep_others_from_saving(small_company: Company, monkeypatch) -> None:
    database = small_company.database
    made, wrote = Mirror._made, []

    def saved_meanwhile(mirror: Mirror) -> object:
        with database.engine.execution_options(**{WRITING: True}).connect() as other:
            if database.engine.dialect.name == "sqlite":
                other.exec_driver_sql("PRAGMA busy_timeout=0")
            wrote.append(other.exec_driver_sql("UPDATE customer SET version = version").rowcount)
        return made(mirror)

    monkeypatch.setattr(Mirror, "_made", saved_meanwhile)
    database.mirror.close()
    give_due_awards(database, now=NOW)
    assert len(wrote) == 1


def test_a_teams_contest_counts_every_team_below_it(small_company: Company, perform_as, answer_as) -> None:
    make = small_company
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        below = Team(name="东区二组", parent_id=make.teams["east"])
        work.session.add(below)
        work.session.flush()
        work.session.get_one(Rep, make.reps["bob"]).team_id = below.id
    june = datetime(2026, 6, 9, tzinfo=NOW.tzinfo)
    for owner, amount in (("alice", 3_000), ("bob", 3_000), ("charlie", 5_000)):
        make.deal(owner=owner, amount=amount, path=(("identified", june), ("won", june)))
        make.quota(rep=owner, month=date(2026, 6, 1), amount=10_000 if owner == "charlie" else 4_000)
    perform_as(
        "operations", hold_contest, key="c", name="June", competing=ContestBy.TEAM, measure=ContestMeasure.ATTAINMENT,
        period=Period(date(2026, 6, 1), JULY),
    )  # fmt: skip
    give_due_awards(make.database, now=NOW)
    given = answer_as("leader", awards).set_index("kind")
    assert given.loc["contest", "team_id"] == make.teams["east"]
    assert given.loc["contest", "value"] == 0.75, "6,000 of 8,000, Bob's team below it included"
    assert given.loc["best_team", "team_id"] == make.teams["east"]


def test_a_rep_stands_against_the_team_and_forecasts_as_the_changes_say(small_company: Company, answer_as) -> None:
    make = small_company
    frame = answer_as("eastern rep", rep_against_team, rep_id=make.reps["alice"], period=Q3).set_index("measure")
    assert frame["team_median"].isna().all(), "two people are too few for a median"
    with pytest.raises(NotFound):
        answer_as("eastern rep", rep_against_team, rep_id=make.reps["charlie"], period=Q3)
    assert gate.QUERIES["rep_against_team"].mirrored


def test_forecast_behaviour_is_what_the_changes_say(small_company: Company, answer_as) -> None:
    make = small_company
    opened, closed = NOW - timedelta(days=14), NOW - timedelta(days=4)
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        for number in (1, 2):
            work.session.add(Rep(name=f"R{number}", team_id=make.teams["east"], joined_on=date(2024, 1, 1)))
            work.session.flush()
            make.reps[f"r{number}"] = work.session.exec(select(Rep.id).where(Rep.name == f"R{number}")).one()
    pushed = make.deal(
        path=(("identified", opened), ("won", closed)), amount=10_000, expected_close_on=date(2026, 10, 1)
    )
    make.deal(path=(("identified", opened), ("lost", closed)), expected_close_on=date(2026, 7, 21))
    for owner in ("bob", "r1", "r2"):
        make.deal(owner=owner, path=(("identified", opened), ("won", closed)), expected_close_on=date(2026, 7, 1))
    make._write(*(
        DealChange(deal_id=pushed.id, field=field, before=before, after=after, effective_at=at, recorded_at=at)
        for at, field, before, after in (
            (opened + timedelta(days=1), DealField.EXPECTED_CLOSE, "2026-08-01", "2026-09-01"),
            (opened + timedelta(days=2), DealField.EXPECTED_CLOSE, "2026-09-01", "2026-08-20"),
            (opened + timedelta(days=3), DealField.EXPECTED_CLOSE, "2026-08-20", "2026-10-01"),
            (opened + timedelta(days=3), DealField.AMOUNT, "12500.00 CNY", "11000.00 CNY"),
            (opened + timedelta(days=4), DealField.AMOUNT, "11000.00 CNY", "10000.00 CNY"),
        )
    ))  # fmt: skip
    frame = answer_as("eastern rep", rep_against_team, rep_id=make.reps["alice"], period=Q3).set_index("measure")
    own = frame["own"]
    assert (own["pushed_rate"], own["pushes_a_deal"]) == (0.5, 1.0), "pushed twice, brought forward once, of two deals"
    assert own["late_days"] == (-21 + -10) / 2, "closed on 11 July: first expected on 1 August and 21 July"
    assert own["off_rate"] == own["high_rate"] == 0.25
    assert frame["team_median"]["pushed_rate"] == 0
    assert frame["team_median"]["late_days"] == 10
    assert int(frame["people"]["booked"]) == 4
    behind = answer_as("leader", deals_behind, selection=Selection("pushed", Q3))
    assert behind["deal_id"].to_list() == [pushed.id]


def test_forecast_behaviour_as_of_a_day_leaves_out_what_changed_later(small_company: Company, answer_as) -> None:
    make = small_company
    opened, closed = NOW - timedelta(days=14), NOW - timedelta(days=4)
    early = make.deal(path=(("identified", opened), ("won", closed)), amount=10_000, expected_close_on=date(2026, 8, 1))
    later = make.deal(path=(("identified", opened), ("lost", NOW - timedelta(days=1))))
    make._write(*(
        DealChange(deal_id=deal.id, field=field, before=before, after=after, effective_at=at, recorded_at=at)
        for deal, at, field, before, after in (
            (early, closed + timedelta(days=2), DealField.AMOUNT, "5000.00 CNY", "10000.00 CNY"),
            (early, closed - timedelta(days=2), DealField.EXPECTED_CLOSE, "2026-07-21", "2026-08-01"),
            (later, NOW - timedelta(days=2), DealField.EXPECTED_CLOSE, "2026-07-10", "2026-07-20"),
        )
    ))  # fmt: skip

    def own(known: Known, days: int) -> dict[str, float]:
        day = AsOf((NOW - timedelta(days=days)).date(), known)
        frame = answer_as("eastern rep", rep_against_team, rep_id=make.reps["alice"], period=Q3, as_of=day)
        return dict(frame.set_index("measure")["own"])

    known: Known
    for known in ("now", "then"):
        before, after = own(known, 4), own(known, 2)
        assert (before["pushed_rate"], before["late_days"], before["off_rate"]) == (1.0, -10.0, 0.0)
        assert after["off_rate"] == 0.5, "the amount was corrected two days after the win"
        assert math.isnan(own(known, 5)["pushed_rate"]), "nothing was decided yet"
        day = AsOf((NOW - timedelta(days=4)).date(), known)
        behind = answer_as("eastern rep", deals_behind, selection=Selection("pushed", Q3, as_of=day))
        assert behind["deal_id"].to_list() == [early.id]
    now = answer_as("eastern rep", rep_against_team, rep_id=make.reps["alice"], period=Q3).set_index("measure")["own"]
    assert now["pushed_rate"] == 1.0
    assert now["pushes_a_deal"] == 1.0
