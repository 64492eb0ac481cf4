"""Which series the Forecast page forecasts, what was found in it, and what its reader leaves out."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.forecasting.fit import fit_series
from core.forecasting.series import prepare
from core.settings import PROJECT_ROOT
from core.ui import session
from core.ui.screens import forecast_fit
from core.ui.screens.forecast_state import Shown, from_saved, series_of
from tests.conftest import actor
from tests.factories import NOW, Company

FRAME = PROJECT_ROOT / "core" / "ui" / "frame.py"


@pytest.fixture(autouse=True)
def _fitted_here(small_company: Company, monkeypatch):
    """On this database; every fit at once in this process."""

    def submit(key, prepared, horizon, events=(), *, china=True, depth="full"):
        task: Future = Future()
        task.set_result(fit_series(prepared, horizon=horizon, events=events, china=china, depth="first"))
        return task

    monkeypatch.setattr(forecast_fit, "submit_fit", submit)
    session.use_database(small_company.database)
    yield
    session.use_database(None)


def month_back(back: int) -> date:
    return (pd.Timestamp(NOW.date()).replace(day=1) - pd.DateOffset(months=back)).date()


@pytest.fixture
def selling(small_company: Company) -> Company:
    """Alice wins one deal of about 1,000 in each of twelve months, in the tenth last one of 30,000."""
    for back in range(1, 13):
        month = month_back(back)
        won = datetime(month.year, month.month, 10, 4, tzinfo=NOW.tzinfo)
        amount = 30_000 if back == 10 else 1000 + 10 * back
        small_company.deal(
            owner="alice", amount=amount, path=(("identified", won - timedelta(days=9)), ("won", won))
        )  # fmt: skip
    return small_company


def opened(company: Company, **params: Any) -> AppTest:
    app = AppTest.from_file(str(FRAME), default_timeout=60)
    app.session_state[session.ACTOR_KEY] = actor(company, "leader")
    app.session_state[session.NOW_KEY] = NOW
    app.session_state[session.LANGUAGE_KEY] = "en"
    app.run()
    app.switch_page("../../pages/forecast.py")
    for name, value in params.items():
        app.query_params[name] = value
    return app.run()


def base(app: AppTest) -> str:
    return next(metric.value for metric in app.metric if metric.label == "Base")


def tick(app: AppTest) -> Any:
    return next(box for box in app.checkbox if "Leave" in box.label)


def test_an_outlier_is_offered_and_left_out_only_when_it_is_ticked(selling):
    app = opened(selling)
    assert not app.exception
    box = tick(app)
    assert box.value is False
    assert "30,000" in box.label
    before = base(app)
    assert "mask" not in app.query_params
    tick(app).set_value(True).run()
    assert not app.exception
    assert app.query_params["mask"] in (month_back(10).isoformat(), [month_back(10).isoformat()])
    assert base(app) != before
    tick(app).set_value(False).run()
    assert "mask" not in app.query_params
    assert base(app) == before


def test_an_address_brings_its_ticks_and_no_others(selling):
    app = opened(selling, mask=[month_back(10).isoformat(), month_back(5).isoformat(), "never"])
    assert tick(app).value is True
    assert app.query_params["mask"] in (month_back(10).isoformat(), [month_back(10).isoformat()])
    assert any("counts as the periods around it do" in text.value for text in app.text)


def test_another_series_begins_without_the_ticks_of_the_last_one(selling):
    app = opened(selling, mask=[month_back(10).isoformat()])
    app.segmented_control(key="forecast-of").set_value("channel").run()
    assert not app.exception
    assert "mask" not in app.query_params
    assert tick(app).value is False


@pytest.mark.parametrize("measure", ["won", "units"])
def test_deals_and_pieces_are_shown_as_numbers_and_never_as_money(selling, measure):
    app = opened(selling, what=measure)
    assert not app.exception
    shown = [metric.value for metric in app.metric] + [header.value for header in app.header]
    assert shown
    assert not any("¥" in value for value in shown)
    assert float(base(app)) == pytest.approx(6.0, abs=0.5)
    sliders = {slider.label for slider in app.slider}
    assert "Win rate" in sliders
    assert not {"Average deal", "Price"} & sliders
    assert not any("quota" in metric.label.lower() for metric in app.metric)


def test_every_named_thing_about_the_data_stands_on_the_page(selling):
    app = opened(selling)
    said = "\n".join(element.value for element in app.markdown).replace("\\", "")
    assert "The history is short: 12 periods, where 24 would be better." in said


def test_measure_and_ticks_are_kept_in_the_address_and_with_a_scenario():
    shown = Shown(dimension="channel", key="2", measure="units", masked=(date(2026, 3, 1), date(2026, 5, 1)))
    assert Shown.from_params(shown.to_params()) == shown
    assert from_saved(series_of(shown), shown.levers.to_dict()) == shown
    assert Shown.from_params({"what": ["weight"], "mask": ["soon"]}) == Shown()


# --- odd histories, as the page shows them -----------------------------------------------------------------


def monthly(values: Any) -> pd.DataFrame:
    days = pd.date_range(end="2026-06-10", periods=len(values), freq=pd.DateOffset(months=1))
    return pd.DataFrame({"on": days.date, "value": list(values), "count": 1})


def many_rows() -> pd.DataFrame:
    days = pd.Timestamp("2023-07-01") + pd.to_timedelta(np.arange(100_000) % 1_095, unit="D")
    return pd.DataFrame({"on": days, "value": 1000.0, "count": 1})


USUAL = [1000.0 + 37 * (place % 5) for place in range(30)]
ODD: dict[str, tuple[pd.DataFrame, str]] = {
    "one point": (monthly([1000.0]), "The history is short: 1 periods"),
    "two points": (monthly([1000.0, 1100.0]), "The history is short: 2 periods"),
    "11 points": (monthly(USUAL[:11]), "The history is short: 11 periods"),
    "23 points": (monthly(USUAL[:23]), "The history is short: 23 periods"),
    "25 points": (monthly(USUAL[:25]), "25 months of history"),
    "constant": (monthly([500.0] * 30), "All values are the same."),
    "all zero": (monthly([0.0] * 30), "All values are zero."),
    "negative": (monthly([*USUAL[:20], -800.0, *USUAL[20:]]), "1 periods are below zero"),
    "intermittent": (monthly([600.0, 0, 0, 0, 0, 0] * 5), "of the periods are zero"),
    "twenty times": (monthly([*USUAL[:-1], 20_000.0]), "leads the forecast no further"),
    "a hundred thousand rows": (many_rows(), "98905 rows share a day"),
    "leap day": (monthly(USUAL).assign(on=lambda rows: rows["on"].replace(date(2024, 2, 10), date(2024, 2, 29))), ""),
    "a row of 2099": (
        pd.concat([monthly(USUAL), monthly([9e9]).assign(on=date(2099, 6, 1))], ignore_index=True),
        "1 rows dated after today were left out, the first on 2099-06-01",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_histories_are_shown_with_what_was_found_and_without_absurd_numbers(selling, monkeypatch, name):
    rows, told = ODD[name]
    monkeypatch.setattr(forecast_fit, "_by_day", lambda _view, _shown: rows)
    app = opened(selling)
    assert not app.exception
    assert not app.error
    said = " ".join(
        text.value.replace("\\", "") for kind in ("text", "markdown", "caption") for text in getattr(app, kind)
    )
    assert told in said
    steps = next(frame.value for frame in app.dataframe if "total" in frame.value)
    largest = float(prepare(rows, frequency="month", today=NOW.date()).points["y"].abs().median())
    assert steps["total"].between(0, 12 * max(largest, 100)).all()
    assert app.header[0].value
