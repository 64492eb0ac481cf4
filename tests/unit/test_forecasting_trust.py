"""Past forecasts by distance and as totals, by hand."""

import pandas as pd
import pytest

from core.forecasting.backtest import score
from core.forecasting.result import Backtest
from core.forecasting.trust import by_distance, totals


def backtest() -> Backtest:
    """Two past forecasts of three months, one of one month; actual values of 100 each."""
    rows = [
        ("2026-01-01", 1, 110.0, 130.0, 100.0),
        ("2026-01-01", 2, 90.0, 130.0, 110.0),
        ("2026-01-01", 3, 130.0, 130.0, 120.0),
        ("2026-04-01", 1, 100.0, 80.0, 100.0),
        ("2026-04-01", 2, 120.0, 80.0, 100.0),
        ("2026-04-01", 3, 120.0, 80.0, 130.0),
        ("2026-09-01", 1, 90.0, 100.0, 100.0),
    ]
    frame = pd.DataFrame(rows, columns=["origin", "step", "forecast", "naive", "ets"])
    frame["origin"] = pd.to_datetime(frame["origin"])
    frame["ds"] = frame["origin"] + pd.to_timedelta(31 * frame["step"], unit="D")
    frame["actual"] = 100.0
    frame["lo"], frame["hi"] = frame["forecast"] - 15, frame["forecast"] + 15
    return Backtest(frame, score(frame, scale=40.0), 40.0)


def test_the_errors_of_each_distance_are_told_apart():
    frame = by_distance(backtest(), "month")
    assert frame[["first", "last", "forecasts"]].to_numpy().tolist() == [[1, 1, 3], [2, 3, 4]]
    assert frame["wape"].tolist() == pytest.approx([20 / 300, 80 / 400])
    assert frame["bias"].tolist() == pytest.approx([0.0, 60 / 400])
    assert frame["mase"].tolist() == pytest.approx([20 / 3 / 40, 20 / 40])
    assert frame["coverage"].tolist() == pytest.approx([1.0, 0.25])
    assert frame["ets_wape"].tolist() == pytest.approx([0.0, 60 / 400])


def test_totals_are_those_that_two_forecasts_reached():
    found = totals(backtest(), 12)
    assert found is not None
    assert (found.steps, found.forecasts) == (3, 2)
    assert found.off == pytest.approx((30 + 40) / 600)
    assert found.bias == pytest.approx(70 / 600)
    assert found.naive_off == pytest.approx((90 + 60) / 600)
    assert found.ets_off == pytest.approx((30 + 30) / 600)
    one = totals(backtest(), 1)
    assert one is not None
    assert one.forecasts == 3
    assert one.off == pytest.approx(20 / 300)


def test_nothing_that_happened_scores_nothing():
    empty = backtest()
    empty.frame["actual"] = 0.0
    assert totals(empty, 3) is None
