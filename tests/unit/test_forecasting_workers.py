"""The background fits: shared, bounded in time, and alive after a worker's death."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.forecasting.calendar import Event
from core.forecasting.fit import fit_series
from core.forecasting.result import Fit, NotEnoughHistory
from core.forecasting.series import PreparedSeries, prepare
from core.forecasting.spread import company_spread, relative_misses
from core.forecasting.store import FitStore
from core.forecasting.worker import answer
from core.forecasting.workers import FitPool, Worker, state_of

TODAY = date(2026, 11, 22)


def months(count: int) -> PreparedSeries:
    steps = pd.date_range(end="2026-10-01", periods=count, freq="MS")
    values = 1e6 * np.exp(0.2 * np.sin(np.arange(count) * 2 * np.pi / 12) + 0.01 * np.arange(count))
    return prepare(pd.DataFrame({"on": steps.date, "value": values}), frequency="month", today=TODAY)


@pytest.fixture(scope="module")
def pool() -> Iterator[FitPool]:
    pool = FitPool(workers=1, kept=4)
    yield pool
    pool.shutdown()


def test_a_worker_gives_the_numbers_that_this_process_would(pool):
    fairs = (Event("fair", date(2026, 3, 1), date(2026, 4, 1)),)
    task = pool.submit("company", months(36), 6, fairs)
    here = fit_series(months(36), horizon=6, events=fairs)
    assert np.array_equal(task.result(60).parts.total, here.parts.total)
    assert state_of(task) == "done"


def test_equal_keys_share_one_fit_and_other_horizons_do_not(pool):
    first = pool.submit(("company", 7), months(30), 6)
    assert pool.submit(("company", 7), months(30), 6) is first
    assert pool.submit(("company", 7), months(30), 7) is not first
    assert pool.submit(("company", 8), months(30), 6) is not first


def test_an_empty_series_fails_with_its_plain_reason(pool):
    nothing = prepare(pd.DataFrame({"on": [], "value": []}), frequency="month", today=TODAY)
    task = pool.submit("nothing", nothing, 6)
    assert state_of(task) == "failed"
    with pytest.raises(NotEnoughHistory):
        task.result()


def test_the_death_of_a_worker_is_not_noticed(pool):
    pool.submit("before", months(30), 6).result(60)
    victim = pool.workers[0].pid
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    fit = pool.submit("after", months(31), 6).result(60)
    assert fit.method == "combination"
    assert pool.workers[0].pid != victim


def test_only_so_many_finished_fits_are_kept(pool):
    tasks = [pool.submit(("kept", k), months(3 + k), 2) for k in range(7)]
    for task in tasks:
        task.result(60)
    pool.submit("one more", months(3), 2).result(60)
    assert len(pool._fits) <= 5


def test_a_fit_that_takes_too_long_comes_back_by_a_simpler_method():
    pool = FitPool(workers=1, fit_seconds=30)
    try:
        pool.submit("warm", months(3), 2).result(60)
        pool.workers[0].fit_seconds = 0.0
        fit = pool.submit("slow", months(36), 6).result(60)
        assert fit.method == "seasonal_naive"
        assert str(fit.reason) == "A simpler method, because fitting Prophet took too long."
    finally:
        pool.shutdown()


def test_a_stopped_pool_leaves_no_process_behind():
    pool = FitPool(workers=1)
    pool.submit("one", months(3), 2).result(60)
    child = pool.workers[0]._child
    assert child is not None
    pool.shutdown()
    assert child.poll() is not None


def test_a_first_answer_does_not_wait_for_the_full_ones(pool):
    full = [pool.submit(("busy", k), months(36 + k), 6) for k in range(4)]
    first = pool.submit("quick", months(40), 6, depth="first").result(60)
    assert first.method == "prophet"
    assert not full[-1].done()
    for task in full:
        task.result(120)


def test_a_finished_fit_is_read_again_by_the_next_program(tmp_path):
    fairs = (Event("fair", date(2026, 3, 1), date(2026, 4, 1)),)
    made = FitPool(workers=1, store=FitStore(tmp_path / "fits"))
    try:
        fit = made.submit("company", months(20), 6, fairs).result(60)
    finally:
        made.shutdown()
    again = FitPool(workers=1, store=FitStore(tmp_path / "fits"))
    try:
        task = again.submit("another name for it", months(20), 6, fairs)
        assert task.done()
        assert np.array_equal(task.result().parts.total, fit.parts.total)
        assert again.workers[0].pid is None
        assert not again.submit("other events", months(20), 6).done()
        assert not again.submit("other data", months(21), 6, fairs).done()
    finally:
        again.shutdown()


def test_a_broken_file_is_no_fit_and_old_ones_go(tmp_path):
    store = FitStore(tmp_path, kept=2)
    fit = fit_series(months(5), horizon=2)
    for name in ("a", "b", "c"):
        store.write(name, fit)
    for path in tmp_path.iterdir():
        path.write_text("{}", encoding="utf-8")
    assert store.read("a") is None
    assert store.read("never written") is None
    store._shrink()
    assert len(list(tmp_path.iterdir())) == 2


def test_a_fit_waits_before_it_runs():
    waiting: Future[Fit] = Future()
    assert state_of(waiting) == "queued"
    waiting.set_running_or_notify_cancel()
    assert state_of(waiting) == "running"


def test_an_order_that_a_dying_worker_did_not_read_is_no_failure():
    """The process dies between the look at it and the order: what lies in the pipe cannot be written any more."""
    worker = Worker()
    worker.begin()
    child = worker._child
    assert child is not None
    assert child.stdin is not None
    child.kill()
    child.wait()
    child.stdin.write("an order")
    worker.stop()
    assert worker.pid is None


def test_what_a_run_learns_of_the_bands_holds_from_the_next_run_on(tmp_path, monkeypatch):
    """A day's fits rest on one width of like series, so that what the nightly run made is what the page asks for."""
    monkeypatch.setattr(Worker, "ask", lambda _self, line: answer(line) + "\n")
    store = FitStore(tmp_path / "fits")
    for again in range(3):
        pool = FitPool(workers=1, store=store, background=True)
        assert (store.spread("month") is None) == (again == 0)
        pool.submit(("series", again), months(36), 6).result(300)
        pool.shutdown()
    learned = store.spread("month")
    own = company_spread([relative_misses(fit_series(months(36), horizon=6))], "month")
    assert (learned.ratio, learned.weight) == pytest.approx((own.ratio, own.weight), abs=6e-4)
    assert store.spread("week") is None
    here = fit_series(months(36), horizon=6, spread=learned)
    page = FitPool(workers=1, store=store)
    there = page.submit("page", months(36), 6).result(300)
    page.shutdown()
    assert there.below.tolist() == here.below.tolist()


def test_a_spread_within_a_tenth_of_what_holds_changes_nothing(tmp_path):
    store = FitStore(tmp_path / "fits")
    held = [np.full(9, 2.0)] * 90
    store.end_run({"month": held})
    store.begin_run()
    first = store.spread("month")
    for other, same in (([np.full(9, 2.1)] * 90, True), ([np.full(9, 3.0)] * 90, False), ([np.empty(0)], False)):
        store.end_run({"month": other})
        store.begin_run()
        assert (store.spread("month") == first) is same


def test_a_store_that_cannot_be_read_knows_no_spread(tmp_path):
    folder = tmp_path / "fits"
    folder.mkdir()
    (folder / "spreads.kept").write_text("not JSON", encoding="utf-8")
    assert FitStore(folder).spread("month") is None
