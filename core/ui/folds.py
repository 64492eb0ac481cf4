"""Parts of a page that stay folded until a reader unfolds them; the page's address says which lie open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import streamlit as st

from core.ui.filters import address, write_address
from core.ui.way_back import follow

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_expander_container import ExpanderContainer

    from core.ui.page import View

UNFOLDED: Final = "open"
"""In the page's address: the names of the parts that lie open."""


def fold(view: View, label: str, *, name: str, icon: str) -> ExpanderContainer | None:
    """Offer a part of the page; None while it is folded, so that it costs nothing.

    name: the part's in the address, its own on the page. It stays there while the page shows other parts, so that
    the part lies open when it is back.
    """
    is_named, key = name in address(view).get(UNFOLDED, ()), f"fold-{name}"
    unfold(view, key, is_named=is_named)
    folded = st.expander(label, icon=icon, key=follow(key, is_named), on_change=partial(_keep, view, key, name))
    return folded if folded.open else None


def unfold(view: View, key: str, *, is_named: bool) -> None:
    """Have an expander say what the page's address does; the holder of a share link decides after its first run.

    Streamlit folds it where its label speaks another language.
    """
    if view.query is None or key not in st.session_state:
        st.session_state[key] = is_named


def _keep(view: View, key: str, name: str) -> None:
    if view.query is not None:  # a share link's address stays as it was sent
        return
    others = [one for one in st.query_params.get_all(UNFOLDED) if one != name]
    write_address(**{UNFOLDED: [*others, name] if st.session_state[key] else others})
