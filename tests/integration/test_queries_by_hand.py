"""The answers on a small world whose numbers were computed by hand; the drawing is in the fixture."""

from __future__ import annotations

import doctest
from datetime import UTC, date, datetime
from math import isnan

import pytest

from core.analytics.bottleneck import Side, holm, newcombe, p_value, step_tests, worth
from core.analytics.filters import Filters
from core.analytics.leaderboard import ranks
from core.analytics.rates import coverage
from core.db.actors import actor_named
from core.domain.periods import Period
from core.gate import answer
from core.queries.expected import coverage_needed
from core.queries.funnel import cohort_funnel
from core.queries.funnel_flow import flow_kinds, funnel_flow, funnel_snapshot
from core.queries.funnel_losses import losses_by_stage
from core.queries.funnel_stays import time_in_stage
from core.queries.funnel_steps import step_changes
from core.queries.leaderboard import leaderboard, rep_trend
from core.queries.overview import booked_by_month, breakdown, overview_kpis, pipeline_by_stage
from core.queries.today_numbers import (
    attainment_now,
    attention_counts,
    changes_since,
    deals_needing_attention,
    events_since,
    six_numbers,
)
from core.settings import PROJECT_ROOT
from tests.factories import NOW

Q3 = Period(date(2026, 7, 1), date(2026, 10, 1))


def at(month, day):
    return datetime(2026, month, day, 2, tzinfo=UTC)


@pytest.fixture
def world(company):
    """Today is 15 July 2026.

    a: Alice, 10,000, 1 July identified, 3 July demo (contacted and needs skipped), won on 11 July: 10 days
    b: Bob, 4,000, identified 2 July, needs 4 July, back to contacted 8 July, lost 10 July for its price
    c: Alice, 6,000, identified 1 July, lost 5 July (fit), reopened into contacted 9 July, open
    d: Charlie, 2,000, identified 1 June, contacted 3 June, open, expected on 10 July: overdue, idle, slow
    e: Charlie, 8,000, identified 2 May, won on 1 June: 30 days, closed in the second quarter
    f: won by Bob, now Alice's, 1,000, identified 1 July, won on 3 July: 2 days
    """
    make = company
    deals = {
        "a": make.deal(path=(("identified", at(7, 1)), ("demo", at(7, 3)), ("won", at(7, 11))), amount=10_000),
        "b": make.deal(
            owner="bob",
            path=(("identified", at(7, 2)), ("needs", at(7, 4)), ("contacted", at(7, 8)), ("lost", at(7, 10))),
            amount=4_000,
            lost_reason="price",
        ),
        "c": make.deal(
            path=(("identified", at(7, 1)), ("lost", at(7, 5)), ("contacted", at(7, 9))),
            amount=6_000,
            expected_close_on=date(2026, 9, 1),
            lost_reason="fit",
        ),
        "d": make.deal(
            owner="charlie",
            path=(("identified", at(6, 1)), ("contacted", at(6, 3))),
            amount=2_000,
            expected_close_on=date(2026, 7, 10),
        ),
        "e": make.deal(owner="charlie", path=(("identified", at(5, 2)), ("won", at(6, 1))), amount=8_000),
        "f": make.deal(owner="alice", credited="bob", path=(("identified", at(7, 1)), ("won", at(7, 3))), amount=1_000),
    }
    make.quota(month=date(2026, 7, 1), amount=20_000, rep="alice")
    make.quota(month=date(2026, 8, 1), amount=5_000, rep="bob")
    make.quota(month=date(2026, 8, 1), amount=99_000, team="east")
    make.quota(month=date(2026, 9, 1), amount=15_000, team="west")
    return deals


def test_key_figures(world, answer_as):
    current, previous, _year = answer_as("leader", overview_kpis, period=Q3).to_dict("records")
    assert current["booked"] == 11_000
    assert (current["won_count"], current["lost_count"]) == (2, 1)
    assert current["win_rate"] == pytest.approx(2 / 3)
    assert current["win_rate_low"] == pytest.approx(0.2077, abs=1e-4)
    assert current["win_rate_high"] == pytest.approx(0.9385, abs=1e-4)
    assert current["win_rate_by_value"] == pytest.approx(11_000 / 15_000)
    assert current["average_deal"] == 5_500
    assert current["cycle_days"] == 6, "the median of 10 and 2"
    assert (current["open_count"], current["pipeline"]) == (2, 8_000)
    assert current["weighted_pipeline"] == 800, "both stand at a tenth"
    assert (current["overdue_count"], current["overdue_value"]) == (1, 2_000)
    assert current["closing_value"] == 8_000
    assert current["quota"] == 40_000, "the east's own quota is covered by Bob's in August"
    assert current["attainment"] == pytest.approx(11 / 40)
    assert current["coverage"] == pytest.approx(8 / 29)
    assert (previous["booked"], previous["won_count"], previous["cycle_days"]) == (8_000, 1, 30)
    assert isnan(previous["pipeline"])


