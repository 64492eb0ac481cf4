"""The two buttons that choose the language of this tab."""

from __future__ import annotations

import streamlit as st

from core.i18n import _, language
from core.ui import session
from core.ui.frame_words import LANGUAGE_NAMES

_KEY = "language_switch"


def language_switch() -> None:
    """Draw the choice; what is chosen holds for this tab."""
    st.segmented_control(
        _("Language"), list(LANGUAGE_NAMES), default=language(), format_func=LANGUAGE_NAMES.__getitem__,
        key=_KEY, label_visibility="collapsed", on_change=_choose,
    )  # fmt: skip


def _choose() -> None:
    session.choose_language(st.session_state[_KEY] or language())
