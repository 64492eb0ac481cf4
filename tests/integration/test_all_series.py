"""Forecasts of all series: by scope, adding up, kept, resumed, and the same on a cluster."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlmodel import select

from core.access.actors import SYSTEM, Reach
from core.domain.periods import FiscalCalendar, Period
from core.forecasting.cluster import DaskPool
from core.forecasting.fit import fallback_fit, fit_series
from core.forecasting.many import Progress, SeriesForecast, SeriesName, forecast_all
from core.forecasting.store import FitStore
from core.forecasting.workers import WORKER_DIED, FitPool
from core.jobs.nightly_forecast import Of, forecast_every_scope, leading_readers
from core.model import Deal, DealLine, Quota, Rep, Team
from core.queries.all_series import all_series, forecast_run, kept_forecasts, series_quotas
from core.queries.series import booked_series
from core.services.forecast_runs import keep_forecast_run
from tests.factories import NOW, Company

COMPANY = SeriesName("company", "")
MONTHS = 8


class InProcess:
    """Fits at once, and counts; what `broken` names fails as a dead worker does."""

    def __init__(self, broken: tuple[SeriesName, ...] = ()) -> None:
        self.asked: list[Any] = []
        self.broken = broken
        self.is_shut = False

    def submit(self, key, prepared, horizon, events=(), *, china=True, depth="full"):
        self.asked.append(key)
        task: Future = Future()
        if key[0] in self.broken:
            task.set_result(fallback_fit(prepared, horizon=horizon, reason=WORKER_DIED))
        else:
            task.set_result(fit_series(prepared, horizon=horizon, depth=depth))
        return task

    def shutdown(self) -> None:
        self.is_shut = True


@pytest.fixture
def selling(small_company: Company) -> Company:
    """The east wins 1,000 and the west 500 in each of eight months."""
    for back in range(1, MONTHS + 1):
        month = (pd.Timestamp(NOW.date()).replace(day=10) - pd.DateOffset(months=back)).date()
        won = datetime(month.year, month.month, 10, 4, tzinfo=NOW.tzinfo)
        for owner, amount in (("alice", 1000), ("charlie", 500)):
            small_company.deal(owner=owner, amount=amount, path=(("identified", won - timedelta(days=9)), ("won", won)))
    return small_company


def sums_of(tree, name: SeriesName) -> float:
    rows = tree.rows
    return float(rows[(rows["dimension"] == name.dimension) & (rows["key"] == name.key)]["value"].sum())


def test_every_dimension_adds_up_to_the_whole(selling, answer_as):
    tree = answer_as("leader", all_series)
    assert tree.names[0] == COMPANY
    assert sums_of(tree, COMPANY) == MONTHS * 1500
    dimensions = {parts[0].dimension for whole, parts in tree.sums if whole == COMPANY}
    assert dimensions == {"team", "territory", "product", "channel"}
    for whole, parts in tree.sums:
        assert sums_of(tree, whole) == sum(sums_of(tree, part) for part in parts)


def test_a_reader_is_told_the_series_of_the_own_scope_alone(selling, answer_as):
    east = answer_as("eastern manager", all_series)
    assert sums_of(east, COMPANY) == MONTHS * 1000
    assert all(sums_of(east, name) == MONTHS * 1000 for whole, parts in east.sums for name in (whole, *parts))
    assert answer_as("eastern rep", all_series).rows["value"].max() <= 1000


def test_the_version_moves_with_a_complete_month_and_not_with_the_running_one(selling, answer_as):
    before = answer_as("leader", all_series).version
    now = NOW - timedelta(hours=1)
    selling.deal(owner="alice", amount=9, path=(("identified", now - timedelta(days=3)), ("won", now)))
    selling.database.mirror.refresh()
    assert answer_as("leader", all_series).version == before
    then = NOW - timedelta(days=62)
    selling.deal(owner="alice", amount=9, path=(("identified", then - timedelta(days=3)), ("won", then)))
    selling.database.mirror.refresh()
    assert answer_as("leader", all_series).version != before


def test_quotas_of_teams_hold_their_subtrees(selling, answer_as):
    month = NOW.date().replace(day=1)
    with selling.database.writing(SYSTEM, now=NOW, action="test") as work:
        for who, amount in (("alice", 300), ("charlie", 200)):
            work.session.add(Quota(rep_id=selling.reps[who], month=month, amount=Decimal(amount)))
    selling.database.mirror.refresh()
    period = Period(month, (pd.Timestamp(month) + pd.DateOffset(months=1)).date())
    assert answer_as("leader", series_quotas, period=period)[COMPANY] == 500
    assert answer_as("eastern manager", series_quotas, period=period)[COMPANY] == 300


def run_of(company: Company, answer_as, who: str = "leader", pool: InProcess | None = None, **of):
    tree = answer_as(who, all_series, **of)
    return forecast_all(
        tree.rows, tree.names, tree.sums, today=NOW.date(), calendar=FiscalCalendar(1), pool=pool or InProcess(),
        depth="first", frequency=tree.frequency,
    )  # fmt: skip


def test_the_parts_of_a_run_add_up_month_by_month(selling, answer_as):
    tree = answer_as("leader", all_series)
    made = {each.name: each for each in run_of(selling, answer_as)}
    assert set(made) == set(tree.names)
    for whole, parts in tree.sums:
        for step, value in enumerate(made[whole].made):
            assert value == pytest.approx(sum(made[part].made[step] for part in parts), rel=1e-6)
        assert made[whole].quarter == pytest.approx(sum(made[part].quarter for part in parts), rel=1e-6)
    assert made[COMPANY].quarter == pytest.approx(3 * 1500, rel=0.01)
    assert made[COMPANY].year_before is None, "the company had not begun a year before"


def test_a_series_that_is_no_longer_sold_is_forecast_as_zero(selling, answer_as):
    long_ago = NOW - timedelta(days=500)
    selling.deal(owner="bob", amount=70, path=(("identified", long_ago - timedelta(days=3)), ("won", long_ago)))
    selling.database.mirror.refresh()
    rows = answer_as("leader", all_series).rows
    old = rows[rows["on"] < (NOW - timedelta(days=300)).date()]
    assert old["value"].max() == 70
    names = (COMPANY, SeriesName("team", "old"), SeriesName("team", "new"))
    table = rows[rows["dimension"] == "company"]
    split = pd.concat([
        table,
        table[table["on"].isin(old["on"])].assign(dimension="team", key="old"),
        table[~table["on"].isin(old["on"])].assign(dimension="team", key="new"),
    ])  # fmt: skip
    made = forecast_all(
        split, names, ((COMPANY, names[1:]),), today=NOW.date(), calendar=FiscalCalendar(1), pool=InProcess(),
        depth="first",
    )  # fmt: skip
    assert set(made[1].made) == {0.0}
    assert "six months" in str(made[1].reason)
    assert made[0].made == pytest.approx(made[2].made)


def test_what_failed_is_listed_and_counts_by_a_simpler_method(selling, answer_as):
    progress = Progress()
    tree = answer_as("leader", all_series)
    made = forecast_all(
        tree.rows, tree.names, tree.sums, today=NOW.date(), calendar=FiscalCalendar(1),
        pool=InProcess(broken=(COMPANY,)), depth="first", progress=progress,
    )  # fmt: skip
    assert progress.failed == [COMPANY]
    assert (progress.done, progress.share) == (progress.total, 1.0)
    assert [each.name for each in made if each.failed] == [COMPANY]
    assert made[0].quarter > 0


def test_a_company_without_a_won_deal_has_no_forecasts(small_company, answer_as):
    assert run_of(small_company, answer_as) == ()


def test_a_forecast_is_read_as_it_was_written(selling, answer_as):
    made = run_of(selling, answer_as)[0]
    again = SeriesForecast.from_dict(made.to_dict())
    assert (again.name, again.first, str(again.reason)) == (made.name, made.first, str(made.reason))
    assert again.made == pytest.approx(made.made, abs=0.01)


def test_a_run_is_its_scopes_alone(selling, answer_as, perform_as):
    kept = {"data_version": "v", "depth": "full", "seconds": 1.0}
    perform_as("leader", keep_forecast_run, **kept, series=[{"a": 1}])
    assert answer_as("operations", forecast_run).series == [{"a": 1}]
    for who in ("eastern manager", "eastern rep", "western manager"):
        assert answer_as(who, forecast_run) is None
    perform_as("eastern manager", keep_forecast_run, **kept, series=[{"a": 2}])
    perform_as("eastern manager", keep_forecast_run, **kept, series=[{"a": 3}])
    assert answer_as("eastern manager", forecast_run).series == [{"a": 3}]
    assert answer_as("leader", forecast_run).series == [{"a": 1}]


def test_the_nightly_job_serves_each_leading_scope_once_and_rests_while_nothing_changes(selling, answer_as):
    pools: list[InProcess] = []

    def opened() -> InProcess:
        pools.append(InProcess())
        return pools[-1]

    runs = forecast_every_scope(selling.database, now=NOW, open_pool=opened, depth="first")
    scopes = [run.reader.scope for run in runs]
    assert len(scopes) == len(set(scopes)) == len(leading_readers(selling.database, now=NOW)) >= 3
    assert len(pools) == 1
    assert pools[0].is_shut
    for who in ("leader", "eastern manager", "western manager"):
        assert answer_as(who, forecast_run).data_version == answer_as(who, all_series).version
    assert answer_as("eastern rep", forecast_run) is None
    assert forecast_every_scope(selling.database, now=NOW, open_pool=opened, depth="first") == []
    assert len(pools) == 1
    assert forecast_every_scope(selling.database, now=NOW, open_pool=opened, depth="first", again=True)


def test_a_run_that_failed_in_part_is_made_again(selling, answer_as):
    broken = InProcess(broken=(COMPANY,))
    forecast_every_scope(selling.database, now=NOW, open_pool=lambda: broken, depth="first")
    again = forecast_every_scope(selling.database, now=NOW, open_pool=InProcess, depth="first")
    assert again
    assert not any(each.failed for run in again for each in run.series)


class Remembering(InProcess):
    """Like the pool of this machine: equal keys share one fit."""

    def __init__(self) -> None:
        super().__init__()
        self.fits: dict[Any, Future] = {}

    def submit(self, key, prepared, horizon, events=(), *, china=True, depth="full"):
        whole = (key, prepared.frequency, horizon)
        if whole not in self.fits:
            self.fits[whole] = super().submit(key, prepared, horizon, events, china=china, depth=depth)
        return self.fits[whole]


def test_no_scope_is_given_the_fit_of_another(selling, answer_as):
    """Everybody's whole is called the same; the nightly job asks one pool for all of them."""
    forecast_every_scope(selling.database, now=NOW, open_pool=Remembering, depth="first")
    whole = {who: answer_as(who, forecast_run).series[0]["quarter"] for who in ("leader", "eastern manager")}
    assert whole["leader"] == pytest.approx(4500, rel=0.01)
    assert whole["eastern manager"] == pytest.approx(3000, rel=0.01)


