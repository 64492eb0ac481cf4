"""The page of all series as its readers meet it."""

from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import gate
from core.domain.periods import FiscalCalendar
from core.errors import SalesError
from core.forecasting import runs
from core.forecasting.cluster import ClusterNotReached
from core.forecasting.fit import fallback_fit, fit_series
from core.forecasting.many import forecast_all
from core.forecasting.workers import WORKER_DIED
from core.queries.all_series import all_series, forecast_run
from core.services.forecast_runs import keep_forecast_run
from core.settings import PROJECT_ROOT
from core.ui import session
from tests.conftest import actor
from tests.factories import NOW, Company

FRAME = PROJECT_ROOT / "core" / "ui" / "frame.py"


class InProcess:
    """Fits at once; with `broken`, by what answers for a dead worker."""

    def __init__(self, *, broken: bool = False) -> None:
        self.broken = broken

    def submit(self, key, prepared, horizon, events=(), *, china=True, depth="full"):
        task: Future = Future()
        if self.broken:
            task.set_result(fallback_fit(prepared, horizon=horizon, reason=WORKER_DIED))
        else:
            task.set_result(fit_series(prepared, horizon=horizon, depth="first"))
        return task

    def shutdown(self) -> None:
        """Nothing to end."""


@pytest.fixture(autouse=True)
def _on_this_database(small_company: Company):
    session.use_database(small_company.database)
    yield
    runs.stop()
    session.use_database(None)


@pytest.fixture
def selling(small_company: Company) -> Company:
    """The east wins 1,000 and the west 500 in each of eight months."""
    for back in range(1, 9):
        month = (pd.Timestamp(NOW.date()).replace(day=10) - pd.DateOffset(months=back)).date()
        won = datetime(month.year, month.month, 10, 4, tzinfo=NOW.tzinfo)
        for owner, amount in (("alice", 1000), ("charlie", 500)):
            small_company.deal(owner=owner, amount=amount, path=(("identified", won - timedelta(days=9)), ("won", won)))
    return small_company


