"""The sign-in page: streamlit-authenticator's form over our own checks, cookie and sessions."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit_authenticator.controllers import AuthenticationController
from streamlit_authenticator.models import AuthenticationModel
from streamlit_authenticator.views import Authenticate

from core.errors import SalesError
from core.i18n import N_, _
from core.services import sign_in
from core.ui import session

NO_COOKIES = N_("Signing in needs cookies. Please allow them for this address and load the page again.")
DEMO_KEY = "luopan_demo_sign_ins"
_WELCOME = N_("Sales performance, from the deal to the forecast")


class DatabaseCredentials(AuthenticationModel):  # type: ignore[misc]
    """Checks one name and password against the database, and keeps who it was for the ticket.

    The parent's own state (a dictionary of everybody, counters, hints) is never set up.
    """

    def __init__(self) -> None:
        self.path = None
        self.user_id: int | None = None

    def check_credentials(self, username: str, password: str) -> bool:
        """Say whether they are right; raises the refusal that the page shows."""
        self.user_id = sign_in.authenticate(
            session.database(), username=username, password=password, address=session.address(),
            now=session.now(),
        )  # fmt: skip
        return True

    def login(self, username: str, password: str, *_args: Any, **_options: Any) -> bool:
        """Check the form's two fields; nothing is written into the session state."""
        return bool(username) and self.check_credentials(username, password)


class Checker(AuthenticationController):  # type: ignore[misc]
    """The form's controller, with our model in it."""

    def __init__(self) -> None:
        self.authentication_model = DatabaseCredentials()

    def login(self, username: str = "", password: str = "", *_args: Any, **_options: Any) -> bool:
        """Pass the form on, as it was typed."""
        return self.authentication_model.login(username, password)


class TicketCookies:
    """In place of the library's cookie: a one-time ticket, redeemed at the server's own route."""

    def __init__(self, checker: Checker, next_path: str) -> None:
        self.checker, self.next_path = checker, next_path

    def get_cookie(self) -> None:
        """Know nobody: the server's own row has been asked before this form is drawn."""

    def set_cookie(self) -> None:
        """Send this browser, with its ticket, to the route that sets the cookie."""
        user_id = self.checker.authentication_model.user_id
        if user_id is not None:
            send_with_ticket(user_id, self.next_path)


class SignInForm(Authenticate):  # type: ignore[misc]
    """The library's form without its cookie, its waiting and its own credentials."""

    def __init__(self, next_path: str) -> None:
        checker = Checker()
        self.attrs = {"login_sleep_time": 0}
        self.path = None
        self.authentication_controller = checker
        self.cookie_controller = TicketCookies(checker, next_path)


def send_with_ticket(user_id: int, next_path: str) -> None:
    """Sign the user in to this browser, by a ticket that only this browser can redeem."""
    binding = session.cookie(session.BROWSER_COOKIE)
    if not binding:
        st.error(_(NO_COOKIES), icon=":material/cookie_off:")
        return
    ticket = sign_in.issue_ticket(
        session.database(), user_id=user_id, binding=binding, next_path=next_path, now=session.now()
    )
    go_to(f"/auth/redeem?{urlencode({'ticket': ticket})}")


def go_to(path: str) -> None:
    """Have the browser load `path`, an address of this server (as `st.login` does)."""
    context = get_script_run_ctx()
    if context is not None:
        message = ForwardMsg()
        message.auth_redirect.url = path
        context.enqueue(message)


def draw() -> None:
    """Draw the sign-in page; after it the browser goes on to the page that was asked for."""
    _left, middle, _right = st.columns([1, 1.4, 1])
    with middle:
        st.title(_("Luopan"), anchor=False)
        st.caption(_(_WELCOME))
        if st.session_state.get(DEMO_KEY):
            st.success(_("The demo company is there. Keep this: the page shows it once."))
            st.code(st.session_state[DEMO_KEY], language=None, wrap_lines=True)
        refusal = st.empty()
        labels = {
            "Form name": _("Sign in"), "Username": _("Name for signing in"), "Password": _("Password"),
            "Login": _("Sign in"),
        }  # fmt: skip
        try:
            with st.container(key="sign-in-form"):
                SignInForm(_asked_for()).login(fields=labels, key="sign_in")
        except SalesError as error:
            refusal.error(error.message(), icon=":material/lock:")


def _asked_for() -> str:
    """Return the address that the stranger came to, with its filters."""
    context = get_script_run_ctx()
    info = context.pages_manager.get_pages().get(context.page_script_hash) if context else None
    name = (info or {}).get("url_pathname", "") if info else ""
    query = urlencode(st.query_params.to_dict(), doseq=True)
    return f"/{name}?{query}" if query else f"/{name}"
