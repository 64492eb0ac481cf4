"""What the selling pages share: records named in the address, states and days in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import streamlit as st

from core.analytics.filters import number
from core.domain.stages import ActivityKind, StageKind
from core.i18n import N_, _
from core.queries.customers import CustomerHit, customer_hit, words_in_use
from core.queries.reference import word_list
from core.ui.page import plain

if TYPE_CHECKING:
    from core.ui.page import View

KIND_NAMES: dict[ActivityKind, str] = {
    ActivityKind.VISIT: N_("Visit"),
    ActivityKind.CALL: N_("Call"),
    ActivityKind.EMAIL: N_("E-mail"),
    ActivityKind.MESSAGE: N_("Message"),
    ActivityKind.MEETING: N_("Meeting"),
}
KIND_ICONS: dict[str, str] = {
    "visit": "pin_drop",
    "call": "call",
    "email": "mail",
    "message": "chat",
    "meeting": "groups",
    "opened": "add_circle",
    "moved": "arrow_forward",
    "back": "arrow_back",
    "won": "emoji_events",
    "lost": "cancel",
    "reopened": "lock_open",
    "amount": "payments",
    "owner": "person",
    "expected_close": "event",
    "credit": "group",
}
STATE_NAMES: dict[StageKind, str] = {
    StageKind.OPEN: N_("In progress"),
    StageKind.WON: N_("Won"),
    StageKind.LOST: N_("Lost"),
}
STATE_COLORS: dict[StageKind, Literal["blue", "green", "gray"]] = {
    StageKind.OPEN: "blue",
    StageKind.WON: "green",
    StageKind.LOST: "gray",
}


def fact_card(label: str, value: str, note: str = "", *, color: str = "gray") -> None:
    """Draw one fact in a card whose text wraps instead of being cut, however narrow the screen."""
    with st.container(border=True, gap="xxsmall", height="stretch"):
        st.caption(plain(label))
        st.markdown(f"##### {plain(value)}")
        if note:
            st.markdown(f":{color}[{plain(note)}]")


def draw_facts(facts: dict[str, str]) -> None:
    """Draw labels and values, one a line; empty values are left out."""
    lines = (plain(_("{label}: {value}", label=label, value=value)) for label, value in facts.items() if value)
    st.markdown("  \n".join(lines))


def stored_words(view: View, typed: dict[str, str]) -> dict[str, str]:
    """Return a customer's typed words as they are stored: one that is in use under another name is that one."""
    words, used = view.ask(word_list), view.ask(words_in_use)
    return {name: words.stored(text, used[name]) if name in used else text for name, text in typed.items()}


def number_in_address(name: str) -> int | None:
    """Return the record number that the address names, None where there is none that can be read."""
    return number(st.query_params.get(name, ""))


def customer_from_address(view: View) -> CustomerHit | None:
    """Return the customer that `?customer=` names; the run ends with a sentence where there is none."""
    chosen = number_in_address("customer")
    if chosen is None:
        return None
    return view.ask(customer_hit, customer_id=chosen)