@pytest.mark.parametrize("measure", ["booked", "won", "units"])
@pytest.mark.parametrize("frequency", ["month", "week"])
def test_every_measure_and_step_adds_up_and_sums_the_next_quarter(selling, answer_as, measure, frequency):
    tree = answer_as("leader", all_series, measure=measure, frequency=frequency)
    made = {each.name: each for each in run_of(selling, answer_as, measure=measure, frequency=frequency)}
    assert set(made) == set(tree.names)
    whole = made[COMPANY]
    assert len(whole.made) == {"month": 12, "week": 52}[frequency]
    assert len(whole.history) == {"month": 24, "week": 52}[frequency]
    assert whole.first == {"month": date(2026, 7, 1), "week": date(2026, 7, 13)}[frequency]
    for top, parts in tree.sums:
        assert np.array([made[part].made for part in parts]).sum(axis=0) == pytest.approx(made[top].made, rel=1e-6)
        assert sum(made[part].quarter for part in parts) == pytest.approx(made[top].quarter, rel=1e-6)
    a_month = {"booked": 1500, "won": 2, "units": 2}[measure]
    assert sums_of(tree, COMPANY) == MONTHS * a_month
    if frequency == "month":
        assert whole.quarter == pytest.approx(3 * a_month, rel=0.01)


