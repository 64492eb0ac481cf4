"""The fair leaderboard, contests and the sales floor screen, as people see them."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import gate
from core.access.actors import Scope
from core.access.board_sight import BoardSight
from core.analytics.selection import Selection
from core.domain.honours import ContestMeasure
from core.domain.periods import Period
from core.services.company import change_settings
from core.services.contests import hold_contest
from core.services.deal_credit import CreditPart, split_credit
from core.ui.screens.leaderboard_contests import award_figure, won_by
from core.ui.screens.leaderboard_fair import none_shown
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.ui.pages import framed, turned

pytestmark = pytest.mark.usefixtures("reading_small_company")

JULY = date(2026, 7, 1)
DAY = timedelta(days=1)


@pytest.fixture
def world(small_company: Company) -> Company:
    """July: Alice 30,000 in three of four deals, Bob 10,000 in one, Charlie 40,000 in four of ten."""
    make = small_company
    for rep, won, lost in (("alice", 3, 1), ("bob", 1, 0), ("charlie", 4, 6)):
        for end in ["won"] * won + ["lost"] * lost:
            make.deal(owner=rep, amount=10_000, path=(("identified", NOW - 7 * DAY), (end, NOW - 3 * DAY)))
        make.quota(rep=rep, month=JULY, amount=40_000)
    return make


def opened(
    world: Company, name: str, who: str = "leader", language: str = "en", seconds: int = 0, **params: str
) -> AppTest:
    app = framed(actor(world, who), language=language, now=NOW + timedelta(seconds=seconds))
    page = turned(app.run(), name, **{"period": "this-quarter", **params})
    assert not page.exception
    return page


def board(page: AppTest) -> Any:
    return next(frame.value for frame in page.dataframe if "rank" in frame.value.columns)


def words(page: AppTest) -> list[str]:
    return [one.value.replace("\\", "") for one in (*page.markdown, *page.text, *page.caption)]


def test_ranks_stand_beside_their_range_until_it_is_switched_off(world: Company) -> None:
    page = opened(world, "leaderboard")
    assert board(page)["name"].to_list() == ["Charlie", "Alice", "Bob"]
    assert board(page)["range"].iloc[0] == "1–2"

    switch = next(one for one in page.toggle if one.label == "Range of ranks")
    page = switch.set_value(False).run()

    assert "range" not in board(page).columns
    assert page.query_params["fair"] == "splits-days-shrinkage"


def test_a_past_day_ranks_by_what_was_won_by_then(world: Company) -> None:
    day = (NOW - 4 * DAY).date().isoformat()
    assert "Nobody has a result in this period yet" in opened(world, "leaderboard", **{"as-of": day}).info[1].value
    later = opened(world, "leaderboard", **{"as-of": (NOW - 2 * DAY).date().isoformat()})
    assert board(later)["name"].to_list() == ["Charlie", "Alice", "Bob"]
    teams = opened(world, "leaderboard", by="team", **{"as-of": (NOW - 2 * DAY).date().isoformat(), "known": "then"})
    assert board(teams)["booked"].sum() == 80_000


def test_the_win_rate_is_drawn_in_until_it_is_switched_off(world: Company) -> None:
    fair = board(opened(world, "leaderboard", measure="win_rate"))
    plain = board(opened(world, "leaderboard", measure="win_rate", fair="days-range"))

    assert fair["name"].to_list() == ["Alice", "Bob", "Charlie"]
    assert (fair["shrunk_rate"] > 0.4).all()
    assert "shrunk_rate" not in plain.columns
    assert plain["rank"].notna().sum() == 1, "with fewer than five decided deals there is no plain rate"


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "Worked 92 of the period's 92 days"), ("zh", "本期共 92 天，在岗 92 天")],
)
def test_ones_own_row_is_worked_out_in_sentences(world: Company, language: str, said: str) -> None:
    page = opened(world, "leaderboard", "eastern rep", language, measure="attainment")

    page.button(key="board-arithmetic").click().run()

    found = words(page)
    assert any(said in one for one in found)
    title = "Quota for the days worked" if language == "en" else "按在岗天数计目标"
    assert f"**{title}**" in [one.value for one in page.markdown], "as large as its text, which headings there are not"
    assert any("¥30,000.00 ÷ ¥40,000.00 = 75.0%" in one for one in found)
    assert not [one for one in page.selectbox if one.key == "board-arithmetic-who"], "nobody else's row is offered"


def test_a_rep_sees_teams_as_the_company_says_and_is_told_where_it_shows_none(world: Company) -> None:
    hidden = opened(world, "leaderboard", "eastern rep", by="team")
    assert any("the results of teams are not shown to you here" in info.value for info in hidden.info)
    gate.perform(
        world.database, actor(world, "administrator"), change_settings, NOW,
        values={"board_sight": BoardSight.ANONYMOUS.value},
    )  # fmt: skip
    page = opened(world, "leaderboard", "eastern rep", by="team")
    assert board(page)["name"].to_list() == ["Team in place 1"] * 2, "both booked as much"


def test_others_are_nameless_where_the_company_says_so(world: Company) -> None:
    gate.perform(
        world.database, actor(world, "administrator"), change_settings, NOW,
        values={"board_sight": BoardSight.ANONYMOUS.value},
    )  # fmt: skip

    page = opened(world, "leaderboard", "eastern rep")

    assert board(page)["name"].to_list() == ["Colleague in place 1", "Alice", "Colleague in place 3"]
    assert not any("Charlie" in one for one in words(page))
    assert page.metric[0].value == "2 of 3"


def contest(world: Company, measure: ContestMeasure = ContestMeasure.WON_COUNT) -> None:
    operations = actor(world, "operations")
    gate.perform(
        world.database, operations, hold_contest, NOW, key="k", name="夏季冲刺", name_en="Summer sprint",
        period=Period(JULY, date(2026, 8, 1)), measure=measure, prize="三亚",
    )  # fmt: skip


@pytest.mark.parametrize(("language", "name"), [("en", "Summer sprint"), ("zh", "夏季冲刺")])
def test_a_contest_shows_its_standings_to_everybody_as_far_as_they_may_see(
    world: Company, language: str, name: str
) -> None:
    contest(world)
    alice, charlie = {"en": ("Alice", "Charlie"), "zh": ("王爱丽", "陈查理")}[language]

    leader, rep = (words(opened(world, "contests", who, language)) for who in ("leader", "eastern rep"))

    assert any(name in one for one in leader)
    assert [one for one in leader if one in (alice, charlie)] == [charlie, alice]
    assert alice in rep
    assert charlie not in rep


def test_a_figure_of_a_contest_opens_the_parts_that_it_counts(world: Company) -> None:
    """Charlie won 8,000 more, of which 4,000 are Bob's."""
    deal = world.deal(owner="charlie", amount=8_000, path=(("identified", NOW - 7 * DAY), ("won", NOW - 3 * DAY)))
    shares = [CreditPart(world.reps[name], 5_000) for name in ("charlie", "bob")]
    gate.perform(
        world.database, actor(world, "operations"), split_credit, NOW,
        deal_id=deal.id, version=deal.version, parts=shares,
    )  # fmt: skip
    contest(world, ContestMeasure.BOOKED)

    page = opened(world, "contests")
    figures = {one.key: one.label for one in page.button if one.key and one.key.startswith("contest-1-")}
    assert figures == {
        f"contest-1-{world.reps[name]}": said
        for name, said in (("charlie", "¥44K"), ("alice", "¥30K"), ("bob", "¥14K"))
    }
    page.button(key=f"contest-1-{world.reps['bob']}").click().run()

    assert "2 deals, ¥14,000.00" in [one.value.replace("\N{NO-BREAK SPACE}", " ") for one in page.text]