def test_earlier_periods_can_be_cut_at_the_same_age(world, answer_as):
    rows = answer_as("leader", overview_kpis, period=Q3, to_date=True).to_dict("records")
    assert (rows[1]["start"], rows[1]["end"]) == (date(2026, 4, 1), date(2026, 4, 16))
    assert rows[1]["booked"] == 0, "e was won on 1 June"


def test_half_a_month_owes_half_its_quota(world, answer_as):
    period = Period(date(2026, 9, 16), date(2026, 10, 1))
    assert answer_as("leader", overview_kpis, period=period)["quota"].iloc[0] == 7_500


def test_quotas_know_people_alone(world, company, answer_as):
    east = Filters(team_ids=(company.teams["east"],))
    assert answer_as("leader", overview_kpis, period=Q3, filters=east)["quota"].iloc[0] == 25_000
    compass = Filters(product_ids=(company.products["compass"],))
    assert isnan(answer_as("leader", overview_kpis, period=Q3, filters=compass)["quota"].iloc[0])


def test_months(world, answer_as):
    months = answer_as("leader", booked_by_month, period=Q3)
    assert months["booked"].to_list() == [11_000, 0, 0]
    assert months["quota"].to_list() == [20_000, 5_000, 15_000]
    assert months["won"].to_list() == [2, 0, 0]


def test_credit_goes_to_whoever_owned_the_deal_when_it_was_won(world, company, answer_as):
    rows = answer_as("leader", breakdown, period=Q3, by="rep").set_index("name")
    assert rows.loc["Alice", "booked"] == 10_000
    assert rows.loc["Bob", "booked"] == 1_000
    assert rows.loc["Alice", "attainment"] == pytest.approx(0.5)
    own = answer_as("eastern rep", overview_kpis, period=Q3).iloc[0]
    assert own["booked"] == 10_000, "Alice sees the deal she took over, but it does not count for her"


def test_pipeline_by_stage(world, answer_as):
    rows = answer_as("leader", pipeline_by_stage).set_index("stage")
    assert rows.loc["First contact", ["count", "value", "weighted", "overdue_count"]].to_list() == [2, 8_000, 800, 1]
    assert rows["count"].sum() == 2
    assert next(iter(rows.index)) == "Lead identified"


def test_the_cohort_funnel(world, answer_as):
    """Of a, b, c and f: a and f passed everything, b got to needs and fell back, c was lost and reopened."""
    rows = answer_as("leader", cohort_funnel, period=Q3)
    assert rows["reached"].to_list() == [4, 4, 3, 2, 2, 2]
    assert rows["value"].to_list() == [21_000, 21_000, 15_000, 11_000, 11_000, 11_000]
    assert rows["still_open"].to_list() == [0, 1, 0, 0, 0, 0]
    assert rows["lost_here"].to_list() == [0, 0, 1, 0, 0, 0]
    assert rows["rate_from_previous"].to_list()[1:] == pytest.approx([1, 3 / 4, 2 / 3, 1, 1])
    assert rows["rate_from_start"].to_list()[1:] == pytest.approx([1, 3 / 4, 1 / 2, 1 / 2, 1 / 2])
    assert isnan(rows["rate_from_previous"].iloc[0])


def test_time_in_stage(world, answer_as):
    """Identified: 2, 2, 4 and 2 days; b stayed 2 days in contacted.

    c is still there, since 9 July at 10:00: to the start of 15 July 5 days and 14 hours.
    """
    rows = answer_as("leader", time_in_stage, period=Q3).set_index("stage")
    assert rows.loc["Lead identified", ["completed", "median_days"]].to_list() == [4, 2]
    assert rows.loc["Lead identified", "p90_days"] == pytest.approx(3.4)
    assert rows.loc["First contact", ["completed", "median_days", "still_inside"]].to_list() == [1, 2, 1]
    assert rows.loc["First contact", "still_inside_median_days"] == pytest.approx(5 + 14 / 24)
    assert rows.loc["Demo", ["completed", "median_days"]].to_list() == [1, 8]
    assert isnan(rows.loc["Quote and negotiation", "median_days"])


def test_stays_that_go_on_are_the_same_all_day_and_never_below_nothing(make, small_company):
    """Identified at 09:00 of 15 July and not moved since; asked at noon, at night and on the next day."""
    make.deal(path=(("identified", datetime(2026, 7, 15, 1, tzinfo=UTC)),))
    leader = actor_named(make.database, "leader", now=NOW, origin="test")

    def lasted(hour):
        at_hour = datetime(2026, 7, 15, hour, tzinfo=UTC)
        rows = answer(make.database, leader, time_in_stage, at_hour, period=Q3).set_index("stage")
        return rows.loc["Lead identified", ["still_inside", "still_inside_median_days"]].to_list()

    assert lasted(4) == lasted(15) == [1, 0]  # 12:00 and 23:00 in Shanghai
    assert lasted(17) == [1, pytest.approx(15 / 24)]  # 01:00 on 16 July, counted to its start


