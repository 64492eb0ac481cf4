"""Parts that stay folded until they are asked for: the page's address says which lie open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core.i18n import use_language
from core.ui import session, turns
from tests.factories import NOW, Company
from tests.ui.pages import framed, link, opened, turned

pytestmark = pytest.mark.usefixtures("reading_small_company")


@pytest.fixture
def selling(small_company: Company) -> Company:
    small_company.deal(amount=10_000, path=(("identified", NOW), ("won", NOW)))
    return small_company


def test_what_lies_open_stays_open_in_another_language_and_its_way_back_still_works(selling: Company) -> None:
    app = opened(selling, "funnel", "leader", period="this-year", open="funnel-cohort")
    assert len(app.dataframe) == 1
    app.query_params["period"] = "this-quarter"
    assert len(app.run().dataframe) == 1
    app.session_state[session.LANGUAGE_KEY] = "zh"
    assert len(app.run().dataframe) == 1
    use_language("zh")  # AppTest writes choices in this thread's words
    assert "funnel-cohort" in app.query_params["open"]
    app.query_params.clear()
    app.query_params["period"] = "this-year"
    app.run()
    assert not app.dataframe
    assert "this-year" in app.query_params["period"]


def test_a_share_link_shows_what_lay_open_and_its_holder_may_fold_it(selling: Company) -> None:
    query = {"period": ["this-quarter"], "open": ["overview-months"], "customers": ["shown"]}
    token = link(selling, "overview", "leader", query=query)
    app = turned(framed(None, language=None).run(), "shared", token=token)
    months, segments = app.dataframe
    assert "quota" in months.value
    assert "customers" in segments.value
    for key in ("fold-overview-months", "overview-customers"):
        app.session_state[key] = False
    assert not app.run().dataframe
    assert set(app.query_params) == {"token"}


def test_a_share_links_pages_take_turns_like_all_others(selling: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Any] = []

    @contextmanager
    def turn(all_turns: turns.Turns) -> Iterator[None]:
        taken.append(all_turns)
        yield

    monkeypatch.setattr(turns.Turns, "turn", turn)
    app = framed(None, language=None).run()
    turned(app, "shared", token=link(selling, "overview", "leader"))
    assert taken == [turns.PAGES] * 2


def test_a_reps_page_says_what_coverage_their_win_rate_needs(selling: Company) -> None:
    selling.deal(amount=30_000, path=(("identified", NOW), ("lost", NOW)))
    app = opened(selling, "rep", id=selling.reps["alice"])
    assert any("Needed at the win rate of the last 12 months: 4" in one.value for one in app.caption)
