"""The one cache of the program: kept for all who ask the same, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from core import gate
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.access.sharing import SHAREABLE
from core.domain.periods import FiscalCalendar, Period
from core.errors import AnalyticsAway, NotAllowed
from core.i18n import use_language
from core.model import Setting
from core.queries.deals import deals_page
from core.queries.leaderboard import leaderboard
from core.queries.leaderboard_fair import fair_leaderboard
from core.queries.overview import breakdown, overview_kpis
from core.queries.own_rank import own_rank
from core.queries.share import my_share_links
from core.queries.today_numbers import attainment_now
from core.ui import page
from core.ui.ahead import Ahead
from core.ui.page import View
from core.ui.turns import Turns
from tests.conftest import actor
from tests.factories import NOW, Company

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _empty_cache():
    page._kept.clear()
    yield
    page._kept.clear()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that went to the data, in order."""
    found: list[str] = []
    answer = gate.answer

    def counting(database: Any, who: Any, question: Any, now: Any, *args: Any, **values: Any) -> Any:
        found.append(question.gate.name)
        return answer(database, who, question, now, *args, **values)

    monkeypatch.setattr(gate, "answer", counting)
    return found


def view_of(company: Company, who: str, **more: Any) -> View:
    values = {"now": NOW} | more
    return View(
        name="overview", actor=actor(company, who), database=company.database, calendar=FiscalCalendar(), **values
    )


def won(company: Company, owner: str, amount: int) -> None:
    company.deal(owner=owner, amount=amount, path=(("identified", NOW - 9 * HOUR), ("won", NOW - HOUR)))


def booked(view: View) -> float:
    return float(view.ask(overview_kpis, period=Q3)["booked"].iloc[0])


@pytest.fixture
def selling(small_company: Company) -> Company:
    for owner, amount in (("alice", 5_000), ("bob", 300), ("charlie", 70_000)):
        won(small_company, owner, amount)
    return small_company


def test_two_who_ask_the_same_each_get_their_own_rows(selling: Company) -> None:
    expected = {
        "leader": 75_300, "eastern rep": 5_000, "western rep": 70_000, "eastern manager": 5_300,
        "second eastern rep": 300, "western manager": 70_000, "operations": 75_300,
    }  # fmt: skip
    for _again in range(2):
        for who, amount in expected.items():
            assert booked(view_of(selling, who)) == amount, who
    names = {who: set(view_of(selling, who).ask(leaderboard, period=Q3)["name"]) for who in expected}
    assert names["eastern manager"] == {"Alice", "Bob"}
    assert names["western manager"] == {"Charlie"}


def test_managers_of_one_scope_share_an_answer_and_ranks_stay_their_owners(selling: Company, asked: list[str]) -> None:
    for who in ("leader", "operations"):
        booked(view_of(selling, who))
    assert asked == ["overview_kpis"], "both see everything: it is computed once"
    ranks = {who: view_of(selling, who).ask(own_rank, period=Q3).rank for who in ("eastern rep", "western rep")}
    assert ranks == {"western rep": 1, "eastern rep": 2}


def test_the_same_question_goes_to_the_data_once_and_another_again(selling: Company, asked: list[str]) -> None:
    view = view_of(selling, "leader")
    for _again in range(3):
        booked(view)
    assert asked == ["overview_kpis"]
    view.ask(overview_kpis, period=Period(date(2026, 4, 1), date(2026, 7, 1)))
    view.ask(overview_kpis, period=Q3, to_date=True)
    assert asked == ["overview_kpis"] * 3


def test_the_language_is_a_part_of_the_question(selling: Company) -> None:
    view = view_of(selling, "leader")
    names = []
    for code in ("en", "zh", "en"):
        use_language(code)
        names.append(view.ask(breakdown, period=Q3, by="team")["name"].to_list())
    assert names == [["West", "East"], ["西区", "东区"], ["West", "East"]]


def test_a_commit_changes_the_answers_of_the_next_run_at_once(selling: Company) -> None:
    assert booked(view_of(selling, "leader")) == 75_300
    won(selling, "bob", 1_000)
    assert booked(view_of(selling, "leader")) == 76_300


