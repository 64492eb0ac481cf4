"""Laws of the answers on random histories: parts make the whole, a funnel never widens, a drill is its number."""

from __future__ import annotations

import functools
from datetime import date, timedelta
from math import isclose, isnan
from random import Random

import pytest

from core.access.actors import SYSTEM
from core.analytics.dimensions import BESIDE, DIMENSIONS
from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.domain.periods import Period
from core.errors import NotFound
from core.gate import QUERIES
from core.model import Rep, Team
from core.queries.drill import deals_behind, selection_total
from core.queries.funnel import cohort_funnel, cohorts_by_month, funnel_compare
from core.queries.funnel_flow import flow_kinds, funnel_flow, funnel_snapshot
from core.queries.funnel_losses import losses_by_competitor, losses_by_month, losses_by_stage
from core.queries.funnel_stays import stay_curves, time_in_stage
from core.queries.funnel_steps import step_changes, step_trend
from core.queries.leaderboard import leaderboard, rep_card, rep_trend
from core.queries.overview import booked_by_month, breakdown, overview_kpis, pipeline_by_stage
from core.queries.own_rank import own_rank
from core.queries.series import booked_series
from core.queries.today_numbers import (
    attainment_now,
    attention_counts,
    changes_since,
    deals_needing_attention,
    events_since,
    six_numbers,
)
from tests.factories import NOW
from tests.histories import random_deals

YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))
PERIODS = (YEAR, Period(date(2026, 4, 1), date(2026, 7, 1)))


@pytest.fixture
def answers(small_company, answer_as):
    random_deals(small_company, Random(11), 40)
    return lambda query, who="leader", **values: answer_as(who, query, **values)


def agrees(answers, count, value, measure, period=YEAR, **more):
    """The drill of a number has its count and its sum, and so has the total."""
    selection = Selection(measure, period, **more)
    deals = answers(deals_behind, selection=selection)
    total = answers(selection_total, selection=selection).iloc[0]
    assert (len(deals), total["count"]) == (count, count), measure
    assert isclose(deals["value"].sum(), value, abs_tol=1e-6), measure
    assert isclose(total["value"], value, abs_tol=1e-6), measure


@pytest.mark.parametrize("period", PERIODS, ids=["year", "quarter"])
def test_every_key_figure_opens_to_its_deals(answers, period):
    row = answers(overview_kpis, period=period).iloc[0]
    agrees(answers, row["won_count"], row["booked"], "booked", period)
    agrees(answers, row["open_count"], row["pipeline"], "open", period)
    agrees(answers, row["open_count"], row["weighted_pipeline"], "weighted", period)
    agrees(answers, row["overdue_count"], row["overdue_value"], "overdue", period)
    closing = answers(deals_behind, selection=Selection("closing", period))
    assert isclose(closing["value"].sum(), row["closing_value"], abs_tol=1e-6)
    decided = answers(deals_behind, selection=Selection("decided", period))
    assert len(decided) == row["decided_count"]
    assert (decided["state"] == "won").sum() == row["won_count"]


@pytest.mark.parametrize("by", DIMENSIONS)
def test_the_parts_add_up_to_the_whole_and_open_to_their_deals(answers, by):
    whole = answers(overview_kpis, period=YEAR).iloc[0]
    parts = answers(breakdown, period=YEAR, by=by)
    for part, all_of_it in (
        ("booked", "booked"), ("won_count", "won_count"), ("lost_count", "lost_count"),
        ("open_count", "open_count"), ("open_value", "pipeline"), ("weighted", "weighted_pipeline"),
    ):  # fmt: skip
        assert isclose(parts[part].sum(), whole[all_of_it], abs_tol=1e-6), part
    for row in parts.to_dict("records"):
        agrees(answers, row["won_count"], row["booked"], "won", by=by, key=row["key"])
        agrees(answers, row["open_count"], row["open_value"], "open", by=by, key=row["key"])


