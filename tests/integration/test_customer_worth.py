"""What customers cost and are worth: what plain Python over the won deals and the entered costs says."""

from __future__ import annotations

import doctest
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import isnan
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analytics.acquisition import falling
from core.analytics.as_of import AsOf
from core.analytics.filters import Filters
from core.analytics.lifetime import LEAST_CUSTOMERS, lifetime_value
from core.domain.periods import Period, add_months
from core.errors import NotAllowed
from core.model import AcquisitionCost
from core.queries.acquisition_costs import acquired_customers, acquisition_cost
from core.queries.customer_kpis import customer_kpis, customer_lifetime_value, customers_behind
from core.queries.overview import overview_kpis
from core.services.acquisition_costs import save_acquisition_costs
from core.services.company import change_settings
from core.services.month_amounts import AmountChange
from core.settings import PROJECT_ROOT
from tests.factories import NOW, Company

TODAY = NOW.date()
YEAR = timedelta(days=365)
PERIODS = [
    (Period(date(2026, 1, 1), date(2027, 1, 1)), None),
    (Period(date(2026, 2, 10), date(2026, 4, 5)), None),
    (Period(date(2025, 7, 1), date(2026, 7, 1)), AsOf(date(2026, 5, 20))),
    (Period(date(2025, 7, 1), date(2026, 7, 1)), AsOf(date(2026, 5, 20), "then")),
]


class Win(NamedTuple):
    number: int
    customer: int
    on: date
    amount: Decimal
    channel: str | None
    cost: Decimal | None


class World(NamedTuple):
    company: Company
    wins: list[Win]
    costs: dict[tuple[str | None, date], Decimal]


def sold(company: Company, seed: int) -> World:
    random, wins, costs = Random(seed), [], {}
    channels = [*list(company.channels)[:3], None]
    for _customer in range(60):
        customer, begun = company.customer(owner=random.choice(("alice", "bob", "charlie"))), random.randint(0, 770)
        for _deal in range(random.randint(0, 4)):
            won = datetime(2024, 6, 1, 4, tzinfo=UTC) + timedelta(days=random.randint(begun, 770))
            amount, channel = Decimal(random.randint(1, 999_999)) / 100, random.choice(channels)
            cost = random.choice((None, amount / 4, amount / 2, amount))
            path = (("identified", won - timedelta(days=9)), ("won", won))
            cost = None if cost is None else cost.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
            deal = company.deal(customer=customer, amount=amount, channel=channel, path=path, base_cost=cost)
            wins.append(Win(deal.id, customer.id, won.date(), amount, channel, cost))
    month = date(2025, 3, 1)
    while month < date(2026, 12, 1):
        for channel in channels:
            if random.random() < 0.6:
                costs[channel, month] = Decimal(random.randint(0, 9_999_999)) / 100
        month = add_months(month, 1)
    company._write(*(
        AcquisitionCost(channel_id=company.channels[channel] if channel else None, month=month, amount=amount)
        for (channel, month), amount in costs.items()
    ))  # fmt: skip
    return World(company, wins, costs)


@pytest.fixture
def world(company: Company) -> World:
    """The same random company on both databases."""
    return sold(company, 1)


@pytest.fixture
def small_world(small_company: Company) -> World:
    return sold(small_company, 2)


def part(amount: Decimal, month: date, start: date, until: date) -> Decimal:
    """Return a month's cost day by day."""
    days = [month + timedelta(days=n) for n in range((add_months(month, 1) - month).days)]
    share = Fraction(sum(start <= day < until for day in days), len(days))
    exact = Fraction(amount) * 100 * share
    return Decimal(int(exact + Fraction(1, 2))) / 100


def until_of(period: Period, as_of: AsOf | None) -> date:
    return max(period.start, min(period.end, (as_of.on if as_of else TODAY) + timedelta(days=1)))


def first_wins(wins: list[Win], until: date) -> dict[int, Win]:
    found: dict[int, Win] = {}
    for win in sorted(wins, key=lambda win: (win.on, win.number)):
        if win.on < until:
            found.setdefault(win.customer, win)
    return found


