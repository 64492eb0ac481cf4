"""What a form shows once it has saved: what was saved, and where to go from there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from core.access.actions import Action
from core.i18n import _
from core.ui.page import plain
from core.ui.routes import go

if TYPE_CHECKING:
    from core.ui.page import View

_SLOT = "luopan_saved"


def was_saved(form: str, sentence: str, **numbers: Any) -> None:
    """Keep, for the next run, what a form has just saved."""
    st.session_state[_SLOT] = {"form": form, "sentence": sentence, **numbers}


def show_saved(form: str, view: View) -> bool:
    """Show what `form` saved a moment ago, with the next steps; say whether there was anything."""
    saved = st.session_state.get(_SLOT)
    if not saved or saved["form"] != form:
        return False
    st.success(plain(saved["sentence"]), icon=":material/check_circle:")
    with st.container(horizontal=True):
        if saved.get("deal_id") and st.button(_("Open the deal"), type="primary", icon=":material/open_in_new:"):
            _leave("deal", id=saved["deal_id"])
        if st.button(_("Log another"), icon=":material/add:", key="log-another"):
            st.session_state.pop(_SLOT, None)
            st.rerun()
        if saved.get("customer_id") and st.button(_("Open the customer"), icon=":material/apartment:"):
            _leave("customer", id=saved["customer_id"])
        about = {"deal": saved.get("deal_id"), "customer": saved.get("customer_id")}
        about = {"deal": about["deal"]} if about["deal"] else about
        if (
            not saved.get("planned")
            and view.may(Action.ACTIVITY_LOG)
            and st.button(_("Plan the next step"), icon=":material/event:", key="plan-next")
        ):
            _leave("log_activity", when="due", **{name: number for name, number in about.items() if number})
        if st.button(_("To Today"), icon=":material/today:", key="saved-today"):
            _leave("today")
    return True


def _leave(page: str, **params: Any) -> None:
    st.session_state.pop(_SLOT, None)
    go(page, **params)
