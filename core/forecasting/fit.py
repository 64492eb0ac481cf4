"""Choose the method that the history allows, fit it, and say which it was and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

import numpy as np
import pandas as pd

from core.forecasting import baselines
from core.forecasting.backtest import Origin, band, cutoffs, roll, scored
from core.forecasting.calendar import Event, event_shares
from core.forecasting.combination import blended, corrected
from core.forecasting.far_off import limited
from core.forecasting.prophet_model import CHANGEPOINT_PRIORS, SEED, TWO_YEARS, YEARLY_ORDER, Features, ProphetFailed
from core.forecasting.result import Components, Fit, Member, Method, NotEnoughHistory
from core.forecasting.sentences import Sentence
from core.forecasting.series import PreparedSeries
from core.forecasting.spread import AS_SUGGESTED, PUBLIC, Spread
from core.forecasting.steps import SEASON, Frequency, steps_from
from core.forecasting.transform import Floats, Transform
from core.forecasting.trials import Trials
from core.i18n import N_

WINDOW: Final[dict[Frequency, int]] = {"day": 1_096, "week": 261, "month": 120}
PROPHET_FROM: Final[dict[Frequency, int]] = {"day": 28, "week": 26, "month": 24}
SEASONAL_FROM: Final[dict[Frequency, int]] = {"day": 14, "week": 52, "month": 12}
SMOOTHING_FROM = 4
ZEROS_FOR_MEAN = 0.6
ORIGINS: Final[dict[Frequency, int]] = {"day": 4, "week": 5, "month": 6}
CEILING: Final[dict[Method, float]] = {
    "combination": 5.0,
    "prophet": 5.0,
    "smoothing": 2.0,
    "seasonal_naive": 2.0,
    "mean": 2.0,
}
NAIVE_WINS = 0.5
Depth = Literal["first", "full"]

REASONS: Final[dict[tuple[Method, Frequency], str]] = {
    ("combination", "day"): N_("Prophet combined with exponential smoothing and Theta, on {count} days of history."),
    ("combination", "week"): N_("Prophet combined with exponential smoothing and Theta, on {count} weeks of history."),
    ("combination", "month"): N_(
        "Prophet combined with exponential smoothing and Theta, on {count} months of history."
    ),
    ("prophet", "day"): N_("Prophet, because there are {count} days of history."),
    ("prophet", "week"): N_("Prophet, because there are {count} weeks of history."),
    ("prophet", "month"): N_("Prophet, because there are {count} months of history."),
    ("seasonal_naive", "day"): N_("Seasonal naive, because there are only {count} days."),
    ("seasonal_naive", "week"): N_("Seasonal naive, because there are only {count} weeks."),
    ("seasonal_naive", "month"): N_("Seasonal naive, because there are only {count} months."),
    ("smoothing", "day"): N_("Damped smoothing, because there are only {count} days."),
    ("smoothing", "week"): N_("Damped smoothing, because there are only {count} weeks."),
    ("smoothing", "month"): N_("Damped smoothing, because there are only {count} months."),
    ("mean", "day"): N_("The mean so far, because there are only {count} days."),
    ("mean", "week"): N_("The mean so far, because there are only {count} weeks."),
    ("mean", "month"): N_("The mean so far, because there are only {count} months."),
}
MEAN_OF_CONSTANT = N_("The mean, because all values are the same.")
MEAN_OF_ZERO = N_("Zero, because all values are zero.")
MEAN_OF_SPARSE = N_("The mean of the last year, because {share} % of the periods are zero.")
AFTER_FAILURE = N_("A simpler method, because Prophet found no stable fit.")
NAIVE_WON = N_("Seasonal naive, because past forecasts by it were off by {naive} %, by the combination {combined} %.")
OLDER_LEFT_OUT = N_("Only the last {count} periods were used; older ones say little.")
LOG_CHOSEN = N_(
    "Modelled on its logarithm: past forecasts by Prophet were off by {log} % that way, by {plain} % without it."
)
PLAIN_CHOSEN = N_(
    "Modelled without a logarithm: past forecasts by Prophet were off by {plain} % that way, by {log} % with it."
)
LIMITED = N_(
    "The period from {day} lies so far off all others that it leads the forecast no further than the largest usual "
    "swing; the history keeps it as it is."
)
EVENT_UNKNOWN = N_("{name} has not happened in the history, so its effect is taken as none.")


def fit_series(
    prepared: PreparedSeries,
    *,
    horizon: int,
    events: Sequence[Event] = (),
    china: bool = True,
    origins: int | None = None,
    depth: Depth = "full",
    spread: Spread | None = None,
) -> Fit:
    """Forecast `horizon` steps by the best method that the history allows.

    `spread`: how wide bands are in the company's other series of that frequency, where that is known.
    `origins` past forecasts set the band and the backtest (by default 4 to 6). depth "first": one
    Prophet fit and no past forecasts, the quickest answer. Equal arguments give equal numbers.
    Raises NotEnoughHistory.
    """
    if not len(prepared):
        raise NotEnoughHistory
    method, reason = choose(prepared, depth=depth)
    events = tuple(events)
    if method not in ("combination", "prophet"):
        return _simple(prepared, method, reason, horizon=horizon, events=events, china=china)
    past = 0 if depth == "first" else origins
    try:
        fit = _build(prepared, method, reason, horizon, events, china=china, origins=past, spread=spread)
    except ProphetFailed:
        return fallback_fit(prepared, horizon=horizon, reason=AFTER_FAILURE, events=events)
    scores = None if fit.backtest is None else fit.backtest.scores
    whole_season = len(fit.y) >= SEASON[prepared.frequency]
    if scores is None or not whole_season or not scores.naive_wape < NAIVE_WINS * scores.wape:
        return fit
    beaten = Sentence(
        NAIVE_WON,
        {"naive": round(100 * scores.naive_wape), "combined": round(100 * scores.wape)},
    )
    return _simple(prepared, "seasonal_naive", beaten, horizon=horizon, events=events, china=china)


def fallback_fit(prepared: PreparedSeries, *, horizon: int, reason: str, events: Sequence[Event] = ()) -> Fit:
    """Forecast without Prophet, saying `reason` (a msgid without places); takes milliseconds."""
    if not len(prepared):
        raise NotEnoughHistory
    method: Method = "smoothing" if len(prepared) >= SMOOTHING_FROM else "mean"
    if len(prepared) >= SEASON[prepared.frequency] * 2:
        method = "seasonal_naive"
    return _simple(prepared, method, Sentence(reason), horizon=horizon, events=tuple(events))


def choose(prepared: PreparedSeries, *, depth: Depth = "full") -> tuple[Method, Sentence]:
    """Return the method for a series with at least one point, and the reason in words."""
    frequency, count = prepared.frequency, len(prepared)
    y = _window(prepared)[1]
    zeros = float(np.mean(y == 0))
    if zeros == 1:
        return "mean", Sentence(MEAN_OF_ZERO)
    if count >= SMOOTHING_FROM and np.ptp(y) == 0:
        return "mean", Sentence(MEAN_OF_CONSTANT)
    if count >= SEASONAL_FROM[frequency] and zeros >= ZEROS_FOR_MEAN:
        return "mean", Sentence(MEAN_OF_SPARSE, {"share": round(100 * zeros)})
    method: Method = "mean"
    if count >= PROPHET_FROM[frequency]:
        method = "combination" if depth == "full" else "prophet"
    elif count >= SEASONAL_FROM[frequency]:
        method = "seasonal_naive"
    elif count >= SMOOTHING_FROM:
        method = "smoothing"
    return method, Sentence(REASONS[method, frequency], {"count": count})


def _simple(
    prepared: PreparedSeries,
    method: Method,
    reason: Sentence,
    *,
    horizon: int,
    events: tuple[Event, ...],
    china: bool = True,
) -> Fit:
    return _build(prepared, method, reason, horizon, events, china=china, origins=None)


def _build(
    prepared: PreparedSeries,
    method: Method,
    reason: Sentence,
    horizon: int,
    events: tuple[Event, ...],
    *,
    china: bool,
    origins: int | None,
    spread: Spread | None = None,
) -> Fit:
    """Fit, look back, set the band."""
    frequency = prepared.frequency
    first, y = _window(prepared)
    steps = steps_from(first, len(y) + horizon, frequency)
    features = Features.of(steps, frequency, events, china=china)
    ceiling = CEILING[method] * float(np.abs(y).max())
    count = ORIGINS[frequency] if origins is None else origins
    cuts = cutoffs(len(y), horizon=horizon, least=_least(method, frequency, len(y)), origins=count)
    notes = _notes(prepared, y, steps, events, method)
    if method in ("combination", "prophet"):
        trials = Trials(y, steps, frequency, features, Transform.suited(y), ceiling, method == "combination")
        priors = CHANGEPOINT_PRIORS[:1] if method == "prophet" else CHANGEPOINT_PRIORS
        found = _combined(trials, horizon, cuts, priors)
        notes += found.notes
    else:
        found = _plain(method, y, horizon, frequency, cuts)
    z = found.transform.forward(y if method == "mean" else limited(y, frequency)[0])
    residuals = _in_sample(method, z, found.parts.total[: len(y)], SEASON[frequency])
    terms = 2 * YEARLY_ORDER[frequency] if method == "combination" else 0
    like = AS_SUGGESTED
    if method in ("combination", "prophet"):
        like = PUBLIC[frequency] if spread is None else spread
    width = band(found.back, residuals, horizon=horizon, count=len(y), terms=terms, spread=like)
    fit = Fit(
        frequency=frequency,
        method=method,
        reason=reason,
        notes=notes,
        steps=steps,
        y=y,
        transform=found.transform,
        parts=_with_expected(found.parts, features.expected, found.transform, len(y)),
        below=width.width,
        above=width.width,
        correlation=width.correlation,
        ceiling=ceiling,
        signed=bool((y < 0).any()),
        seed=SEED,
        backtest=None,
        members=found.members,
    )
    past = scored(y, steps, found.back, residuals, season=SEASON[frequency], value=fit.value, terms=terms, spread=like)
    return fit if past is None else replace(fit, backtest=past)


@dataclass(frozen=True, eq=False)
class _Found:
    """A forecast on its scale, and the past ones on the same."""

    transform: Transform
    parts: Components
    back: list[Origin]
    members: tuple[Member, ...] = ()
    notes: tuple[Sentence, ...] = ()


def _combined(trials: Trials, horizon: int, cuts: Sequence[tuple[int, int]], priors: Sequence[float]) -> _Found:
    """Prophet and the members, on the scale and by the weights that past forecasts speak for. Raises ProphetFailed."""
    count = len(trials.y)
    past = [each for cut in cuts if (each := trials.tried(*cut)) is not None]
    errors = trials.errors(past, until=count)
    latest = trials.tried(count, horizon, priors=priors, both=errors.plain_wins)
    if latest is None:
        raise ProphetFailed
    transform = trials.plain if errors.plain_wins and "plain" in latest.parts else trials.suited
    members = latest.members[transform.kind]
    forecast = blended(members, trials.weights(past, transform, until=count))
    notes: tuple[Sentence, ...] = ()
    if errors.steps:
        said = PLAIN_CHOSEN if transform == trials.plain else LOG_CHOSEN
        notes = (Sentence(said, {"log": _percent(errors.suited), "plain": _percent(errors.plain)}),)
    back = trials.origins(past, transform)
    return _Found(transform, corrected(latest.parts[transform.kind], forecast), back, tuple(members), notes)


def _plain(method: Method, y: Floats, horizon: int, frequency: Frequency, cuts: Sequence[tuple[int, int]]) -> _Found:
    """One of the simpler methods."""
    transform = Transform.plain(y) if method == "mean" else Transform.suited(y)

    def outlook(known: int, ahead: int) -> Components:
        before = y[:known] if method == "mean" else limited(y[:known], frequency)[0]
        z = transform.forward(before)
        if method == "seasonal_naive":
            return baselines.seasonal_naive(z, ahead, SEASON[frequency])
        if method == "smoothing":
            return baselines.smoothing(z, ahead)
        return baselines.mean_of_last_year(z, ahead, frequency)

    judged = y if method == "mean" else limited(y, frequency)[0]
    back = roll(transform.forward(judged), lambda known, ahead: outlook(known, ahead).total[known:], cuts)
    return _Found(transform, outlook(len(y), horizon), back)


def _percent(share: float) -> float:
    return round(100 * share, 1)


def _window(prepared: PreparedSeries) -> tuple[date, Floats]:
    """The first step and the values of the part of the history that is used."""
    points = prepared.points.tail(WINDOW[prepared.frequency])
    first: date = points["ds"].iloc[0].date()
    return first, points["y"].to_numpy(dtype="float64")


def _least(method: Method, frequency: Frequency, count: int) -> int:
    """The fewest known steps from which a past forecast is still like the present one."""
    if method in ("combination", "prophet"):
        yearly = TWO_YEARS[frequency]
        return yearly if count > yearly else PROPHET_FROM[frequency]
    if method == "seasonal_naive":
        return SEASON[frequency]
    return SMOOTHING_FROM if method == "smoothing" else 1


def _in_sample(method: Method, z: Floats, fitted: Floats, season: int) -> Floats:
    """One-step errors of the history; with two points or fewer, half the level."""
    if method == "seasonal_naive" and len(z) > season:
        return np.asarray(z[season:] - z[:-season])
    errors = z - fitted
    if len(z) < SMOOTHING_FROM and z.any():
        return np.array([max(0.5, float(np.abs(errors).max()))])
    return np.asarray(errors)


def _with_expected(parts: Components, expected: Floats, transform: Transform, known: int) -> Components:
    """Lay the stated effects of future events (log factors) on the forecast."""
    effect = np.where(np.arange(len(expected)) < known, 0.0, expected)
    if not effect.any():
        return parts
    total = parts.total
    moved = transform.forward(transform.inverse(total) * np.exp(effect))
    shift = np.where(effect == 0, 0.0, moved - total)
    return replace(parts, events=parts.events + shift)


def _notes(
    prepared: PreparedSeries, y: Floats, steps: pd.DatetimeIndex, events: tuple[Event, ...], method: Method
) -> tuple[Sentence, ...]:
    """What a reader of the forecast should know about its making."""
    notes = []
    if len(prepared) > len(y):
        notes.append(Sentence(OLDER_LEFT_OUT, {"count": len(y)}))
    places = limited(y, prepared.frequency)[1] if method != "mean" else ()
    notes += [Sentence(LIMITED, {"day": steps[place].date().isoformat()}) for place in places]
    shares = event_shares(steps, prepared.frequency, [event for event in events if event.uplift is None])
    for name, share in shares.items():
        if not share[: len(y)].any():
            notes.append(Sentence(EVENT_UNKNOWN, {"name": name}))
    return tuple(notes)