def test_sales_operations_hold_a_contest_and_give_awards_on_the_page(world: Company) -> None:
    world.deal(owner="bob", amount=5, path=(("identified", NOW - 40 * DAY), ("won", NOW - 30 * DAY)))
    page = opened(world, "contests", "operations")
    assert not [one for one in opened(world, "contests").button if one.key in ("contest-new", "awards-give")]

    page.button(key="contest-new").click().run()
    next(one for one in page.text_input if one.label == "Name").set_value("Sprint")
    page.button(key="contest-new").click()  # a dialog's rerun is its own; here it is opened again with it
    next(one for one in page.button if one.label == "Announce").click().run()
    page.button(key="awards-give").click().run()

    assert not page.exception
    assert any("Sprint" in one for one in words(page))
    (kept,) = [frame.value for frame in page.dataframe if "what" in frame.value.columns]
    assert set(zip(kept["what"], kept["name"], strict=True)) >= {("Best seller", "Bob"), ("First deal won", "Bob")}
    seller, first = (kept["what"].tolist().index(what) for what in ("Best seller", "First deal won"))
    offered = {one.key for one in page.button if one.label == "Show deals"}
    assert f"awards-{seller}" in offered, "a phone's row leads to the deals of its figure"
    assert f"awards-{first}" not in offered

    page.button(key="awards-give").click().run()
    assert [one.value for one in page.toast] == ["No award is new."]
    none = "No awards here yet. Those that are yours to see"
    assert [one.value for one in opened(world, "contests", "western rep").caption if one.value.startswith(none)]


