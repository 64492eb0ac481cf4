"""Open pages follow what changes: within seconds, without a reload, and at next to no cost while nothing does."""

from __future__ import annotations

from threading import Event, Lock
from time import monotonic
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import AnalyticsAway
from core.ui import session
from core.ui.drill import reopen

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.ui.page import View

LOOKS_EVERY = 2.0
"""Seconds between two looks of an open page at the data's version."""

RUNS_A_SECOND = 1.0
"""Pages drawn anew because something changed, all readers together: who clicks comes first."""


class Pace:
    """Lets through so many a second, and a burst of as many; the others come with their next look."""

    def __init__(self, a_second: float) -> None:
        self.a_second = a_second
        self._left, self._seen, self._lock = a_second, monotonic(), Lock()

    def allows(self) -> bool:
        """Say whether one more may go now, and count it."""
        with self._lock:
            now = monotonic()
            self._left = min(self.a_second, self._left + (now - self._seen) * self.a_second)
            self._seen = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


_pace = Pace(RUNS_A_SECOND)


def follow(view: View) -> None:
    """Keep a drawn page up with the data, and open the list that its address names. The last line of a page.

    While a dialog lies open the page waits: nobody reads what moves, and nothing unread is closed. Closing it draws
    the page anew. The first look, which is a part of drawing, asks nothing: where somebody saves all the time, a page
    that was drawn anew whenever it was out of date at its end would never be finished.
    """
    reopen(view)
    if view.frozen is not None:
        return
    seen = _newest(view.version, None)
    drawn = Event()

    @session.fragment(run_every=LOOKS_EVERY)
    def look() -> None:
        if not drawn.is_set():
            drawn.set()
        elif (
            session.DIALOG_KEY not in st.session_state
            and _newest(view.database.mirror.refresh, seen) != seen
            and _pace.allows()
        ):
            st.rerun()

    look()


def _newest(look: Callable[[], int], seen: int | None) -> int | None:
    """Return the data's version; while the analytics server is away, the one that the page has."""
    try:
        return look()
    except AnalyticsAway:
        return seen
