"""What deals are worth: products, quantities, prices, discounts, currencies; all in whole hundredths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import SalesError
from core.i18n import N_
from data.demo.calendar import Calendar, number
from data.demo.histories import Histories
from data.demo.reference import FOREIGN, PRODUCTS, USUAL_RATES

Ints = NDArray[np.int64]

HOME = 0
SKUS = [(place, sku) for place, product in enumerate(PRODUCTS) for sku in range(len(product.skus))]
_SCALE = 10**8


class UnknownWorth(SalesError):
    """Prices are known in some currencies alone."""

    text = N_("The demo company knows no prices in {currency}. Choose one of these base currencies: {known}.")


@dataclass(frozen=True)
class Rates:
    """Rates of the currencies, in hundred-millionths of the base unit, from the day `days[i]` on.

    `currencies` begins with the base currency; `usual` is what each is worth in it about the middle of the history.
    """

    currencies: tuple[str, ...]
    usual: NDArray[np.float64]
    days: Ints
    rates: Ints

    def list_prices(self) -> Ints:
        """Return the list price of each of `SKUS` in hundredths of the base currency, in whole units."""
        yuan = np.array([PRODUCTS[product].skus[sku][2] for product, sku in SKUS])
        return np.maximum(np.rint(yuan / USUAL_RATES[self.currencies[HOME]]), 1).astype(np.int64) * 100

    def on(self, currency: Ints, days: Ints) -> Ints:
        """Return the last rate on or before each day; currency 0 is the base currency."""
        place = np.maximum(np.searchsorted(self.days, days, side="right") - 1, 0)
        return self.rates[currency, place]


@dataclass(frozen=True)
class Lines:
    """Lines sorted by deal; `percent` is the discount in hundredths; amounts in the deal's currency."""

    deal: Ints
    sku: Ints
    quantity: Ints
    price: Ints
    percent: Ints
    amount: Ints


@dataclass(frozen=True)
class Amounts:
    """Arrays over deals (first and last amount, base amount, currency), and over lines and changes."""

    currency: Ints
    first: Ints
    amount: Ints
    base: Ints
    lines: Lines
    change_before: Ints
    change_after: Ints


def make_rates(rng: np.random.Generator, calendar: Calendar, base: str = "CNY") -> Rates:
    """Return weekly rates that wander a little around what is usual. Raises UnknownWorth."""
    if base not in USUAL_RATES:
        raise UnknownWorth(currency=base, known=", ".join(USUAL_RATES))
    currencies = (base, *[code for code in FOREIGN if code != base][:2])
    usual = np.array([USUAL_RATES[code] / USUAL_RATES[base] for code in currencies])
    days = np.arange(calendar.first - calendar.true.earlier_days - 7, calendar.last + 1, 7, dtype=np.int64)
    rows = [np.full(len(days), _SCALE)]
    for worth in usual[1:].tolist():
        walk = np.cumsum(rng.normal(0.0, 0.003, size=len(days)))
        walk -= walk.mean()
        rows.append(np.rint(worth * np.exp(walk) * 10_000).astype(np.int64) * (_SCALE // 10_000))
    return Rates(currencies, usual, days, np.stack(rows))


def make_amounts(
    rng: np.random.Generator,
    calendar: Calendar,
    rates: Rates,
    histories: Histories,
    segment: Ints,
) -> Amounts:
    """Return what each deal holds and is worth, and the amounts it had before its changes."""
    true, count = calendar.true, len(histories)
    currency = np.where(
        rng.random(count) < true.foreign_currency_rate, rng.integers(1, len(rates.currencies), size=count), HOME
    )
    lines = _lines(rng, calendar, histories, segment, currency, rates)
    amount = np.bincount(lines.deal, weights=lines.amount, minlength=count).astype(np.int64)

    deal, _when = histories.amount_changes
    factor = np.exp(0.05 + true.amount_change_spread * rng.standard_normal(len(deal)))
    following = np.append(deal[1:] == deal[:-1], False) if len(deal) else np.zeros(0, bool)
    before = np.maximum(np.rint(amount[deal] * factor / 10_000).astype(np.int64), 1) * 10_000
    after = np.where(following, np.append(before[1:], 0) if len(deal) else before, amount[deal])
    first = amount.copy()
    heads = np.flatnonzero(np.append(True, deal[1:] != deal[:-1])) if len(deal) else np.zeros(0, np.int64)
    first[deal[heads]] = before[heads]

    day = np.where(histories.closed >= 0, calendar.day_of(histories.closed), number(calendar.until))
    base = (amount * rates.on(currency, day) + _SCALE // 2) // _SCALE
    return Amounts(currency, first, amount, base, lines, before, after)


def _lines(
    rng: np.random.Generator,
    calendar: Calendar,
    histories: Histories,
    segment: Ints,
    currency: Ints,
    rates: Rates,
) -> Lines:
    true, count, usual = calendar.true, len(histories), rates.usual[currency]
    counts = 1 + rng.choice(len(true.line_shares), count, p=true.line_shares)
    deal = np.repeat(np.arange(count), counts)
    weights = np.array([product.weight for product in PRODUCTS])
    product = rng.choice(len(PRODUCTS), len(deal), p=weights / weights.sum())
    first = np.append(True, deal[1:] != deal[:-1])
    variant = (rng.random(len(deal)) < np.where(segment[deal] == 0, 0.75, 0.35)).astype(np.int64)
    sku = 2 * product + variant
    list_price = rates.list_prices()[sku]
    wanted = (
        np.array([plan.usual * 100 for plan in PRODUCTS])[product]
        / USUAL_RATES[rates.currencies[HOME]]
        * np.array(true.segment_amount_factors)[segment[deal]]
    )
    wanted *= np.exp(true.amount_spread * rng.standard_normal(len(deal))) * np.where(first, 1.0, 0.35)
    percent = rng.choice((0, 3, 5, 8, 10, 15), len(deal), p=(0.35, 0.12, 0.22, 0.13, 0.13, 0.05))
    quantity = np.maximum(np.rint(wanted / list_price).astype(np.int64), 1)
    abroad = np.maximum(np.rint(list_price / usual[deal] / 100).astype(np.int64), 1) * 100
    price = np.where(currency[deal] == HOME, list_price, abroad)
    gross = quantity * price
    return Lines(deal, sku, quantity, price, percent, (gross * (100 - percent) + 50) // 100)
