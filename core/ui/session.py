"""Who looks at this browser tab, in which language, at what time: asked anew in every run."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar, cast

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.access.actors import SYSTEM, Actor
from core.access.sign_ins import SignedIn
from core.db.work import Database, open_database
from core.domain.names import in_reader_language
from core.i18n import LANGUAGES, parse_accept, use_language
from core.queries.sign_ins import session_of
from core.services import sign_in
from core.services.share import LinkClosed, open_share_link
from core.settings import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from core.domain.periods import FiscalCalendar

P = ParamSpec("P")
R = TypeVar("R")

SESSION_COOKIE = "sid"
BROWSER_COOKIE = "browser"
ACTOR_KEY = "luopan_actor"
NOW_KEY = "luopan_now"
LANGUAGE_KEY = "luopan_language"
SHARED_KEY = "luopan_shared"
SHARED_LANGUAGE_KEY = "luopan_shared_language"
_TOKEN_KEY = "luopan_shared_token"  # noqa: S105 - where it is kept, not what it is
_SEEN_KEY = "luopan_seen"
_LINK_KEY = "luopan_link_seen"
_COMPANY_LANGUAGE_KEY = "luopan_company_language"
_LOCAL = "127.0.0.1"
_chosen: list[Database] = []


def use_database(database: Database | None) -> None:
    """Work on `database` instead of the one that the settings name; None goes back to it."""
    _chosen[:] = [] if database is None else [database]


def database() -> Database:
    """Return the program's database."""
    return _chosen[0] if _chosen else open_database()


def now() -> datetime:
    """Return the instant of this run, aware UTC: the one clock of the pages."""
    fixed = st.session_state.get(NOW_KEY)
    return cast("datetime", fixed) if fixed is not None else datetime.now(UTC)


def calendar() -> FiscalCalendar:
    """Return the company's fiscal calendar."""
    with database().reading(SYSTEM, now=now()) as work:
        return work.calendar


def company_setting(name: str) -> str:
    """Return one of the company's own settings, as it is now."""
    with database().reading(SYSTEM, now=now()) as work:
        return work.setting(name)


def company_name() -> str:
    """Return what the company is called in the reader's language."""
    with database().reading(SYSTEM, now=now()) as work:
        return in_reader_language(work.setting("company_name"), work.setting("company_name_en"))


def address() -> str:
    """Return the address that this browser speaks from."""
    return st.context.ip_address or _LOCAL


def cookie(name: str) -> str:
    """Return a cookie of the handshake, or "" where the browser sent none."""
    return st.context.cookies.to_dict().get(name, "")


def signed_in() -> SignedIn | None:
    """Return who is signed in here, by the server's own row; None for a stranger.

    Asked of the database once in each run and in each run of a fragment, with role and scope as
    they are then. Sets the language that this run speaks.
    """
    run = this_run()
    kept = st.session_state.get(_SEEN_KEY)
    if kept is not None and run is not None and kept[0] is run:
        found = cast("SignedIn | None", kept[1])
    else:
        found = _look_up()
        st.session_state[_SEEN_KEY] = (run, found)
    use_language(_language_of(found))
    return found


def current_actor() -> Actor | None:
    """Return the actor who is signed in here, or None; sets the language that this run speaks."""
    found = signed_in()
    return None if found is None else found.actor


def current_user_language() -> str:
    """Return the language of this reader, "zh" or "en"."""
    return _language_of(signed_in())


def reader_language(otherwise: str) -> str:
    """Return the language of a share link's reader: chosen in this tab, else the browser's, else `otherwise`."""
    chosen = st.session_state.get(LANGUAGE_KEY)
    return str(chosen) if chosen else parse_accept(st.context.locale, otherwise=otherwise)


def choose_language(code: str) -> None:
    """Speak `code` in this tab from now on."""
    if code in LANGUAGES:
        st.session_state[LANGUAGE_KEY] = code
        use_language(code)


def follow_account_language() -> None:
    """Speak what the account says again, after it was changed there."""
    st.session_state.pop(LANGUAGE_KEY, None)
    forget_run()


def forget_run() -> None:
    """Have the next question ask the database again, after this run changed the user's own row."""
    st.session_state.pop(_SEEN_KEY, None)
    st.session_state.pop(_COMPANY_LANGUAGE_KEY, None)


def sign_out() -> None:
    """End this browser's sign-in at the server; its cookie is worth nothing from here on."""
    found = signed_in()
    if found is not None:
        sign_in.sign_out(database(), found, now=now())
    st.session_state.pop(ACTOR_KEY, None)
    forget_run()


def show_link(token: str, holder: Actor) -> None:
    """Keep which share link this tab shows, as it was opened in this run."""
    st.session_state[_TOKEN_KEY] = token
    st.session_state[_LINK_KEY] = (this_run(), holder)


def link_holder() -> Actor | None:
    """Return the actor of the share link that this tab shows, None once it is closed.

    Asked of the database once in each run, like `signed_in`.
    """
    kept = st.session_state.get(_LINK_KEY)
    if kept is not None and kept[0] is not None and kept[0] is this_run():
        return cast("Actor | None", kept[1])
    token = st.session_state.get(_TOKEN_KEY, "")
    try:
        found = open_share_link(database(), token=token, now=now(), origin=address(), count=False).actor
    except LinkClosed:
        found = None
    st.session_state[_LINK_KEY] = (this_run(), found)
    return found


