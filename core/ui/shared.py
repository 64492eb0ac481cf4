"""What the holder of a share link sees: one page, read only, in large type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.i18n import _, format_instant, language, speaking, use_language
from core.reports.frozen import thaw
from core.services.share import LinkClosed, open_share_link
from core.ui import routes, session, way_back
from core.ui.language_switch import language_switch
from core.ui.live import follow
from core.ui.page import View, forget_begun, plain
from core.ui.screens import forecast, funnel, leaderboard, overview, pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.model import ShareLink
    from core.services.share import ShareView

SCREENS: dict[str, Callable[[View], None]] = {
    "overview": overview.draw,
    "pipeline": pipeline.draw,
    "funnel": funnel.draw,
    "leaderboard": leaderboard.draw,
    "forecast": forecast.draw,
}
_COUNTED = "luopan_link_counted"
_CHECK_SECONDS = 20


def draw_shared() -> None:
    """Draw what the token in the address opens, or the one polite page for every token that does not."""
    token = st.query_params.get("token", "")
    try:
        opened = _open(token, count=st.session_state.get(_COUNTED) != token)
    except LinkClosed as error:
        st.title(_("Luopan sales dashboard"), anchor=False)
        st.info(error.message(), icon=":material/link_off:")
        return
    st.session_state[_COUNTED] = token
    session.show_link(token, opened.actor)
    link = opened.link
    free = link.frozen is None  # what is frozen speaks the language that it was frozen in
    spoken = link.language
    if free:
        spoken = session.reader_language(link.language) if st.session_state.get(session.SHARED_KEY) else language()
    use_language(spoken)
    st.session_state[session.SHARED_LANGUAGE_KEY] = spoken
    now = session.now()
    view = View(
        name=link.page, actor=opened.actor, now=link.frozen_at or now, database=session.database(),
        calendar=session.calendar(), large=True, query=link.query,
        frozen=thaw(link.frozen) if link.frozen is not None else None,
    )  # fmt: skip
    forget_begun(view)
    way_back.leave()
    _draw_style()
    view.heading(_title(link))
    shown = link.frozen_at or now
    words = _("Frozen on {when}") if link.frozen_at else _("As of {when}")
    said = words.format(when=format_instant(shown, view.zone))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(plain(_("Shared by {name}", name=opened.actor.called) + "  ·  " + said))
        if free and st.session_state.get(session.SHARED_KEY):
            language_switch()
    _watch()
    SCREENS[link.page](view)
    follow(view)


def _draw_style() -> None:
    """Draw the type for a projector: sections above the titles of charts, and no words smaller than those."""
    st.html(
        """<style>
        [data-testid="stMain"] h1 {font-size: clamp(2rem, 3vw, 2.75rem)}
        [data-testid="stMain"] h2 {font-size: clamp(1.5rem, 2.3vw, 2.25rem)}
        [data-testid="stMain"] h3 {font-size: clamp(1.5rem, 2vw, 1.875rem); padding-top: 1.5rem}
        [data-testid="stMain"] [class*="st-key-card-"] h3 {font-size: 1.25rem; padding-top: 0}
        [data-testid="stMain"] [data-testid="stCaptionContainer"] p {font-size: 1rem}
        [data-testid="stMain"] :is([data-testid="stMarkdown"] p, [data-testid="stText"] span) {font-size: 1.125rem}
        [data-testid="stMain"] [data-testid="stMetricValue"] {font-size: 2.25rem}
        [data-testid="stMain"] [data-testid="stMetricLabel"] p {font-size: 1.0625rem}
        </style>"""
    )


def _title(link: ShareLink) -> str:
    """Return the title that the sharer gave; the page's own one follows the reader's language."""
    own = routes.page(link.page).title
    with speaking(link.language):
        given = link.title if link.title != _(own) else ""
    return given or _(own)


def _open(token: str, *, count: bool) -> ShareView:
    return open_share_link(session.database(), token=token, now=session.now(), origin=session.address(), count=count)


@session.fragment(run_every=_CHECK_SECONDS)
def _watch() -> None:
    """Have the link looked at every few seconds: a fragment's run finds it closed and redraws the page."""
