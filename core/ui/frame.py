"""The script that Streamlit runs: who is here, in which language, and which pages are open to them."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import streamlit as st

from core.access.actors import Actor
from core.i18n import _
from core.settings import PROJECT_ROOT
from core.ui import first_run, lost, reset, routes, session, sign_in, turns
from core.ui.frame_words import ROLE_NAMES
from core.ui.language_switch import language_switch
from core.ui.looks import mend_looks
from core.ui.page import plain
from core.ui.routes import PageSpec

if TYPE_CHECKING:
    from collections.abc import Callable

PICTURES = PROJECT_ROOT / "core" / "ui" / "pictures"


def run() -> None:
    """Draw the frame and the page that was asked for."""
    st.set_page_config(page_title="罗盘 Luopan", page_icon="🧭", layout="wide", initial_sidebar_state="auto")
    st.logo(str(PICTURES / "luopan.svg"), size="large", icon_image=str(PICTURES / "luopan-mark.svg"))
    here = None if reset.TOKEN in st.query_params else session.signed_in()
    mend_looks()
    if here is None:
        _for_strangers()
        return
    st.session_state[session.SHARED_KEY] = False
    if here.must_change_password:
        account = routes.page("account")
        known = [_page(account, default=True), _alias_of(account)]
        asked = st.navigation([*known, *lost.lost_pages(known, _leading_to(account))], position="hidden")
        _sidebar(here.actor)
        _draw(asked)
        return
    pages = routes.pages_for(here.actor)
    home = routes.home_of(pages)
    menu: dict[str, list[st.Page]] = {}
    for section in routes.SECTIONS:
        drawn = [_page(spec, default=spec is home) for spec in pages if spec.section == section]
        if drawn:
            menu[_(section)] = drawn
    hidden = [_alias_of(home), *(_refused(spec) for spec in routes.present_pages() if spec not in pages)]
    hidden += lost.lost_pages([*chain.from_iterable(menu.values()), *hidden], lost.draw_lost)
    asked = st.navigation({**menu, "": hidden}, expanded=True)
    _sidebar(here.actor)
    _draw(asked)


def _draw(asked: st.Page) -> None:
    with turns.PAGES.turn():
        asked.run()


def _page(spec: PageSpec, *, default: bool) -> st.Page:
    return st.Page(
        spec.file,
        title=_(spec.title),
        icon=f":material/{spec.icon}:",
        url_path=routes.BARE if default else spec.name,
        default=default,
        visibility="visible" if spec.visible else "hidden",
    )


def _alias_of(home: PageSpec) -> st.Page:
    """Return the first page under its own name as well, since Streamlit gives it the bare address alone."""
    return st.Page(_leading_to(home), title=_(home.title), url_path=home.name, visibility="hidden")


def _leading_to(home: PageSpec) -> Callable[[], None]:
    def go_home() -> None:
        st.switch_page(home.file, query_params=st.query_params.to_dict())

    return go_home


def _refused(spec: PageSpec) -> st.Page:
    """Return what lies at the address of a page that the role does not open."""

    def refuse() -> None:
        st.title(_(spec.title), anchor=False)
        st.error(_("This page is not open to your role."), icon=":material/block:")
        lost.way_home()

    return st.Page(refuse, title=_("Not open to you"), url_path=spec.name, visibility="hidden")


def _for_strangers() -> None:
    """Every address leads to the sign-in page, but a share link's to its view."""
    session.signed_in()
    first = first_run.is_needed()
    script, title = sign_in.draw, _("Sign in")
    if first:
        script, title = first_run.draw, _("First start")
    elif reset.TOKEN in st.query_params:
        script, title = reset.draw, _("New password")
    pages = [st.Page(script, title=title, url_path=routes.BARE, default=True)]
    for spec in routes.present_pages():
        if spec.name == "shared" and not first:
            pages.append(st.Page(spec.file, title=_(spec.title), url_path=spec.name))
        else:
            pages.append(st.Page(script, title=title, url_path=spec.name))
    pages += lost.lost_pages(pages, script)
    asked = st.navigation(pages, position="hidden")
    st.session_state[session.SHARED_KEY] = asked.url_path == "shared"
    if not st.session_state[session.SHARED_KEY]:
        language_switch()
    _draw(asked)


def _sidebar(actor: Actor) -> None:
    with st.sidebar:
        company = session.company_name()
        if company:
            st.caption(plain(company))
        st.text(actor.called)
        st.caption(_(ROLE_NAMES[actor.role]))
        if routes.page("account").file.is_file():
            st.page_link(routes.page("account").file, label=_("My account"), icon=":material/account_circle:")
        language_switch()
        st.button(_("Sign out"), icon=":material/logout:", key="sign_out", on_click=_leave)


def _leave() -> None:
    session.sign_out()
    sign_in.go_to("/auth/leave")


run()
