"""How wide bands are in like series, towards which a series with few past forecasts is drawn.

Source: docs/methods/forecast.md, "The 80 % band"; the letters below are its.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from core.forecasting.prophet_model import YEARLY_ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.forecasting.result import Fit
    from core.forecasting.steps import Frequency
    from core.forecasting.transform import Floats

Z80: Final = 1.2815515655446004
WIDENING: Final = 0.1
LEAST: Final = 0.01
"""The least that a series' own width counts for, as a share of the suggested one: past luck is no certainty."""


@dataclass(frozen=True)
class Spread:
    """What 8 of 10 errors stay within, over what in-sample errors suggest (R), and how much that weighs (kappa)."""

    ratio: float
    weight: float

    def drawn(self, own: Floats, counts: Floats, suggested: Floats) -> Floats:
        """Widths drawn from `own`, which rest on `counts` past forecasts, towards R times the suggested ones."""
        like = self.ratio * suggested
        share = self.weight / (counts**2 + self.weight)
        with np.errstate(divide="ignore", invalid="ignore"):
            mixed = np.exp((1 - share) * np.log(np.maximum(own, LEAST * like)) + share * np.log(like))
        return np.asarray(np.where(counts > 0, np.where(like > 0, mixed, own), like))


PUBLIC: Final[dict[Frequency, Spread]] = {
    "month": Spread(0.95, 1.0),
    "week": Spread(1.05, 1.0),
    "day": Spread(0.6, 1.0),
}
COMPANY_WEIGHT: Final = 2.0
"""Kappa of a company's own series, which are more like each other than the public ones are."""
PUBLIC_SERIES: Final = 10
"""Of how many series the public ratio counts beside the company's."""
"""Of one half of the public series of the benchmark, where nothing is known of the company's own: it prints them."""
AS_SUGGESTED: Final = Spread(1.0, 1.0)
"""Of methods whose in-sample errors are forecasts one step (one season) ahead themselves."""


def suggested_width(in_sample: Floats, horizon: int) -> Floats:
    """Widths that one-step errors alone suggest, widening with the square root of the horizon."""
    size = float(np.sqrt(np.mean(in_sample**2))) if len(in_sample) else 0.0
    return np.asarray(Z80 * size * np.sqrt(1 + WIDENING * np.arange(horizon)))


def relative_misses(fit: Fit) -> Floats:
    """Return the absolute errors of a fit's past forecasts, each over the width that in-sample errors suggest for it.

    As `band` counts them; none where the fit looked at no past forecasts, or is not by the combination.
    """
    if fit.backtest is None or fit.method != "combination":
        return np.empty(0)
    frame, count = fit.backtest.frame, len(fit.y)
    with np.errstate(divide="ignore", invalid="ignore"):
        actual, forecast = (
            fit.transform.forward(frame[name].to_numpy(dtype="float64")) for name in ("actual", "forecast")
        )
        missed = np.abs(actual - forecast)
        in_sample = fit.transform.forward(fit.y) - fit.parts.total[:count]
        known = np.searchsorted(fit.steps.to_numpy(), frame["origin"].to_numpy()) + 1
        step = frame["step"].to_numpy()
        terms = 2 * YEARLY_ORDER[fit.frequency]
        missed *= np.sqrt((1 + terms / count) / (1 + terms / known))
        found = missed / suggested_width(in_sample, int(step.max()))[step - 1]
    return np.asarray(found[np.isfinite(found)])


def ratio_of(misses: Iterable[Floats]) -> float:
    """What 80 % of the relative misses stay within, every series counting the same; NaN where there are none."""
    some = [each for each in misses if len(each)]
    if not some:
        return float("nan")
    every = np.concatenate(some)
    order = np.argsort(every, kind="stable")
    reached = np.cumsum(np.concatenate([np.full(len(each), 1 / len(each)) for each in some])[order]) / len(some)
    return float(every[order][min(len(every) - 1, int(np.searchsorted(reached, 0.8 - 1e-12)))])


def company_spread(misses: Iterable[Floats], frequency: Frequency) -> Spread:
    """Return what a company's own series tell, beside the public ones: the more series, the more of it is theirs."""
    some = [each for each in misses if len(each)]
    public, count = PUBLIC[frequency], len(some)
    ratio = ratio_of(some)
    if not ratio > 0:
        return public
    share = count / (count + PUBLIC_SERIES)
    mixed = float(np.exp(share * np.log(ratio) + (1 - share) * np.log(public.ratio)))
    return Spread(mixed, share * COMPANY_WEIGHT + (1 - share) * public.weight)
