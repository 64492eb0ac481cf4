"""Changing currencies and their dated rates; open deals follow at once, closed ones never."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import update
from sqlmodel import col, select

from core.access.actions import Action
from core.db.work import get_visible
from core.domain.money import convert
from core.domain.stages import StageKind
from core.errors import InvalidFields, NotFound, SalesError
from core.gate import command
from core.i18n import N_, _
from core.model import Currency, Deal, FxRate
from core.services.deal_history import rate_on

if TYPE_CHECKING:
    from datetime import date

    from core.db.work import Work

MOST_RATE = Decimal(10) ** 8
LEAST_RATE = Decimal(1).scaleb(-8)
CURRENCY_KIND = N_("currency")


class BaseCurrencyStays(SalesError):
    """Everything is compared in the company's currency."""

    text = N_("{currency} is the company's own currency: it stays in use and needs no rate.")
    field = "currency"


class CurrencyKnown(SalesError):
    """The currency is in the list already."""

    text = N_("{currency} is in the list already.")
    field = "code"


class RateInUse(SalesError):
    """Open deals are worth something by this rate, and there is no earlier one."""

    text = N_("Open deals in {currency} need this rate: there is no earlier one. Add another one first.")


@command(Action.CURRENCY_EDIT)
def add_currency(work: Work, *, code: str, name: str = "") -> None:
    """Add a currency by its ISO 4217 code. Raises InvalidFields, CurrencyKnown."""
    wanted = code.strip().upper()
    problems = {}
    if len(wanted) != 3 or not (wanted.isascii() and wanted.isalpha()):
        problems["code"] = _("Give the three letters of the currency, such as CNY.")
    if len(name.strip()) > 40:
        problems["name"] = _("At most {n} characters, please.", n=40)
    if problems:
        raise InvalidFields(problems)
    if work.session.get(Currency, wanted) is not None:
        raise CurrencyKnown(currency=wanted)
    work.session.add(Currency(code=wanted, name=name.strip()))


@command(Action.CURRENCY_EDIT)
def edit_currency(work: Work, *, code: str, name: str, active: bool) -> None:
    """Rename a currency, or take it out of use for new deals.

    Raises NotFound, BaseCurrencyStays, InvalidFields.
    """
    currency = _currency(work, code)
    if len(name.strip()) > 40:
        raise InvalidFields({"name": _("At most {n} characters, please.", n=40)})
    if code == work.base_currency and not active:
        raise BaseCurrencyStays(currency=code)
    currency.name, currency.active = name.strip(), active


@command(Action.CURRENCY_EDIT)
def set_rate(work: Work, *, currency: str, on: date, rate: Decimal, version: int | None = None) -> int:
    """Say what one unit of `currency` is worth in the base currency from a day on.

    `version` is that of the day's rate where there is one, None for a new day. The open deals of the
    currency are re-rated in the same transaction, at the last rate up to today; returns how many
    changed. Raises NotFound, BaseCurrencyStays, EditedMeanwhile, InvalidFields (a day to come, no
    positive rate, the day has one).
    """
    _currency(work, currency)
    if currency == work.base_currency:
        raise BaseCurrencyStays(currency=currency)
    problems = {}
    if on > work.today:
        problems["on"] = _("This day has not come yet: choose today or an earlier day.")
    if not rate.is_finite() or not LEAST_RATE <= rate < MOST_RATE:
        problems["rate"] = _("A rate is a number above zero.")
    found = work.session.exec(select(FxRate).where(FxRate.currency == currency, FxRate.on == on)).first()
    if found is not None and version is None:
        problems["on"] = _("This day has a rate already: change that one.")
    if problems:
        raise InvalidFields(problems)
    if version is None:
        work.session.add(FxRate(currency=currency, on=on, rate=rate))
    else:
        row = get_visible(work, FxRate, found.id if found else None, version=version)
        row.rate = rate
    work.session.flush()
    return _rerate(work, currency)


@command(Action.CURRENCY_EDIT)
def delete_rate(work: Work, *, rate_id: int, version: int) -> int:
    """Take a rate away and re-rate the open deals by the one before; return how many.

    Raises NotFound, EditedMeanwhile, RateInUse.
    """
    row = get_visible(work, FxRate, rate_id, version=version)
    currency = row.currency
    others = work.session.exec(
        select(FxRate.id).where(FxRate.currency == currency, FxRate.id != rate_id, FxRate.on <= work.today)
    ).first()
    if others is None and _open_deals(work, currency):
        raise RateInUse(currency=currency)
    work.session.delete(row)
    work.session.flush()
    return _rerate(work, currency) if others is not None else 0


def _currency(work: Work, code: str) -> Currency:
    found = work.session.get(Currency, code)
    if found is None:
        raise NotFound(kind=_(CURRENCY_KIND), number=code)
    return found


def _open_deals(work: Work, currency: str) -> list[tuple[int, Decimal, Decimal]]:
    statement = select(Deal.id, cast("Any", Deal.amount), cast("Any", Deal.base_amount)).where(
        Deal.currency == currency, Deal.state == StageKind.OPEN
    )
    return [tuple(row) for row in work.session.exec(cast("Any", statement).with_for_update()).all()]


def _rerate(work: Work, currency: str) -> int:
    """Set what open deals of a currency are worth; nobody edited them, so their versions stay."""
    rate = rate_on(work, currency, work.today)
    changed = [
        {"number": number, "worth": worth}
        for number, amount, before in _open_deals(work, currency)
        if (worth := convert(amount, rate=rate)) != before
    ]
    deals: Any = Deal
    for row in changed:
        work.session.execute(
            update(deals)
            .where(col(deals.id) == row["number"])
            .values(base_amount=row["worth"])
            .execution_options(synchronize_session=False)
        )
    if changed:
        work.note(
            "deals.re-rated", "currency", currency=currency, rate=format(rate.normalize(), "f"), deals=len(changed)
        )
    return len(changed)
