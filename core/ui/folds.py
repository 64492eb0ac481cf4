"""Parts of a page that stay folded until a reader unfolds them; the page's address says which lie open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import streamlit as st

from core.ui.filters import address, write_address
from core.ui.way_back import follow, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.elements.lib.mutable_expander_container import ExpanderContainer

    from core.ui.page import View

UNFOLDED: Final = "open"
"""In the page's address: the names of the parts that lie open."""


def fold(view: View, label: str, *, name: str, icon: str) -> ExpanderContainer | None:
    """Offer a part of the page; None while it is folded, so that it costs nothing.

    name: the part's in the address, its own on the page. It stays there while the page shows other parts, so that
    the part lies open when it is back.
    """
    is_named = name in address(view).get(UNFOLDED, ())
    return folded_by(view, label, icon=icon, key=f"fold-{name}", is_named=is_named, keep=partial(_keep, name))


def folded_by(
    view: View, label: str, *, icon: str, key: str, is_named: bool, keep: Callable[[bool], None]
) -> ExpanderContainer | None:  # fmt: skip
    """Offer a part that lies open where the address says so, by words of its own; None while it is folded.

    `keep` writes into the address whether it lies open now. A share link's address stays as it was sent: its holder
    decides after the first run.
    """
    is_open = bool(said(key, is_named))
    st.session_state[key] = is_open  # Streamlit folds what is called by another name
    if is_open != is_named and view.query is None:
        keep(is_open)
    folded = st.expander(label, icon=icon, key=follow(key, is_open), on_change="rerun")
    return folded if folded.open else None


def _keep(name: str, is_open: bool) -> None:
    others = [one for one in st.query_params.get_all(UNFOLDED) if one != name]
    write_address(**{UNFOLDED: [*others, name] if is_open else others})
