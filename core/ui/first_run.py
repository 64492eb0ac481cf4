"""What an empty database shows instead of the sign-in page: the demo company, or a first administrator."""

from __future__ import annotations

import importlib.util
import secrets

import streamlit as st

from core.errors import InvalidFields, SalesError
from core.i18n import N_, _, language
from core.services import installation, people
from core.settings import settings
from core.ui import session
from core.ui.new_password import new_password_fields
from core.ui.sign_in import DEMO_KEY, send_with_ticket

WRONG_CODE = N_("This is not the code that stands in the server's console.")
_CODE_KEY = "first_run_code"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_PROXY_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")


def is_needed() -> bool:
    """Say whether nobody has an account yet."""
    return not people.anybody_there(session.database(), now=session.now())


def draw() -> None:
    """Draw the two ways to begin; on a server that others can reach, only behind the console's code."""
    _left, middle, _right = st.columns([1, 2.2, 1])
    with middle:
        st.title(_("Welcome to Luopan"), anchor=False)
        st.text(_("There is no account yet. How would you like to begin?"))
        if not _may_begin():
            return
        if settings().demo != "never" and importlib.util.find_spec("data.demo"):
            _offer_demo()
        _offer_empty()


def _may_begin() -> bool:
    """Ask for the one-time code, unless both the program and the visitor keep to this machine."""
    if _is_at_this_machine():
        return True
    expected = installation.setup_code()
    if st.session_state.get(_CODE_KEY) == expected:
        return True
    with st.form("setup_code"):
        st.text(_("The server's console printed a setup code when the program started."))
        typed = st.text_input(_("Setup code"), autocomplete="off")
        sent = st.form_submit_button(_("Continue"), type="primary")
    if sent and secrets.compare_digest(typed.strip().encode(), expected.encode()):
        st.session_state[_CODE_KEY] = expected
        st.rerun()
    if sent:
        st.error(_(WRONG_CODE), icon=":material/key:")
    return False


def _is_at_this_machine() -> bool:
    proxied = any(name in st.context.headers for name in _PROXY_HEADERS)
    asked_for = st.context.headers.get("Host", "localhost").rsplit(":", 1)[0].strip("[]")
    named = settings().host in _LOOPBACK and asked_for in _LOOPBACK and not settings().base_url
    return named and session.address() in _LOOPBACK and not proxied


def _offer_demo() -> None:
    with st.container(border=True):
        st.subheader(_("Look around with the demo company"), anchor=False)
        st.text(_("Three years of made-up deals, six teams and forty reps, to try everything on."))
        label = _("Load the demo company")
        if not st.button(label, type="primary", icon=":material/deployed_code:", key="load_demo"):
            return
        try:
            with st.spinner(_("Loading the demo company …")):
                loaded = installation.load_demo_company(session.database(), now=session.now())
        except SalesError as error:
            st.error(error.message())
            return
        st.session_state[DEMO_KEY] = loaded
        st.rerun()


def _offer_empty() -> None:
    with st.container(border=True):
        st.subheader(_("Start with your own company"), anchor=False)
        st.text(_("Create the first administrator. Deals can be imported afterwards."))
        with st.form("first_administrator", border=False):
            name = st.text_input(_("Your name"), key="first_name", autocomplete="name")
            no_name = st.empty()
            username = st.text_input(_("Name for signing in"), key="first_username", autocomplete="username")
            no_username = st.empty()
            password, again, places = new_password_fields(_("Password"), name="first")
            sent = st.form_submit_button(_("Create the administrator"))
        if not sent:
            return
        try:
            user_id = people.create_first_administrator(
                session.database(), username=username, name=name, password=password, again=again,
                language=language(), now=session.now(), origin=session.address(),
            )  # fmt: skip
        except InvalidFields as error:
            for field, sentence in error.problems.items():
                {"name": no_name, "username": no_username, **places}[field].error(sentence)
            return
        except SalesError as error:
            st.error(error.message())
            return
        installation.forget_setup_code()
        send_with_ticket(user_id, "/")
