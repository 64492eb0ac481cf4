"""Which deals a number counts, and what of them it sums: said once, for the numbers and for their drill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from core.analytics import stage_measures
from core.analytics.as_of import AsOf
from core.analytics.credited import CREDITED
from core.analytics.dimensions import DIMENSIONS, Dimension, has_key
from core.analytics.filters import NO_FILTERS, Filters, deal_conditions, number, strings
from core.analytics.pipeline_health import TOPS
from core.analytics.waterfall import KINDS
from core.domain.periods import Period

if TYPE_CHECKING:
    from core.analytics.facts import Facts

IN_PERIOD: Final = frozenset({"booked", "won", "lost", "decided", "closing", "created", "pushed", "margin"}) | {
    *CREDITED
}
AT_STAGE_IN_PERIOD: Final = frozenset({"reached", "still_open_at", "lost_at"})
NOW: Final = frozenset({"open", "weighted", "overdue", "idle", "slow"})
STAGED: Final = frozenset({"weighted", "overdue"})
"""What a stage may follow: `weighted:5`."""
_WITHOUT_PAST: Final = frozenset({"idle", "slow"})
PAST: Final = frozenset({"open", "weighted", "overdue", "closing", "booked", "won", "lost", "decided"})
"""What can be asked as of a past day too, beside a stage and the bars of a comparison (`change:won`)."""


@dataclass(frozen=True)
class Selection:
    """The deals behind a number. `measure` may name a stage and a reason: `lost_at:5:2`.

    `others` turns `by` and `key` round: the deals that have another key.
    """

    measure: str
    period: Period | None = None
    filters: Filters = NO_FILTERS
    by: Dimension | None = None
    key: str | None = None
    others: bool = False
    as_of: AsOf | None = None
    since: date | None = None

    @property
    def kind(self) -> str:
        """The measure without its stage."""
        return self.measure.split(":")[0]

    @property
    def is_of_states(self) -> bool:
        """Whether the deals are looked up in the states of a past day, not in the facts as of that day."""
        kind, *numbers = self.measure.split(":")
        return self.as_of is not None and self.by is None and self._has_past(kind, numbers)

    @property
    def is_known(self) -> bool:
        """Whether the measure exists and has what it needs."""
        if self.is_of_states:
            return True
        kind, *numbers = self.measure.split(":")
        if self.as_of is not None and (kind in _WITHOUT_PAST or self.since is not None):
            return False
        if not all(number(text) is not None for text in numbers):
            return False
        taken = stage_measures.numbers_of(kind)
        if taken is not None:
            timed = kind in stage_measures.NOW or self.period is not None
            return timed and len(numbers) == taken and (self.by is None) == (self.key is None)
        needed = {0}
        if kind == "stage":
            needed = {1}
        elif kind in AT_STAGE_IN_PERIOD:
            needed = {1, 2} if kind == "lost_at" else {1}
        elif kind in STAGED:
            needed = {0, 1}
        known = kind in IN_PERIOD | AT_STAGE_IN_PERIOD | NOW or kind == "stage"
        timed = kind in NOW or kind == "stage" or self.period is not None
        return known and timed and len(numbers) in needed and (self.by is None) == (self.key is None)

    def _has_past(self, kind: str, rest: list[str]) -> bool:
        if kind == "change":
            return self.since is not None and len(rest) == 1 and rest[0] in KINDS
        if kind in ("stage", "aged") or (kind in STAGED and rest):
            return len(rest) == 1 and number(rest[0]) is not None
        if kind == "stood":
            return len(rest) == 1 and number(rest[0]) is not None and self.period is not None
        if kind == "top":
            return len(rest) == 1 and rest[0] in TOPS
        return kind in PAST and not rest and (kind in NOW or self.period is not None)

    def to_params(self) -> dict[str, list[str]]:
        """Return what stands in a page's address."""
        found = {"measure": [self.measure], **self.filters.to_params()}
        if self.period is not None:
            found |= {"from": [self.period.start.isoformat()], "to": [self.period.end.isoformat()]}
        if self.as_of is not None:
            found |= self.as_of.to_params()
        if self.since is not None:
            found["since"] = [self.since.isoformat()]
        if self.by is not None and self.key is not None:
            found |= {"by": [self.by], "key": [self.key]}
            if self.others:
                found["others"] = ["1"]
        return found

    @classmethod
    def from_params(cls, params: Mapping[str, Sequence[str] | str]) -> Self | None:
        """Return the selection that an address names, None where it names none."""
        first = {name: (strings(params, name) or [""])[0] for name in ("measure", "from", "to", "by", "key")}
        by = first["by"] if first["by"] in DIMENSIONS and first["key"] else None
        found = cls(
            measure=first["measure"],
            period=_period(first["from"], first["to"]),
            filters=Filters.from_params(params),
            by=by,
            key=first["key"] if by else None,
            others=bool(by) and "1" in strings(params, "others"),
            as_of=AsOf.from_params(params),
            since=_day((strings(params, "since") or [""])[0]),
        )
        return found if found.is_known else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _period(start: str, end: str) -> Period | None:
    try:
        return Period(date.fromisoformat(start), date.fromisoformat(end))
    except ValueError:
        return None


