"""Offering what was typed before and never sent: in a form, and beside forms that are closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from core.i18n import _, format_instant
from core.queries.drafts import kept_drafts
from core.services.drafts import clear_draft
from core.ui.page import plain

if TYPE_CHECKING:
    from core.ui.page import View

RESUMED: Final = "luopan_resumed_form"
"""Where the name of the form stands that is to open with its draft."""


def offer_kept(view: View, closed: Mapping[str, tuple[str, Callable[[], None]]]) -> None:
    """Offer what was typed into forms that are closed now and was never sent.

    `closed`: by the form's name a sentence with `{when}`, and what opens the form.
    """
    drafts = view.ask(kept_drafts, forms=tuple(sorted(closed))) if closed else {}
    for name, draft in drafts.items():
        sentence, opens = closed[name]
        when = format_instant(draft.saved_at, view.zone)
        draw_offer(name, _(sentence).format(when=when), (_resume, (name, opens)), (throw_away, (view, name)))


def draw_offer(name: str, sentence: str, on: tuple[Any, tuple[Any, ...]], off: tuple[Any, tuple[Any, ...]]) -> None:
    """Draw an offer to go on with a draft (`on`) or to discard it (`off`), each a callback with its arguments."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"draft-{name}"):
        st.markdown(":material/history: " + plain(sentence))
        st.button(_("Continue with it"), on_click=on[0], args=on[1], type="primary", key=f"draft-on-{name}")
        st.button(_("Discard draft"), on_click=off[0], args=off[1], key=f"draft-off-{name}")


def _resume(name: str, opens: Callable[[], None]) -> None:
    st.session_state[RESUMED] = name
    opens()


def throw_away(view: View, name: str) -> None:
    """Empty a form in this tab, and delete its draft."""
    for slot in [slot for slot in st.session_state if str(slot).startswith(f"{name}.")]:
        del st.session_state[slot]
    view.do(clear_draft, form=name)
