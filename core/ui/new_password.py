"""The two fields of a new password, with its rules said before anybody is refused by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from core.i18n import _
from core.services.passwords import RULES, SHORTEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamlit.delta_generator import DeltaGenerator


def new_password_fields(label: str, *, name: str = "new") -> tuple[str, str, Mapping[str, DeltaGenerator]]:
    """Draw the fields; return what was typed, what was typed again, and the places of a refusal by field.

    `name` begins the keys of the fields: `<name>_password` and `<name>_again`.
    """
    password = st.text_input(label, type="password", autocomplete="new-password", key=f"{name}_password")
    st.caption(_(RULES, n=SHORTEST))
    no_password = st.empty()
    again = st.text_input(_("Password once more"), type="password", autocomplete="new-password", key=f"{name}_again")
    return password, again, {"password": no_password, "again": st.empty()}
