"""The analytic pages show the numbers that the factories' deals give, in both languages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core import gate
from core.access.actors import SYSTEM
from core.model import ShareLink
from core.queries.share import my_share_links
from core.reports.frozen import freeze
from core.services.share import revoke_share_link
from core.ui import page
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.ui.pages import framed, link, turned

pytestmark = pytest.mark.usefixtures("reading_small_company")

HOUR = timedelta(hours=1)


def at(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 2, tzinfo=UTC)


@pytest.fixture
def world(small_company: Company) -> Company:
    """The third quarter of 2026, on its 15th day: won 10,000 + 1,000, lost 4,000, open 6,000 + 2,000."""
    make = small_company
    make.deal(path=(("identified", at(7, 1)), ("demo", at(7, 3)), ("won", at(7, 11))), amount=10_000, name="甲单")
    make.deal(
        owner="bob",
        path=(("identified", at(7, 2)), ("needs", at(7, 4)), ("lost", at(7, 10))),
        amount=4_000,
        name="乙单",
    )
    make.deal(path=(("identified", at(7, 1)), ("contacted", at(7, 9))), amount=6_000, name="丙单",
              expected_close_on=date(2026, 9, 1))  # fmt: skip
    make.deal(owner="charlie", path=(("identified", at(6, 1)), ("contacted", at(6, 3))), amount=2_000, name="丁单",
              expected_close_on=date(2026, 7, 10))  # fmt: skip
    make.deal(owner="bob", path=(("identified", at(7, 1)), ("won", at(7, 3))), amount=1_000, name="戊单")
    make.quota(month=date(2026, 7, 1), amount=20_000, rep="alice")
    return make


def opened(company: Company, name: str, who: str = "leader", language: str = "en", **params: Any) -> AppTest:
    params["open"] = ["funnel-cohort", "funnel-by-team"]
    app = turned(framed(actor(company, who), language=language).run(), name, **params)
    assert not app.exception
    return app


def cards(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def captions(app: AppTest) -> str:
    return "\n".join(element.value for element in app.caption).replace("\\", "")


def tables(app: AppTest) -> list[Any]:
    return [element.value for element in app.dataframe]


def label_of(app: AppTest, key: str) -> str:
    return app.button(key=key).label


def test_overviews_cards_say_what_was_booked(world: Company) -> None:
    app = opened(world, "overview")
    assert cards(app) == {
        "Booked": "¥11K", "Attainment": "55.0%", "Won deals": "2", "Win rate": "66.7%", "Average deal": "¥5.5K",
        "Sales cycle": "6 days", "Pipeline": "¥8K", "Weighted pipeline": "¥800", "Coverage": "0.9×",
    }  # fmt: skip
    assert "Quota ¥20K" in captions(app)
    assert "1 past its expected close" in captions(app)
    assert label_of(app, "open-overview-booked") == "2 deals"
    assert label_of(app, "open-overview-win_rate") == "3 deals"


def test_all_time_is_compared_with_no_time_before_the_first_deal(world: Company) -> None:
    app = opened(world, "overview", period="all")
    assert cards(app)["Booked"] == "¥11K"
    assert not [metric.label for metric in app.metric if metric.delta]
    assert "last year" not in captions(app)
    assert "What changed, and why" not in [heading.value for heading in app.subheader]


def test_a_reps_page_of_all_time_is_compared_with_nothing_either(world: Company) -> None:
    app = opened(world, "rep", period="all", id=world.reps["alice"])
    assert not [metric.label for metric in app.metric if metric.delta]
    assert "last year" not in captions(app)


def test_overview_says_the_same_in_chinese(world: Company) -> None:
    app = opened(world, "overview", language="zh")
    found = cards(app)
    assert (found["签约额"], found["赢单数"], found["赢单率"]) == ("¥1.1万", "2", "66.7%")
    assert not [label for label in found if re.search("[A-Za-z]", label)]
    assert [title.value for title in app.title] == ["总览"]


def test_overview_counts_what_its_reader_may_see(world: Company) -> None:
    booked = {who: cards(opened(world, "overview", who))["Booked"] for who in
              ("eastern rep", "second eastern rep", "western rep", "eastern manager", "operations")}  # fmt: skip
    assert booked == {
        "eastern rep": "¥10K", "second eastern rep": "¥1K", "western rep": "¥0", "eastern manager": "¥11K",
        "operations": "¥11K",
    }  # fmt: skip


def test_overview_narrows_to_the_team_in_its_address(world: Company) -> None:
    west = opened(world, "overview", team=str(world.teams["west"]))
    assert cards(west)["Booked"] == "¥0"
    assert cards(west)["Pipeline"] == "¥2K"
    assert "Team: West" in captions(west)
    second = opened(world, "overview", period="2026Q2")
    assert cards(second)["Booked"] == "¥0"
    assert "Apr 1, 2026" in captions(second)


def test_a_cards_deals_are_the_ones_it_counts(world: Company) -> None:
    app = opened(world, "overview")
    app.button(key="open-overview-booked").click().run()
    assert not app.exception
    assert "2 deals, ¥11,000.00" in [element.value for element in app.text]
    drilled = next(frame for frame in tables(app) if "expected_close_on" in frame.columns)
    assert drilled["name"].to_list() == ["甲单", "戊单"]
    assert drilled["value"].sum() == 11_000


def bold(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown if element.value.startswith("**")).replace("\\", "")


def test_the_funnel_says_what_became_of_its_cohort(world: Company) -> None:
    english = opened(world, "funnel", period="this-quarter")
    assert "Of 4 deals opened in this period: won so far 2 (50.0%), still open 1." in bold(english)
    assert [element.value.replace("\\", "") for element in english.subheader] == [
        "Too young to compare: nothing in this period has been followed for 30 days yet."
    ]
    chinese = opened(world, "funnel", language="zh", period="this-quarter")
    assert re.search(r"4.*2.*50.0%.*1", bold(chinese))
    texts = [bold(chinese), captions(chinese), *[element.value for element in chinese.subheader]]
    assert not re.search("[A-Za-z]{2}", "\n".join(texts))


def test_the_funnels_table_holds_who_reached_each_stage(world: Company) -> None:
    app = opened(world, "funnel", period="this-quarter")
    (stages,) = [frame for frame in tables(app) if "reached" in frame.columns]
    assert stages["reached"].to_list() == [4, 4, 3, 2, 2, 2]
    assert stages["lost_here"].to_list() == [0, 0, 1, 0, 0, 0]
    assert stages["stage"].to_list()[0] == "Lead identified"
    assert label_of(app, "funnel-created") == "4 deals"
    app.button(key="funnel-created").click().run()
    assert "4 deals, ¥21,000.00" in [element.value for element in app.text]


def test_the_funnel_side_by_side_has_a_line_for_each_team(world: Company) -> None:
    app = opened(world, "funnel", period="this-year", by="team")
    (groups,) = [frame for frame in tables(app) if "group" in frame.columns]
    first = groups.groupby("group")["reached"].first()
    assert first.to_dict() == {"East": 4, "West": 1}


@pytest.mark.parametrize(
    ("language", "names"), [("en", ["Alice", "Bob", "Charlie"]), ("zh", ["王爱丽", "李博", "陈查理"])]
)
def test_the_leaderboard_ranks_by_what_was_booked(world: Company, language: str, names: list[str]) -> None:
    app = opened(world, "leaderboard", language=language)
    (board,) = [frame for frame in tables(app) if "rank" in frame.columns]
    assert board["name"].to_list() == names
    assert board["booked"].to_list() == [10_000, 1_000, 0]
    assert board["attainment"].iloc[0] == pytest.approx(0.5)


def test_the_leaderboard_ranks_teams_and_other_measures(world: Company) -> None:
    (teams,) = [f for f in tables(opened(world, "leaderboard", by="team")) if "rank" in f.columns]
    assert teams["name"].to_list() == ["East", "West"]
    (quickest,) = [f for f in tables(opened(world, "leaderboard", measure="cycle_days")) if "rank" in f.columns]
    assert quickest["name"].to_list()[:2] == ["Bob", "Alice"]


def test_a_rep_reads_the_own_place_and_no_colleague(world: Company) -> None:
    app = opened(world, "leaderboard", "second eastern rep")
    assert cards(app)["My place in the company"] == "2 of 3"
    (board,) = [frame for frame in tables(app) if "activities" in frame.columns]
    assert board["name"].to_list() == ["Bob"]
    assert board["rank"].to_list() == [2], "the rank among all, as above, not among oneself alone"
    alone = opened(world, "leaderboard", "second eastern rep", team=str(world.teams["east"]))
    (board,) = [frame for frame in tables(alone) if "activities" in frame.columns]
    assert "rank" not in board.columns
    assert "My place in the company" not in cards(alone)


def test_a_reps_page_is_the_reps_numbers(world: Company) -> None:
    app = opened(world, "rep", id=str(world.reps["alice"]))
    assert [title.value for title in app.title] == ["Alice"]
    assert cards(app)["Booked"] == "¥10K"
    assert cards(app)["Attainment"] == "50.0%"
    stranger = opened(world, "rep", "western rep", id=str(world.reps["alice"]))
    assert "Alice" not in [title.value for title in stranger.title]
    assert not stranger.metric
    assert len(stranger.error) == 1


def test_the_table_of_deals_holds_the_deals_of_the_scope(world: Company) -> None:
    rows = {who: _deals(opened(world, "deals", who)) for who in ("leader", "eastern rep", "western rep")}
    assert rows["western rep"] == {"丁单"}
    assert rows["eastern rep"] <= {"甲单", "丙单"}
    assert rows["leader"] >= rows["western rep"] | rows["eastern rep"]


def _deals(app: AppTest) -> set[str]:
    return {name for frame in tables(app) if "name" in frame.columns for name in frame["name"]}


def test_today_says_the_months_attainment_to_its_rep(world: Company) -> None:
    app = opened(world, "today", "eastern rep")
    texts = "\n".join(element.value for element in app.markdown).replace("\\", "")
    assert "### 50%" in texts


def test_a_deal_won_meanwhile_moves_the_cards_at_once(world: Company) -> None:
    app = opened(world, "overview")
    world.deal(owner="charlie", amount=9_000, path=(("identified", at(7, 1)), ("won", at(7, 14))))
    assert cards(app.run())["Booked"] == "¥20K"


def test_leaving_and_coming_back_keeps_the_filters(world: Company) -> None:
    app = opened(world, "overview", period="2026Q2")
    app.query_params.clear()
    app.switch_page("../../pages/funnel.py").run()
    assert not app.exception
    assert "Apr 1, 2026" in captions(app)


LEFT_OUT = "A filter in this address is not there any more or not open to you; the page is not narrowed by it."


def infos(app: AppTest) -> list[str]:
    return [element.value for element in app.info]


@pytest.mark.parametrize(
    ("who", "params"),
    [
        ("eastern rep", {"rep": "bob"}),
        ("eastern rep", {"rep": "charlie"}),
        ("leader", {"team": "abc", "product": "999999"}),
    ],
)
def test_a_filter_that_is_not_open_is_left_out_and_the_page_says_so(
    world: Company, who: str, params: dict[str, str]
) -> None:
    asked = {name: str(world.reps.get(value, value)) for name, value in params.items()}
    app = opened(world, "overview", who, **asked)
    assert infos(app) == [LEFT_OUT]
    assert cards(app)["Booked"] == cards(opened(world, "overview", who))["Booked"]
    assert captions(app).splitlines()[0] == "Jul 1, 2026 to Sep 30, 2026"
    assert not [button for button in app.button if button.label == "Clear filters"]
    assert not set(params) & set(app.query_params)
    assert infos(app.run()) == [LEFT_OUT]
    app.query_params["team"] = str(world.teams["east"])
    assert infos(app.run()) == []


def test_a_filter_with_a_single_choice_is_shown_and_can_be_cleared(world: Company) -> None:
    app = opened(world, "overview", "eastern rep", rep=str(world.reps["alice"]))
    assert infos(app) == []
    assert "Rep: " in captions(app)
    app.button(key="filter-clear").click().run()
    assert "Rep: " not in captions(app)
    assert "rep" not in app.query_params


def test_a_reps_page_is_narrowed_by_that_rep_alone(world: Company) -> None:
    app = opened(world, "rep", "eastern rep", rep=str(world.reps["alice"]))
    assert cards(app)["Booked"] == "¥10K"
    assert "Rep: " not in captions(app)


def test_deals_leave_out_what_is_not_open_too(world: Company) -> None:
    app = opened(world, "deals", "eastern rep", rep=str(world.reps["charlie"]), stage="999")
    assert infos(app) == [LEFT_OUT]
    assert not {"rep", "stage"} & set(app.query_params)


# --- share links, as their holders meet them ------------------------------------------------------


def held(token: str, now: datetime = NOW) -> AppTest:
    app = turned(framed(None, language=None, now=now).run(), "shared", token=token)
    assert not app.exception
    return app


def large(app: AppTest) -> dict[str, str]:
    """The large cards: each is a heading with its number as a title below."""
    numbers = [title.value for title in app.title][1:]
    return dict(zip([element.value for element in app.subheader], numbers, strict=False))


def test_a_link_opens_its_page_without_an_account_in_its_sharers_scope(world: Company) -> None:
    world.deal(owner="charlie", amount=90_000, path=(("identified", at(7, 1)), ("won", at(7, 14))))
    app = held(link(world, "overview"))
    assert large(app)["Booked"] == "¥11K"
    assert "Shared by Eastern Manager" in captions(app)
    assert not app.button, "nothing to press: no drill, no share, no export"
    assert large(held(link(world, "overview", "leader")))["Booked"] == "¥101K"


@pytest.mark.parametrize("name", ["overview", "funnel", "leaderboard", "forecast"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_shared_page_opens_in_the_links_language_and_offers_nothing_else(
    world: Company, name: str, language: str
) -> None:
    app = held(link(world, name, language=language))
    assert not app.error
    words = {"en": "Shared by", "zh": "Eastern Manager"}[language]
    assert words in captions(app)
    assert bool(re.search("[\u4e00-\u9fff]", app.title[0].value)) == (language == "zh")
    assert not app.get("page_link")


def test_a_link_keeps_its_filters_whatever_its_address_says(world: Company) -> None:
    token = link(world, "overview", "leader", query={"team": [str(world.teams["west"])], "period": ["this-quarter"]})
    app = held(token)
    assert large(app)["Booked"] == "¥0"
    app.query_params["team"] = str(world.teams["east"])
    assert large(app.run())["Booked"] == "¥0"


def test_what_opens_nothing_says_one_sentence(world: Company) -> None:
    live, soon = link(world, "overview"), link(world, "funnel", hours=1)
    said = {
        tuple(element.value for kind in ("info", "title", "caption", "markdown") for element in getattr(app, kind))
        for app in (held("made-up"), held(""), held(soon, NOW + 2 * HOUR), held(f"{live}x"))
    }
    assert len(said) == 1
    assert "This link no longer opens anything" in str(said) or "链接" in str(said)


def test_a_link_dies_on_the_screen_when_it_is_revoked(world: Company) -> None:
    token = link(world, "leaderboard")
    app = held(token)
    assert app.get("plotly_chart")
    maker = actor(world, "eastern manager")
    (number,) = gate.answer(world.database, maker, my_share_links, NOW)["id"]
    gate.perform(world.database, maker, revoke_share_link, NOW, link_id=number)
    app.run()
    assert not app.get("plotly_chart")
    assert len(app.info) == 1


def test_a_look_is_counted_once_however_often_the_page_runs(world: Company) -> None:
    app = held(link(world, "funnel"))
    app.run().run()
    with world.database.reading(SYSTEM, now=NOW) as work:
        from sqlmodel import select

        assert work.session.exec(select(ShareLink.opened_count)).one() == 1


def test_a_frozen_link_shows_what_the_page_was_told_whatever_came_later(world: Company) -> None:
    app = opened(world, "overview", "eastern manager")
    told = freeze({name: answer() for name, answer in app.session_state[page.ANSWERS_KEY].items()})
    token = link(world, "overview", query={"period": ["this-quarter"]}, frozen=told)
    world.deal(owner="alice", amount=50_000, path=(("identified", at(7, 1)), ("won", at(7, 14))))
    assert cards(app.run())["Booked"] == "¥61K"
    page._kept.clear()
    later = held(token, NOW + HOUR)
    assert "Frozen on" in captions(later)
    assert large(later)["Booked"] == "¥11K"


def test_a_reps_page_without_a_rep_says_so_under_a_title_and_leads_back(world: Company) -> None:
    app = opened(world, "rep", "leader")
    assert [title.value for title in app.title] == ["Nothing here"]
    assert [info.value for info in app.info] == ["There is no such page, or it is not open to you."]
    assert not app.error