def test_a_run_goes_on_with_the_state_that_it_began_with_and_a_late_fragment_looks_again(
    selling: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of(selling, "leader")
    assert booked(view) == 75_300
    won(selling, "bob", 1_000)
    teams = view.ask(breakdown, period=Q3, by="team")
    assert (booked(view), teams["booked"].sum()) == (75_300, 75_300)
    monkeypatch.setattr(page, "monotonic", lambda: view.looked[0][0] + 1.01)
    assert booked(view) == 76_300


def test_a_run_sees_what_it_saved_itself(selling: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    view = view_of(selling, "leader")
    assert booked(view) == 75_300
    monkeypatch.setattr(gate, "perform", lambda *_args: won(selling, "bob", 1_000))
    view.do(overview_kpis)
    assert booked(view) == 76_300


def test_a_day_later_it_is_asked_again(selling: Company) -> None:
    month = {
        at: view_of(selling, "leader", now=at).ask(attainment_now).set_index("row").loc["month", "elapsed_rate"]
        for at in (NOW, NOW + timedelta(days=1))
    }
    assert month == {NOW: pytest.approx(15 / 31), NOW + timedelta(days=1): pytest.approx(16 / 31)}


def test_what_is_not_the_mirrors_is_never_kept(selling: Company, asked: list[str]) -> None:
    view = view_of(selling, "leader")
    assert [view.ask(deals_page).total for _again in range(2)] == [3, 3]
    assert asked == ["deals_page", "deals_page"]


def test_a_kept_answer_is_no_way_round_the_policy(selling: Company) -> None:
    booked(view_of(selling, "leader"))
    with pytest.raises(NotAllowed):
        view_of(selling, "administrator")._answer(overview_kpis, period=Q3)
    with pytest.raises(NotAllowed):
        view_of(selling, "eastern rep")._answer(my_share_links)


def test_what_a_page_does_to_an_answer_stays_on_that_page(selling: Company) -> None:
    view = view_of(selling, "leader")
    view.ask(overview_kpis, period=Q3).loc[:, "booked"] = -1.0
    assert booked(view) == 75_300
    assert booked(view_of(selling, "operations")) == 75_300


def test_a_changed_setting_changes_the_answers_of_the_next_run_at_once(selling: Company) -> None:
    before = view_of(selling, "leader").ask(leaderboard, period=Q3)
    assert before["too_few"].all()
    with selling.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.add(Setting(name="minimum_decided", value="1"))
    after = view_of(selling, "leader").ask(leaderboard, period=Q3)
    assert not after["too_few"].any()


def test_two_databases_do_not_share_answers(selling: Company, founded_sqlite, tmp_path) -> None:
    import shutil

    from core.db.work import Database

    path = tmp_path / "other.db"
    shutil.copy(founded_sqlite, path)
    other = Database(f"sqlite:///{path}", zone=selling.database.zone)
    assert booked(view_of(selling, "leader")) == 75_300
    empty = View(name="overview", actor=actor(selling, "leader"), now=NOW, database=other, calendar=FiscalCalendar())
    assert booked(empty) == 0
    other.close()


def test_a_frozen_view_asks_nothing(selling: Company, asked: list[str]) -> None:
    live = view_of(selling, "leader")
    told = live.ask(overview_kpis, period=Q3)
    frozen = view_of(selling, "leader", frozen={name: answer() for name, answer in live.answers.items()})
    asked.clear()
    won(selling, "bob", 1_000)
    pd.testing.assert_frame_equal(frozen.ask(overview_kpis, period=Q3), told)
    assert asked == []


@pytest.mark.parametrize("first", ["maker", "holder"])
def test_a_links_holder_and_its_maker_do_not_share_an_answer(selling: Company, first: str) -> None:
    with selling.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.merge(Setting(name="board_sight", value="full"))
    maker = replace(view_of(selling, "eastern manager"), name="leaderboard")
    holder = replace(maker, actor=replace(maker.actor, user_id=None, role=Role.SHARED, share_link_id=1,
                                          extra_actions=frozenset({SHAREABLE["leaderboard"]})))  # fmt: skip
    by_view = {"maker": maker, "holder": holder}
    for who in (first, *(by_view.keys() - {first})):
        names = set(by_view[who].ask(fair_leaderboard, period=Q3)["name"])
        assert ("Charlie" in names) is (who == "maker"), who
    frozen = [answer() for answer in maker.answers.values()]
    assert len(frozen) == 1
    assert "Charlie" not in set(frozen[0]["name"]), "nor is more frozen than the holder may see"


class Stopped(Exception):
    """In place of the end of a script's run, which there is none of here."""


def test_what_was_not_frozen_is_not_looked_up_after_all(
    selling: Company, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise Stopped

    monkeypatch.setattr(page.st, "stop", stop)
    frozen = view_of(selling, "leader", frozen={})
    with pytest.raises(Stopped):
        frozen.ask(overview_kpis, period=Q3)
    assert asked == []


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was begun ahead, by key, and nothing of any test before."""
    found: list[str] = []
    ahead = Ahead()
    begin = ahead.begin

    def noting(key: str, answer: Any) -> bool:
        found.append(key)
        return begin(key, answer)

    monkeypatch.setattr(ahead, "begin", noting)
    monkeypatch.setattr(page, "_ahead", ahead)
    return found


def test_what_a_page_begins_ahead_is_asked_once_and_answers_the_same(
    selling: Company, begun: list[str], asked: list[str]
) -> None:
    view = view_of(selling, "leader")
    view.ahead(overview_kpis, period=Q3)
    assert booked(view) == 75_300
    assert booked(view_of(selling, "leader")) == 75_300
    assert len(begun) == 1
    assert view.begun == []
    assert asked.count("overview_kpis") == 1


def test_what_cannot_be_begun_is_refused_where_the_page_asks_for_it(
    selling: Company, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> int:
        raise AnalyticsAway

    view = view_of(selling, "leader")
    monkeypatch.setattr(selling.database.mirror, "refresh", away)
    view.ahead(overview_kpis, period=Q3)
    assert begun == []


def test_ahead_nobody_asks_more_than_they_may(selling: Company, begun: list[str]) -> None:
    own, whole = view_of(selling, "eastern rep"), view_of(selling, "leader")
    for view in (own, whole):
        view.ahead(overview_kpis, period=Q3)
    assert booked(own) == 5_000
    assert booked(whole) > 5_000
    refused = replace(whole, actor=replace(whole.actor, role=Role.SHARED, user_id=None))
    refused.ahead(overview_kpis, period=Q3)
    assert len(begun) == 2


def test_nothing_is_begun_for_frozen_pages_and_where_several_pages_are_drawn(
    selling: Company, begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    view = view_of(selling, "leader")
    replace(view, frozen={}).ahead(overview_kpis, period=Q3)
    turns = Turns(2)
    monkeypatch.setattr("core.ui.turns.PAGES", turns)
    with turns.turn(), turns.turn():
        view.ahead(overview_kpis, period=Q3)
    assert begun == []
    with turns.turn():
        view.ahead(overview_kpis, period=Q3)
    assert len(begun) == 1
    assert booked(view) > 0
