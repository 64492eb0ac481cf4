"""The page behind a reset link (`/?reset=…`): a new password, once."""

from __future__ import annotations

import streamlit as st

from core.errors import InvalidFields, SalesError
from core.i18n import _
from core.services import account
from core.ui import session
from core.ui.new_password import new_password_fields
from core.ui.sign_in import send_with_ticket

TOKEN = "reset"  # noqa: S105 - the parameter's name


def draw() -> None:
    """Draw the form, or the one sentence for every link that does not open."""
    token = str(st.query_params.get(TOKEN, ""))
    _left, middle, _right = st.columns([1, 1.4, 1])
    with middle:
        st.title(_("New password"), anchor=False)
        if not account.reset_is_open(session.database(), token=token, now=session.now()):
            st.error(_(account.ResetNotOpen.text), icon=":material/link_off:")
            return
        with st.form("reset", border=True):
            password, again, places = new_password_fields(_("New password"))
            sent = st.form_submit_button(_("Save and sign in"), type="primary")
        if not sent:
            return
        try:
            user_id = account.use_reset_link(
                session.database(), token=token, password=password, again=again, now=session.now(),
                origin=session.address(),
            )  # fmt: skip
        except InvalidFields as error:
            for field, sentence in error.problems.items():
                places[field].error(sentence)
            return
        except SalesError as error:
            st.error(error.message(), icon=":material/link_off:")
            return
        send_with_ticket(user_id, "/")