def inside(column: ColumnElement[date], period: Period) -> ColumnElement[bool]:
    """Return the condition that a day lies in the period."""
    return and_(column >= period.start, column < period.end)


def is_counted(
    facts: Facts, measure: str, *, period: Period | None, today: date, idle_days: int = 14
) -> ColumnElement[bool]:
    """Return the condition under which a deal of `facts.deals` counts in `measure`; ValueError for none."""
    deals = facts.deals.c
    kind, *numbers = measure.split(":")
    if stage_measures.numbers_of(kind) is not None:
        return stage_measures.condition(facts, kind, [int(n) for n in numbers], period=period, today=today)
    if kind in NOW or kind == "stage":
        return and_(facts.stands("open"), *_now(facts, kind, numbers, today=today, idle_days=idle_days))
    if period is None:
        raise ValueError(f"{measure} needs a period")
    match kind:
        case "booked" | "won" | "lost" | "decided" | "pushed" | "margin":
            return and_(_closed(facts, kind), inside(deals.closed_on, period))
        case "closing":
            return and_(facts.stands("open"), inside(deals.expected_close_on, period))
        case "created":
            return inside(deals.opened_on, period)
        case "reached" | "still_open_at" | "lost_at":
            return and_(inside(deals.opened_on, period), *_at_stage(facts, kind, [int(n) for n in numbers]))
    raise ValueError(f"no measure is called {measure}")


def _closed(facts: Facts, kind: str) -> ColumnElement[bool]:
    deals, changes = facts.deals.c, facts.changes.c
    match kind:
        case "decided":
            return facts.stands("decided")
        case "margin":
            return and_(facts.stands("won"), deals.cost.is_not(None))
        case "pushed":
            pushed = select(changes.deal_id).where(changes.field == "expected_close", pushes(changes))
            return and_(facts.stands("decided"), deals.id.in_(pushed))
    return facts.stands("lost" if kind == "lost" else "won")


def pushes(changes: Any) -> ColumnElement[bool]:
    """Return whether a change of the expected close put it off; days are ISO texts."""
    put_off: ColumnElement[bool] = changes.after > changes.before
    return put_off


def _now(facts: Facts, kind: str, numbers: list[str], *, today: date, idle_days: int) -> list[ColumnElement[bool]]:
    deals = facts.deals.c
    here = [deals.stage_id == int(n) for n in numbers]
    match kind:
        case "overdue":
            return [*here, deals.expected_close_on < today]
        case "idle":
            return [is_idle(facts, today=today, idle_days=idle_days)]
        case "slow":
            return [is_slow(facts, today=today)]
    return here


def is_idle(facts: Facts, *, today: date, idle_days: int) -> ColumnElement[bool]:
    """Return whether nobody met the customer for more than `idle_days` days, from the opening on."""
    deals, since = facts.deals.c, today - timedelta(days=idle_days)
    return and_(deals.opened_on < since, or_(deals.last_activity_on.is_(None), deals.last_activity_on < since))


def is_slow(facts: Facts, *, today: date) -> ColumnElement[bool]:
    """Return whether the deal has been in its stage for more days than the process expects."""
    deals = facts.deals.c
    return and_(deals.expected_days > 0, today - deals.stage_entered_on > deals.expected_days)


def _at_stage(facts: Facts, kind: str, numbers: list[int]) -> list[ColumnElement[bool]]:
    deals, stages = facts.deals.c, facts.stages.c
    stage = numbers[0]
    position = select(stages.position).where(stages.id == stage).scalar_subquery()
    pipeline = select(stages.pipeline_id).where(stages.id == stage).scalar_subquery()
    found = [deals.pipeline_id == pipeline]
    if kind == "reached":
        return [*found, deals.furthest >= position]
    found += [deals.furthest == position, deals.state == ("lost" if kind == "lost_at" else "open")]
    if len(numbers) > 1:
        found.append(deals.lost_reason_id == numbers[1])
    return found


def summed(facts: Facts, measure: str) -> ColumnElement[int]:
    """Return what `measure` sums of a deal, in hundredths."""
    deals = facts.deals.c
    match measure.split(":", maxsplit=1)[0]:
        case "weighted":
            return case((deals.state == "open", deals.weighted), else_=0)
        case "margin":
            margin: ColumnElement[int] = deals.amount - deals.cost
            return margin
    return deals.amount


def selected(facts: Facts, selection: Selection, *, today: date, idle_days: int = 14) -> list[ColumnElement[bool]]:
    """Return the conditions that a deal behind `selection` meets."""
    found = deal_conditions(facts, selection.filters)
    found.append(is_counted(facts, selection.measure, period=selection.period, today=today, idle_days=idle_days))
    if selection.by is not None:
        has = has_key(facts, selection.by, selection.key or "")
        found.append(~func.coalesce(has, False) if selection.others else has)
    return found
