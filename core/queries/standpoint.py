"""From where a question looks at the facts: now, or the end of a past day."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.analytics.credited import any_share
from core.analytics.past_facts import Standpoint, standpoint
from core.domain.periods import day_start

if TYPE_CHECKING:
    from core.analytics.as_of import AsOf
    from core.analytics.facts import Facts
    from core.db.work import Work


def looked_at(work: Work, as_of: AsOf | None, facts: Facts | None = None) -> Standpoint:
    """Return the facts of the actor's scope (or those given) at the end of a day, and the day that is today there."""
    until = None if as_of is None else day_start(as_of.on + timedelta(days=1), work.zone)
    return standpoint(facts or work.mirror.facts, as_of, today=work.today, until=until)


def splits_count(work: Work, *, wanted: bool) -> bool:
    """Say whether credit is to be spread: wanted, and there is a split deal; to spread none costs as much."""
    return wanted and work.mirror.value(any_share()) is not None
