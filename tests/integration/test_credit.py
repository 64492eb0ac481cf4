"""Credit splits: who is credited with what, to the cent, in whose scope, as of which day."""

from __future__ import annotations

import doctest
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.analytics.as_of import AsOf
from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.domain.money import allocate
from core.domain.periods import Period
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed, NotFound
from core.model import AuditEntry, CreditShare, Deal, Rep
from core.queries.deals import deal_record
from core.queries.drill import deals_behind, selection_total
from core.queries.leaderboard import leaderboard
from core.queries.leaderboard_fair import fair_leaderboard
from core.services.deal_credit import CreditPart, LostDealHasNoCredit, split_credit
from core.services.deal_moves import advance_deal, reopen_deal
from core.settings import PROJECT_ROOT
from tests.conftest import actor
from tests.factories import NOW
from tests.histories import REPS, random_deals

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))
EVER = Period(date(2020, 1, 1), date(2027, 1, 1))
DAY = timedelta(days=1)


def parts(make, **shares: int) -> list[CreditPart]:
    return [CreditPart(make.reps[name], share) for name, share in shares.items()]


def split(make, deal, who: str = "operations", at=NOW, **shares: int) -> Deal:
    with make.database.reading(SYSTEM, now=at) as work:
        version = work.session.get(Deal, deal.id).version
    done = gate.perform(
        make.database, actor(make, who), split_credit, at, deal_id=deal.id, version=version, parts=parts(make, **shares)
    )
    make.database.mirror.refresh()
    return done


def won(make, amount: int | str, owner: str = "alice", days_ago: int = 3, **more: Any) -> Deal:
    start = NOW - (days_ago + 5) * DAY
    deal = make.deal(owner=owner, amount=amount, path=(("identified", start), ("won", NOW - days_ago * DAY)), **more)
    make.database.mirror.refresh()
    return deal


def booked(make, who: str = "leader", **values: Any) -> dict[str, float]:
    make.database.mirror.refresh()
    rows = gate.answer(make.database, actor(make, who), leaderboard, NOW, **{"period": Q3, "splits": True, **values})
    return {name: float(value) for name, value in zip(rows["name"], rows["booked"], strict=True) if value}


def test_the_parts_count_where_they_are_credited_and_make_the_whole(company):
    make = company
    deal = won(make, "1000.01")
    assert booked(make) == {"Alice": 1000.01}
    split(make, deal, alice=5_000, bob=2_500, charlie=2_500)
    assert booked(make) == {"Alice": 500.01, "Bob": 250.0, "Charlie": 250.0}
    assert booked(make, splits=False) == {"Alice": 1000.01}
    assert booked(make, by="team") == {"East": 750.01, "West": 250.0}
    rows = gate.answer(make.database, actor(make, "leader"), leaderboard, NOW, period=Q3, splits=True)
    counts = rows.set_index("name")[["won_count", "average_deal", "decided_count"]]
    assert counts.loc["Alice"].to_list() == [1, 1000.01, 1], "a deal is won once, by whoever won it"
    assert counts.loc["Bob", "won_count"] == 0


