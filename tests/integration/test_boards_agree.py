"""Boards, reasons and weeks are those of plain Python over the raw rows, history by history and rep by rep."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from datetime import date, timedelta
from fractions import Fraction
from math import isnan, lgamma, log10, nan
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.access.actors import SYSTEM
from core.analytics.anomalies import LEAST_DECIDED
from core.analytics.selection import Selection
from core.db.work import Database
from core.domain.periods import Period, add_months
from core.model import Deal, Rep, RepLeave
from core.queries.drill import deals_behind, selection_total
from core.queries.expected import coverage_needed, expected_weeks
from core.queries.leaderboard import leaderboard, rep_trend
from core.queries.leaderboard_fair import fair_leaderboard
from core.queries.overview import booked_by_month, breakdown, overview_kpis, pipeline_by_stage
from core.queries.rep_page import rep_against_team
from core.queries.why import booked_why
from tests.conftest import SHANGHAI
from tests.factories import NOW, Company
from tests.histories import REPS, random_change, random_deals
from tests.slow_company import DAY, TODAY, SlowCompany, cents, closed_on, credit, halves_up, main_product
from tests.slow_funnel import day_of

EXAMPLES = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
PERIODS = st.one_of(
    st.tuples(st.integers(-200, -3), st.integers(1, 220)).map(
        lambda drawn: Period(TODAY + drawn[0] * DAY, TODAY + sum(drawn) * DAY)
    ),
    st.sampled_from((Period(date(2026, 1, 1), date(2026, 7, 1)), Period(date(2026, 4, 1), date(2027, 1, 1)))),
)
MINIMUM = 2


def close(one, other, what=""):
    assert one == pytest.approx(other, rel=1e-9, abs=1e-6, nan_ok=True), what


@pytest.fixture(scope="module", params=[5, 6, 7])
def raw(request, founded_sqlite):
    with TemporaryDirectory() as folder:
        path = f"{folder}/luopan.db"
        shutil.copy(founded_sqlite, path)
        database = Database(f"sqlite:///{path}", zone=SHANGHAI)
        company, random = Company(database), Random(request.param)
        database.mirror.refresh()
        random_deals(company, random, 60)
        for month in range(1, 13):
            for rep in REPS:
                if random.random() < 0.7:
                    company.quota(rep=rep, month=date(2026, month, 1), amount=random.randint(1, 90_000))
        for _activity in range(20):
            at = NOW - timedelta(days=random.randint(0, 190), hours=random.randint(0, 23))
            company.activity(rep=random.choice(REPS), done_at=at)
        for change in range(120):
            random_change(company, random)
            if change % 30 == 0:
                database.mirror.refresh()
        with database.writing(SYSTEM, now=NOW, action="test") as work:
            east, charlie = company.teams["east"], company.reps["charlie"]
            for rep in company.reps.values():
                work.session.get(Rep, rep).team_id = east  # a team's median needs four people
            work.session.add(Rep(name="新人", name_en="New", team_id=east, joined_on=date(2026, 5, 11)))
            work.session.get(Rep, charlie).left_on = date(2026, 7, 9)
            start = date(2026, 3, random.randint(1, 20))
            for first in (start, start + 5 * DAY):  # leaves that overlap count once
                work.session.add(RepLeave(rep_id=company.reps["bob"], from_on=first, until_on=first + 9 * DAY))
        yield SlowCompany(company)
        database.close()


@EXAMPLES
@given(period=PERIODS)
def test_a_leaderboard_is_what_each_ones_deals_say(raw, period):
    board = raw(leaderboard, period=period, minimum_decided=MINIMUM).set_index("key")
    decided = raw.decided(period)
    for key, row in board.iterrows():
        own = raw.of(int(key), decided)
        won = [deal for deal in own if str(deal.state) == "won"]
        booked, (owed, _days) = sum(cents(deal.base_amount) for deal in won), raw.owed(int(key), period)
        assert (row["won_count"], row["decided_count"]) == (len(won), len(own))
        close(row["booked"], booked / 100)
        close(row["win_rate"], len(won) / len(own) if len(own) >= MINIMUM else nan)
        close(row["average_deal"], booked / 100 / len(won) if won else nan)
        close(row["quota"], owed / 100 if owed else nan)
        close(row["attainment"], booked / owed if owed else nan)
        close(
            row["cycle_days"],
            median((d.closed_at - d.opened_at).total_seconds() / 86_400 for d in won) if won else nan,
        )
        met = [a for a in raw.activities if a.rep_id == int(key) and a.done_at and a.done_at <= NOW]
        assert row["activities"] == sum(a.done_at.astimezone(SHANGHAI).date() in period for a in met)
        if board["booked"].max() > 0:
            assert row["rank"] == 1 + sum(board["booked"] > row["booked"])
        else:
            assert pd.isna(row["rank"])
    assert {credit(deal) for deal in decided} <= set(map(int, board.index))
    close(board["booked"].sum(), sum(cents(d.base_amount) for d in decided if str(d.state) == "won") / 100)


@EXAMPLES
@given(period=PERIODS)
def test_each_adjustment_is_what_its_page_says(raw, period):
    board = raw(
        fair_leaderboard, period=period, measure="attainment", adjust=("days", "difficulty", "shrinkage")
    ).set_index("key")  # fmt: skip
    keys = list(map(int, board.index))
    booked = {rep: sum(cents(d.base_amount) for d in raw.of(rep, raw.decided(period, ("won",)))) for rep in raw.reps}
    by_days = {rep: raw.owed(rep, period)[1] for rep in keys}
    usual = usually(raw, period)
    compared = [rep for rep in keys if by_days[rep] > 0 and usual[rep] > 0]
    hard = sum(by_days[rep] for rep in compared) / sum(usual[rep] for rep in compared) if compared else nan
    fair = {rep: usual[rep] * hard if rep in compared else by_days[rep] for rep in keys}
    attained = {rep: booked[rep] / fair[rep] for rep in keys if fair[rep] > 0}
    pairs = [outcomes(raw, rep, period) for rep in keys]
    pooled, weight = prior(pairs)
    for rep, (won, decided) in zip(keys, pairs, strict=True):
        row = board.loc[str(rep)]
        assert row["days_worked"] == raw.worked(rep, period), rep
        assert row["leave_days"] == raw.worked(rep, period, with_leave=False) - row["days_worked"]
        close(row["quota_by_days"], by_days[rep] / 100 if by_days[rep] else nan)
        close(row["usual"], usual[rep] / 100 if usual[rep] else nan)
        close(row["fair_quota"], fair[rep] / 100 if fair[rep] else nan)
        close(row["fair_attainment"], attained.get(rep, nan))
        close(row["shrunk_rate"], (won + weight * pooled) / (decided + weight) if decided else nan)
        if rep in attained and max(attained.values()) > 0:
            assert row["rank"] == 1 + sum(value > attained[rep] * (1 + 1e-9) for value in attained.values())
        else:
            assert pd.isna(row["rank"])


def outcomes(raw, rep, period):
    own = raw.of(rep, raw.decided(period))
    return sum(str(deal.state) == "won" for deal in own), len(own)


def usually(raw, period):
    """What each books in the days worked, by the year before and by those who sell in the same territory."""
    past = Period(add_months(period.start, -12), period.start)
    won, days = Counter(), {rep: raw.worked(rep, past) for rep in raw.reps}
    for deal in raw.decided(past, ("won",)):
        won[credit(deal)] += cents(deal.base_amount)
    lying: dict[int, Counter] = defaultdict(Counter)
    for customer in raw.customers:
        if customer.territory_id:
            lying[customer.owner_id][customer.territory_id] += 1
    place = {rep: min(of, key=lambda t: (-of[t], t)) if (of := lying[rep]) else None for rep in raw.reps}
    found = {}
    for rep in raw.reps:
        mates = [other for other in raw.reps if place[other] == place[rep]]
        sold, there = sum(won[other] for other in mates), sum(days[other] for other in mates)
        a_day = (won[rep] + 180 * sold / there) / (days[rep] + 180) if there else 0
        found[rep] = a_day * raw.worked(rep, period)
    return found


def prior(pairs):
    """The pooled rate, and of the tried weights the one that makes what was seen most likely."""
    decided = sum(of for _won, of in pairs)
    rate = sum(won for won, _of in pairs) / decided if decided else nan
    if isnan(rate) or rate in {0.0, 1.0}:
        return rate, 10_000.0

    def beta(a, b):
        return lgamma(a) + lgamma(b) - lgamma(a + b)

    def likely(weight):
        a, b = weight * rate, weight * (1 - rate)
        return sum(beta(won + a, of - won + b) - beta(a, b) for won, of in pairs)

    weights = {weight: likely(weight) for weight in (10 ** (log10(10_000) * n / 160) for n in range(161))}
    best = max(weights.values())
    return rate, max(weight for weight, how in weights.items() if how >= best - 1e-9)  # as likely: the greatest


@EXAMPLES
@given(period=PERIODS)
def test_a_reps_forecasting_is_what_their_deals_changes_say(raw, period):
    figures: dict[int, dict[str, float]] = {}
    for rep in raw.reps:
        own = raw.of(rep, raw.decided(period))
        if not own:
            continue
        pushes, late, off = [], [], []
        for deal in own:
            dates = raw.changes[deal.id, "expected_close"]
            pushes.append(sum(date.fromisoformat(c.after) > date.fromisoformat(c.before) for c in dates))
            first = date.fromisoformat(dates[0].before) if dates else deal.expected_close_on
            late.append((closed_on(deal) - first).days)
            stated = raw.changes[deal.id, "amount"]
            (before, one), (after, other) = (
                (stated[0].before.split(), stated[-1].after.split()) if stated else (("1", ""), ("1", ""))
            )
            if str(deal.state) == "won" and (one != other or float(after) > 0):
                off.append((float(before) - float(after)) / float(after) if one == other else 0.0)
        figures[rep] = {
            "pushed_rate": sum(map(bool, pushes)) / len(own), "pushes_a_deal": sum(pushes) / len(own),
            "late_days": median(late), "off_rate": median(map(abs, off)) if off else nan,
            "high_rate": median(off) if off else nan,
        }  # fmt: skip
    for rep in raw.reps:
        shown = raw(rep_against_team, rep_id=rep, period=period).set_index("measure")
        for name in ("pushed_rate", "pushes_a_deal", "late_days", "off_rate", "high_rate"):
            known = [row[name] for row in figures.values() if not isnan(row[name])]
            close(shown.loc[name, "own"], figures.get(rep, {}).get(name, nan), (rep, name))
            close(shown.loc[name, "team_median"], median(known) if len(known) >= 4 else nan, (rep, name))
            assert shown.loc[name, "people"] == len(known)


@EXAMPLES
@given(period=PERIODS)
def test_why_booked_changed_is_volume_mix_and_price_of_the_deals_themselves(raw, period):
    whole_months = period.start.day == period.end.day == 1
    months = (period.end.year - period.start.year) * 12 + period.end.month - period.start.month
    start = add_months(period.start, -months) if whole_months else period.start - period.days * DAY
    told = raw(booked_why, period=period)
    for by, key in (("product", main_product), ("channel", lambda raw, deal: deal.channel_id)):
        parts: dict[object, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for at, cut in ((0, Period(start, period.start)), (2, period)):
            for deal in raw.decided(cut, ("won",)):
                parts[key(raw, deal)][at] += 1
                parts[key(raw, deal)][at + 1] += cents(deal.base_amount)
        shown = told[told["by"] == by]
        n0, v0, n1, v1 = (sum(part[at] for part in parts.values()) for at in range(4))
        mean = Fraction(v0, n0) if n0 else Fraction(0)
        price = sum(
            (
                Fraction(part[3]) - part[2] * Fraction(part[1], part[0])
                for part in parts.values()
                if part[0] and part[2]
            ),
            Fraction(0),
        )
        volume = (n1 - n0) * mean if n0 else Fraction(v1)
        found = dict(zip(shown["kind"], shown["change"], strict=True))
        for kind, exact in (("volume", volume), ("price", price)):
            assert abs(round(found[kind] * 100) - exact) <= Fraction(1, 2), "rounded to the cent"
        assert sum(round(found[kind] * 100) for kind in ("volume", "mix", "price")) == v1 - v0, "to the cent"
        moved = shown[shown["kind"] == "part"].set_index("key")["change"].to_dict()
        assert {name: round(change * 100) for name, change in moved.items()} == {
            "none" if name is None else str(name): part[3] - part[1]
            for name, part in parts.items() if part[3] != part[1]
        }  # fmt: skip


@EXAMPLES
@given(period=PERIODS)
def test_overviews_figures_are_sums_over_the_deals(raw, period):
    told = raw(overview_kpis, period=period).set_index("row")
    open_ones = [deal for deal in raw.deals if str(deal.state) == "open"]
    for name, row in told.iterrows():
        cut = Period(row["start"], row["end"])
        won, decided = raw.decided(cut, ("won",)), raw.decided(cut)
        booked, value = (sum(cents(deal.base_amount) for deal in deals) for deals in (won, decided))
        assert (row["won_count"], row["decided_count"]) == (len(won), len(decided)), name
        close(row["booked"], booked / 100)
        close(row["win_rate"], len(won) / len(decided) if decided else nan)
        close(row["win_rate_by_value"], booked / value if value else nan)
        close(row["average_deal"], booked / 100 / len(won) if won else nan)
        days = [(deal.closed_at - deal.opened_at).total_seconds() / 86_400 for deal in won]
        close(row["cycle_days"], median(days) if days else nan)
        owed = owed_by_all(raw, cut)
        close(row["attainment"], booked / owed if owed else nan)
    row = told.loc["current"]
    late = [deal for deal in open_ones if deal.expected_close_on < TODAY]
    due = sum(cents(deal.base_amount) for deal in open_ones if deal.expected_close_on in period)
    weighted = sum(halves_up(cents(deal.base_amount) * raw.chance[deal.stage_id]) for deal in open_ones)
    assert (row["open_count"], row["overdue_count"]) == (len(open_ones), len(late))
    close(row["pipeline"], sum(cents(deal.base_amount) for deal in open_ones) / 100)
    close(row["weighted_pipeline"], weighted / 100)
    close(row["overdue_value"], sum(cents(deal.base_amount) for deal in late) / 100)
    close(row["closing_value"], due / 100)
    left = owed_by_all(raw, period) - round(row["booked"] * 100)
    close(row["coverage"], due / left if left > 0 else nan)


def owed_by_all(raw, period):
    return sum(raw.owed(rep, period)[0] for rep in raw.reps)


@EXAMPLES
@given(period=PERIODS)
def test_the_parts_of_a_dimension_are_those_of_the_deals_in_it(raw, period):
    customers = {customer.id: customer for customer in raw.customers}
    keys = {
        "channel": lambda deal: deal.channel_id, "product": lambda deal: main_product(raw, deal),
        "segment": lambda deal: customers[deal.customer_id].segment or None,
        "territory": lambda deal: customers[deal.customer_id].territory_id, "rep": credit,
    }  # fmt: skip
    for by, key in keys.items():
        shown = raw(breakdown, period=period, by=by).set_index("key")
        parts: dict[str, list[Deal]] = defaultdict(list)
        for deal in [*raw.decided(period), *(deal for deal in raw.deals if str(deal.state) == "open")]:
            parts["none" if (found := key(deal)) is None else str(found)].append(deal)
        assert set(parts) <= set(shown.index), by
        for name, row in shown.iterrows():
            count = Counter(str(deal.state) for deal in parts[str(name)])
            value = {
                kind: sum(cents(d.base_amount) for d in parts[str(name)] if str(d.state) == kind) for kind in count
            }
            assert (row["won_count"], row["lost_count"], row["open_count"]) == tuple(
                count[kind] for kind in ("won", "lost", "open")
            ), (by, name)
            close(row["booked"], value.get("won", 0) / 100)
            close(row["open_value"], value.get("open", 0) / 100)


@EXAMPLES
@given(period=PERIODS)
def test_months_and_stages_are_sums_over_the_deals(raw, period):
    for row in raw(booked_by_month, period=period).to_dict("records"):
        following = add_months(row["month"], 1)
        inside = Period(max(row["month"], period.start), min(following, period.end))
        won = raw.decided(inside, ("won",))
        assert row["won"] == len(won)
        close(row["booked"], sum(cents(deal.base_amount) for deal in won) / 100)
    for row in raw(pipeline_by_stage).to_dict("records"):
        inside = [deal for deal in raw.deals if str(deal.state) == "open" and str(deal.stage_id) == row["stage_key"]]
        assert row["count"] == len(inside)
        assert row["overdue_count"] == sum(deal.expected_close_on < TODAY for deal in inside)
        close(row["value"], sum(cents(deal.base_amount) for deal in inside) / 100)


@EXAMPLES
@given(period=PERIODS)
def test_a_number_opens_exactly_its_deals(raw, period):
    still = [deal for deal in raw.deals if str(deal.state) == "open"]
    counted = {
        "booked": raw.decided(period, ("won",)), "lost": raw.decided(period, ("lost",)),
        "decided": raw.decided(period), "open": still,
        "overdue": [deal for deal in still if deal.expected_close_on < TODAY],
        "closing": [deal for deal in still if deal.expected_close_on in period],
        "created": [d for d in raw.deals if (on := day_of(d.opened_at)) in period and on <= TODAY],
    }  # fmt: skip
    for measure, deals in counted.items():
        selection = Selection(measure, period)
        behind, total = raw(deals_behind, selection=selection), raw(selection_total, selection=selection).iloc[0]
        assert sorted(behind["deal_id"]) == sorted(deal.id for deal in deals), measure
        assert total["count"] == len(deals)
        for told in (total["value"], behind["value"].sum()):
            close(told, sum(cents(deal.base_amount) for deal in deals) / 100, measure)


def test_a_reps_months_are_sums_over_their_deals(raw):
    for rep in raw.reps:
        for row in raw(rep_trend, rep_id=rep, months=8).to_dict("records"):
            month = Period(row["month"], add_months(row["month"], 1))
            won, lost = (raw.of(rep, raw.decided(month, (kind,))) for kind in ("won", "lost"))
            assert (row["won"], row["lost"]) == (len(won), len(lost))
            close(row["booked"], sum(cents(deal.base_amount) for deal in won) / 100)
            owed = raw.owed(rep, month)[0]
            close(row["quota"], owed / 100 if owed else nan)


def test_weeks_and_the_years_win_rate_by_value_are_sums_over_the_deals(raw):
    shown = raw(expected_weeks, weeks=500)
    monday = TODAY - TODAY.weekday() * DAY
    assert max(shown["week"]) == monday - 7 * DAY, "the running week is not judged"
    for row in shown.to_dict("records"):
        week = Period(row["week"], row["week"] + 7 * DAY)
        won, decided = raw.decided(week, ("won",)), raw.decided(week)
        close(row["value"], {
            "booked": sum(cents(deal.base_amount) for deal in won) / 100,
            "opened": sum(deal.opened_at.astimezone(SHANGHAI).date() in week for deal in raw.deals),
            "win_rate": len(won) / len(decided) if len(decided) >= LEAST_DECIDED else nan,
        }[row["figure"]], (row["figure"], week))  # fmt: skip
    year = Period(date(2025, 7, 15), TODAY + DAY)
    won, lost = (sum(cents(d.base_amount) for d in raw.decided(year, (kind,))) for kind in ("won", "lost"))
    (row,) = raw(coverage_needed).to_dict("records")
    close(row["won_value"], won / 100)
    close(row["lost_value"], lost / 100)
    close(row["needed"], (won + lost) / won if won else nan)
