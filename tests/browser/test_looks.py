"""An open page looks by itself whether data changed; what a reader chooses just then counts all the same.

Over the browser's own protocol: a look can set out with a choice that the choice's own message brings a moment later.
"""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from benchmarks.servers import Company, signed_in
from benchmarks.wire import Tab
from core.ui.live import LATE_LOOKS
from tests.browser.conftest import ROLES
from tests.browser.test_live import log_one

APART = 0.05
A_LOOK = 5_000
"""Bytes: a look that has nothing drawn sends less, a page more."""


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
    tab.press("as-of-now")
    assert not {"as-of", "known"} & parse_qs(tab.query).keys()


def test_news_draw_no_page_at_an_address_that_its_reader_has_left(tab_on, app_server):
    tab = tab_on("funnel", "period=this-year")
    before = tab.query
    tab.choose("filter-period", "last-12-months")
    chosen = tab.query
    assert chosen != before
    tab.look_anew(chosen)  # what comes right after drawing asks nothing
    log_one(app_server)
    for query, is_drawn in ((before, False), (chosen, True)):
        shown = tab.look_anew(query)
        assert (shown.received > A_LOOK) is is_drawn
        periods = [one for one in shown.of("selectbox") if one.id.endswith("-filter-period")]
        assert periods
        assert not any(one.set_value for one in periods)  # nobody's choice was taken back


def test_a_page_that_shows_another_address_than_its_browser_comes_round(tab_on):
    tab = tab_on("funnel", "period=this-year")
    before = tab.query
    tab.choose("filter-period", "last-12-months")
    drawn = [tab.look_anew(before).received > A_LOOK for _look in range(LATE_LOOKS + 1)]
    assert drawn.index(True) == LATE_LOOKS - 1
    period = next(one for one in tab.shown.of("selectbox")[::-1] if one.id.endswith("-filter-period"))
    assert period.set_value
    assert period.raw_value == "This year"
