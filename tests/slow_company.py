"""A company's rows as plain lists, and the slow answers that boards and overviews are held to."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.domain.periods import Period, add_months
from core.model import Activity, Customer, Deal, DealChange, DealLine, Quota, Rep, RepLeave, Stage
from tests.conftest import SHANGHAI, actor
from tests.factories import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from tests.factories import Company

TODAY = NOW.date()
DAY = timedelta(days=1)


class SlowCompany:
    """The rows of a company as lists, money in cents and instants as the company's days."""

    def __init__(self, company: Company) -> None:
        self.company = company
        with company.database.reading(SYSTEM, now=NOW) as work:
            self.chance = {row.id: Fraction(str(row.probability)) for row in work.session.exec(select(Stage))}
            every = {kind: list(work.session.exec(select(kind)))
                     for kind in (Deal, Rep, RepLeave, Quota, Activity, DealChange, DealLine, Customer)}  # fmt: skip
        self.deals: list[Deal] = every[Deal]
        self.reps: dict[int, Rep] = {rep.id: rep for rep in every[Rep]}
        self.quotas, self.activities, self.customers = every[Quota], every[Activity], every[Customer]
        self.away: dict[int, set[date]] = defaultdict(set)
        for leave in every[RepLeave]:
            days = (leave.until_on - leave.from_on).days + 1
            self.away[leave.rep_id] |= {leave.from_on + n * DAY for n in range(days)}
        self.changes: dict[tuple[int, str], list[DealChange]] = defaultdict(list)
        for change in sorted(every[DealChange], key=lambda row: row.id):
            if change.before is not None:
                self.changes[change.deal_id, str(change.field)].append(change)
        self.lines: dict[int, list[DealLine]] = defaultdict(list)
        for line in every[DealLine]:
            self.lines[line.deal_id].append(line)

    def __call__(self, query: Any, who: str = "leader", **values: Any) -> Any:
        """Ask the program itself."""
        return gate.answer(self.company.database, actor(self.company, who), query, NOW, **values)

    def decided(self, period: Period, kinds: Sequence[str] = ("won", "lost")) -> list[Deal]:
        """Return the deals closed in a period so far."""
        return [d for d in self.deals if str(d.state) in kinds and closed_on(d) in period and closed_on(d) <= TODAY]

    def of(self, rep: int, deals: Sequence[Deal]) -> list[Deal]:
        """Return those of somebody."""
        return [deal for deal in deals if credit(deal) == rep]

    def worked(self, rep: int, period: Period, *, with_leave: bool = True) -> int:
        """Days of the period on which somebody was there, day by day."""
        row = self.reps[rep]
        days = [period.start + n * DAY for n in range(period.days)]
        return sum(
            (row.joined_on is None or row.joined_on <= day) and (row.left_on is None or day <= row.left_on)
            and not (with_leave and day in self.away[rep])
            for day in days
        )  # fmt: skip

    def owed(self, rep: int, period: Period) -> tuple[int, int]:
        """Each month's quota by the share of its days that the period holds, as (whole, by days worked) in cents."""
        whole = by_days = 0
        for row in self.quotas:
            following = add_months(row.month, 1)
            if row.rep_id == rep and row.month < period.end and following > period.start:
                inside = Period(max(row.month, period.start), min(following, period.end))
                a_day = Fraction(cents(row.amount), (following - row.month).days)
                whole += halves_up(a_day * inside.days)
                by_days += round(a_day * self.worked(rep, inside))
        return whole, by_days


def cents(amount: Decimal) -> int:
    return int(amount * 100)


def halves_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


def closed_on(deal: Deal) -> date:
    return deal.closed_at.astimezone(SHANGHAI).date()


def credit(deal: Deal) -> int:
    return deal.credited_id if str(deal.state) == "won" and deal.credited_id else deal.owner_id


def main_product(company: SlowCompany, deal: Deal) -> int | None:
    """Return the product of the line with the largest amount, the first of equals."""
    lines = sorted(company.lines[deal.id], key=lambda line: (-line.amount, line.id))
    return lines[0].product_id if lines else None
