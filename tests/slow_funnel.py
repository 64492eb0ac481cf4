"""The funnel by plain Python over lists of events: slow, and independent of the mirror and of its SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlmodel import select

from core.access.actors import SYSTEM
from core.model import Deal, Stage, StageMove
from tests.factories import NOW

if TYPE_CHECKING:
    from core.domain.periods import Period
    from tests.factories import Company

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = timedelta(days=1)


def day_of(instant: datetime) -> date:
    return instant.astimezone(SHANGHAI).date()


@dataclass
class Life:
    """One deal: what it is, and every move as (stage, instant), in order."""

    id: int
    amount: float
    state: str
    opened_at: datetime
    closed_at: datetime | None
    reason: int | None
    credit: int
    competitor: str
    moves: list[tuple[int, datetime]]


class SlowFunnel:
    """Everything that Funnel says, from the raw moves."""

    def __init__(self, company: Company, today: date) -> None:
        self.today = today
        with company.database.reading(SYSTEM, now=NOW) as work:
            stages = sorted(
                work.session.exec(select(Stage)),
                key=lambda s: (["open", "won", "lost"].index(str(s.kind)), s.position, s.id),
            )
            self.position = {stage.id: place for place, stage in enumerate(stages, start=1)}
            self.kind = {stage.id: str(stage.kind) for stage in stages}
            moves: dict[int, list[StageMove]] = {}
            for move in work.session.exec(select(StageMove)):
                moves.setdefault(move.deal_id, []).append(move)
            self.lives = [
                Life(
                    deal.id, float(deal.base_amount), str(deal.state), deal.opened_at, deal.closed_at,
                    deal.lost_reason_id, deal.credited_id or deal.owner_id, deal.competitor,
                    [(m.to_stage_id, m.effective_at)
                     for m in sorted(moves[deal.id], key=lambda m: (m.effective_at, m.id))],
                )
                for deal in work.session.exec(select(Deal))
            ]  # fmt: skip
        self.open_stages = [stage.id for stage in stages if str(stage.kind) == "open"]
        self.won_stage = next(stage.id for stage in stages if str(stage.kind) == "won")

    def furthest(self, life: Life, *, until: datetime | None = None) -> int:
        """Return the highest position by an instant, lost apart, at least 1."""
        reached = [
            self.position[stage]
            for stage, at in life.moves
            if self.kind[stage] != "lost" and (until is None or at <= until)
        ]
        return max([1, *reached])

    def state(self, life: Life, until: datetime) -> str:
        """Return what a deal was at an instant."""
        return next((self.kind[stage] for stage, at in reversed(life.moves) if at <= until), "open")

    def cohort(self, period: Period) -> list[Life]:
        return [life for life in self.lives if day_of(life.opened_at) in period]

    def funnel(self, period: Period, days: int) -> dict[int, tuple[set[int], set[int], set[int]]]:
        """Return for each stage who reached it, is still open there and was lost there."""
        found: dict[int, tuple[set[int], set[int], set[int]]] = {
            stage: (set(), set(), set()) for stage in (*self.open_stages, self.won_stage)
        }
        for life in self.cohort(period):
            furthest, state = self.furthest(life), life.state
            if days:
                if not day_of(life.opened_at) < self.today - days * DAY:
                    continue
                end = life.opened_at + days * DAY
                furthest, state = self.furthest(life, until=end), self.state(life, end)
            for stage, (reached, still, lost) in found.items():
                if self.position[stage] <= furthest:
                    reached.add(life.id)
                if self.position[stage] == furthest:
                    {"open": still, "lost": lost}.get(state, set()).add(life.id)
        return found

    def step(self, stage: int, period: Period, days: int) -> tuple[set[int], set[int]]:
        """Return who arrived at a stage in the period and was followed, and who of them went on in time."""
        entered, went_on = set(), set()
        place = self.position[stage]
        for life in self.lives:
            arrived = beyond = None
            for to, at in life.moves:
                reached = 1 if self.kind[to] == "lost" else self.position[to]
                if arrived is None and reached >= place:
                    arrived = at
                if beyond is None and reached > place:
                    beyond = at
            if arrived is None or day_of(arrived) not in period or not day_of(arrived) < self.today - days * DAY:
                continue
            entered.add(life.id)
            if beyond is not None and beyond <= arrived + days * DAY:
                went_on.add(life.id)
        return entered, went_on

    def links(self, period: Period) -> dict[tuple[int, int], list[int]]:
        """Return the deals of every move from one stage (0 for none) to another, once a move."""
        found: dict[tuple[int, int], list[int]] = {}
        for life in self.lives:
            before = 0
            for stage, at in life.moves:
                if day_of(at) in period and stage != before:
                    found.setdefault((before, stage), []).append(life.id)
                before = stage
        return found

    def kind_of(self, origin: int, to: int) -> str:
        """Return what a move is called."""
        if not origin:
            return "entered"
        if self.kind[to] in ("lost", "won"):
            return self.kind[to]
        if self.kind[origin] != "open":
            return "reopened"
        steps = self.position[to] - self.position[origin]
        return "back" if steps < 0 else "forward" if steps == 1 else "skipped"

    def stays(self, period: Period, until: datetime) -> dict[int, list[tuple[int, bool]]]:
        """Return the stays in each open stage as (hours to the nearest, whether it ended)."""
        found: dict[int, list[tuple[int, bool]]] = {}
        for life in self.cohort(period):
            ends = [at for _stage, at in life.moves[1:]] + [None]
            for (stage, at), left in zip(life.moves, ends, strict=True):
                if self.kind[stage] != "open":
                    continue
                lasted = max(timedelta(0), (left or until) - at)
                hours = int(lasted.total_seconds() / 3600 + 0.5)
                found.setdefault(stage, []).append((hours, left is not None))
        return found

    def rotting(self) -> dict[int, set[int]]:
        """Return the deals that are open in a stage for longer than nine in ten of the won ones were."""
        limits: dict[int, float] = {}
        for stage in self.open_stages:
            lasted = sorted(
                (left - at).total_seconds() / 86_400
                for life in self.lives
                if life.state == "won"
                for (here, at), (_next, left) in zip(life.moves, life.moves[1:], strict=False)
                if here == stage
            )
            if len(lasted) >= 10:
                place = 0.9 * (len(lasted) - 1)
                low = int(place)
                high = min(low + 1, len(lasted) - 1)
                limits[stage] = lasted[low] + (place - low) * (lasted[high] - lasted[low])
        found: dict[int, set[int]] = {}
        for life in self.lives:
            stage, since = life.moves[-1]
            if life.state == "open" and stage in limits and (self.today - day_of(since)).days > limits[stage]:
                found.setdefault(stage, set()).add(life.id)
        return found


def product_limit(stays: list[tuple[int, bool]], share: Fraction) -> int | None:
    """Return the first hour by which `share` ended, by the definition; None where it is not reached."""
    left = Fraction(1)
    for hour in sorted({hours for hours, ended in stays if ended}):
        at_risk = sum(hours >= hour for hours, _ended in stays)
        ended = sum(hours == hour and over for hours, over in stays)
        left *= 1 - Fraction(ended, at_risk)
        if left <= 1 - share:
            return hour
    return None
