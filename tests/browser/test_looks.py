"""An open page looks by itself whether data changed; what a reader chooses just then counts all the same.

Over the browser's own protocol: a look can set out with a choice that the choice's own message brings a moment later.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs

import pytest

from benchmarks.servers import Company, signed_in
from benchmarks.wire import Shown, Tab
from core.ui.live import LATE_LOOKS
from tests.browser.conftest import ROLES
from tests.browser.test_live import log_one

APART = 0.05
A_LOOK = 10_000
"""Bytes: a look that has nothing drawn sends less, a page more."""


def period_of(shown: Shown) -> Any:
    return next(one for one in shown.of("selectbox")[::-1] if one.id.endswith("-filter-period"))


@pytest.fixture
def tab_on(app_server):
    cookies = signed_in(Company(app_server.data_dir), ROLES["leadership"])
    opened: list[Tab] = []

    def on(page: str, query: str = "") -> Tab:
        opened.append(Tab(app_server.url, page, query=query, cookies=cookies))
        return opened[-1]

    yield on
    for tab in opened:
        tab.close()


def test_a_part_folded_while_a_look_sets_out_stays_folded(tab_on):
    tab = tab_on("funnel", "period=this-year&open=funnel-cohort")
    assert tab.shown.of("dataframe")
    for is_open in (False, True, False):
        tab.choose_beside_a_look("fold-funnel-cohort", is_open, apart=APART)
        assert bool(tab.shown.of("dataframe")) is is_open
        assert ("open" in parse_qs(tab.query)) is is_open


def test_a_past_day_chosen_while_a_look_sets_out_is_shown(tab_on):
    tab = tab_on("funnel", "period=this-year")
    tab.choose_beside_a_look("as-of-day", ["2026/03/31"], apart=APART)
    assert parse_qs(tab.query)["as-of"] == ["2026-03-31"]
    tab.choose_beside_a_look("as-of-known", "As it was known then", apart=APART)
    assert parse_qs(tab.query)["known"] == ["then"]
    tab.press_beside_a_look("as-of-now", apart=APART)
    assert not {"as-of", "known"} & parse_qs(tab.query).keys()


def test_filters_cleared_while_a_look_sets_out_are_cleared(tab_on):
    tab = tab_on("funnel", "period=this-year")
    _kind, teams = tab.shown.widget("filter-team")
    tab.choose("filter-team", [teams.options[1]])
    assert "team" in parse_qs(tab.query)
    tab.press_beside_a_look("filter-clear", apart=APART)
    assert "team" not in parse_qs(tab.query)
    tab.choose("filter-period", "last-12-months")
    assert "team" not in parse_qs(tab.query)
    with pytest.raises(KeyError):
        tab.shown.widget("filter-clear")


def test_news_draw_no_page_at_an_address_that_its_reader_has_left(tab_on, app_server):
    tab = tab_on("funnel", "period=this-year")
    before = tab.query
    tab.choose("filter-period", "last-12-months")
    chosen = tab.query
    assert chosen != before
    log_one(app_server)
    assert tab.look_anew(before).received < A_LOOK
    looks = (tab.look_anew(chosen) for _look in range(LATE_LOOKS))
    shown = next(one for one in looks if one.received > A_LOOK or time.sleep(1))  # as many as the pace lets through
    assert not period_of(shown).set_value, "nobody's choice was taken back"


def test_a_page_that_shows_another_address_than_its_browser_comes_round(tab_on):
    tab = tab_on("funnel", "period=this-year")
    before = tab.query
    tab.choose("filter-period", "last-12-months")
    drawn = [tab.look_anew(before).received > A_LOOK for _look in range(LATE_LOOKS + 1)]
    assert drawn.index(True) == LATE_LOOKS - 1
    period = period_of(tab.shown)
    assert period.set_value
    assert period.raw_value == "This year"
