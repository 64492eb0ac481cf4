"""The awards of the months that are over, given by themselves: at the start of the program and once an hour after."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, cast

from sqlmodel import func, select

from core import gate
from core.access.actors import SYSTEM
from core.domain.periods import add_months, day_of
from core.errors import AnalyticsAway
from core.model import Award
from core.services.contests import give_awards

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from threading import Event

    from core.db.work import Database

MOST_MONTHS = 12
"""How many missed months are made up for at once."""

HOUR = 3_600.0
MINUTE = 60.0


def give_due_awards(database: Database, *, now: datetime) -> int:
    """Give the awards of every month that ended since the newest one given; return how many are new.

    Where none was ever given, of the last month alone. Running it twice is harmless. The mirror, which may have to be
    built, is made ready before anything is written: nobody can save while a transaction writes.
    """
    database.mirror.refresh()
    this_month = day_of(now, database.zone).replace(day=1)
    last = add_months(this_month, -1)
    with database.reading(SYSTEM, now=now) as work:
        newest: date | None = work.session.exec(
            select(func.max(Award.start_on)).where(cast("Any", Award.contest_id).is_(None))
        ).one()
    first = last if newest is None else max(min(newest.replace(day=1), last), add_months(last, 1 - MOST_MONTHS))
    given, month = 0, first
    while month <= last:
        given += gate.perform(database, SYSTEM, give_awards, now, month=month)
        month = add_months(month, 1)
    return given


def keep_giving(database: Database, *, stopping: Event, now: Callable[[], datetime]) -> None:
    """Give what is due now and once an hour, until the program stops; without its numbers it tries each minute."""
    while not stopping.is_set():
        pause = HOUR
        try:
            give_due_awards(database, now=now())
        except AnalyticsAway:
            pause = MINUTE
        stopping.wait(pause)