def test_the_gain_of_the_most_improved_opens_no_deals_for_it_is_the_sum_of_none() -> None:
    award = {"measure": "booked", "rep_id": 1, "team_id": None, "start": JULY, "end": date(2026, 8, 1), "value": 5.0}
    view: Any = SimpleNamespace(currency="CNY")

    assert won_by({**award, "kind": "most_improved"}, "figure") is None
    assert won_by({**award, "kind": "best_seller"}, "figure") == Selection(
        "credited", Period(JULY, date(2026, 8, 1)), by="rep", key="1"
    )
    assert award_figure(view, {**award, "kind": "most_improved"}) == "+¥5"


def test_the_screen_turns_through_its_panels(world: Company) -> None:
    contest(world)
    titles = set()
    for seconds in range(0, 72, 12):
        page = opened(world, "board", seconds=seconds)
        titles.add(page.title[0].value.replace("\\", ""))

    assert titles == {
        "Booked this month", "Attainment this quarter", "Teams this quarter", "Latest wins", "Summer sprint",
    }  # fmt: skip


def test_the_screen_shows_no_more_of_others_than_the_leaderboard(world: Company) -> None:
    page = opened(world, "board", "eastern rep")

    assert "Charlie" not in [one.value for one in page.text]


def test_an_empty_company_has_a_screen_too(small_company: Company) -> None:
    page = opened(small_company, "board")
    contests = opened(small_company, "contests", "operations")

    assert page.title[0].value.startswith("Nobody has a result")
    assert contests.info[0].value == "No contest has been announced yet."
    board = opened(small_company, "leaderboard")
    assert not board.main.get("plotly_chart"), "no empty bars"
    assert not [one.value for one in board.markdown if one.value.startswith("**–")], "nobody has a place"


@pytest.mark.parametrize(("scope", "told"), [
    (Scope.everything(), False), (Scope.of_reps({1}, {2}), True), (Scope.of_reps({1}), True),
])  # fmt: skip
def test_who_sees_every_team_is_never_told_that_a_setting_hides_them(scope: Scope, told: bool) -> None:
    """A company without teams hides none from its leadership."""
    view: Any = SimpleNamespace(actor=SimpleNamespace(scope=scope))

    assert bool(none_shown(view, pd.DataFrame(), "team")) is told


def test_a_phone_gets_the_board_as_rows_that_lead_to_reps_and_teams_lead_nowhere(world: Company) -> None:
    def first(page: AppTest) -> list[str]:
        links = [one.proto.label for one in page.main.get("page_link")]
        return [one for one in (*links, *(text.value for text in page.markdown)) if one.startswith("**1 ")]

    reps, teams = opened(world, "leaderboard"), opened(world, "leaderboard", by="team")
    row = first(reps)[0]
    assert row.startswith("**1 · Charlie** **¥40K** :gray[West · Attainment\N{NO-BREAK SPACE}100")
    assert any(
        one.proto.label == row and one.proto.query_string.startswith("id=") for one in reps.main.get("page_link")
    )
    assert first(teams)
    assert not [one for one in teams.main.get("page_link") if one.proto.label in first(teams)]
