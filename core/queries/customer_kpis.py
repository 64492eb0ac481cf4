"""The customers' side of Overview. What the columns mean: docs/queries.md."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from core.access.actions import Action
from core.access.margin_sight import sees_margin
from core.analytics import customer_kpis as statements
from core.analytics.as_of import AsOf
from core.analytics.filters import NO_FILTERS, Filters
from core.analytics.lifetime import lifetime
from core.analytics.rates import rate
from core.gate import query
from core.queries.drill import tidy
from core.queries.overview import HUNDREDTHS
from core.queries.standpoint import looked_at

if TYPE_CHECKING:
    from core.analytics.facts import Facts
    from core.db.work import Work
    from core.domain.periods import Period


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def customer_kpis(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return one row: the customers of each kind, who bought again, and what a buying customer booked."""
    facts, asked = asked_of(work, period, filters, as_of)
    found = work.mirror.rows(statements.totals(facts, asked))[0]
    booked = found.booked / HUNDREDTHS
    counts = {kind: getattr(found, kind) for kind in statements.KINDS}
    return pd.DataFrame([{
        **counts, "booked": booked, "repeat_rate": rate(found.repeat, found.buyers),
        "booked_a_customer": rate(booked, found.buyers), "until": asked.until,
    }])  # fmt: skip


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def rfm_segments(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return the customers of the last two years by recency, frequency and money, a row per segment, best first."""
    facts, asked = asked_of(work, period, filters, as_of)
    found = {row.rfm: row for row in work.mirror.rows(statements.segments(facts, asked))}
    rows = [
        (name, row.customers, row.value / HUNDREDTHS, float(row.recency))
        for name in statements.SEGMENTS
        if (row := found.get(name))
    ]
    return pd.DataFrame(rows, columns=["segment", "customers", "value", "recency_days"])


@query(Action.OVERVIEW_VIEW, mirrored=True, askable=True)
def customer_lifetime_value(
    work: Work, *, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return one row: what a customer is worth over the years, and what that figure is made of.

    In margin for whoever may see margins alone.
    """
    facts, asked = asked_of(work, period, filters, as_of)
    found = work.mirror.rows(statements.lifetime_parts(facts, asked))[0]
    discount = int(work.setting("yearly_discount")) / 100
    seen = sees_margin(work.actor, work.setting("margin_sight"))
    made = lifetime(found, discount, with_margin=seen)._asdict()
    counts = {name: getattr(found, name) for name in ("active", "held", "kept")}
    return pd.DataFrame([{**made, **counts, "discount": discount, "until": asked.until}])


@query(Action.DEAL_VIEW, mirrored=True, askable=True)
def customers_behind(
    work: Work, *, kind: str, period: Period, filters: Filters = NO_FILTERS, as_of: AsOf | None = None
) -> pd.DataFrame:  # fmt: skip
    """Return exactly the customers that a number counted; `kind`: one of `KINDS`, or `rfm:<segment>`."""
    known = (*statements.KINDS, *(f"rfm:{name}" for name in statements.SEGMENTS))
    if kind not in known:
        raise ValueError(f"no customers are called {kind}")
    facts, asked = asked_of(work, period, filters, as_of)
    frame = work.mirror.frame(statements.rows(facts, asked, kind))
    scored = ("monetary",) if kind.startswith("rfm:") else ()
    return tidy(frame, money=("value", "period_value", *scored), days=("first_on", "last_on"))


def asked_of(
    work: Work, period: Period, filters: Filters, as_of: AsOf | None
) -> tuple[Facts, statements.Asked]:  # fmt: skip
    """Return the facts at the end of the day, and what of the customers is asked of them."""
    facts, today = looked_at(work, as_of)
    tomorrow = today if as_of else today + timedelta(days=1)
    until = max(period.start, min(period.end, tomorrow))
    return facts, statements.Asked(period, until, filters, today)
