"""Ways past the scope, the sign-in and the history that a review found: closed, and kept closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from streamlit.testing.v1 import AppTest

from core.services import share
from core.ui import session
from tests.conftest import actor
from tests.factories import NOW, Company

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def on(small_company: Company) -> Iterator[Company]:
    """The cast's company, as the pages' database."""
    session.use_database(small_company.database)
    yield small_company
    session.use_database(None)


def _held_page() -> None:
    import streamlit as st

    from core.queries.deals import deals_page
    from core.ui.page import open_page

    if "held" not in st.session_state or not st.session_state.pop("use_held", False):
        st.session_state["held"] = open_page("deals", heading=False)
    st.text(", ".join(st.session_state["held"].ask(deals_page).rows["name"]))


def test_a_view_that_a_fragment_holds_asks_in_the_scope_that_its_reader_has_now(on: Company) -> None:
    on.deal(owner="alice", name="Eastern")
    on.deal(owner="charlie", name="Western")
    test = AppTest.from_function(_held_page, default_timeout=30)
    test.session_state[session.NOW_KEY] = NOW
    test.session_state[session.ACTOR_KEY] = actor(on, "eastern manager")
    test.run()
    assert [text.value for text in test.text] == ["Eastern"]
    test.session_state[session.ACTOR_KEY] = actor(on, "western manager")
    test.session_state["use_held"] = True
    test.run()
    assert [text.value for text in test.text] == ["Western"]
    assert not test.exception


def _held_link() -> None:
    import streamlit as st

    from core.queries.choices import filter_choices
    from core.services.share import open_share_link
    from core.ui import session
    from core.ui.page import View

    if "held" not in st.session_state:
        token = st.session_state["token"]
        opened = open_share_link(session.database(), token=token, now=session.now(), origin="127.0.0.1", count=True)
        session.show_link(token, opened.actor)
        st.session_state["held"] = View(
            "overview", opened.actor, session.now(), session.database(), session.calendar(), large=True, query={}
        )
    elif session.link_holder() is None:
        st.text("closed")
        st.stop()
    st.session_state["held"].ask(filter_choices)
    st.text("open")


def test_a_revoked_link_answers_nothing_more_to_a_page_that_is_open(
    on: Company, perform_as: Callable[..., object]
) -> None:
    token = perform_as("leader", share.make_share_link, page="overview", title="", query={}, language="en", hours=4)
    test = AppTest.from_function(_held_link, default_timeout=30)
    test.session_state[session.NOW_KEY] = NOW
    test.session_state["token"] = token
    test.run()
    assert [text.value for text in test.text] == ["open"]
    perform_as("leader", share.revoke_share_link, link_id=1)
    test.run()
    assert [text.value for text in test.text] == ["closed"]
    held = test.session_state["held"]
    assert held.actor.share_link_id == 1