@given(amount=st.integers(0, 10**15 - 1), shares=st.lists(st.integers(1, 9_999), min_size=1, max_size=2, unique=True))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_amount_is_spread_to_the_cent_as_by_hand(small_company, amount, shares):
    cuts = sorted(shares)
    weights = [end - start for start, end in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    make, names = small_company, REPS[: len(weights)]
    deal = won(make, str(Decimal(amount).scaleb(-2)))
    split(make, deal, **dict(zip(names, weights, strict=True)))
    seen = gate.answer(make.database, actor(make, "leader"), deals_behind, NOW, selection=Selection("credited", Q3))
    mine = seen[seen["deal_id"] == deal.id]
    made = dict(zip(mine["credited"], (round(value * 100) for value in mine["value"]), strict=True))
    assert made == dict(zip((name.title() for name in names), allocate(amount, weights), strict=True))
    assert sum(made.values()) == amount
    split(make, deal)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_companies_are_credited_as_a_slow_count_credits_them(small_company, seed):
    """Python over lists: whole deals to who won them, split ones by `allocate`; in every scope, and its drill."""
    make, random = small_company, Random(seed)
    for deal in random_deals(make, random, 12):
        if deal.state != "lost" and random.random() < 0.6:
            people = random.sample(REPS, random.choice((2, 3)))
            cuts = sorted(random.sample(range(1, 10_000), len(people) - 1))
            weights = [end - start for start, end in zip([0, *cuts], [*cuts, 10_000], strict=True)]
            split(make, deal, **dict(zip(people, weights, strict=True)))
    make.database.mirror.refresh()
    slow = dict.fromkeys(make.reps.values(), 0)
    with make.database.reading(SYSTEM, now=NOW) as work:
        shares: dict[int, list[tuple[int, int]]] = {}
        for row in work.session.exec(select(CreditShare).where(CreditShare.until_at.is_(None))):
            shares.setdefault(row.deal_id, []).append((row.rep_id, row.share))
        for deal in work.session.exec(select(Deal).where(Deal.state == "won")):
            people = sorted(shares.get(deal.id, [(deal.credited_id, 10_000)]))
            spread = allocate(int(deal.base_amount * 100), [share for _rep, share in people])
            for (rep, _share), part in zip(people, spread, strict=True):
                slow[rep] += part
    expected = {name.title(): slow[number] for name, number in make.reps.items()}
    for who, names in (
        ("leader", REPS), ("eastern manager", ("alice", "bob")), ("eastern rep", ("alice",)),
        ("western rep", ("charlie",)),
    ):  # fmt: skip
        found = booked(make, who, period=EVER)
        assert {name: round(value * 100) for name, value in found.items()} == {
            name.title(): expected[name.title()] for name in names if expected[name.title()]
        }, who
        selection = Selection("credited", EVER)
        rows = gate.answer(make.database, actor(make, who), deals_behind, NOW, selection=selection)
        assert round(rows["value"].sum() * 100) == sum(expected[name.title()] for name in names)
        total = gate.answer(make.database, actor(make, who), selection_total, NOW, selection=selection).iloc[0]
        assert (int(total["count"]), round(total["value"] * 100)) == (len(rows), round(rows["value"].sum() * 100))
        today = AsOf(NOW.date())
        assert booked(make, who, period=EVER, as_of=today) == pytest.approx(found)


def test_somebody_credited_with_a_colleagues_deal_sees_their_part_and_not_the_deal(company):
    make = company
    deal = won(make, 10_000, owner="charlie", name="秘密西域")
    split(make, deal, charlie=7_000, alice=3_000)
    assert booked(make, "eastern rep") == {"Alice": 3_000}
    rows = gate.answer(
        make.database, actor(make, "eastern rep"), deals_behind, NOW, selection=Selection("credited", Q3)
    )
    (row,) = rows.to_dict("records")
    assert (row["value"], row["share"], row["closed_on"]) == (3_000, 0.3, deal.closed_at.date())
    hidden = ("deal_id", "name", "customer", "customer_id", "owner", "stage", "amount", "opened_on")
    assert all(row[name] is None or row[name] == "" or pd.isna(row[name]) for name in hidden), row
    refusals = []
    for number in (deal.id, 999_999):
        with pytest.raises(NotFound) as refusal:
            gate.answer(make.database, actor(make, "eastern rep"), deal_record, NOW, deal_id=number)
        refusals.append(refusal.value.message().replace(str(number), "N"))
    assert refusals[0] == refusals[1], "a refusal does not tell that there is such a deal"
    assert gate.answer(
        make.database, actor(make, "eastern rep"), deals_behind, NOW, selection=Selection("booked", Q3)
    ).empty, "without splits it is Charlie's alone"
    whole = gate.answer(make.database, actor(make, "leader"), deals_behind, NOW, selection=Selection("credited", Q3))
    assert sorted(zip(whole["credited"], whole["value"], whole["amount"], strict=True)) == [
        ("Alice", 3_000, 10_000), ("Charlie", 7_000, 10_000),
    ]  # fmt: skip
    assert set(whole["deal_id"]) == {deal.id}


def test_filters_and_margins_are_of_the_parts(company):
    make = company
    deal = won(make, 10_000, base_cost=Decimal("4000.01"))
    split(make, deal, alice=5_000, charlie=5_000)
    west = gate.answer(
        make.database, actor(make, "leader"), leaderboard, NOW, period=Q3, splits=True, measure="margin",
        filters=Filters(rep_ids=(make.reps["charlie"],)),
    ).set_index("name")  # fmt: skip
    assert west.loc["Charlie", ["booked", "margin"]].to_list() == [5_000, 3_000]
    everyone = gate.answer(
        make.database, actor(make, "leader"), deals_behind, NOW, selection=Selection("credited_margin", Q3)
    )
    assert sorted(everyone["value"]) == [2_999.99, 3_000]
    by_team = Selection("credited_margin", Q3, by="team", key=str(make.teams["west"]))
    assert gate.answer(
        make.database, actor(make, "leader"), selection_total, NOW, selection=by_team
    ).iloc[0].to_list() == [1, 3_000]  # fmt: skip
    with pytest.raises(NotAllowed):
        gate.answer(
            make.database, actor(make, "eastern rep"), deals_behind, NOW, selection=Selection("credited_margin", Q3)
        )


def test_as_it_was_known_then_the_split_said_later_was_not_known(company):
    make = company
    deal = won(make, 10_000, days_ago=5)
    split(make, deal, at=NOW - 2 * DAY, alice=6_000, bob=4_000)
    split(make, deal, alice=1_000, bob=9_000)
    days = {n: (NOW - n * DAY).date() for n in (0, 1, 3)}
    assert booked(make, as_of=AsOf(days[3], "then")) == {"Alice": 10_000}
    assert booked(make, as_of=AsOf(days[1], "then")) == {"Alice": 6_000, "Bob": 4_000}
    for day in (days[1], days[3]):
        assert booked(make, as_of=AsOf(day, "now")) == {"Alice": 1_000, "Bob": 9_000}
    assert booked(make, as_of=AsOf(days[0], "then")) == {"Alice": 1_000, "Bob": 9_000}
    assert booked(make, "eastern rep", as_of=AsOf(days[1], "then")) == {"Alice": 6_000}


def test_a_split_is_of_the_winning_and_stays_for_the_next(company):
    make = company
    start = NOW - 9 * DAY
    deal = make.deal(path=(("identified", start),), amount=100)
    split(make, deal, "eastern rep", alice=5_000, bob=5_000)
    assert booked(make) == {}
    act = lambda command, **values: gate.perform(make.database, actor(make, "eastern rep"), command, NOW, **values)  # noqa: E731
    done = act(advance_deal, deal_id=deal.id, to_stage_id=make.stages["won"], version=deal.version + 1)
    assert booked(make) == {"Alice": 50, "Bob": 50}
    act(reopen_deal, deal_id=deal.id, to_stage_id=make.stages["demo"], version=done.version)
    assert booked(make) == {}


def test_who_may_edit_the_deal_splits_it_and_nobody_else(company):
    make = company
    deal = won(make, 100)
    shares = {"alice": 9_000, "bob": 1_000}
    for who in ("eastern rep", "eastern manager", "operations"):
        shares["bob"] += 1
        shares["alice"] -= 1
        assert split(make, deal, who, **shares).id == deal.id
    for who in ("second eastern rep", "western rep", "western manager"):
        with pytest.raises(NotFound):
            gate.perform(
                make.database,
                actor(make, who),
                split_credit,
                NOW,
                deal_id=deal.id,
                version=1,
                parts=parts(make, **shares),
            )
    with pytest.raises(NotAllowed):
        split(make, deal, "leader", **shares)
    handed = won(make, 100, owner="charlie", credited="alice")
    with pytest.raises(NotAllowed):
        split(make, handed, "eastern rep", **shares)


def test_a_split_is_checked_and_a_stale_one_refused(company):
    make = company
    deal = won(make, 100)
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        gone = Rep(name="走了", left_on=date(2026, 7, 1), joined_on=date(2024, 1, 1))
        work.session.add(gone)
        work.session.flush()
        left = gone.id
    alice, bob = make.reps["alice"], make.reps["bob"]
    for wrong in (
        [CreditPart(alice, 10_000)],
        [CreditPart(alice, 5_000), CreditPart(bob, 4_999)],
        [CreditPart(alice, 5_000), CreditPart(alice, 5_000)],
        [CreditPart(alice, 10_000), CreditPart(bob, 0)],
        [CreditPart(alice, 11_000), CreditPart(bob, -1_000)],
        [CreditPart(alice, 5_000), CreditPart(999_999, 5_000)],
        [CreditPart(alice, 5_000), CreditPart(left, 5_000)],
    ):
        with pytest.raises(InvalidFields) as refusal:
            gate.perform(
                make.database, actor(make, "operations"), split_credit, NOW, deal_id=deal.id, version=1, parts=wrong
            )
        assert set(refusal.value.problems) == {"parts"}
    done = split(make, deal, alice=5_000, bob=5_000)
    assert done.version == 2
    assert split(make, deal, alice=5_000, bob=5_000).version == 2, "the same again changes nothing"
    with pytest.raises(EditedMeanwhile):
        gate.perform(make.database, actor(make, "operations"), split_credit, NOW, deal_id=deal.id, version=1, parts=[])
    assert split(make, deal).version == 3
    with make.database.reading(SYSTEM, now=NOW) as work:
        kept = work.session.exec(select(CreditShare).where(CreditShare.deal_id == deal.id)).all()
        assert [(row.share, row.effective_at, row.until_at) for row in kept] == [(5_000, deal.closed_at, NOW)] * 2
        assert work.session.exec(select(AuditEntry).where(AuditEntry.kind == "credit_share")).all()
    lost = make.deal(path=(("identified", NOW - DAY), ("lost", NOW)))
    with pytest.raises(LostDealHasNoCredit):
        split(make, lost, alice=5_000, bob=5_000)


def test_the_fair_board_ranks_by_the_parts_and_shows_the_arithmetic_of_a_row(company):
    make = company
    deal = won(make, 10_000)
    split(make, deal, alice=2_000, bob=8_000)
    make.quota(month=date(2026, 7, 1), amount=4_000, rep="bob")
    make.database.mirror.refresh()
    ask = lambda **values: gate.answer(  # noqa: E731
        make.database, actor(make, "leader"), fair_leaderboard, NOW, period=Q3, **values
    ).set_index("name")
    on, off = ask(adjust=("splits", "range")), ask(adjust=("range",))
    assert on.loc["Bob", ["rank", "booked", "whole", "received"]].to_list() == [1, 8_000, 0, 8_000]
    assert on.loc["Alice", ["rank", "booked", "whole", "received"]].to_list() == [2, 2_000, 10_000, 0]
    assert on.loc["Bob", "attainment"] == 2
    assert on.loc["Bob", ["rank_low", "rank_high"]].notna().all()
    assert off.loc["Alice", "rank"] == 1
    assert pd.isna(off.loc["Bob", "rank_low"]) or off.loc["Bob", "booked"] == 0


def test_the_worked_example_comes_out(company):
    make = company
    won(make, 10_000, days_ago=4)
    f = won(make, 1_000, credited="bob", days_ago=12)
    split(make, f, alice=3_333, bob=3_333, charlie=3_334)
    text = (PROJECT_ROOT / "docs/methods/credit-splits.md").read_text(encoding="utf-8")
    known = {
        "ask": lambda query, **values: gate.answer(make.database, actor(make, "leader"), query, NOW, **values),
        "leaderboard": leaderboard, "allocate": allocate, "Q3": Q3,
    }  # fmt: skip
    example = doctest.DocTestParser().get_doctest(text, known, "credit", None, 0)
    assert len(example.examples) >= 3
    said: list[str] = []
    assert doctest.DocTestRunner(verbose=False).run(example, out=said.append).failed == 0, "".join(said)
