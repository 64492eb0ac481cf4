"""What was decided in some periods and what is open, in one row.

Deals that count alike are added up together first, and the row is made of those few sums: a sum with a condition of
its own for each figure would look at every deal a score of times.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, and_, case, cast, func, literal_column, select, true

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, FromClause, Subquery

    from core.analytics.facts import Statement
    from core.domain.periods import Period


def sum_of(column: ColumnElement[int], condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Return the sum over the rows that meet the condition, 0 where none does."""
    return func.coalesce(cast(func.sum(column).filter(condition), BigInteger), 0)


@dataclass(frozen=True)
class Counted:
    """Deals to be counted: those of `source` that meet `where`, by columns of it.

    value, weighted: hundredths; overdue, closing: of what is open alone; won: the deals that were won in any of the
    periods, with their closed_on and cycle_days; None where nobody asks how long those took.
    """

    source: FromClause
    where: tuple[ColumnElement[bool], ...]
    is_open: ColumnElement[bool]
    is_won: ColumnElement[bool]
    closed_on: ColumnElement[Any]
    value: ColumnElement[int]
    weighted: ColumnElement[int]
    overdue: ColumnElement[bool]
    closing: ColumnElement[bool]
    won: Subquery | None

    def row(self, periods: Mapping[str, Period]) -> Statement:
        """Return open_count, pipeline, weighted_pipeline, overdue_count, overdue_value and closing_value of all.

        And of each of `periods`, by what is put behind the name: booked, lost_value, won_count, lost_count, cycle_days.
        """
        alike = self._alike(periods).c
        figures = [
            sum_of(alike.deals, alike.is_open).label("open_count"),
            sum_of(alike.value, alike.is_open).label("pipeline"),
            sum_of(alike.weighted, alike.is_open).label("weighted_pipeline"),
            sum_of(alike.deals, alike.overdue).label("overdue_count"),
            sum_of(alike.value, alike.overdue).label("overdue_value"),
            sum_of(alike.value, alike.closing).label("closing_value"),
        ]
        for name in periods:
            within = alike[f"within{name}"]
            won, lost = and_(within, alike.is_won), and_(within, ~alike.is_won)
            figures += [
                sum_of(alike.value, won).label(f"booked{name}"),
                sum_of(alike.value, lost).label(f"lost_value{name}"),
                sum_of(alike.deals, won).label(f"won_count{name}"),
                sum_of(alike.deals, lost).label(f"lost_count{name}"),
            ]
        if self.won is None:
            return select(*figures)
        cycles = [
            func.quantile_cont(self.won.c.cycle_days, literal_column("0.5"))
            .filter(_inside(self.won.c.closed_on, days))
            .label(f"cycle_days{name}")
            for name, days in periods.items()
        ]
        sums, middles = select(*figures).subquery("sums"), select(*cycles).subquery("middles")
        return select(*sums.c, *middles.c).select_from(sums.join(middles, true()))

    def _alike(self, periods: Mapping[str, Period]) -> Subquery:
        """Return the flags of deals that count alike, and their sums.

        Grouped by one small whole number, a bit for each flag, since DuckDB groups by that as fast as it reads.
        """
        flags = {
            "is_open": self.is_open, "is_won": self.is_won, "overdue": self.overdue, "closing": self.closing,
            **{f"within{name}": _inside(self.closed_on, days) for name, days in periods.items()},
        }  # fmt: skip
        bits = {name: literal_column(str(2**place), Integer) for place, name in enumerate(flags)}
        none = literal_column("0", Integer)
        number = reduce(add, (case((flag, bits[name]), else_=none) for name, flag in flags.items()))
        each = (
            select(number.label("number"), self.value.label("value"), self.weighted.label("weighted"))
            .select_from(self.source)
            .where(*self.where)
            .subquery("each")
            .c
        )
        sums = [cast(func.sum(each[name]), BigInteger).label(name) for name in ("value", "weighted")]
        found = select(each.number, func.count().label("deals"), *sums).group_by(each.number).subquery("numbered").c
        read = [
            (func.mod(func.divide(found.number, bit), literal_column("2")) == literal_column("1")).label(name)
            for name, bit in bits.items()
        ]
        return select(*read, found.deals, found.value, found.weighted).subquery("alike")


def _inside(day: ColumnElement[Any], period: Period) -> ColumnElement[bool]:
    return and_(day >= period.start, day < period.end)
