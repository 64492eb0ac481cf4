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

    name: the part's in the address, its own on the page.
    """
    is_named = name in address(view).get(UNFOLDED, ())
    key = follow(f"fold-{name}", is_named)
    if is_named and key not in st.session_state:
        st.session_state[key] = True
    folded = st.expander(label, icon=icon, key=key, on_change=partial(_keep, view, key, name))
    return folded if folded.open else None


def _keep(view: View, key: str, name: str) -> None:
    if view.query is not None:  # a share link's address stays as it was sent
        return
    others = [one for one in st.query_params.get_all(UNFOLDED) if one != name]
    write_address(**{UNFOLDED: [*others, name] if st.session_state[key] else others})
