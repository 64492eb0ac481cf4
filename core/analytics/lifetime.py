"""What a customer is worth over the years. Source: docs/methods/clv.md."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING, Final, NamedTuple

from core.analytics.rates import Interval, rate, wilson

if TYPE_CHECKING:
    from typing import Any

LEAST_CUSTOMERS: Final = 20
"""Customers active a year ago below whom nothing is said of who stays."""

LEAST_KNOWN: Final = 0.5
"""Share of the year's booked value whose costs must be known for a figure in margin."""


class Lifetime(NamedTuple):
    """A customer's lifetime value with what it is made of; NaN where there is no such number.

    `yearly` is booked in the year by an active customer; `low` and `high` go by the ends of retention's interval;
    `margin_rate` of the deals whose costs are known, `margin_of` the share of the year's booked value that they are.
    """

    value: float
    low: float
    high: float
    yearly: float
    retention: float
    retention_low: float
    retention_high: float
    margin: float
    margin_rate: float
    margin_of: float


def lifetime_value(yearly: float, retention: float, discount: float) -> float:
    """Return what a customer brings who brings `yearly` now and each year stays with the chance `retention`.

    Gupta and Lehmann (docs/methods/clv.md, eq. 1); `discount` is a year's and above zero.
    """
    return yearly * (1 + discount) / (1 + discount - retention)


def lifetime(row: Any, discount: float, *, with_margin: bool) -> Lifetime:
    """Return the figure from `customer_kpis.lifetime_parts`: its money in hundredths, the answer's in units."""
    yearly = rate(row.year_value / 100, row.active)
    enough = row.held >= LEAST_CUSTOMERS
    retention = rate(row.kept, row.held) if enough else nan
    ends = wilson(row.kept, row.held) if enough else Interval(nan, nan)
    value, low, high = (lifetime_value(yearly, share, discount) for share in (retention, *ends))
    margin_of = rate(row.known_value, row.year_value) if with_margin else nan
    margin_rate = rate(row.known_value - row.cost, row.known_value) if margin_of >= LEAST_KNOWN else nan
    return Lifetime(
        value, low, high, yearly, retention, ends.low, ends.high, value * margin_rate, margin_rate, margin_of
    )  # fmt: skip
