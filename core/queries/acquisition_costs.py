"""What winning customers cost, as entered, and per customer won. What the columns mean: docs/queries.md."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from sqlmodel import col, select

from core.access.actions import Action
from core.analytics import acquisition
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.rates import rate
from core.domain.names import named
from core.domain.periods import Period
from core.gate import query
from core.i18n import N_, _
from core.model import AcquisitionCost, Channel
from core.model.costs import NO_CHANNEL
from core.queries.customer_kpis import asked_of
from core.queries.drill import tidy
from core.queries.month_amounts import AmountGrid, GridRow, amount_grid, stored_around
from core.queries.overview import HUNDREDTHS

if TYPE_CHECKING:
    from core.analytics.as_of import AsOf
    from core.db.work import Work

OF_NO_CHANNEL = N_("Of no channel")
COLUMNS: Final = ("key", "name", "costs", "customers", "cac", "months", "months_with", "until")


@query(Action.ACQUISITION_COST_EDIT, askable=True)
def acquisition_cost_grid(work: Work, *, year: int) -> AmountGrid:
    """Return the costs of a fiscal year by channel, and last year's, a year on.

    The last row, `NO_CHANNEL`, is of what belongs to no channel. Retired channels stand in the grid only where they
    have a cost there.
    """
    period = work.calendar.year(year)
    stored = work.session.exec(select(AcquisitionCost).where(*stored_around(AcquisitionCost, period)))

    def rows(known: set[int]) -> list[GridRow]:
        channels = [one for one in work.session.exec(select(Channel)) if one.active or one.id in known]
        lines = [GridRow(one.id, named(one)) for one in sorted(channels, key=lambda one: one.id)]
        return [*lines, GridRow(NO_CHANNEL, _(OF_NO_CHANNEL))]

    return amount_grid(period, ((row.channel_id or NO_CHANNEL, row) for row in stored), rows)


@query(Action.ACQUISITION_COST_VIEW, mirrored=True, askable=True)
def acquisition_cost(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return what was spent in the period, whom it won and what each cost: for all (`key` "all") and by channel.

    No row where filters other than by channel narrow, since costs know only channels.
    """
    if not _is_of_costs(filters):
        return pd.DataFrame([], columns=list(COLUMNS))
    facts, asked = asked_of(work, period, filters, as_of)
    days = Period(period.start, asked.until)
    won = {row.channel_id: row.customers for row in work.mirror.rows(acquisition.won_by_channel(facts, asked))}
    costs: dict[int | None, list[AcquisitionCost]] = {}
    for row in _entered(work, days, filters):
        costs.setdefault(row.channel_id, []).append(row)
    names = {one.id: named(one) for one in work.session.exec(select(Channel))}
    found = [
        _line(str(number), names[number], costs.get(number, []), won.get(number, 0), days)
        for number in names
        if number in costs or number in won
    ]
    found.sort(key=lambda line: (-line["costs"], -line["customers"], line["key"]))
    none = _line("none", _(OF_NO_CHANNEL), costs.get(None, []), won.get(None, 0), days) | {"cac": nan}
    if None in costs or None in won:
        found.append(none)
    whole = _line("all", "", [row for rows in costs.values() for row in rows], sum(won.values()), days)
    return pd.DataFrame([whole, *found], columns=list(COLUMNS))


@query(Action.ACQUISITION_COST_VIEW, mirrored=True, askable=True)
def acquired_customers(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return exactly the new customers that `acquisition_cost` counts, with the channel of their first won deal."""
    if not _is_of_costs(filters):
        return pd.DataFrame([], columns=["customer_id", "name", "first_on", "channel", "value", "key"])
    frame = work.mirror.frame(acquisition.won_customers(*asked_of(work, period, filters, as_of)))
    keys = [
        "none" if isna else str(int(number))
        for number, isna in zip(frame["channel_id"], frame["channel_id"].isna(), strict=True)
    ]
    frame = frame.drop(columns="channel_id").assign(key=pd.Series(keys, index=frame.index, dtype=object))
    return tidy(frame, money=("value",), days=("first_on",))


def _is_of_costs(filters: Filters) -> bool:
    return replace(filters, channel_ids=()) == NO_FILTERS


def _entered(work: Work, days: Period, filters: Filters) -> list[AcquisitionCost]:
    statement = select(AcquisitionCost).where(
        AcquisitionCost.month >= days.start.replace(day=1), AcquisitionCost.month < days.end
    )
    if filters.channel_ids:
        statement = statement.where(col(AcquisitionCost.channel_id).in_(filters.channel_ids))
    return list(work.session.exec(statement))


def _line(key: str, name: str, rows: list[AcquisitionCost], customers: int, days: Period) -> dict[str, Any]:
    costs = sum(acquisition.falling(row.amount, row.month, days) for row in rows) / HUNDREDTHS
    return {
        "key": key, "name": name, "costs": costs, "customers": customers,
        "cac": rate(costs, customers) if rows else nan,
        "months": len(days.months()), "months_with": len({row.month for row in rows}), "until": days.end,
    }  # fmt: skip
