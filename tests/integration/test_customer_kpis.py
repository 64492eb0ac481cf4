"""Customers new, active, returning and lost, and their fifths: what plain Python over the won deals says."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from core.analytics.as_of import AsOf
from core.analytics.customer_kpis import INACTIVE_DAYS, KINDS, RFM_DAYS, SEGMENTS
from core.analytics.filters import Filters
from core.domain.periods import Period
from core.queries.customer_kpis import customer_kpis, customers_behind, rfm_segments
from tests.factories import NOW, Company

TODAY = NOW.date()


def slow(wins: dict[int, list[tuple[date, float]]], period: Period, until: date) -> dict[str, set[int]]:
    """Return the customers of each kind, customer by customer and purchase by purchase."""
    found: dict[str, set[int]] = {kind: set() for kind in KINDS}
    for customer, bought in wins.items():
        days = sorted(day for day, _amount in bought if day < until)
        if not days:
            continue
        inside = [day for day in days if day >= period.start]
        if days[0] >= period.start:
            found["new"].add(customer)
        if inside:
            found["buyers"].add(customer)
        if inside and len(days) > 1:
            found["repeat"].add(customer)
        if days[-1] + timedelta(days=INACTIVE_DAYS) >= until:
            found["active"].add(customer)
        held, kept = a_year_ago(days, until)
        found["held"] |= {customer} if held else set()
        found["kept"] |= {customer} if held and kept else set()
        for day in days:
            gone = day + timedelta(days=INACTIVE_DAYS)
            if period.start <= gone < until and not any(day < other <= gone for other in days):
                found["churned"].add(customer)
    return found


def a_year_ago(days: list[date], until: date) -> tuple[bool, bool]:
    """Return whether somebody bought in the year before the last, and in the last."""
    ages = [(until - day).days for day in days]
    return any(365 < age <= 730 for age in ages), any(age <= 365 for age in ages)


def fifths(values: dict[int, float]) -> dict[int, int]:
    return {key: 5 * sum(other < value for other in values.values()) // len(values) + 1
            for key, value in values.items()}  # fmt: skip


def segment(r: int, f: int) -> str:
    if r >= 4 and f >= 4:
        return "champions"
    if r >= 3 and f >= 3:
        return "loyal"
    if r >= 4:
        return "promising"
    if r == 3:
        return "attention"
    return "at_risk" if f >= 3 else "lost"


@pytest.fixture
def bought(small_company: Company) -> dict[int, list[tuple[date, float]]]:
    random, found = Random(8), defaultdict(list)
    for _customer in range(25):
        customer = small_company.customer(owner=random.choice(("alice", "bob", "charlie")))
        for _deal in range(random.randint(0, 4)):
            won = datetime(2023, 1, 1, 4, tzinfo=UTC) + timedelta(days=random.randint(0, 1_290))
            amount = random.randint(1, 9_999)
            small_company.deal(
                customer=customer, amount=amount, path=(("identified", won - timedelta(days=9)), ("won", won))
            )
            found[customer.id].append((won.date(), float(amount)))
    return found


@pytest.mark.parametrize(
    ("period", "as_of"),
    [
        (Period(date(2026, 1, 1), date(2027, 1, 1)), None),
        (Period(date(2025, 4, 1), date(2025, 7, 1)), None),
        (Period(date(2025, 1, 1), date(2026, 1, 1)), AsOf(date(2025, 8, 9))),
        (Period(date(2025, 1, 1), date(2026, 1, 1)), AsOf(date(2025, 8, 9), "then")),
    ],
)
def test_customers_are_counted_as_plain_python_counts_them(bought, answer_as, period, as_of) -> None:
    until = min(period.end, (as_of.on if as_of else TODAY) + timedelta(days=1))
    truth = slow(bought, period, until)
    asked = {"period": period, "as_of": as_of}
    row = answer_as("leader", customer_kpis, **asked).iloc[0]
    for kind, members in truth.items():
        assert row[kind] == len(members), kind
        behind = answer_as("leader", customers_behind, kind=kind, **asked)
        assert set(behind["customer_id"]) == members
        assert len(behind) == len(members)
    booked = sum(amount for wins in bought.values() for day, amount in wins if period.start <= day < until)
    assert row["booked"] == pytest.approx(booked)
    assert row["booked_a_customer"] == pytest.approx(booked / len(truth["buyers"]))
    assert row["repeat_rate"] == len(truth["repeat"]) / len(truth["buyers"])

    recent = {
        customer: [(day, amount) for day, amount in wins if until - timedelta(days=RFM_DAYS) <= day < until]
        for customer, wins in bought.items()
    }
    recent = {customer: wins for customer, wins in recent.items() if wins}
    r = fifths({customer: -(until - max(day for day, _a in wins)).days for customer, wins in recent.items()})
    f = fifths({customer: len(wins) for customer, wins in recent.items()})
    groups = defaultdict(set)
    for customer in recent:
        groups[segment(r[customer], f[customer])].add(customer)
    found = answer_as("leader", rfm_segments, **asked).set_index("segment")
    assert found["customers"].to_dict() == {name: len(groups[name]) for name in SEGMENTS if name in groups}
    for name, members in groups.items():
        behind = answer_as("leader", customers_behind, kind=f"rfm:{name}", **asked)
        assert set(behind["customer_id"]) == members
        value = sum(amount for customer in members for _day, amount in recent[customer])
        assert found.loc[name, "value"] == pytest.approx(value)
        assert behind["monetary"].sum() == pytest.approx(value)
        assert behind["frequency"].sum() == sum(len(recent[customer]) for customer in members)


def test_a_rep_counts_the_customers_of_their_own_wins(bought, small_company: Company, answer_as) -> None:
    period = Period(date(2023, 1, 1), date(2027, 1, 1))
    whole = answer_as("leader", customer_kpis, period=period).iloc[0]
    alices = answer_as("eastern rep", customer_kpis, period=period).iloc[0]
    filtered = answer_as(
        "leader", customer_kpis, period=period, filters=Filters(rep_ids=(small_company.reps["alice"],))
    )
    assert alices["buyers"] == filtered.iloc[0]["buyers"] == whole["buyers"], "the factory's deals are Alice's"
    assert answer_as("western rep", customer_kpis, period=period).iloc[0]["buyers"] == 0


def test_an_unknown_kind_is_refused(small_company: Company, answer_as) -> None:
    with pytest.raises(ValueError, match="no customers are called"):
        answer_as("leader", customers_behind, kind="best", period=Period(TODAY, TODAY))
