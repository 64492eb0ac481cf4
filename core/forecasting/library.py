"""AutoETS and AutoTheta of statsforecast: worker processes alone import it.

The import takes two seconds, all models together some 120 ms for 120 months.
Source: docs/methods/forecast.md, "Members".
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from core.forecasting.steps import SEASON, Frequency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.forecasting.transform import Floats

Model = Literal["ets", "theta", "theta_season", "stl_ets", "stl_theta"]
SEASONS_NEEDED = 2


class _NoForecast:
    """Answers where no form of a model can be fitted."""

    uses_exog = False

    def __repr__(self) -> str:
        return "none"

    def forecast(self, *, h: int, **_rest: Any) -> dict[str, Floats]:
        return {"mean": np.full(h, np.nan)}


def library_forecasts(y: Floats, horizon: int, frequency: Frequency, models: Sequence[Model]) -> dict[Model, Floats]:
    """Forecast `y` by each of `models`; one that cannot be fitted is missing from the answer.

    ets: exponential smoothing of the form with the least AICc (Hyndman & Athanasopoulos, 8.6);
    theta: the Theta method of the form with the least error (Fiorucci et al. 2016). Weeks, whose
    season is too long for either, are decomposed first (MSTL); `stl_` decomposes every series,
    `theta_season` none.
    """
    from statsforecast import StatsForecast

    table = pd.DataFrame({"unique_id": 0, "ds": np.arange(len(y)), "y": y})
    season = SEASON[frequency] if len(y) >= SEASONS_NEEDED * SEASON[frequency] else 1
    found: dict[Model, Floats] = {}
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for name in models:
            engine = StatsForecast(
                models=[_model(name, season, frequency)], freq=1, n_jobs=1, fallback_model=_NoForecast()
            )
            ahead = engine.forecast(df=table, h=horizon).iloc[:, -1].to_numpy(dtype="float64")
            if np.isfinite(ahead).all():
                found[name] = ahead
    return found


def _model(name: Model, season: int, frequency: Frequency) -> Any:
    from statsforecast.models import MSTL, AutoETS, AutoTheta

    smoothed = name in ("ets", "stl_ets")
    decomposed = name.startswith("stl_") or (frequency == "week" and name != "theta_season")
    if season > 1 and decomposed:
        trend = AutoETS(model="ZZN") if smoothed else AutoTheta(season_length=1)
        return MSTL(season_length=season, trend_forecaster=trend)
    return AutoETS(season_length=season) if smoothed else AutoTheta(season_length=season)