def test_a_new_customer_costs_what_plain_python_says(world: World, answer_as) -> None:
    for period, as_of in PERIODS:
        check_costs(world, answer_as, period, as_of)


def check_costs(world: World, answer_as, period: Period, as_of: AsOf | None) -> None:
    until = until_of(period, as_of)
    new = {one: win for one, win in first_wins(world.wins, until).items() if win.on >= period.start}
    won = Counter(win.channel for win in new.values())
    spent: dict[str | None, Decimal] = defaultdict(Decimal)
    for (channel, month), amount in world.costs.items():
        spent[channel] += part(amount, month, period.start, until)
    asked = {"period": period, "as_of": as_of}
    rows = answer_as("leader", acquisition_cost, **asked).set_index("key")
    assert rows.loc["all", "costs"] == pytest.approx(float(sum(spent.values())), abs=0.001)
    assert rows.loc["all", "customers"] == len(new)
    assert rows.loc["all", "cac"] == pytest.approx(float(sum(spent.values())) / len(new))
    for code, number in world.company.channels.items():
        if won[code] or spent[code]:
            row = rows.loc[str(number)]
            assert row["costs"] == pytest.approx(float(spent[code]), abs=0.001)
            assert row["customers"] == won[code]
            assert isnan(row["cac"]) if not won[code] else row["cac"] == pytest.approx(float(spent[code]) / won[code])
    assert rows.loc["none", "costs"] == pytest.approx(float(spent[None]), abs=0.001)
    assert isnan(rows.loc["none", "cac"]), "what is of no channel won nobody of its own"

    behind = answer_as("leader", acquired_customers, **asked)
    assert dict(zip(behind["customer_id"], behind["value"], strict=True)) == {
        one: float(win.amount) for one, win in new.items()
    }
    assert behind["key"].value_counts().to_dict() == {
        str(world.company.channels[code]) if code else "none": count for code, count in won.items()
    }
    same = answer_as("leader", customer_kpis, **asked).iloc[0]
    assert same["new"] == len(new)


def test_by_one_channel_count_its_costs_and_those_whose_first_deal_ever_came_through_it(
    world: World, answer_as
) -> None:
    period = Period(date(2025, 6, 1), date(2026, 6, 1))
    code = list(world.company.channels)[1]
    only = Filters(channel_ids=(world.company.channels[code],))
    new = [win for win in first_wins(world.wins, period.end).values() if win.on >= period.start and win.channel == code]
    rows = answer_as("operations", acquisition_cost, period=period, filters=only).set_index("key")
    assert set(rows.index) == {"all", str(world.company.channels[code])}
    assert rows.loc["all", "customers"] == len(new)
    spent = sum(part(a, m, period.start, period.end) for (channel, m), a in world.costs.items() if channel == code)
    assert rows.loc["all", "costs"] == pytest.approx(float(spent), abs=0.001)
    assert set(answer_as("operations", acquired_customers, period=period, filters=only)["customer_id"]) == {
        win.customer for win in new
    }


@pytest.mark.usefixtures("small_world")
def test_where_other_filters_narrow_nothing_is_said(answer_as) -> None:
    period = Period(date(2026, 1, 1), date(2027, 1, 1))
    for filters in (Filters(team_ids=(1,)), Filters(segments=("x",)), Filters(channel_ids=(1,), rep_ids=(1,))):
        assert answer_as("leader", acquisition_cost, period=period, filters=filters).empty
        assert answer_as("leader", acquired_customers, period=period, filters=filters).empty


@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "administrator"])
def test_costs_are_told_to_leadership_and_operations_alone(company: Company, answer_as, who: str) -> None:
    for question in (acquisition_cost, acquired_customers):
        with pytest.raises(NotAllowed):
            answer_as(who, question, period=Period(TODAY, TODAY))


def test_without_costs_there_are_customers_and_no_figure(small_company: Company, answer_as) -> None:
    won = NOW - timedelta(days=3)
    small_company.deal(path=(("identified", won - timedelta(days=9)), ("won", won)))
    row = answer_as("leader", acquisition_cost, period=Period(date(2026, 7, 1), date(2026, 10, 1))).iloc[0]
    assert (row["customers"], row["months"], row["months_with"]) == (1, 1, 0)
    assert isnan(row["cac"])


