"""The open deals are weighed against what the full method said in the past, where it is known."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from core.forecasting.fit import fit_series
from core.forecasting.flow import Flow
from core.forecasting.gauge import gauged, said_by
from core.forecasting.near_term import NearTerm
from core.forecasting.pipeline import WEEKS
from core.forecasting.result import Backtest, Fit, Scores
from core.forecasting.series import prepare

LAST = date(2026, 11, 21)
SNAPSHOTS = 60
SCORES = Scores(*(0.0,) * 6, origins=1)


def fit_that_said(said: dict[str, list[float]]) -> Fit:
    """Months of 3,000 and past forecasts: last month known -> what the next ones were to bring."""
    days = pd.date_range("2024-11-01", "2026-10-31")
    rows = pd.DataFrame({"on": days.date, "value": 100.0})
    fit = fit_series(prepare(rows, frequency="month", today=date(2026, 11, 22)), horizon=6, depth="first")
    tables = []
    for month, values in said.items():
        begun = pd.Timestamp(month)
        ahead = [begun + pd.DateOffset(months=k) for k in range(1, len(values) + 1)]
        tables.append(
            pd.DataFrame({"origin": begun, "step": range(1, len(values) + 1), "ds": ahead, "forecast": values})
        )
    return replace(fit, backtest=Backtest(pd.concat(tables, ignore_index=True), SCORES))


def near(*, series: float, opened: float, actual: float) -> NearTerm:
    """Each week the same, the present one unknown; what deals bring is all there is."""
    rows = []
    for origin in range(SNAPSHOTS):
        for week in range(1, WEEKS + 1):
            came = actual if origin + week < SNAPSHOTS else np.nan
            rows.append((origin, week, came, opened, 0.0, series, 0.0, 0.0))
    names = ["origin", "week", "actual", "open", "new_share", "series", "weighted", "weight"]
    flow = Flow(LAST, np.zeros((0, WEEKS)), np.zeros(0), *(np.zeros(WEEKS) for _each in range(3)))
    return NearTerm(LAST, pd.DataFrame(rows, columns=names), flow)


def day(of: date) -> int:
    return int(np.datetime64(of, "D").astype("int64"))


def test_a_past_forecast_by_month_speaks_of_weeks_by_their_days():
    """Example: from the end of June, July was to bring 3,100 and August 6,200: 100 and 200 a day."""
    fit = fit_that_said({"2026-06-01": [3_100.0, 6_200.0]})
    said = said_by(fit, np.array([day(date(2026, 6, 30)), day(date(2026, 7, 28))]))
    assert said[0, :4] == pytest.approx([700.0] * 4)
    assert said[0, 4] == pytest.approx(3 * 100 + 4 * 200)
    assert said[1, 0] == pytest.approx(3 * 100 + 4 * 200)
    assert np.isfinite(said[0]).sum() == (31 + 31) // 7
    assert np.isfinite(said[1]).sum() == (3 + 31) // 7


def test_it_speaks_while_it_was_the_newest_and_not_before():
    fit = fit_that_said({"2026-06-01": [3_100.0, 6_200.0]})
    days = [date(2026, 6, 29), date(2026, 6, 30), date(2026, 7, 30), date(2026, 7, 31)]
    said = said_by(fit, np.array([day(each) for each in days]))
    assert np.isfinite(said[:, 0]).tolist() == [False, True, True, False]


def test_deals_that_beat_the_stand_in_are_left_out_where_the_full_method_did_better():
    known = near(series=500.0, opened=690.0, actual=700.0)
    assert gauged(known, fit_that_said({"2016-01-01": [1.0]})) is known
    months = [f"{2025 + k // 12}-{k % 12 + 1:02d}-01" for k in range(8, 22)]
    right = {}
    for month in months:
        ahead = [pd.Timestamp(month) + pd.DateOffset(months=k) for k in range(1, 7)]
        right[month] = [100.0 * each.days_in_month for each in ahead]
    full = gauged(known, fit_that_said(right))
    assert full is not None
    assert gauged(replace(known), fit_that_said({months[0]: [15_000.0]})).weights.tolist() == [1.0] * WEEKS
    assert not full.weights.any()
    assert full.flow.weights.tolist() == full.weights.tolist()
    assert full.off("series") == pytest.approx(0.0, abs=1e-9)


def test_without_past_forecasts_nothing_changes():
    known = near(series=500.0, opened=690.0, actual=700.0)
    assert gauged(known, replace(fit_that_said({"2026-06-01": [1.0]}), backtest=None)) is known
    assert gauged(None, fit_that_said({"2026-06-01": [1.0]})) is None
