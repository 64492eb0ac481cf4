"""From a number to its deals: what their list is called, and which numbers of a table open which."""

from __future__ import annotations

import json
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, get_args

import pytest

from core.analytics import stage_measures
from core.analytics.as_of import AsOf
from core.analytics.dimensions import Dimension
from core.analytics.filters import Filters
from core.analytics.pipeline_health import TOPS
from core.analytics.selection import AT_STAGE_IN_PERIOD, IN_PERIOD, NOW, Selection
from core.analytics.waterfall import KINDS
from core.domain.periods import Period
from core.i18n import LANGUAGES, speaking
from core.ui.drill_words import NAMES, age_name, said, told
from tests.factories import NOW as TODAY
from tests.factories import Company
from tests.ui.pages import opened

pytestmark = pytest.mark.usefixtures("reading_small_company")

JUNE = Period(date(2026, 6, 1), date(2026, 7, 1))
DAY = timedelta(days=1)


@pytest.fixture
def reader(answer_as: Any) -> Any:
    return SimpleNamespace(ask=lambda query, **values: answer_as("leader", query, **values))


def test_every_measure_has_a_name() -> None:
    """No list is called by a general word: what is counted is said, from a copied address too."""
    of_days = {"stage", "aged", "top", "stood", "change"}
    of_funnel = {*stage_measures.IN_PERIOD, *stage_measures.NOW}
    assert set(NAMES) == IN_PERIOD | AT_STAGE_IN_PERIOD | NOW | of_days | of_funnel


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_bar_each_age_and_each_kind_of_move_is_called_by_its_own_name(reader: Any, code: str) -> None:
    measures = [
        *(f"change:{kind}" for kind in KINDS), *(f"aged:{age}" for age in range(5)), *(f"top:{top}" for top in TOPS),
        *(f"flow:{place}" for place in range(len(stage_measures.KINDS))),
    ]  # fmt: skip
    with speaking(code):
        titles = [said(reader, Selection(measure, JUNE)) for measure in measures]
    assert len(set(titles)) == len(measures)
    assert not any("{" in title or title.rstrip().endswith((":", "：")) for title in titles)


def test_a_list_says_what_it_holds_of_which_days_and_filters(reader: Any, small_company: Company) -> None:
    demo, won = small_company.stages["demo"], small_company.stages["won"]
    rep, team = small_company.reps["alice"], small_company.teams["east"]
    day = AsOf(date(2026, 6, 30))
    assert age_name(4) == "over 180 days"
    small_company.deal(owner="alice", amount=5)
    cases = {
        Selection("booked", JUNE, by="rep", key=str(rep)): ("Booked: Alice", "Won from Jun 1, 2026 to Jun 30, 2026"),
        Selection("change:grew", None, as_of=day, since=date(2026, 5, 31)): (
            "Pipeline: Grew", "From the end of May 31, 2026 to the end of Jun 30, 2026",
        ),
        Selection("aged:1", None, as_of=day): ("Open for 31 to 60 days", "As of Jun 30, 2026"),
        Selection(f"moved:{demo}:{won}", JUNE): (
            "Moved: Demo → Won", "Moved from Jun 1, 2026 to Jun 30, 2026",
        ),
        Selection(f"entered:{demo}:30", JUNE, by="size", key="0", others=True): (
            "Reached Demo: all but Below 10K", "Arrived from Jun 1, 2026 to Jun 30, 2026",
        ),
        Selection("lost", JUNE, by="competitor", key="Vesta"): (
            "Deals lost: Vesta", "Lost from Jun 1, 2026 to Jun 30, 2026",
        ),
        Selection("open", None, Filters(team_ids=(team,))): ("Open deals", "Team: East"),
    }  # fmt: skip
    assert {one: (said(reader, one), told(reader, one)) for one in cases} == cases


def test_a_part_of_any_dimension_is_said(reader: Any) -> None:
    for by in get_args(Dimension):
        assert said(reader, Selection("won", JUNE, by=by, key="none")) == "Deals won: None"


@pytest.fixture
def sold(small_company: Company) -> Company:
    """In July Alice won three of twelve deals, Bob one."""
    for rep, won, lost in (("alice", 3, 9), ("bob", 1, 0)):
        for end in ["won"] * won + ["lost"] * lost:
            path = (("identified", TODAY - 7 * DAY), (end, TODAY - 3 * DAY))
            small_company.deal(owner=rep, amount=10_000, path=path)
    return small_company


@pytest.mark.parametrize(
    ("column", "title", "counted"),
    [
        ("win_rate", "Decided deals: Alice", "12 deals, ¥120,000.00"),
        ("cycle_days", "Deals won: Alice", "3 deals, ¥30,000.00"),
        ("booked", "Booked by credit splits: Alice", "3 deals, ¥30,000.00"),
        ("name", None, None),
        ("quota", None, None),
    ],
)
def test_a_number_of_the_leaderboards_table_opens_what_it_counts(
    sold: Company, column: str, title: str | None, counted: str | None
) -> None:
    app = opened(sold, "leaderboard", "leader", period="this-quarter")
    app.session_state["luopan_clicked_cell"] = ("table-board", 0, column)
    app.run()
    assert not app.exception
    dialogs = app.get("dialog")
    assert [one.proto.dialog.title.replace("\\", "") for one in dialogs] == ([title] if title else [])
    assert title is None or counted in [one.value for one in app.text]


