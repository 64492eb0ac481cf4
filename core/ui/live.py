"""Open pages follow what changes: within seconds, without a reload, and at next to no cost while nothing does."""

from __future__ import annotations

from threading import Event, Lock
from time import monotonic, process_time
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import AnalyticsAway
from core.ui import session
from core.ui.drill import reopen
from core.ui.way_back import is_late

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.ui.page import View

LOOKS_EVERY = 1.0
"""Seconds between two looks of an open page at the data's version."""

LATE_LOOKS = 5
"""Looks in a row at another address than the page's after which the page is drawn at it. A first one comes of a browser
that has not heard yet of the page's newest address, and news that drew the page there would undo a choice."""

CROWD, CROWD_LOOKS_EVERY = 15, 2.0
"""From so many open pages on each looks half as often."""

SIGN_IN_EVERY = 10.0
"""Seconds after which a look asks whether the reader is still signed in."""

AT_REST, UNDER_LOAD = 8.0, 1.0
"""Pages drawn anew in a second because something changed, all readers together: who clicks comes first."""

_BUSY, _MEASURED = 0.6, 0.5
"""The share of one processor from which on the program is under load, measured over at least so many seconds."""


class Pace:
    """Lets through so many a second, and a burst of as many; the others come with their next look."""

    def __init__(self, at_rest: float, under_load: float) -> None:
        self.at_rest, self.under_load = at_rest, under_load
        self._a_second = self._left = at_rest
        self._seen = self._measured = monotonic()
        self._used, self._lock = process_time(), Lock()

    def allows(self) -> bool:
        """Say whether one more may go now, and count it."""
        with self._lock:
            now = monotonic()
            self._measure(now)
            self._left = min(self._a_second, self._left + (now - self._seen) * self._a_second)
            self._seen = now
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def _measure(self, now: float) -> None:
        past = now - self._measured
        if past >= _MEASURED:
            used = process_time()
            self._a_second = self.under_load if used - self._used > _BUSY * past else self.at_rest
            self._measured, self._used = now, used


class Crowd:
    """How many pages looked within the last seconds."""

    def __init__(self) -> None:
        self._looks: dict[object, float] = {}
        self._lock = Lock()

    def note(self, who: object) -> None:
        """Keep that `who` looks now."""
        with self._lock:
            self._looks[who] = monotonic()

    def size(self) -> int:
        """Return how many there are, and forget those who went."""
        with self._lock:
            lately = monotonic() - 2 * CROWD_LOOKS_EVERY
            self._looks = {who: at for who, at in self._looks.items() if at > lately}
            return len(self._looks)


_pace, _crowd = Pace(AT_REST, UNDER_LOAD), Crowd()


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
    drawn, who = Event(), object()
    checked = [monotonic()]
    late = [0]

    @session.glance(run_every=CROWD_LOOKS_EVERY if _crowd.size() >= CROWD else LOOKS_EVERY)
    def look() -> None:
        _crowd.note(who)
        if not drawn.is_set():
            drawn.set()
        elif session.DIALOG_KEY in st.session_state or not _is_heard(late):
            return
        elif _newest(view.database.mirror.refresh, seen) != seen:
            if _pace.allows():
                st.rerun()
        elif monotonic() - checked[0] > SIGN_IN_EVERY:
            checked[0] = monotonic()
            if not session.is_signed_in():
                st.rerun()

    look()


def _is_heard(late: list[int]) -> bool:
    """Say whether the browser has heard of the page's address; draw the page at the browser's where it never does."""
    late[0] = late[0] + 1 if is_late() else 0
    if late[0] >= LATE_LOOKS:
        st.rerun()
    return not late[0]


def _newest(look: Callable[[], int], seen: int | None) -> int | None:
    """Return the data's version; while the analytics server is away, the one that the page has."""
    try:
        return look()
    except AnalyticsAway:
        return seen
