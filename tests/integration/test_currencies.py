"""Rates re-rate open deals in the same transaction, and leave closed ones alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from core.access.actors import SYSTEM
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed
from core.model import AuditEntry, Deal
from core.queries.administration import currency_lines, rates_of
from core.services.currencies import (
    BaseCurrencyStays,
    CurrencyKnown,
    RateInUse,
    add_currency,
    delete_rate,
    edit_currency,
    set_rate,
)
from tests.factories import NOW

TODAY = date(2026, 7, 15)


def worth(company, deal):
    with company.database.reading(SYSTEM, now=NOW) as work:
        return work.session.get(Deal, deal.id).base_amount


@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "leader", "administrator"])
def test_only_operations_keep_currencies(company, perform_as, answer_as, who):
    for command, values in (
        (add_currency, {"code": "SGD"}),
        (edit_currency, {"code": "USD", "name": "x", "active": True}),
        (set_rate, {"currency": "USD", "on": TODAY, "rate": Decimal(7)}),
        (delete_rate, {"rate_id": 1, "version": 1}),
    ):
        with pytest.raises(NotAllowed):
            perform_as(who, command, **values)
    for query, values in ((currency_lines, {}), (rates_of, {"currency": "USD"})):
        with pytest.raises(NotAllowed):
            answer_as(who, query, **values)


def test_a_rate_re_rates_the_open_deals_of_its_currency_alone(company, make, perform_as):
    open_deal = make.deal(amount="1000.05", currency="USD", base_amount=Decimal(1))
    other = make.deal(amount=500)
    won = make.deal(
        amount=1000,
        currency="USD",
        base_amount=Decimal(6800),
        path=(("identified", NOW - timedelta(days=9)), ("won", NOW - timedelta(days=3))),
    )
    count = perform_as("operations", set_rate, currency="USD", on=TODAY, rate=Decimal("7.1234"))
    assert count == 1
    assert worth(company, open_deal) == Decimal("7123.76")
    assert worth(company, other) == 500
    assert worth(company, won) == 6800


def test_re_rating_is_nobody_s_edit_and_stands_in_the_audit_once(company, make, perform_as):
    deals = [make.deal(amount=100, currency="USD", base_amount=Decimal(1)) for _each in range(3)]
    perform_as("operations", set_rate, currency="USD", on=TODAY, rate=Decimal(7))
    with company.database.reading(SYSTEM, now=NOW) as work:
        assert {work.session.get(Deal, deal.id).version for deal in deals} == {1}
        entries = work.session.exec(select(AuditEntry).where(AuditEntry.action == "deals.re-rated")).all()
    assert [entry.after for entry in entries] == [{"currency": "USD", "rate": "7", "deals": 3}]


def test_open_deals_use_the_last_rate_up_to_today(company, make, perform_as, answer_as):
    deal = make.deal(amount=100, currency="USD", base_amount=Decimal(1))
    perform_as("operations", set_rate, currency="USD", on=TODAY, rate=Decimal(7))
    perform_as("operations", set_rate, currency="USD", on=TODAY - timedelta(days=30), rate=Decimal(6))
    assert worth(company, deal) == 700
    line = next(one for one in answer_as("operations", currency_lines) if one.currency.code == "USD")
    assert (line.rate, line.rate_on, line.open_deals) == (Decimal(7), TODAY, 1)


def test_a_deleted_rate_gives_way_to_the_one_before_but_the_last_one_stays(company, make, perform_as, answer_as):
    deal = make.deal(amount=100, currency="USD", base_amount=Decimal(1))
    perform_as("operations", set_rate, currency="USD", on=TODAY - timedelta(days=30), rate=Decimal(6))
    perform_as("operations", set_rate, currency="USD", on=TODAY, rate=Decimal(7))
    newest, oldest = answer_as("operations", rates_of, currency="USD")
    perform_as("operations", delete_rate, rate_id=newest.id, version=newest.version)
    assert worth(company, deal) == 600
    with pytest.raises(RateInUse):
        perform_as("operations", delete_rate, rate_id=oldest.id, version=oldest.version)


@pytest.mark.parametrize(
    ("on", "rate", "field"),
    [
        (TODAY + timedelta(days=1), "7", "on"),
        (TODAY, "0", "rate"),
        (TODAY, "-1", "rate"),
        (TODAY, "NaN", "rate"),
    ],
)
def test_impossible_rates_are_refused_beside_their_field(company, perform_as, on, rate, field):
    with pytest.raises(InvalidFields) as refused:
        perform_as("operations", set_rate, currency="USD", on=on, rate=Decimal(rate))
    assert set(refused.value.problems) == {field}


def test_a_day_has_one_rate_and_a_stale_change_is_refused(company, perform_as):
    perform_as("operations", set_rate, currency="USD", on=TODAY, rate=Decimal(7))
    with pytest.raises(InvalidFields):
        perform_as("operations", set_rate, currency="USD", on=TODAY, rate=Decimal(8))
    perform_as("operations", set_rate, currency="USD", on=TODAY, rate=Decimal(8), version=1)
    with pytest.raises(EditedMeanwhile):
        perform_as("operations", set_rate, currency="USD", on=TODAY, rate=Decimal(9), version=1)


def test_the_company_s_own_currency_stays_and_needs_no_rate(company, perform_as):
    with pytest.raises(BaseCurrencyStays):
        perform_as("operations", edit_currency, code="CNY", name="x", active=False)
    with pytest.raises(BaseCurrencyStays):
        perform_as("operations", set_rate, currency="CNY", on=TODAY, rate=Decimal(2))


def test_a_currency_is_added_once_by_its_three_letters(company, perform_as, answer_as):
    perform_as("operations", add_currency, code=" sgd ", name="Singapore dollar")
    assert "SGD" in {line.currency.code for line in answer_as("operations", currency_lines)}
    with pytest.raises(CurrencyKnown):
        perform_as("operations", add_currency, code="SGD")
    with pytest.raises(InvalidFields):
        perform_as("operations", add_currency, code="S1")