def test_a_row_of_the_leaderboard_opens_the_person_as_of_the_same_day(sold: Company) -> None:
    day = (TODAY - 2 * DAY).date().isoformat()
    app = opened(sold, "leaderboard", "leader", period="this-quarter", **{"as-of": day, "known": "then"})
    app.session_state["table-board"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    app.run()
    address = {name: app.query_params.get(name) for name in ("id", "as-of", "known")}
    assert address == {"id": str(sold.reps["alice"]), "as-of": day, "known": "then"}


def test_a_number_of_a_table_of_months_opens_the_month_that_it_is_of(sold: Company) -> None:
    app = opened(sold, "overview", "leader", period="this-quarter")
    app.query_params["open"] = "overview-months"
    app.session_state["luopan_clicked_cell"] = ("table-overview-months", 0, "won")
    app.run()
    (dialog,) = app.get("dialog")
    assert dialog.proto.dialog.title == "Deals won"
    assert "Won from Jul 1, 2026 to Jul 31, 2026" in [one.value for one in app.caption]


@pytest.mark.parametrize("column", ["entered", "decided_rate", "won_rate"])
def test_a_months_rates_open_the_deals_that_they_are_of(sold: Company, column: str) -> None:
    sold.deal(path=(("identified", TODAY - 60 * DAY),))
    app = opened(sold, "funnel", "leader", period="last-12-months")
    app.query_params["open"] = "funnel-months"
    months = app.run().dataframe[-1].value
    app.session_state["luopan_clicked_cell"] = ("table-funnel-months", len(months) - 1, column)
    app.run()
    (dialog,) = app.get("dialog")
    assert dialog.proto.dialog.title == "New deals"
    assert "13 deals, ¥130,000.00" in [one.value for one in app.text]


@pytest.fixture
def halved(small_company: Company) -> Company:
    """Of Alice's eight deals four reached the demo and two were won, of Bob's two one was won at once."""
    for owner, end in (*[("alice", e) for e in ("lost", "lost", "lost", "lost", "demo", "demo", "won", "won")],
                       ("bob", "identified"), ("bob", "won")):  # fmt: skip
        demo = (("demo", TODAY - 38 * DAY),) if owner == "alice" and end != "lost" else ()
        last = () if end in ("demo", "identified") else ((end, TODAY - 30 * DAY),)
        small_company.deal(owner=owner, path=(("identified", TODAY - 40 * DAY), *demo, *last), amount=1_000)
    return small_company


@pytest.mark.parametrize("followed", ["", "14"])
@pytest.mark.parametrize("by", ["", "rep"])
def test_a_cell_of_a_cohorts_stages_opens_what_it_counts_and_a_rate_what_it_is_a_share_of(
    halved: Company, by: str, followed: str
) -> None:
    """A share of the stage before opens the deals of that one, a share of all those of the first."""
    name = f"funnel-by-{by}" if by else "funnel-cohort"
    address = {"period": "last-12-months", "by": by, "followed": followed}
    app = opened(halved, "funnel", "leader", **{key: value for key, value in address.items() if value})
    app.query_params["open"] = name
    stages = app.run().dataframe[0].value
    reached = [int(n) for n in stages["reached"]]
    first = reached.index(max(reached))
    rows = [row for row in range(first + 1, len(stages)) if stages["reached"][row] and row < first + 6]
    assert len({reached[row] for row in range(first, rows[-1] + 1)}) > 2
    for row in rows:
        for column, counted in (
            ("reached", reached[row]), ("rate_from_previous", reached[row - 1]), ("low", reached[row - 1]),
            ("value_rate_from_previous", reached[row - 1]), ("rate_from_start", reached[first]),
        ):  # fmt: skip
            if column not in stages:
                continue
            app.session_state["luopan_clicked_cell"] = (f"table-{name}", row, column)
            app.run()
            told = next(one.value for one in app.text if "deal" in one.value)
            assert told.split()[0] == str(counted), (row, column)


def test_a_table_says_that_its_numbers_open_only_where_one_does(sold: Company) -> None:
    """Nobody chose a competitor, and a table without rows has nothing to click."""
    promise = "Click a number to see the deals that it counts."
    app = opened(sold, "funnel", "leader", part="losses", period="this-quarter")
    app.query_params["open"] = "funnel-lost-months"
    assert promise in [one.value for one in app.run().caption]
    empty = opened(sold, "funnel", "leader", part="losses", period="last-quarter")
    empty.query_params["open"] = "funnel-lost-months"
    assert promise not in [one.value for one in empty.run().caption]


def test_on_a_phone_a_reps_figures_open_their_deals(sold: Company) -> None:
    app = opened(sold, "rep", "leader", period="this-quarter", id=str(sold.reps["alice"]))
    app.button(key="rep-team-3").click().run()
    (dialog,) = app.get("dialog")
    assert dialog.proto.dialog.title.startswith("Decided deals")
    assert "12 deals, ¥120,000.00" in [one.value for one in app.text]
    assert "rep-team-6" not in [one.key for one in app.button]  # activities


def test_figures_of_several_units_stand_right_as_numbers_do(sold: Company) -> None:
    app = opened(sold, "rep", "leader", period="this-quarter", id=str(sold.reps["alice"]))
    (team,) = [one for one in app.dataframe if "median" in one.value.columns]
    columns = json.loads(team.proto.columns)
    assert {name: told.get("alignment") for name, told in columns.items()} == {
        "measure": None, "own": "right", "median": "right", "_index": None,
    }  # fmt: skip


def test_no_line_of_a_phone_ends_between_a_number_and_what_it_is_called(sold: Company) -> None:
    app = opened(sold, "leaderboard", "leader", period="this-quarter")
    row = next(one.label for one in app.get("page_link") if "Alice" in one.label)
    assert "Won\N{NO-BREAK SPACE}deals\N{NO-BREAK SPACE}3" in row
