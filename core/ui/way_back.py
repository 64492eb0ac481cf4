"""The browser's Back and Forward on a page whose address holds its state.

Streamlit runs the page again at the earlier address, but leaves every widget as it was, so the page would write what
they say over that address at once. Here such a run is told from all others: same page, another address, no widget
touched. In it widgets follow the address, and the address stays as it is.
"""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from core.ui import session

FOLLOWING: Final = frozenset({
    "overview", "pipeline", "funnel", "leaderboard", "rep", "forecast", "all_series", "plan", "deals", "customers",
})  # fmt: skip
"""The pages whose widgets follow."""
_PAGE = "luopan_way_page"
_ADDRESS = "luopan_way_address"
_WIDGETS = "luopan_way_widgets"
_BACK = "luopan_way_back"
_COMING = "luopan_way_coming"
_TO_FOLLOW = "luopan_way_to_follow"
_LED = "luopan_way_led"
"""In the session: the page of the run before, its address when it ended, what its widgets said, the run that is a
way back, the run in which a reader came to the page or back to an earlier view of it, the widgets that have not
followed there yet, since another run may end a way back halfway, and whether `is_led_back` has yet to say so."""

Address = dict[str, list[str]]


def arrive(name: str) -> None:
    """Begin a run of page `name`: find out whether the reader came by the browser's Back or Forward."""
    kept: dict[str, Any] = st.session_state.setdefault(_WIDGETS, {})
    touched = {key for key, was in kept.items() if st.session_state.get(key, was) != was}
    stays = st.session_state.get(_PAGE) == name
    is_back = stays and name in FOLLOWING and not touched and st.session_state.get(_ADDRESS) != _address()
    st.session_state[_BACK] = session.this_run() if is_back else None
    if is_back or not stays:
        st.session_state[_COMING] = session.this_run()
        st.session_state[_TO_FOLLOW] = {*kept} if is_back else set()
        st.session_state[_LED] = is_back
    else:
        st.session_state[_TO_FOLLOW] = st.session_state.get(_TO_FOLLOW, set()) - touched
    st.session_state[_PAGE] = name
    st.session_state[_WIDGETS] = {key: st.session_state[key] for key in kept if key in st.session_state}
    keep_address()


def is_way_back() -> bool:
    """Say whether this run shows an earlier address of the same page."""
    run = st.session_state.get(_BACK)
    return run is not None and run is session.this_run()


def leave() -> None:
    """Forget the page that this tab showed: what comes keeps no state in its address."""
    st.session_state.pop(_PAGE, None)


def is_led_back() -> bool:
    """Say once of each way back, in the first run that gets so far, that the reader is led back."""
    return bool(st.session_state.pop(_LED, False))


def said(key: str, named: Any) -> Any:
    """Return what a widget's reader chose; `named`, which the address says, where they come to the page or back.

    So a choice is read off the widget, and no callback writes it into the address: where a look at the data's
    version sets out between a click and its own message, the callback is called in the look's run, and the click's
    comes with the address of before.
    """
    run = st.session_state.get(_COMING)
    is_coming = (run is not None and run is session.this_run()) or _has_to_follow(key)
    return named if is_coming else st.session_state.get(key, named)


def is_late() -> bool:
    """Say whether the browser, in a fragment's run, has not heard yet of the address that the page wrote last."""
    return st.session_state.get(_PAGE) in FOLLOWING and st.session_state.get(_ADDRESS) != _address()


def follow(key: str, value: Any) -> str:
    """Return the widget's key; on a way back the widget says `value`, which is what the address says."""
    kept: dict[str, Any] = st.session_state.setdefault(_WIDGETS, {})
    if (is_way_back() or _has_to_follow(key)) and st.session_state.get(key, value) != value:
        st.session_state[key] = value
    st.session_state.get(_TO_FOLLOW, set()).discard(key)
    kept[key] = st.session_state.get(key, value)
    return key


def _has_to_follow(key: str) -> bool:
    return key in st.session_state.get(_TO_FOLLOW, set())


def keep_address() -> None:
    """Remember the address as the page's own."""
    st.session_state[_ADDRESS] = _address()


def _address() -> Address:
    return {name: st.query_params.get_all(name) for name in st.query_params}
