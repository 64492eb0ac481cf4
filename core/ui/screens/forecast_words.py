"""A forecast in words: the sentence that a leader reads, the span, and how past forecasts fared."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from core.forecasting.scenarios import apply, sample_paths
from core.forecasting.steps import ends
from core.i18n import N_, _, _n, format_date, format_month, format_rate
from core.ui.cards import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.forecasting.flow import Flow
    from core.forecasting.levers import Levers
    from core.forecasting.result import Fit, Member
    from core.ui.page import View

MEMBER_NAMES: Final[dict[Member, str]] = {
    "prophet": N_("Prophet"),
    "theta_adjusted": N_("Theta on Prophet's adjusted series"),
    "holt_adjusted": N_("damped Holt on Prophet's adjusted series"),
    "ets": N_("AutoETS"),
    "ets_log": N_("AutoETS on logarithms"),
    "theta": N_("AutoTheta"),
    "theta_log": N_("AutoTheta on logarithms"),
    "theta_season": N_("AutoTheta with its own season"),
    "theta_season_log": N_("AutoTheta with its own season"),
    "stl_ets": N_("AutoETS after a decomposition"),
    "stl_ets_log": N_("AutoETS after a decomposition"),
    "stl_theta": N_("AutoTheta after a decomposition"),
    "stl_theta_log": N_("AutoTheta after a decomposition"),
}


LEAST_SWING: Final = 0.05
"""Between the strongest and the weakest step, as a share of their mean, under which they are not worth a word."""


def headline(view: View, fit: Fit, levers: Levers, flow: Flow) -> str:
    """Return the one sentence that a leader reads."""
    low, total, high = total_of(fit)
    told = _(
        "{span}: {total} (between {low} and {high}, 80%)",
        span=ahead_words(view, fit),
        total=said(total, "money", view.currency),
        low=said(low, "money", view.currency),
        high=said(high, "money", view.currency),
    )
    if levers.neutral:
        return told
    changed = total_of(fit, levers, flow)[1]
    return told + _("; with the scenario {total}", total=said(changed, "money", view.currency))


def total_of(fit: Fit, levers: Levers | None = None, flow: Flow | None = None) -> tuple[float, float, float]:
    """Return the low end, the middle and the high end (80 %) of the sum over the horizon."""
    total = apply(fit, levers, flow).total
    low, high = np.quantile(sample_paths(fit, levers, flow).sum(axis=1), (0.1, 0.9))
    return min(float(low), total), total, max(float(high), total)


def ahead_words(view: View, fit: Fit) -> str:
    """Return the horizon in words: counted from now, or by its dates where the data end earlier."""
    count = fit.horizon
    if ends(fit.future[:1], fit.frequency)[0].date() <= view.today:
        return span_words(fit)
    match fit.frequency:
        case "month":
            return _n("Next month", "Next {n} months", count, n=count)
        case "week":
            return _n("Next week", "Next {n} weeks", count, n=count)
        case _:
            return _n("Next day", "Next {n} days", count, n=count)


def span_words(fit: Fit) -> str:
    """Return the first and the last day, or month, of what is forecast."""
    if fit.frequency == "month":
        start, end = format_month(fit.future[0].date()), format_month(fit.future[-1].date())
        return start if start == end else _("{start} to {end}", start=start, end=end)
    last = ends(fit.future[-1:], fit.frequency)[0].date() - timedelta(days=1)
    return _("{start} to {end}", start=format_date(fit.future[0].date()), end=format_date(last))


def season_words(fit: Fit) -> list[str]:
    """Return the strongest and the weakest step of the forecast shown; nothing where they hardly differ.

    None by day: the extremes of single days are weekends and holidays.
    """
    if fit.frequency == "day":
        return []
    steps = apply(fit).frame["yhat"].to_numpy()
    mean = float(steps.mean())
    best, worst = int(np.argmax(steps)), int(np.argmin(steps))
    named = format_month if fit.frequency == "month" else format_date
    if fit.horizon < 2 or mean <= 0 or steps[best] - steps[worst] < LEAST_SWING * mean:
        return []
    return [
        _("Strongest {high}, {up} above the mean of these steps; weakest {low}, {down} below it",
          high=named(fit.future[best].date()), up=format_rate(steps[best] / mean - 1, 0),
          low=named(fit.future[worst].date()), down=format_rate(1 - steps[worst] / mean, 0))
    ]  # fmt: skip


def member_words(members: Sequence[Member]) -> list[str]:
    """Return the names of what a forecast was combined from, each once."""
    return list(dict.fromkeys(_(MEMBER_NAMES[member]) for member in members))