def test_a_quarter_of_weeks_counts_the_days_of_it_alone():
    """Example: 7 a week, a day's 1 each: the last quarter of 2026 has 92 days, that of 2025 as many."""
    weeks = pd.date_range("2025-01-06", "2026-07-06", freq="W-MON")
    rows = pd.DataFrame({"dimension": "company", "key": "", "on": weeks.date, "value": 7.0, "count": 1})
    (made,) = forecast_all(
        rows, [COMPANY], (), today=date(2026, 7, 15), calendar=FiscalCalendar(1), pool=InProcess(), depth="first",
        frequency="week",
    )  # fmt: skip
    assert made.quarter == pytest.approx(92, rel=1e-3)
    assert made.year_before == pytest.approx(92)


def test_runs_of_measures_and_steps_are_kept_side_by_side_and_renewed_by_the_nightly_job(selling, answer_as):
    wanted = [Of("booked", "month"), Of("won", "week")]
    runs = forecast_every_scope(selling.database, now=NOW, open_pool=InProcess, depth="first", wanted=wanted)
    assert {run.of for run in runs} == set(wanted)
    assert answer_as("leader", kept_forecasts) == [("booked", "month"), ("won", "week")]
    weekly = answer_as("leader", forecast_run, measure="won", frequency="week")
    assert len(weekly.series[0]["made"]) == 52
    assert len(answer_as("leader", forecast_run).series[0]["made"]) == 12
    assert answer_as("leader", forecast_run, measure="units", frequency="week") is None
    assert forecast_every_scope(selling.database, now=NOW, open_pool=InProcess, depth="first") == []
    then = NOW - timedelta(days=62)
    selling.deal(owner="alice", amount=9, path=(("identified", then - timedelta(days=3)), ("won", then)))
    selling.database.mirror.refresh()
    again = forecast_every_scope(selling.database, now=NOW, open_pool=InProcess, depth="first")
    assert {run.of for run in again if run.reader.scope.reach is Reach.ALL} == set(wanted)


