"""Funnel's answers are those of plain Python over the raw moves, and every number opens exactly its deals."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from fractions import Fraction
from math import isclose, isnan
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import gate
from core.analytics.as_of import AsOf
from core.analytics.dimensions import BESIDE
from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.analytics.stage_measures import KINDS
from core.db.work import Database
from core.domain.periods import Period, add_months, day_start
from core.queries.drill import deals_behind, selection_total
from core.queries.funnel import cohort_funnel, cohorts_by_month, funnel_compare, process_shown
from core.queries.funnel_flow import flow_kinds, funnel_flow, funnel_snapshot
from core.queries.funnel_losses import losses_by_competitor, losses_by_month, losses_by_stage
from core.queries.funnel_stays import stay_curves, time_in_stage
from core.queries.funnel_steps import step_changes, step_trend
from core.queries.share import my_share_links  # noqa: F401 - the gate knows every question of a page
from tests.conftest import SHANGHAI, actor
from tests.factories import NOW, Company
from tests.histories import random_deals
from tests.slow_funnel import SlowFunnel, day_of, product_limit

TODAY = NOW.date()
DAYS = st.sampled_from((1, 7, 30, 90))
PERIODS = st.tuples(st.integers(-220, -5), st.integers(1, 200)).map(
    lambda drawn: Period(TODAY + timedelta(days=drawn[0]), TODAY + timedelta(days=drawn[0] + drawn[1]))
)
EXAMPLES = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


class Asked:
    """A company of random deals, its answers, and the slow truth about it."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.truth = SlowFunnel(company, TODAY)
        self.amounts = {life.id: life.amount for life in self.truth.lives}

    def __call__(self, query, **values):
        return gate.answer(self.company.database, actor(self.company, "leader"), query, NOW, **values)

    def opens(self, measure, expected, period=None, value=None, **more):
        """The drill of a measure holds exactly the expected deals; count and sum of it agree."""
        selection = Selection(measure, period, **more)
        assert selection.is_known, measure
        assert Selection.from_params(selection.to_params()) == selection
        behind = self(deals_behind, selection=selection)
        total = self(selection_total, selection=selection).iloc[0]
        assert set(behind["deal_id"]) == set(expected), measure
        assert len(behind) == total["count"] == len(set(expected)), measure
        amount = sum(self.amounts[number] for number in set(expected))
        assert isclose(behind["value"].sum(), amount, abs_tol=1e-6), measure
        assert isclose(total["value"], amount if value is None else value, abs_tol=1e-6), measure


@pytest.fixture(scope="module", params=[3, 4])
def asked(request, founded_sqlite):
    with TemporaryDirectory() as folder:
        path = f"{folder}/luopan.db"
        shutil.copy(founded_sqlite, path)
        database = Database(f"sqlite:///{path}", zone=SHANGHAI)
        company = Company(database)
        random = Random(request.param)
        random_deals(company, random, 70)
        rivals = iter(random.choices(("", "Rival", "对手"), k=70))
        for number in range(30):
            start = NOW - timedelta(days=150 - number)
            path = (("identified", start), ("contacted", start + timedelta(days=2 + number % 7)),
                    ("won", start + timedelta(days=20 + number)))  # fmt: skip
            company.deal(path=path, amount=1000 + number, competitor=next(rivals))
        company.deal(path=(("identified", NOW - timedelta(days=200)),), amount=5)
        for number in range(6):
            lost = NOW - timedelta(days=40 - number)
            company.deal(path=(("needs", lost - timedelta(days=9)), ("lost", lost)), competitor=next(rivals))
        yield Asked(company)
        database.close()


@EXAMPLES
@given(period=PERIODS, days=st.one_of(st.just(0), DAYS))
def test_the_cohort_is_followed_to_now_or_for_so_many_days(asked, period, days):
    truth = asked.truth.funnel(period, days)
    rows = asked(cohort_funnel, period=period, days=days)
    names = ("reached", "still_open_at", "lost_at") if not days else ("reached_within", "open_within", "lost_within")
    for row in rows.to_dict("records"):
        sets = truth[int(row["stage_key"])]
        for name, members, count in zip(names, sets, ("reached", "still_open", "lost_here"), strict=True):
            assert row[count] == len(members), (name, row["stage"])
            asked.opens(f"{name}:{row['stage_key']}" + (f":{days}" if days else ""), members, period)
    if days:
        young = [x.id for x in asked.truth.cohort(period) if day_of(x.opened_at) >= TODAY - timedelta(days=days)]
        asked.opens(f"young:{days}", young, period)
        assert len(young) + rows["reached"].iloc[0] == len(asked.truth.cohort(period))


