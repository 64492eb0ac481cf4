"""What won deals cost: when it is kept, what of it is counted, and who sees it."""

from __future__ import annotations

import doctest
from datetime import date, timedelta
from decimal import Decimal
from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.access.margin_sight import MarginSight
from core.analytics.as_of import AsOf
from core.analytics.selection import Selection
from core.domain.periods import Period
from core.errors import InvalidFields, NotAllowed
from core.model import Deal, DealLine, FxRate, Sku
from core.queries.deals import deal_record
from core.queries.drill import deals_behind, selection_total
from core.queries.leaderboard import leaderboard, margins_seen
from core.queries.leaderboard_fair import fair_leaderboard
from core.queries.own_rank import own_rank
from core.queries.rep_page import rep_against_team
from core.services.company import change_settings
from core.services.deal_costs import cost_won_deals, total_cost
from core.services.deal_moves import advance_deal, reopen_deal
from core.services.deal_rules import LineFields
from core.services.deals import edit_deal, log_deal
from core.services.goods import SkuRow, save_skus
from core.settings import PROJECT_ROOT
from tests.conftest import actor
from tests.factories import NOW

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))
DAY = timedelta(days=1)


def set_cost(company, code: str, cost: int | None, currency: str = "CNY") -> None:
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        sku = work.session.exec(select(Sku).where(Sku.code == f"{code}-1")).one()
        sku.cost, sku.currency = None if cost is None else Decimal(cost), currency


def stored(company, deal_id: int) -> tuple[Decimal | None, list[Decimal | None]]:
    with company.database.reading(SYSTEM, now=NOW) as work:
        lines = work.session.exec(select(DealLine).where(DealLine.deal_id == deal_id).order_by(DealLine.id)).all()
        return work.session.get(Deal, deal_id).base_cost, [line.unit_cost for line in lines]


def logged(company, perform_as, *lines: tuple[str, int], who: str = "eastern rep", stage: str = "negotiation", **more):
    customer = company.customer(owner="charlie" if who == "western rep" else "alice")
    fields = [LineFields(company.products[code], quantity, Decimal(1_000)) for code, quantity in lines]
    return perform_as(
        who, log_deal, key=f"key-{customer.id}", customer_id=customer.id, lines=fields,
        stage_id=company.stages[stage], expected_close_on=date(2026, 8, 1), **more,
    )  # fmt: skip


def win(company, perform_as, deal, who: str = "eastern rep"):
    return perform_as(who, advance_deal, deal_id=deal.id, to_stage_id=company.stages["won"], version=deal.version)


def test_a_deal_keeps_the_costs_of_the_day_on_which_it_was_won(company, perform_as):
    set_cost(company, "compass", 600)
    deal = logged(company, perform_as, ("compass", 5))
    assert stored(company, deal.id) == (None, [None]), "an open deal has no cost yet"
    won = win(company, perform_as, deal)
    assert stored(company, deal.id) == (Decimal(3_000), [Decimal(600)])
    assert won.version == deal.version + 1
    set_cost(company, "compass", 700)
    line = LineFields(company.products["compass"], 4, Decimal(1_000))
    edited = perform_as("eastern rep", edit_deal, deal_id=deal.id, version=won.version, changes={"lines": [line]})
    assert stored(company, deal.id) == (Decimal(2_400), [Decimal(600)]), "the same goods keep their cost"
    again = perform_as(
        "eastern rep", reopen_deal, deal_id=deal.id, to_stage_id=company.stages["demo"], version=edited.version
    )
    assert stored(company, deal.id) == (None, [None])
    win(company, perform_as, again)
    assert stored(company, deal.id) == (Decimal(2_800), [Decimal(700)]), "won anew, at the cost of that day"


def test_a_deal_logged_as_won_has_its_cost_at_once(company, perform_as):
    set_cost(company, "compass", 600)
    deal = logged(company, perform_as, ("compass", 2), stage="won")
    assert stored(company, deal.id) == (Decimal(1_200), [Decimal(600)])


def test_a_deal_with_one_unknown_cost_is_of_unknown_cost(company, perform_as):
    set_cost(company, "compass", 600)
    deal = logged(company, perform_as, ("compass", 5), ("sextant", 1))
    win(company, perform_as, deal)
    assert stored(company, deal.id) == (None, [Decimal(600), None])


