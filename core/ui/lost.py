"""Addresses that lead nowhere, and the way back from what cannot be shown."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.i18n import _
from core.ui import routes, session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ADDRESS_KEY = "luopan_lost_address"


def lost_pages(pages: Iterable[st.Page], draw: Callable[[], None]) -> list[st.Page]:
    """Return a page that calls `draw` at the address asked for, where none of `pages` lies there.

    Without it Streamlit shows its own English dialog over the first page.
    """
    context = get_script_run_ctx()
    name = (context.pages_manager.intended_page_name or "") if context else ""
    if name:
        st.session_state[_ADDRESS_KEY] = name
    name = st.session_state.get(_ADDRESS_KEY, "")
    if not name or "/" in name or name in {routes.BARE, *(page.url_path for page in pages)}:
        return []
    return [st.Page(draw, title=_("Nothing here"), url_path=name, visibility="hidden")]


def draw_lost() -> None:
    """Say that nothing lies at this address, and lead back."""
    st.title(_("Nothing here"), anchor=False)
    st.info(_("There is no such page, or it is not open to you."), icon=":material/explore_off:")
    way_home()


def way_home() -> None:
    """Draw the way to the reader's first page; nothing for a stranger, a link's holder, or past the frame."""
    actor = None if st.session_state.get(session.SHARED_KEY) else session.current_actor()
    if actor is None:
        return
    home = routes.home_of(routes.pages_for(actor))
    with suppress(StreamlitPageNotFoundError):  # a page's script run by itself knows no other page
        st.page_link(home.file, label=_("Back to “{page}”", page=_(home.title)), icon=":material/arrow_back:")