@EXAMPLES
@given(period=PERIODS, days=DAYS)
def test_a_step_counts_who_arrived_and_who_went_on_in_time(asked, period, days):
    rows = asked(step_changes, period=period, days=days)
    for row in rows.to_dict("records"):
        stage = int(row["stage_key"])
        for suffix, cut in (("", Period(row["start"], row["end"])),
                            ("_before", Period(row["start_before"], row["end_before"]))):  # fmt: skip
            entered, went_on = asked.truth.step(stage, cut, days)
            assert (row[f"entered{suffix}"], row[f"went_on{suffix}"]) == (len(entered), len(went_on))
            asked.opens(f"entered:{stage}:{days}", entered, cut)
            asked.opens(f"went_on:{stage}:{days}", went_on, cut)
            asked.opens(f"stuck:{stage}:{days}", entered - went_on, cut)
        assert row["end"] <= max(row["start"], min(period.end, TODAY - timedelta(days=days)))


@EXAMPLES
@given(period=PERIODS)
def test_losses_stand_at_the_furthest_stage_by_their_reason(asked, period):
    expected = {}
    for life in asked.truth.cohort(period):
        if life.state == "lost":
            key = (asked.truth.furthest(life), str(life.reason) if life.reason else "none")
            expected.setdefault(key, []).append(life.id)
    place = {str(stage): position for stage, position in asked.truth.position.items()}
    rows = asked(losses_by_stage, period=period)
    assert {(place[row.stage_key], row.reason_key): row.count for row in rows.itertuples(name="Row", index=False)
            } == {key: len(lost) for key, lost in expected.items()}  # fmt: skip
    for row in rows.to_dict("records"):
        lost = expected[place[row["stage_key"]], row["reason_key"]]
        asked.opens(f"lost_at:{row['stage_key']}:{row['reason_key']}", lost, period, row["value"])


@EXAMPLES
@given(days=DAYS, rep=st.sampled_from(("alice", "bob", "charlie")))
def test_a_group_and_the_rest_make_up_everybody(asked, days, rep):
    period = Period(TODAY - timedelta(days=180), TODAY)
    key = str(asked.company.reps[rep])
    rows = asked(step_changes, period=period, days=days, by="rep", key=key)
    credit = {life.id: str(life.credit) for life in asked.truth.lives}
    for row in rows.to_dict("records"):
        cut = Period(row["start"], row["end"])
        entered, went_on = asked.truth.step(int(row["stage_key"]), cut, days)
        own = {number for number in entered if credit[number] == key}
        assert (row["entered"], row["entered_before"]) == (len(own), len(entered - own))
        assert row["went_on"] + row["went_on_before"] == len(went_on)
        measure = f"entered:{row['stage_key']}:{days}"
        asked.opens(measure, own, cut, by="rep", key=key)
        asked.opens(measure, entered - own, cut, by="rep", key=key, others=True)


@EXAMPLES
@given(days=DAYS, period=PERIODS)
def test_months_make_up_the_trend_of_a_step(asked, days, period):
    rows = asked(step_trend, period=period, days=days)
    found = {}
    for row in rows.to_dict("records"):
        cut = Period(row["start"], row["end"])
        entered, went_on = asked.truth.step(int(row["stage_key"]), cut, days)
        assert (row["entered"], row["went_on"]) == (len(entered), len(went_on))
        assert row["low"] - 1e-9 <= row["rate"] <= row["high"] + 1e-9
        asked.opens(f"entered:{row['stage_key']}:{days}", entered, cut)
        found.setdefault(int(row["stage_key"]), set()).update(entered)
    for stage in asked.truth.open_stages:
        assert found.get(stage, set()) == asked.truth.step(stage, period, days)[0]


@EXAMPLES
@given(period=PERIODS)
def test_a_link_of_the_flow_holds_the_deals_that_took_it(asked, period):
    truth = asked.truth.links(period)
    rows = asked(funnel_flow, period=period)
    assert {(int(row["from_key"]), int(row["to_key"])) for row in rows.to_dict("records")} == set(truth)
    kinds = {kind: [] for kind in KINDS}
    for row in rows.to_dict("records"):
        origin, to = int(row["from_key"]), int(row["to_key"])
        assert row["moves"] == len(truth[origin, to])
        assert row["deals"] == len(set(truth[origin, to]))
        assert row["kind"] == asked.truth.kind_of(origin, to)
        asked.opens(f"moved:{origin}:{to}", truth[origin, to], period, value=row["value"])
        kinds[row["kind"]] += truth[origin, to]
    for row in asked(flow_kinds, period=period).to_dict("records"):
        assert (row["deals"], row["moves"]) == (len(set(kinds[row["kind"]])), len(kinds[row["kind"]]))
        asked.opens(f"flow:{row['place']}", kinds[row["kind"]], period, value=row["value"])