def test_a_cost_in_another_currency_counts_at_the_rate_of_the_day_of_winning(company, perform_as):
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.add(FxRate(currency="USD", on=date(2026, 7, 1), rate=Decimal(7)))
    set_cost(company, "compass", 100, "USD")
    set_cost(company, "sextant", 100, "EUR")
    known = win(company, perform_as, logged(company, perform_as, ("compass", 1)))
    unknown = win(company, perform_as, logged(company, perform_as, ("sextant", 1)))
    assert stored(company, known.id)[0] == Decimal(700)
    assert stored(company, unknown.id)[0] is None, "no rate is no refusal: the cost is just not known"


@given(st.lists(st.tuples(st.integers(1, 10**6), st.none() | st.integers(0, 10**8).map(Decimal)), max_size=6))
def test_a_cost_is_known_where_every_lines_is(lines):
    total = total_cost(lines)
    if lines and all(cost is not None for _n, cost in lines):
        assert total == sum(n * cost for n, cost in lines)
    else:
        assert total is None


def test_operations_give_deals_won_before_the_present_costs(company, perform_as):
    old = win(company, perform_as, logged(company, perform_as, ("compass", 5)))
    bare = win(company, perform_as, logged(company, perform_as, ("sextant", 1)))
    set_cost(company, "compass", 600)
    assert tuple(perform_as("operations", cost_won_deals, since=date(2026, 7, 16))) == (0, 0)
    assert tuple(perform_as("operations", cost_won_deals, since=date(2026, 7, 1))) == (1, 1)
    assert stored(company, old.id)[0] == Decimal(3_000)
    assert stored(company, bare.id)[0] is None
    assert tuple(perform_as("operations", cost_won_deals, since=date(2026, 7, 1))) == (0, 1), "twice is once"
    with pytest.raises(NotAllowed):
        perform_as("eastern manager", cost_won_deals, since=date(2026, 7, 1))


def test_a_cost_is_typed_beside_the_price(company, perform_as):
    with company.database.reading(SYSTEM, now=NOW) as work:
        sku = work.session.exec(select(Sku).where(Sku.code == "compass-1")).one()
    row = SkuRow(1, "compass", "compass-1", Decimal(1_000), number=sku.id, version=sku.version, cost=Decimal("599.995"))
    perform_as("operations", save_skus, rows=[row])
    with company.database.reading(SYSTEM, now=NOW) as work:
        again = work.session.get(Sku, sku.id)
        assert again.cost == Decimal("600.00")
    with pytest.raises(InvalidFields) as refusal:
        perform_as("operations", save_skus, rows=[SkuRow(1, "compass", "x", Decimal(1), cost=Decimal(-1))])
    assert set(refusal.value.problems) == {"1:cost"}


@pytest.fixture
def sold(company, perform_as):
    """Alice won 5,000 at a cost of 3,000 and 1,000 of unknown cost; Charlie 2,000 at 1,200."""
    set_cost(company, "compass", 600)
    for lines, who in (
        ((("compass", 5),), "eastern rep"), ((("sextant", 1),), "eastern rep"), ((("compass", 2),), "western rep"),
    ):  # fmt: skip
        win(company, perform_as, logged(company, perform_as, *lines, who=who), who)
    company.database.mirror.refresh()
    return company


def test_margins_are_of_deals_with_known_costs_and_their_drill_shows_just_these(sold, answer_as):
    rows = answer_as("leader", leaderboard, period=Q3, measure="margin").set_index("name")
    assert rows.loc["Alice", ["rank", "booked", "margin", "margin_of", "margin_rate"]].to_list() == [
        1, 6_000, 2_000, 5_000, 0.4,
    ]  # fmt: skip
    assert rows.loc["Charlie", ["rank", "margin"]].to_list() == [2, 800]
    assert isnan(rows.loc["Bob", "margin"])
    teams = answer_as("leader", leaderboard, period=Q3, by="team", measure="margin_rate").set_index("name")
    assert teams["margin_rate"].to_dict() == {"East": 0.4, "West": 0.4}
    east = Selection("margin", Q3, by="team", key=teams.loc["East", "key"])
    deals = answer_as("leader", deals_behind, selection=east)
    assert deals[["amount", "value"]].to_numpy().tolist() == [[5_000, 2_000]]
    assert answer_as("leader", selection_total, selection=east).iloc[0].to_list() == [1, 2_000]
    fair = answer_as("leader", fair_leaderboard, period=Q3, measure="margin").set_index("name")
    assert fair.loc["Alice", ["rank", "margin"]].to_list() == [1, 2_000]
    assert 1 <= fair.loc["Alice", "rank_low"] <= fair.loc["Alice", "rank_high"] <= 2
    against = answer_as("leader", rep_against_team, rep_id=sold.reps["alice"], period=Q3).set_index("measure")
    assert against.loc["margin", "own"] == 2_000