def test_a_cost_entered_or_changed_is_counted_at_once(company: Company, answer_as, perform_as) -> None:
    won = NOW - timedelta(days=3)
    company.deal(path=(("identified", won - timedelta(days=9)), ("won", won)))
    period = Period(date(2026, 6, 1), date(2026, 7, 1))
    before = company.database.mirror.refresh()
    for version, amount in enumerate((Decimal(300), Decimal(400))):
        change = AmountChange(company.channels["website"], date(2026, 6, 1), amount, version or None)
        perform_as("operations", save_acquisition_costs, changes=[change])
        after = company.database.mirror.refresh()
        assert after != before, "kept answers go by the mirror's version"
        before = after
        assert answer_as("leader", acquisition_cost, period=period).iloc[0]["costs"] == float(amount)


@given(
    cents=st.integers(0, 10**11), start=st.dates(date(2023, 1, 1), date(2026, 1, 1)), days=st.integers(0, 400),
    back=st.integers(-2, 13),
)  # fmt: skip
def test_a_month_that_the_period_cuts_is_taken_by_days(cents: int, start: date, days: int, back: int) -> None:
    period, month = Period(start, start + timedelta(days=days)), add_months(start.replace(day=1), back)
    amount = Decimal(cents) / 100
    assert falling(amount, month, period) == part(amount, month, period.start, period.end) * 100


@pytest.mark.parametrize(
    "cut", [Period(date(2026, 2, 3), date(2026, 5, 9)), Period(date(2026, 5, 1), date(2026, 5, 2))]
)
def test_costs_are_cut_as_quotas_are(small_company: Company, answer_as, cut: Period) -> None:
    random = Random(5)
    for month in range(1, 7):
        amount = Decimal(random.randint(1, 10**8)) / 100
        small_company.quota(rep="alice", month=date(2026, month, 1), amount=amount)
        small_company._write(AcquisitionCost(month=date(2026, month, 1), amount=amount))
    small_company.deal()
    quota = answer_as("leader", overview_kpis, period=cut).iloc[0]["quota"]
    assert answer_as("leader", acquisition_cost, period=cut).iloc[0]["costs"] == quota


# --- what they are worth -----------------------------------------------------------------------------


def wilson_by_its_equation(successes: int, trials: int) -> tuple[float, ...]:
    """Return the two shares p at which the observed one lies 1.96 standard errors away, by bisection."""
    seen, z = successes / trials, 1.959963984540054

    def off(p: float) -> float:
        return (seen - p) ** 2 - z * z * p * (1 - p) / trials

    def root(inside: float, outside: float) -> float:
        for _step in range(200):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if off(middle) < 0 else (inside, middle)
        return inside

    return (0.0 if not successes else root(seen, 0.0)), (1.0 if successes == trials else root(seen, 1.0))


def test_a_customer_is_worth_what_plain_python_says(world: World, answer_as) -> None:
    for period, as_of in PERIODS:
        for who in ("leader", "eastern rep"):
            check_worth(world, answer_as, period, as_of, who)