@EXAMPLES
@given(period=PERIODS)
def test_stays_that_go_on_are_censored(asked, period):
    truth = asked.truth.stays(period, day_start(TODAY, SHANGHAI))
    rows = asked(time_in_stage, period=period)
    for row in rows.to_dict("records"):
        stays = truth.get(int(row["stage_key"]), [])
        assert row["completed"] == sum(over for _hours, over in stays)
        assert row["still_inside"] == sum(not over for _hours, over in stays)
        for name, share in (("km_median_days", Fraction(1, 2)), ("km_p90_days", Fraction(9, 10))):
            hours = product_limit(stays, share)
            assert isnan(row[name]) if hours is None else row[name] * 24 == pytest.approx(hours), name
        stage = int(row["stage_key"])
        there = {x.id for x in asked.truth.cohort(period) if any(s == stage for s, _at in x.moves)}
        inside = {x.id for x in asked.truth.cohort(period) if x.state == "open" and x.moves[-1][0] == stage}
        assert (row["deals"], row["still_inside"]) == (len(there), len(inside))
        asked.opens(f"stayed:{stage}", there, period)
        asked.opens(f"inside:{stage}", inside, period)
        left = {x.id for x in asked.truth.cohort(period) if any(s == stage for s, _at in x.moves[:-1])}
        asked.opens(f"left:{stage}", left, period)
    curves = asked(stay_curves, period=period)
    assert set(curves["stage_key"]) == {str(stage) for stage in truth}
    assert curves["share"].between(0, 1).all()


def test_what_stands_where_and_what_is_rotting(asked):
    rotting = asked.truth.rotting()
    rows = asked(funnel_snapshot)
    assert rotting, "the fixture has a deal forgotten in the first stage"
    for row in rows.to_dict("records"):
        stage = int(row["stage_key"])
        members = {x.id for x in asked.truth.lives if x.state == "open" and x.moves[-1][0] == stage}
        assert (row["count"], row["rotting_count"]) == (len(members), len(rotting.get(stage, ())))
        asked.opens(f"stage:{stage}", members, value=row["value"])
        asked.opens(f"rotting:{stage}", rotting.get(stage, ()), value=row["rotting_value"])
    process = Filters(pipeline_id=asked(process_shown))
    asked.opens("rotting_all", set().union(*rotting.values()), filters=process)


@EXAMPLES
@given(back=st.integers(1, 150))
def test_the_snapshot_of_a_past_day_holds_who_stood_there(asked, back):
    on = TODAY - timedelta(days=back)
    end = day_start(on + timedelta(days=1), SHANGHAI)
    for row in asked(funnel_snapshot, as_of=AsOf(on)).to_dict("records"):
        stage = int(row["stage_key"])
        before = {x.id: [s for s, at in x.moves if at < end] for x in asked.truth.lives}
        members = {number for number, stages in before.items() if stages and stages[-1] == stage}
        assert row["count"] == len(members)
        asked.opens(f"stage:{stage}", members, value=row["value"], as_of=AsOf(on))


@EXAMPLES
@given(period=PERIODS)
def test_months_of_opening_say_how_ripe_their_cohorts_are(asked, period):
    rows = asked(cohorts_by_month, period=period)
    assert rows["entered"].sum() == len(asked.truth.cohort(period))
    for row in rows.to_dict("records"):
        month = _cut(row["month"], period)
        cohort = asked.truth.cohort(month)
        for state in ("won", "lost", "open"):
            members = [life.id for life in cohort if life.state == state]
            assert row[state] == len(members)
            asked.opens(f"cohort_{state}", members, month, value=row[f"{state}_value"])
        assert row["decided_rate"] == pytest.approx(1 - row["open"] / row["entered"])


@EXAMPLES
@given(period=PERIODS)
def test_losses_by_month_and_by_competitor_are_those_of_the_period(asked, period):
    lost = [x for x in asked.truth.lives if x.state == "lost" and day_of(x.closed_at) in period]
    months = asked(losses_by_month, period=period)
    assert months["count"].sum() == len(lost)
    for row in months.to_dict("records"):
        month = _cut(row["month"], period)
        members = [x.id for x in lost if day_of(x.closed_at) in month and str(x.reason) == row["reason_key"]]
        assert row["count"] == len(members)
        asked.opens("lost", members, month, value=row["value"], by="lost_reason", key=row["reason_key"])
    keys = list(dict.fromkeys(months["reason_key"]))[1:]
    if keys:  # those that a chart puts together open together
        members = [x.id for x in lost if str(x.reason) in keys]
        value = months[months["reason_key"].isin(keys)]["value"].sum()
        asked.opens("lost", members, period, value=value, by="lost_reason", key=BESIDE.join(keys))
    rivals = asked(losses_by_competitor, period=period)
    assert rivals["count"].sum() == len(lost)
    for row in rivals.to_dict("records"):
        members = [x.id for x in lost if (x.competitor or "none") == row["key"]]
        assert row["count"] == len(members)
        asked.opens("lost", members, period, value=row["value"], by="competitor", key=row["key"])


@pytest.mark.parametrize("by", ["size", "lost_reason", "competitor"])
@pytest.mark.parametrize("days", [0, 30])
def test_funnels_by_size_reason_and_competitor_add_up(asked, by, days):
    period = Period(date(2025, 12, 1), date(2026, 8, 1))
    groups = asked(funnel_compare, period=period, by=by, days=days)
    whole = asked(cohort_funnel, period=period, days=days)
    assert groups.groupby("stage_key", sort=False)["reached"].sum().to_list() == whole["reached"].to_list()
    assert (groups.loc[groups["group_key"] != "none", "group"] != "").all()


def _cut(month, period):
    return Period(max(month, period.start), min(add_months(month, 1), period.end))
