"""In which currency a row's amounts are, and what a list price is worth in another."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from core.i18n import N_
from core.importing.ledger import Ledger, Row
from core.queries.imports import Reference

NO_RATE = N_("There is no exchange rate for {currency} on the deal's day. Add one in Settings first.")
UNKNOWN_CURRENCY = N_("{value} is not a currency code.")
NOT_KEPT = N_("The currency {currency} is not set up. Add it in Settings first.")
_CENT = Decimal("0.01")


def currency_of(row: Row, ledger: Ledger, reference: Reference) -> str:
    """Return the code that the row names, else the one said for its file, else the base currency.

    Refuses the row where the code is none, or one that the company does not keep.
    """
    written = row.text("currency", 10).upper()
    code = written or ledger.sources[row.file].mapping.currency or reference.base_currency
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        ledger.refuse(row, "currency", UNKNOWN_CURRENCY, value=code)
    elif code not in reference.currencies | {reference.base_currency}:
        ledger.refuse(row, "currency", NOT_KEPT, currency=code, value=code)
    return code


def rate_for(reference: Reference, currency: str, day: date) -> Decimal | None:
    """Return what a unit of `currency` was worth on `day` in the base currency; None where nobody said."""
    if currency == reference.base_currency:
        return Decimal(1)
    rates = [rate for on, rate in reference.rates.get(currency, ()) if on <= day]
    return rates[-1] if rates else None


def exchanged(amount: Decimal, of: str, to: str, day: date, reference: Reference) -> Decimal | None:
    """Return an amount in another currency by the day's rates, to the cent; None where a rate is missing."""
    if of == to:
        return amount
    worth, unit = rate_for(reference, of, day), rate_for(reference, to, day)
    return None if worth is None or unit is None else (amount * worth / unit).quantize(_CENT)