def check_worth(world: World, answer_as, period: Period, as_of: AsOf | None, who: str) -> None:
    until = until_of(period, as_of)
    year = [win for win in world.wins if until - YEAR <= win.on < until]
    active = {win.customer for win in year}
    held = {win.customer for win in world.wins if until - 2 * YEAR <= win.on < until - YEAR}
    row = answer_as(who, customer_lifetime_value, period=period, as_of=as_of).iloc[0]
    assert (row["active"], row["held"], row["kept"]) == (len(active), len(held), len(held & active))
    for kind, members in (("active", active), ("held", held), ("kept", held & active)):
        behind = answer_as(who, customers_behind, kind=kind, period=period, as_of=as_of)
        assert set(behind["customer_id"]) == members
    yearly = float(sum(win.amount for win in year)) / len(active)
    assert row["yearly"] == pytest.approx(yearly)
    if len(held) < LEAST_CUSTOMERS:
        assert isnan(row["value"])
        return
    kept = len(held & active) / len(held)
    ends = wilson_by_its_equation(len(held & active), len(held))
    for name, share in zip(("value", "low", "high"), (kept, *ends), strict=True):
        by_years = sum(yearly * (share / 1.1) ** years for years in range(2_000))
        assert row[name] == pytest.approx(by_years, rel=1e-6)
    known = [win for win in year if win.cost is not None]
    if who == "eastern rep":
        assert isnan(row["margin"]), "reps see no margin unless the company says so"
        assert isnan(row["margin_of"])
        return
    of = sum(win.amount for win in known)
    assert row["margin_of"] == pytest.approx(float(of / sum(win.amount for win in year)))
    rate = float((of - sum(win.cost for win in known if win.cost is not None)) / of)
    if row["margin_of"] >= 0.5:
        assert row["margin"] == pytest.approx(row["value"] * rate)
    else:
        assert isnan(row["margin"])


def test_too_few_customers_a_year_ago_give_no_figure(small_company: Company, answer_as) -> None:
    asked = {"period": Period(date(2026, 1, 1), date(2027, 1, 1))}
    for place in range(LEAST_CUSTOMERS):
        if place == LEAST_CUSTOMERS - 1:
            row = answer_as("leader", customer_lifetime_value, **asked).iloc[0]
            assert (row["held"], isnan(row["value"]), isnan(row["retention_low"])) == (place, True, True)
        customer = small_company.customer()
        for days in (500, 100) if place % 2 else (500,):
            won = NOW - timedelta(days=days)
            path = (("identified", won - timedelta(days=9)), ("won", won))
            small_company.deal(customer=customer, path=path, amount=1_000)
    row = answer_as("leader", customer_lifetime_value, **asked).iloc[0]
    assert row["retention"] == 0.5
    assert row["value"] == pytest.approx(1_000 * 1.1 / 0.6)
    assert row["low"] < row["value"] < row["high"]


def test_the_discount_is_the_companys(small_company: Company, answer_as, perform_as) -> None:
    perform_as("administrator", change_settings, values={"yearly_discount": "25"})
    row = answer_as("leader", customer_lifetime_value, period=Period(TODAY, TODAY)).iloc[0]
    assert row["discount"] == 0.25


@given(yearly=st.floats(0, 1e9), kept=st.floats(0, 1), discount=st.floats(0.01, 1))
def test_worth_grows_with_who_stays_and_shrinks_with_the_discount(yearly: float, kept: float, discount: float) -> None:
    worth = lifetime_value(yearly, kept, discount)
    assert worth >= yearly * (1 - 1e-12)
    assert lifetime_value(yearly, kept / 2, discount) <= worth * (1 + 1e-12)
    assert lifetime_value(yearly, kept, discount + 0.1) <= worth * (1 + 1e-12)


# --- the examples of the methods ----------------------------------------------------------------------


@pytest.mark.parametrize("page", ["cac", "clv"])
def test_the_methods_example_comes_out_as_it_is_written(small_company: Company, answer_as, page: str) -> None:
    small_company.quota(rep="alice", month=date(2026, 7, 1), amount=1)
    text = (PROJECT_ROOT / "docs" / "methods" / f"{page}.md").read_text(encoding="utf-8")
    known = {
        "company": small_company, "write": small_company._write, "AcquisitionCost": AcquisitionCost,
        "ask": lambda query, **values: answer_as("leader", query, **values), "date": date, "Decimal": Decimal,
        "won": lambda on: (("identified", _noon(on) - timedelta(days=9)), ("won", _noon(on))),
        "July": Period(date(2026, 7, 1), date(2026, 8, 1)), "acquisition_cost": acquisition_cost,
        "customer_lifetime_value": customer_lifetime_value, "timedelta": timedelta,
    }  # fmt: skip
    example = doctest.DocTestParser().get_doctest(text, known, page, None, 0)
    assert len(example.examples) > 3
    said: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(example, out=said.append).failed == 0, "".join(said)


def _noon(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, 4, tzinfo=UTC)