def test_losses(world, answer_as):
    rows = answer_as("leader", losses_by_stage, period=Q3)
    assert rows[["stage", "reason", "count", "value"]].to_numpy().tolist() == [
        ["Needs analysis", "Price too high", 1, 4_000]
    ]


def test_the_leaderboard(world, company, answer_as):
    company.activity(rep="bob")
    rows = answer_as("leader", leaderboard, period=Q3, minimum_decided=2)
    assert rows["name"].to_list() == ["Alice", "Bob", "Charlie"]
    assert rows["rank"].to_list() == [1, 2, 3]
    assert rows["previous_rank"].to_list() == [2, 2, 1]
    assert rows["rank_change"].to_list() == [1, 0, -2]
    assert rows["most_improved"].to_list() == [True, False, False]
    bob = rows.set_index("name").loc["Bob"]
    assert (bob["decided_count"], bob["win_rate"], bob["too_few"], bob["activities"]) == (2, 0.5, False, 1)
    alice = rows.set_index("name").loc["Alice"]
    assert isnan(alice["win_rate"])
    assert alice["too_few"]
    by_rate = answer_as("leader", leaderboard, period=Q3, measure="win_rate", minimum_decided=1)
    assert by_rate["name"].to_list() == ["Alice", "Bob", "Charlie"]
    quickest = answer_as("leader", leaderboard, period=Q3, measure="cycle_days")
    assert quickest["name"].to_list()[:2] == ["Bob", "Alice"]
    teams = answer_as("leader", leaderboard, period=Q3, by="team")
    assert teams["name"].to_list() == ["East", "West"]
    assert teams["booked"].to_list() == [11_000, 0]


def test_a_reps_months(world, company, answer_as):
    rows = answer_as("leader", rep_trend, rep_id=company.reps["bob"], months=2)
    assert rows["month"].to_list() == [date(2026, 6, 1), date(2026, 7, 1)]
    assert rows[["booked", "won", "lost", "win_rate"]].iloc[1].to_list() == [1_000, 1, 1, 0.5]


def test_today(world, answer_as):
    now = answer_as("leader", attainment_now).set_index("row")
    assert now.loc["month", ["booked", "quota"]].to_list() == [11_000, 20_000]
    assert now.loc["month", "elapsed_rate"] == pytest.approx(15 / 31)
    assert now.loc["quarter", "attainment"] == pytest.approx(11 / 40)
    six = answer_as("leader", six_numbers).set_index("name")
    assert six.loc["booked", ["value", "previous"]].to_list() == [11_000, 0]
    assert six.loc["cycle_days", "better"] == "less"


def test_deals_that_need_somebody(world, answer_as):
    """d only: expected on 10 July, opened 44 days ago without an activity, 42 days where 14 are expected."""
    rows = answer_as("leader", deals_needing_attention).to_dict("records")
    assert [row["deal_id"] for row in rows] == [world["d"].id]
    assert rows[0]["reasons"] == ("overdue", "idle", "slow")
    assert [rows[0][name] for name in ("days_overdue", "days_idle", "days_in_stage")] == [5, 44, 42]
    assert answer_as("eastern rep", deals_needing_attention).empty


def test_what_changed(world, answer_as):
    since = date(2026, 7, 3)
    counts = answer_as("leader", changes_since, since=since).set_index("kind")
    assert counts["count"].to_dict() == {"created": 0, "advanced": 2, "won": 2, "lost": 1, "slipped": 0}
    assert counts.loc["won", "value"] == 11_000
    events = answer_as("leader", events_since, since=since, kind="advanced")
    assert events["to_stage"].to_list() == ["Needs analysis", "Demo"]
    assert events["occurred_at"].iloc[0] == at(7, 4)


METHODS = (
    "attainment", "attention", "bottleneck", "coverage", "credit", "flow", "funnel", "rank", "sales-cycle",
    "time-in-stage", "weighted-pipeline", "win-rate",
)  # fmt: skip


def test_the_worked_examples_of_the_methods_come_out(world, answer_as):
    """docs/methods/*.md describe this world; what they say it gives, it gives."""
    known = {
        "ask": lambda query, **values: answer_as("leader", query, **values),
        "Period": Period, "date": date, "Q3": Q3, "ranks": ranks, "coverage": coverage,
        **{each.__name__: each for each in (Side, newcombe, p_value, holm, step_tests, worth)},
        **{query.__name__: query for query in (
            overview_kpis, cohort_funnel, time_in_stage, breakdown, leaderboard, deals_needing_attention,
            step_changes, flow_kinds, funnel_flow, funnel_snapshot,
            attention_counts, coverage_needed,
        )},
    }  # fmt: skip
    for name in METHODS:
        text = (PROJECT_ROOT / f"docs/methods/{name}.md").read_text(encoding="utf-8")
        example = doctest.DocTestParser().get_doctest(text, dict(known), name, None, 0)
        assert example.examples, name
        said: list[str] = []
        outcome = doctest.DocTestRunner(verbose=False).run(example, out=said.append)
        assert outcome.failed == 0, "".join(said)