def opened(company: Company, who: str, language: str = "en", **params: str) -> AppTest:
    app = AppTest.from_file(str(FRAME), default_timeout=60)
    app.session_state[session.ACTOR_KEY] = actor(company, who)
    app.session_state[session.NOW_KEY] = NOW
    app.session_state[session.LANGUAGE_KEY] = language
    app.run()
    app.switch_page("../../pages/all_series.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def keep(company: Company, who: str, pool: InProcess | None = None, **of: str) -> None:
    """Make the run of somebody's scope and keep it."""
    reader = actor(company, who)
    tree = gate.answer(company.database, reader, all_series, NOW, **of)
    made = forecast_all(
        tree.rows, tree.names, tree.sums, today=NOW.date(), calendar=FiscalCalendar(1), pool=pool or InProcess(),
        frequency=tree.frequency,
    )  # fmt: skip
    gate.perform(
        company.database, reader, keep_forecast_run, NOW, data_version=tree.version, depth="full", seconds=1.0,
        series=[each.to_dict() for each in made], **of,
    )  # fmt: skip


def texts(app: AppTest) -> str:
    return "\n".join(
        element.value.replace("\\", "") for element in (*app.markdown, *app.caption, *app.info, *app.header, *app.text)
    )


def shown(app: AppTest) -> dict[str, Any]:
    frame = app.dataframe[0].value
    return {str(row["name"]).strip("\N{IDEOGRAPHIC SPACE}"): row for row in frame.to_dict("records")}


def test_without_a_won_deal_the_page_says_what_to_do(small_company):
    app = opened(small_company, "leader")
    assert not app.exception
    assert "nothing to forecast from yet" in app.info[0].value.replace("\\", "")


def test_before_the_first_run_a_button_offers_it(selling):
    app = opened(selling, "leader")
    assert not app.exception
    assert "Nothing has been computed yet" in texts(app)
    assert app.button(key="all-series-start").label == "Compute now"
    assert not app.dataframe


def test_the_parts_stand_below_the_whole_and_add_up(selling):
    keep(selling, "leader")
    app = opened(selling, "leader")
    assert "Up to date" in texts(app)
    rows = shown(app)
    assert rows["Whole company"]["quarter"] == 4500
    assert sum(row["quarter"] for name, row in rows.items() if name in ("East", "West")) == 4500
    assert "2 parts add up to ¥4,500, to the month." in texts(app)
    app.segmented_control(key="all-series-of").set_value("territory").run()
    assert not app.exception
    assert app.query_params["of"] in ("territory", ["territory"])


def test_a_manager_is_shown_the_own_people_alone_and_never_the_companys_run(selling):
    keep(selling, "leader")
    app = opened(selling, "eastern manager")
    assert "Nothing has been computed yet" in texts(app)
    keep(selling, "eastern manager")
    rows = shown(opened(selling, "eastern manager"))
    assert rows["All that is yours"]["quarter"] == 3000
    assert "West" not in rows


def test_a_changed_month_is_said(selling):
    keep(selling, "leader")
    then = NOW - timedelta(days=62)
    selling.deal(owner="alice", amount=9, path=(("identified", then - timedelta(days=3)), ("won", then)))
    app = opened(selling, "leader")
    assert "have changed since" in texts(app)
    assert shown(app)["Whole company"]["quarter"] == 4500


@pytest.mark.parametrize("frequency", ["month", "week"])
def test_won_deals_are_forecast_beside_booked_value_each_kept_for_itself(selling, frequency):
    keep(selling, "leader")
    app = opened(selling, "leader", what="won", by=frequency)
    assert "Nothing has been computed yet" in texts(app)
    keep(selling, "leader", measure="won", frequency=frequency)
    app = opened(selling, "leader", what="won", by=frequency)
    assert not app.exception
    assert "Up to date" in texts(app)
    rows = shown(app)
    assert rows["Whole company"]["quarter"] == sum(rows[name]["quarter"] for name in ("East", "West"))
    assert rows["Whole company"]["quarter"] <= 10
    assert f"to the {frequency}." in texts(app)
    assert "¥" not in texts(app)
    app.selectbox(key="all-series-what").select("booked").run()
    app.segmented_control(key="all-series-by").set_value("month").run()
    assert shown(app)["Whole company"]["quarter"] == 4500


def test_what_failed_is_named_with_the_reason(selling):
    keep(selling, "leader", InProcess(broken=True))
    app = opened(selling, "leader")
    assert "could not be fitted as meant" in app.warning[0].value
    assert "Whole company: A simpler method, because the computing process ended twice." in texts(app)


def test_the_button_makes_the_run_in_the_background_and_keeps_it(selling, monkeypatch):
    monkeypatch.setattr(runs, "open_pool", InProcess)
    app = opened(selling, "eastern manager")
    app.button(key="all-series-start").click().run()
    assert not app.exception
    run = runs.run_of((selling.database.url, actor(selling, "eastern manager").scope, "booked", "month"))
    if run is not None:
        run.task.result(timeout=30)
    app.run()
    assert "Up to date" in texts(app)
    assert gate.answer(selling.database, actor(selling, "eastern manager"), forecast_run, NOW) is not None
    assert gate.answer(selling.database, actor(selling, "leader"), forecast_run, NOW) is None


def test_a_cluster_that_does_not_answer_is_said_in_the_readers_language(selling, monkeypatch):
    def unreachable():
        raise ClusterNotReached(address="tcp://nowhere:1")

    monkeypatch.setattr(runs, "open_pool", unreachable)
    app = opened(selling, "leader", "zh")
    app.button(key="all-series-start").click().run()
    run = runs.run_of((selling.database.url, actor(selling, "leader").scope, "booked", "month"))
    assert run is not None
    assert isinstance(run.task.exception(timeout=30), SalesError)
    app.run()
    assert "没有应答" in app.error[0].value.replace("\\", "")
