"""Logarithm or not is learned from past forecasts, and no past forecast knows what came after it."""

from datetime import date

import numpy as np
import pytest

from core.forecasting.backtest import cutoffs
from core.forecasting.prophet_model import Features
from core.forecasting.steps import steps_from
from core.forecasting.transform import Transform
from core.forecasting.trials import ScaleErrors, Trials

AHEAD = 6


def trials(y: np.ndarray) -> Trials:
    steps = steps_from(date(2020, 1, 1), len(y) + AHEAD, "month")
    features = Features.of(steps, "month", (), china=False)
    return Trials(y, steps, "month", features, Transform.suited(y), 5 * float(y.max()), library=False)


def past_of(series: Trials, count: int = 4):
    cuts = cutoffs(len(series.y), horizon=AHEAD, least=24, origins=count)
    return [each for cut in cuts if (each := series.tried(*cut)) is not None]


def additive() -> np.ndarray:
    """A swing that stays as it is while the level falls to a third: a logarithm sees it grow."""
    months = np.arange(60)
    noise = np.random.default_rng(2).normal(0, 3, 60)
    return 300 - 3.4 * months + 60 * np.sin(2 * np.pi * months / 12) + noise


def multiplicative() -> np.ndarray:
    months = np.arange(60)
    noise = np.random.default_rng(2).normal(0, 0.03, 60)
    return 100 * np.exp(0.04 * months + 0.5 * np.sin(2 * np.pi * months / 12) + noise)


@pytest.mark.parametrize(("y", "kind"), [(additive(), "plain"), (multiplicative(), "log")])
def test_the_scale_is_the_one_on_which_past_forecasts_were_less_off(y, kind):
    series = trials(y)
    past = past_of(series)
    assert series.scale(past, until=len(y)).kind == kind
    errors = series.errors(past, until=len(y))
    assert (errors.plain < errors.suited) == (kind == "plain")


def test_without_past_forecasts_the_rule_decides():
    assert trials(additive()).scale([], until=60).kind == "log"
    assert trials(additive() - 200).scales == (Transform.suited(additive() - 200),)


def test_the_plain_scale_must_be_clearly_better():
    assert ScaleErrors(suited=30 / 300, plain=28 / 300, steps=6).plain_wins
    assert not ScaleErrors(suited=0.10, plain=0.096, steps=6).plain_wins
    assert not ScaleErrors(suited=float("nan"), plain=float("nan"), steps=0).plain_wins


def test_a_past_forecast_does_not_change_with_what_came_after_it():
    """The scale, the weights and the members of a past forecast come from the steps known on its day alone."""
    whole = additive()
    other = whole.copy()
    made = past_of(trials(whole))
    known = made[-1].known
    other[known:] = whole[known:][::-1] * 1.5
    scale = Transform("log", 100.0)
    values = []
    for y in (whole, other):
        series = trials(y)
        origin = series.origins(past_of(series), scale)[-1]
        assert origin.known == known
        values.append(series.value(scale, origin.forecast))
    assert values[0] == pytest.approx(values[1], rel=1e-4)
    assert not np.allclose(whole[known:], other[known:], rtol=0.1)


def test_moving_to_the_other_scale_and_back_changes_nothing():
    series = trials(multiplicative())
    line = np.array([0.1, -0.4, 0.7])
    there = series.moved(line, series.suited, series.plain)
    assert series.moved(there, series.plain, series.suited) == pytest.approx(line)
    assert series.moved(np.array([-1.0]), series.plain, series.suited)[0] == pytest.approx(
        np.log(series.y.min() / 5 / series.suited.scale)
    )