def test_as_of_a_day_a_win_that_stands_has_its_cost(sold, answer_as):
    for known in ("now", "then"):
        day = AsOf(NOW.date(), known)
        rows = answer_as("leader", leaderboard, period=Q3, measure="margin", as_of=day).set_index("name")
        assert rows["margin"].dropna().to_dict() == {"Alice": 2_000, "Charlie": 800}
        deals = answer_as("leader", deals_behind, selection=Selection("margin", Q3, as_of=day))
        assert sorted(deals["value"]) == [800, 2_000]
    before = AsOf((NOW - DAY).date())
    assert answer_as("leader", leaderboard, period=Q3, measure="margin", as_of=before)["margin"].isna().all()


def test_who_may_not_see_costs_is_told_none(sold, answer_as, perform_as):
    alone = {"period": Q3, "measure": "margin"}
    selection = Selection("margin", Q3)
    assert [answer_as(who, margins_seen) for who in ("eastern rep", "eastern manager", "operations")] == [
        False, True, True,
    ]  # fmt: skip
    for query, values in (
        (leaderboard, alone), (fair_leaderboard, alone), (own_rank, alone),
        (leaderboard, {**alone, "measure": "margin_rate"}),
        (deals_behind, {"selection": selection}), (selection_total, {"selection": selection}),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            answer_as("eastern rep", query, **values)
    for query in (leaderboard, fair_leaderboard):
        rows = answer_as("eastern rep", query, period=Q3)
        assert rows[["margin", "margin_of", "margin_rate"]].isna().all(axis=None)
    with sold.database.reading(SYSTEM, now=NOW) as work:
        deal = work.session.exec(select(Deal).where(Deal.base_cost == Decimal(3_000))).one().id
    told = {who: answer_as(who, deal_record, deal_id=deal).deal.base_cost for who in ("eastern rep", "eastern manager")}
    assert told == {"eastern rep": None, "eastern manager": 3_000}
    against = answer_as("eastern rep", rep_against_team, rep_id=sold.reps["alice"], period=Q3)
    assert not set(against["measure"]) & {"margin", "margin_rate"}
    manager = answer_as("eastern manager", leaderboard, **alone).set_index("name")
    assert manager["margin"].dropna().to_dict() == {"Alice": 2_000}, "margins of one's own scope"
    perform_as("administrator", change_settings, values={"margin_sight": MarginSight.SHOWN.value})
    own = answer_as("eastern rep", leaderboard, **alone).set_index("name")
    assert own["margin"].to_dict() == {"Alice": 2_000}
    with pytest.raises(InvalidFields):
        perform_as("administrator", change_settings, values={"margin_sight": "everything"})


def test_the_worked_example_comes_out(company, perform_as, answer_as):
    set_cost(company, "compass", 600)
    for who, lines, amount, on in (
        ("eastern rep", ("compass", 5), 10_000, date(2026, 7, 11)),
        ("second eastern rep", ("sextant", 1), 1_000, date(2026, 7, 3)),
        ("western rep", ("compass", 2), 8_000, date(2026, 6, 1)),
    ):
        rep = {"eastern rep": "alice", "second eastern rep": "bob", "western rep": "charlie"}[who]
        perform_as(
            who, log_deal, key=who, customer_id=company.customer(owner=rep).id, amount=Decimal(amount),
            lines=[LineFields(company.products[lines[0]], lines[1], Decimal(1_000))], stage_id=company.stages["won"],
            opened_on=date(2026, 5, 2), closed_on=on,
        )  # fmt: skip
    company.database.mirror.refresh()
    text = (PROJECT_ROOT / "docs/methods/margin.md").read_text(encoding="utf-8")
    known = {"ask": lambda query, **values: answer_as("leader", query, **values), "leaderboard": leaderboard, "Q3": Q3}
    example = doctest.DocTestParser().get_doctest(text, known, "margin", None, 0)
    assert len(example.examples) == 4
    said: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(example, out=said.append).failed == 0, "".join(said)


def test_a_share_link_holds_no_margin(sold):
    leader = actor(sold, "leader")
    holder = type(leader)(None, "", "", leader.role, leader.scope, share_link_id=1, extra_actions=leader.extra_actions)
    with pytest.raises(NotAllowed):
        gate.answer(sold.database, holder, leaderboard, NOW, period=Q3, measure="margin")
    rows = gate.answer(sold.database, holder, leaderboard, NOW, period=Q3)
    assert rows["margin"].isna().all()