def asker() -> Callable[[], Actor | None]:
    """Return what looks up, outside of any run, who asks by then: a file is made by a click long after the run."""
    look_up = _looking_up()

    def ask() -> Actor | None:
        found = look_up()
        return None if found is None else found.actor

    return ask


def is_still(actor: Actor) -> bool:
    """Say whether `actor` is who looks here in this run, in the same role and scope.

    A fragment or a dialog holds the actor of the run that drew it; meanwhile that sign-in may have
    been ended, the person moved to another team, or the share link revoked.
    """
    if get_script_run_ctx(suppress_warning=True) is None:
        return True  # no browser asks: a test, or a script of the program itself
    return actor == (current_actor() if actor.share_link_id is None else link_holder())


DIALOG_KEY = "luopan_dialog_open"
"""In the session while a dialog lies open; each run of a page begins without one."""


def fragment(*, run_every: float | timedelta | None = None) -> Callable[[Callable[P, R]], Callable[P, R | None]]:
    """Make a part of a page that runs again by itself, for as long as its reader is signed in.

    Like `st.fragment`, and in each run it checks the sign-in and speaks the reader's language;
    once that is gone, the whole page runs and ends on the sign-in page.
    """

    def make(function: Callable[P, R]) -> Callable[P, R | None]:
        return cast("Callable[P, R | None]", st.fragment(_checked(function), run_every=run_every))

    return make


def glance(*, run_every: float | timedelta) -> Callable[[Callable[P, R]], Callable[P, R | None]]:
    """Make a part of a page that runs again by itself and shows nothing of anybody's: its sign-in is not looked up.

    For what asks all the time whether the whole page should run again, which checks.
    """

    def make(function: Callable[P, R]) -> Callable[P, R | None]:
        return cast("Callable[P, R | None]", st.fragment(function, run_every=run_every))

    return make


def is_signed_in() -> bool:
    """Say whether this browser may still see what it was shown: by its sign-in, or by an open link."""
    return (link_holder() if st.session_state.get(SHARED_KEY) else current_actor()) is not None


def dialog(
    title: str, *, width: Literal["small", "medium", "large"] = "small", on_dismiss: Callable[[], None] | None = None
) -> Callable[[Callable[P, R]], Callable[P, None]]:
    """Make a dialog, which checks the sign-in and speaks the reader's language in each of its own runs.

    While it lies open, `DIALOG_KEY` is set, and no page redraws itself beneath it. `on_dismiss` is called when its
    reader closes it, and the page runs again.
    """

    def make(function: Callable[P, R]) -> Callable[P, None]:
        def closed() -> None:
            st.session_state.pop(DIALOG_KEY, None)
            if on_dismiss is not None:
                on_dismiss()

        opens = cast("Callable[P, None]", st.dialog(title, width=width, on_dismiss=closed)(_checked(function)))

        def marked(*args: P.args, **kwargs: P.kwargs) -> None:
            st.session_state[DIALOG_KEY] = True
            opens(*args, **kwargs)

        return marked

    return make


def _checked(function: Callable[P, R]) -> Callable[P, R]:
    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if st.session_state.get(SHARED_KEY):
            use_language(st.session_state.get(SHARED_LANGUAGE_KEY) or current_user_language())
        if not is_signed_in():
            st.rerun()
        return function(*args, **kwargs)

    return checked


def this_run() -> object:
    """Return what tells this run of the page from all others."""
    context = get_script_run_ctx(suppress_warning=True)
    return None if context is None else context.cursors


def _look_up() -> SignedIn | None:
    found = _looking_up()()
    if found is not None and found.stale and found.session_id is not None:
        sign_in.touch(database(), found.session_id, now=now())
    return found


def _looking_up() -> Callable[[], SignedIn | None]:
    """Return what looks up whose this browser is at the moment at which it is called, in a run or after it."""
    given = st.session_state.get(ACTOR_KEY)
    if given is not None:
        return lambda: SignedIn(actor=cast("Actor", given), session_id=None)
    token = cookie(SESSION_COOKIE)
    if not token:
        return lambda: None
    asked, origin, minutes = database(), address(), settings().session_idle_minutes
    return lambda: session_of(asked, token=token, now=now(), origin=origin, idle_minutes=minutes)


def _language_of(found: SignedIn | None) -> str:
    chosen = st.session_state.get(LANGUAGE_KEY)
    if chosen:
        return str(chosen)
    if found is not None and found.language:
        return found.language
    return _company_language() or settings().default_language or parse_accept(st.context.locale)


def _company_language() -> str:
    """Return the language that the company settled on, asked of the database once in each run."""
    run = this_run()
    kept = st.session_state.get(_COMPANY_LANGUAGE_KEY)
    if kept is None or run is None or kept[0] is not run:
        kept = (run, company_setting("default_language"))
        st.session_state[_COMPANY_LANGUAGE_KEY] = kept
    return str(kept[1])