def test_months_add_up_to_the_period(answers):
    months = answers(booked_by_month, period=YEAR)
    whole = answers(overview_kpis, period=YEAR).iloc[0]
    assert len(months) == 12
    assert isclose(months["booked"].sum(), whole["booked"], abs_tol=1e-6)
    assert months["won"].sum() == whole["won_count"]
    for row in months[months["won"] > 0].to_dict("records"):
        month = Period(row["month"], date(2026 + row["month"].month // 12, row["month"].month % 12 + 1, 1))
        agrees(answers, row["won"], row["booked"], "booked", month)


def test_the_pipeline_opens_stage_by_stage(answers):
    for row in answers(pipeline_by_stage).to_dict("records"):
        agrees(answers, row["count"], row["value"], f"stage:{row['stage_key']}")


@pytest.mark.parametrize("period", PERIODS, ids=["year", "quarter"])
def test_a_funnel_never_widens_and_nobody_is_lost_from_sight(answers, period):
    funnel = answers(cohort_funnel, period=period)
    reached = funnel["reached"].to_list()
    assert reached == sorted(reached, reverse=True)
    agrees(answers, reached[0], funnel["value"].iloc[0], "created", period)
    for here, further in zip(funnel.to_dict("records"), [*reached[1:], None], strict=True):
        if further is not None:
            assert here["reached"] == further + here["still_open"] + here["lost_here"]
        key = here["stage_key"]
        agrees(answers, here["reached"], here["value"], f"reached:{key}", period)
        agrees(answers, here["still_open"], here["still_open_value"], f"still_open_at:{key}", period)
        agrees(answers, here["lost_here"], here["lost_here_value"], f"lost_at:{key}", period)


def test_losses_open_to_their_deals_and_make_up_the_funnels_losses(answers):
    losses = answers(losses_by_stage, period=YEAR)
    funnel = answers(cohort_funnel, period=YEAR)
    assert losses["count"].sum() == funnel["lost_here"].sum() > 0
    for row in losses.to_dict("records"):
        agrees(answers, row["count"], row["value"], f"lost_at:{row['stage_key']}:{row['reason_key']}")
    for key, part in losses.groupby("stage_key"):
        keys = BESIDE.join(part["reason_key"])
        agrees(answers, part["count"].sum(), part["value"].sum(), f"lost_at:{key}", by="lost_reason", key=keys)


@pytest.mark.parametrize("by", DIMENSIONS)
def test_funnels_side_by_side_add_up_to_the_one(answers, by):
    groups = answers(funnel_compare, period=YEAR, by=by)
    whole = answers(cohort_funnel, period=YEAR)
    assert groups.groupby("stage_key", sort=False)["reached"].sum().to_list() == whole["reached"].to_list()
    key = groups["group_key"].iloc[0]
    alone = answers(funnel_compare, period=YEAR, by=by, keys=(key,))
    assert set(alone["group_key"]) == {key}
    for row in alone.to_dict("records"):
        agrees(answers, row["reached"], row["value"], f"reached:{row['stage_key']}", by=by, key=key)


def test_scopes_add_up_to_the_company(answers):
    """A deal counts in one scope alone, whoever has it now."""
    scopes = ("eastern manager", "western manager")
    company = answers(overview_kpis, period=YEAR).iloc[0]
    parts = [answers(overview_kpis, who=who, period=YEAR).iloc[0] for who in scopes]
    for name in ("booked", "won_count", "lost_count", "open_count", "pipeline"):
        assert isclose(sum(part[name] for part in parts), company[name], abs_tol=1e-6), name


def test_a_team_filter_includes_the_teams_below(answers, small_company):
    head = Filters(team_ids=(small_company.teams["head"],))
    assert answers(overview_kpis, period=YEAR, filters=head).equals(answers(overview_kpis, period=YEAR))


@pytest.fixture
def tall(small_company, answers):
    """Head office has a rep of its own (Charlie), East has one (Alice), and North lies below East with Bob."""
    company = small_company
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        north = Team(name="北组", name_en="North", parent_id=company.teams["east"])
        work.session.add(north)
        work.session.flush()
        company.teams["north"] = north.id
        for rep, team in (("bob", "north"), ("charlie", "head")):
            work.session.get(Rep, company.reps[rep]).team_id = company.teams[team]
    for team, amount in (("north", 300), ("east", 5_000), ("west", 70), ("head", 9_000)):
        company.quota(month=date(2026, 5, 1), amount=amount, team=team)
    company.quota(month=date(2026, 6, 1), amount=11, team="head")
    company.quota(month=date(2026, 6, 1), amount=40, rep="charlie")
    return company.teams


LEVELS = [
    ("leader", (), {"East": "east", "West": "west", "Directly in Head office": "head:own"}),
    ("leader", ("head",), {"East": "east", "West": "west", "Directly in Head office": "head:own"}),
    ("leader", ("east",), {"North": "north", "Directly in East": "east:own"}),
    ("leader", ("north",), {"North": "north"}),
    ("leader", ("west", "north"), {"North": "north", "West": "west"}),
    ("leader", ("north", "east"), {"North": "north", "Directly in East": "east:own"}),
    ("eastern manager", (), {"North": "north", "Directly in East": "east:own"}),
    ("second eastern rep", (), {"North": "north"}),
]


@pytest.mark.parametrize(("who", "filtered", "parts"), LEVELS)
def test_teams_at_any_level_are_whole_subtrees_that_add_up(answers, tall, who, filtered, parts):
    filters = Filters(team_ids=tuple(tall[name] for name in filtered))
    keys = {}
    for name, team in parts.items():
        number, _colon, own = team.partition(":")
        keys[f"{tall[number]}{':own' if own else ''}"] = name
    shown = answers(breakdown, who=who, period=YEAR, by="team", filters=filters)
    assert {key: keys.get(key) for key in shown["key"]} == dict(zip(shown["key"], shown["name"], strict=True))
    whole = answers(overview_kpis, who=who, period=YEAR, filters=filters).iloc[0]
    assert shown["won_count"].sum() == whole["won_count"] > 0
    for part, all_of_it in (("booked", "booked"), ("open_value", "pipeline"), ("quota", "quota")):
        owed = whole[all_of_it]
        assert isclose(shown[part].sum(), 0 if isnan(owed) else owed, abs_tol=1e-6), part
    for row in shown.to_dict("records"):
        more = {"filters": filters, "by": "team", "key": row["key"]}
        mine = functools.partial(answers, who=who)
        agrees(mine, row["won_count"], row["booked"], "won", **more)
        agrees(mine, row["open_count"], row["open_value"], "open", **more)
    funnels = answers(funnel_compare, who=who, period=YEAR, by="team", filters=filters)
    entered = answers(cohort_funnel, who=who, period=YEAR, filters=filters)["reached"]
    assert funnels.groupby("stage_key", sort=False)["reached"].sum().to_list() == entered.to_list()
    assert set(funnels["group"]) <= set(parts)


@pytest.mark.parametrize(("who", "filtered", "parts"), [level for level in LEVELS if level[0] != "second eastern rep"])
def test_team_leaderboards_rank_what_overview_counts_by_team(answers, tall, who, filtered, parts):
    filters = Filters(team_ids=tuple(tall[name] for name in filtered))
    board = answers(leaderboard, who=who, period=YEAR, by="team", filters=filters)
    shown = answers(breakdown, who=who, period=YEAR, by="team", filters=filters).set_index("key")
    there = shown[(shown["decided_count"] > 0) | shown["quota"].notna()]
    assert set(there.index) <= set(board["key"])
    assert set(board["name"]) <= set(parts)
    for row in board[board["key"].isin(there.index)].to_dict("records"):
        assert isclose(row["booked"], there.loc[row["key"], "booked"], abs_tol=1e-6)
        assert row["decided_count"] == there.loc[row["key"], "decided_count"]
        assert (row["quota"] == there.loc[row["key"], "quota"]) or isnan(row["quota"])


def test_a_key_of_no_team_opens_nothing(answers):
    for key in ("x", "9999", ":own", "7:mine"):
        assert answers(deals_behind, selection=Selection("won", YEAR, by="team", key=key)).empty


def test_the_series_is_the_booked_value(answers):
    whole = answers(overview_kpis, period=Period(date(2000, 1, 1), date(2100, 1, 1))).iloc[0]
    for frequency in ("day", "week", "month"):
        series = answers(booked_series, frequency=frequency)
        assert isclose(series["value"].sum(), whole["booked"], abs_tol=1e-6)
        assert series["count"].sum() == whole["won_count"]
        assert series["on"].is_monotonic_increasing
    assert all(day.weekday() == 0 for day in answers(booked_series, frequency="week")["on"])


def test_the_leaderboard_ranks_what_overview_counts(answers):
    board = answers(leaderboard, period=YEAR)
    parts = answers(breakdown, period=YEAR, by="rep").set_index("key")
    assert board["rank"].to_list() == [1, 2, 3]
    assert board["booked"].is_monotonic_decreasing
    for row in board.to_dict("records"):
        assert isclose(row["booked"], parts.loc[row["key"], "booked"], abs_tol=1e-6)
        assert row["decided_count"] == parts.loc[row["key"], "decided_count"]


def test_ones_own_rank_is_the_leaderboards(answers, small_company):
    for measure in ("booked", "won_count", "cycle_days", "average_deal"):
        board = answers(leaderboard, period=YEAR, measure=measure).set_index("key")
        for who, rep in (("eastern rep", "alice"), ("second eastern rep", "bob"), ("western rep", "charlie")):
            own = answers(own_rank, who=who, period=YEAR, measure=measure)
            assert own.rank == board.loc[str(small_company.reps[rep]), "rank"]
            assert own.of == board["rank"].notna().sum() == 3
    assert answers(own_rank, period=YEAR).rank is None, "the leader is no rep"


SINCE = {"since": date(2026, 1, 1)}
QUESTIONS = [
    (overview_kpis, {"period": YEAR}),
    (booked_by_month, {"period": YEAR}),
    *[(breakdown, {"period": YEAR, "by": by}) for by in DIMENSIONS],
    (pipeline_by_stage, {}),
    (cohort_funnel, {"period": YEAR}),
    *[(funnel_compare, {"period": YEAR, "by": by}) for by in DIMENSIONS],
    (cohort_funnel, {"period": YEAR, "days": 30}),
    (cohorts_by_month, {"period": YEAR}),
    (time_in_stage, {"period": YEAR}),
    (stay_curves, {"period": YEAR}),
    (losses_by_stage, {"period": YEAR}),
    (losses_by_month, {"period": YEAR}),
    (losses_by_competitor, {"period": YEAR}),
    (funnel_flow, {"period": YEAR}),
    (flow_kinds, {"period": YEAR}),
    (funnel_snapshot, {}),
    (step_changes, {"period": YEAR}),
    (step_changes, {"period": YEAR, "by": "rep", "key": "1"}),
    (step_trend, {"period": YEAR}),
    (leaderboard, {"period": YEAR}),
    (leaderboard, {"period": YEAR, "by": "team"}),
    *[(deals_behind, {"selection": Selection(m, YEAR)}) for m in ("won", "lost", "open", "created", "idle")],
    (selection_total, {"selection": Selection("created", YEAR)}),
    (booked_series, {}),
    (attainment_now, {}),
    (six_numbers, {}),
    (deals_needing_attention, {}),
    (attention_counts, {}),
    (changes_since, SINCE),
    (events_since, SINCE),
    (own_rank, {"period": YEAR}),
]


@pytest.mark.parametrize(("query", "values"), QUESTIONS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_west_learns_nothing_of_the_east(small_company, answer_as, query, values):
    """Answers to the western rep are the same with the whole business of the east and without it."""
    before = answer_as("western rep", query, **values)
    for owner in ("alice", "bob"):
        small_company.quota(month=date(2026, 7, 1), amount=900, rep=owner)
    small_company.quota(month=date(2026, 8, 1), amount=5000, team="east")
    _eastern_business(small_company)
    after = answer_as("western rep", query, **values)
    if query is own_rank:
        assert (before.rank, after.rank, after.of) == (None, 2, 3)
    else:
        assert after.equals(before)


def _eastern_business(company):
    customer = company.customer(owner="alice", segment="Secret")
    for owner, last in (("alice", "won"), ("bob", "lost"), ("alice", "demo")):
        path = (("identified", NOW - timedelta(days=40)), (last, NOW - timedelta(days=20)))
        deal = company.deal(owner=owner, path=path, customer=customer, amount=777)
        company.activity(rep=owner, customer=customer, deal_id=deal.id)


def test_a_rep_of_another_team_does_not_exist(small_company, answer_as):
    eastern, nobody = small_company.reps["alice"], 999_999
    for query in (rep_trend, rep_card):
        refusals = set()
        for number in (eastern, nobody):
            with pytest.raises(NotFound) as refusal:
                answer_as("western rep", query, rep_id=number)
            refusals.add(str(refusal.value).replace(str(number), "N"))
        assert len(refusals) == 1
        assert not answer_as("eastern manager", query, rep_id=eastern).empty


def test_every_analytic_question_is_in_the_cast_test():
    asked = {query.__name__ for query, _values in QUESTIONS} | {"rep_trend", "rep_card"}
    mine = {
        name
        for name, entry in QUERIES.items()
        if entry.mirrored
        and entry.function.__module__.rpartition(".")[2]
        in {"overview", "leaderboard", "own_rank", "drill", "series", "today_numbers"}
        | {"funnel", "funnel_flow", "funnel_losses", "funnel_stays", "funnel_steps"}
    }
    assert mine - {"process_shown"} == asked


def test_an_empty_company_gets_empty_answers_with_all_columns(small_company, answer_as):
    for query, values in QUESTIONS:
        found = answer_as("leader", query, **values)
        if query is not own_rank:
            assert len(found.columns) > 0, query.__name__
    first = answer_as("leader", overview_kpis, period=YEAR).iloc[0]
    assert (first["booked"], first["won_count"]) == (0.0, 0)
    assert isnan(first["win_rate"])