def test_only_what_is_known_is_forecast_of_all_series(company, answer_as):
    for of in ({"measure": "weight"}, {"frequency": "day"}):
        with pytest.raises(ValueError, match="no forecast of all series"):
            answer_as("leader", all_series, **of)


def test_a_broken_off_run_goes_on_where_it_was(selling, answer_as, tmp_path, monkeypatch):
    """What was fitted lies in the store, so that no worker is asked for it again."""
    store = FitStore(tmp_path / "fits")
    first, second = (FitPool(workers=1, store=store, background=True) for _time in range(2))
    try:
        before = run_of(selling, answer_as, pool=first)
        monkeypatch.setattr(second.workers[0], "ask", lambda line: pytest.fail("fitted twice"))
        assert [each.to_dict() for each in run_of(selling, answer_as, pool=second)] == [
            each.to_dict() for each in before
        ]
    finally:
        first.shutdown()
        second.shutdown()


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_numbers(selling, answer_as, tmp_path):
    distributed = pytest.importorskip("distributed")
    here = [each.to_dict() for each in run_of(selling, answer_as)]
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        pool = DaskPool(cluster.scheduler_address, store=FitStore(tmp_path / "fits"))
        there = [each.to_dict() for each in run_of(selling, answer_as, pool=pool)]
        pool.shutdown()
    assert there == here
    assert list((tmp_path / "fits").glob("*.json"))


@pytest.mark.parametrize(("measure", "east", "west"), [("booked", 1000, 500), ("won", 1, 1), ("units", 7, 2)])
def test_value_deals_and_pieces_are_series_of_the_same_days(selling, answer_as, measure, east, west):
    with selling.database.writing(SYSTEM, now=NOW, action="test") as work:
        for deal in work.session.exec(select(Deal)):
            line = work.session.exec(select(DealLine).where(DealLine.deal_id == deal.id)).one()
            line.quantity = 5 if deal.amount == 1000 else 2
            if deal.amount == 1000:
                second = DealLine(
                    deal_id=deal.id, product_id=line.product_id, quantity=2, unit_price=Decimal(1), amount=Decimal(1)
                )
                work.session.add(second)
    selling.database.mirror.refresh()
    for frequency in ("day", "week", "month"):
        rows = answer_as("leader", booked_series, frequency=frequency, measure=measure)
        assert rows["value"].tolist() == [east + west] * MONTHS
        assert answer_as("eastern rep", booked_series, measure=measure)["value"].tolist() == [east] * MONTHS
    with pytest.raises(ValueError, match="no series of weight"):
        answer_as("leader", booked_series, measure="weight")


def test_a_manager_is_shown_the_teams_below_and_not_the_own_team_twice(selling, answer_as):
    """The east's manager leads the whole of what is shown: the east itself would say the same again."""
    with selling.database.writing(SYSTEM, now=NOW, action="test") as work:
        crew = Team(name="海港组", name_en="Harbour", parent_id=selling.teams["east"])
        work.session.add(crew)
        work.session.flush()
        work.session.get(Rep, selling.reps["bob"]).team_id = crew.id
        number = crew.id
    won = NOW - timedelta(days=70)
    selling.deal(owner="bob", amount=70, path=(("identified", won - timedelta(days=3)), ("won", won)))
    selling.database.mirror.refresh()
    tree = answer_as("eastern manager", all_series)
    teams = next(parts for whole, parts in tree.sums if parts[0].dimension == "team")
    assert teams == (SeriesName("team", str(number)), SeriesName("team", f"{selling.teams['east']}:own"))
    assert sums_of(tree, teams[0]) == 70
    company = answer_as("leader", all_series)
    tops = next(parts for whole, parts in company.sums if whole == COMPANY and parts[0].dimension == "team")
    assert tops == tuple(SeriesName("team", str(selling.teams[name])) for name in ("east", "west"))
    assert dict(company.sums)[tops[0]] == teams
