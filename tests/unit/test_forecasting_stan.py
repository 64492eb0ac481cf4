"""Prophet's own optimiser, asked in a shorter way, answers what Prophet's answers."""

import subprocess
import sys
from datetime import date

import numpy as np
import pandas as pd
import pytest
from prophet import Prophet

from core.forecasting.processor_time import run_within, spent
from core.forecasting.prophet_model import SEED, Features, ProphetFailed, prophet_components
from core.forecasting.steps import steps_from

STEPS = steps_from(date(2020, 1, 1), 60, "month")


def history(count: int) -> np.ndarray:
    random = np.random.default_rng(3)
    months = np.arange(count)
    return 0.01 * months + 0.3 * np.sin(2 * np.pi * months / 12) + random.normal(0, 0.05, count)


def test_a_fit_is_prophets_own_to_the_last_digits_that_stan_writes():
    """Same start, same data, same program: what cmdstanpy would have read is what is read here."""
    z = history(48)
    features = Features.of(STEPS, "month", (), china=False)
    found = prophet_components(z, STEPS, "month", features, priors=(0.05,))
    model = Prophet(
        yearly_seasonality=5, weekly_seasonality=False, daily_seasonality=False, seasonality_prior_scale=10.0,
        changepoint_prior_scale=0.05, uncertainty_samples=0,
    )  # fmt: skip
    start = {"sigma_obs": 0.1, "delta": 0.001 * np.where(np.arange(25) % 2 == 0, 1.0, -1.0), "beta": np.zeros(10)}
    table = pd.DataFrame({"ds": STEPS[:48], "y": z})
    model.fit(table, algorithm="LBFGS", seed=SEED, iter=1_000, init={"k": None, "m": None, **start})
    theirs = model.predict(pd.DataFrame({"ds": STEPS}))
    assert found.seasonal == pytest.approx(theirs["yearly"].to_numpy(), abs=1e-9)
    assert found.trend[:48] == pytest.approx(theirs["trend"].to_numpy()[:48], abs=1e-9)


@pytest.mark.parametrize("limit", [0.0, 1e-6])
def test_an_optimiser_that_takes_too_long_gives_way_to_a_simpler_method(monkeypatch, limit):
    monkeypatch.setattr("core.forecasting.prophet_model.CLOCK_SECONDS", limit)
    with pytest.raises(ProphetFailed):
        prophet_components(history(48), STEPS, "month", Features.of(STEPS, "month", (), china=False))


def test_an_optimiser_that_finds_nothing_gives_way_to_a_simpler_method(monkeypatch):
    monkeypatch.setattr("core.forecasting.prophet_model.ITERATIONS", -1)
    with pytest.raises(ProphetFailed):
        prophet_components(history(48), STEPS, "month", Features.of(STEPS, "month", (), china=False))


def test_what_uses_no_processor_may_wait_and_what_uses_too_much_is_ended():
    """A busy machine makes a fit wait; that must not change which method makes the forecast."""
    waits = [sys.executable, "-S", "-c", "import time; time.sleep(1.2)"]
    assert run_within(waits, processor_seconds=1, clock_seconds=60).returncode == 0
    with pytest.raises(TimeoutError):
        run_within([sys.executable, "-S", "-c", "while True: pass"], processor_seconds=1, clock_seconds=60)
    with pytest.raises(TimeoutError):
        run_within(waits, processor_seconds=1, clock_seconds=0.01)


def test_processor_time_is_told_apart_from_the_clock():
    with subprocess.Popen([sys.executable, "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as child:
        assert (spent(child.pid) or 0.0) < 1.0
        child.communicate(b"")
    assert spent(2**22 + 1) is None
