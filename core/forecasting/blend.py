"""One forecast: the open deals' weeks laid into the forecast of the series, which goes on beyond them.

Source: docs/methods/forecast-pipeline.md, "One forecast"; the letters below are its.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from core.forecasting.flow import Flow
from core.forecasting.pipeline import WEEKS
from core.forecasting.result import Near
from core.forecasting.steps import ends

if TYPE_CHECKING:
    from datetime import date

    from core.forecasting.near_term import NearTerm
    from core.forecasting.result import Fit
    from core.forecasting.transform import Floats

WEEK: Final = 7
MOST_OFF: Final = 0.95
WIDEST: Final = 2.0


def blend(fit: Fit, near: NearTerm | None, *, today: date, booked: float, ago: int = 0) -> tuple[Fit, Flow]:
    """Return the fit with what is known of the step under way and of the weeks ahead, and what levers act on.

    `booked`: what the step that holds `today` has until yesterday, in the fit's unit. `ago`: with the near term as of
    so many weeks before its last day, `today` being so many weeks earlier too. A fit whose first step ahead does not
    hold `today` comes back as it is: its data end earlier.
    """
    edges = _edges(fit)
    start = int(np.datetime64(today, "D").astype("int64"))
    if not edges[0] <= start < edges[1]:
        return fit, Flow.unknown(today)
    length = np.diff(edges)
    left = (edges[1:] - np.maximum(edges[:-1], start)).clip(0)
    plain = fit.value(fit.parts.total[len(fit.y) :])
    step = np.repeat(np.arange(fit.horizon), left)
    by_series = (plain / length)[step]
    daily, open_daily = _weighed(by_series, near, ago)
    ahead = np.bincount(step, weights=daily, minlength=fit.horizon).astype("float64")
    opened = np.bincount(step, weights=open_daily, minlength=fit.horizon).astype("float64")
    known = np.zeros(fit.horizon)
    known[0] = booked
    touched = (np.arange(fit.horizon) == 0) & (left < length) | (np.abs(ahead - plain) > 1e-12 * np.abs(plain))
    whole = np.where(touched, known + ahead, plain)
    below, above = _widths(fit, near, plain, ahead, left, touched)
    laid = _with_values(fit, whole, below, above, touched)
    return replace(laid, near=Near(known, opened)), _flow(near, by_series, today)


def _weighed(by_series: Floats, near: NearTerm | None, ago: int) -> tuple[Floats, Floats]:
    """What each day ahead brings by all that is known, and of it the open deals: w (o + n F) + (1 - w) F."""
    daily, opened = by_series.copy(), np.zeros(len(by_series))
    if near is None:
        return daily, opened
    share, new, by_deals = near.at("weight", ago=ago), near.at("new_share", ago=ago), near.at("open", ago=ago)
    for week in range(min(WEEKS, -(-len(daily) // WEEK))):
        days = slice(week * WEEK, (week + 1) * WEEK)
        series = by_series[days]
        size = float(series.sum())
        part = series / size if size > 0 else np.full(len(series), 1 / len(series))
        opened[days] = share[week] * by_deals[week] * part * (len(series) / WEEK)
        daily[days] = opened[days] + (1 - share[week] * (1 - new[week])) * series
    return daily, opened


def _widths(
    fit: Fit, near: NearTerm | None, plain: Floats, ahead: Floats, left: np.ndarray, touched: np.ndarray
) -> tuple[Floats, Floats]:
    """How far below and above the 80 % band lies in each step, in the fit's unit.

    Steps of a week or more take the miss of past forecasts of the same days ahead; days, and steps beyond the open
    deals' reach, the share that the series' own band has.
    """
    future = fit.parts.total[len(fit.y) :]
    size = np.maximum(np.abs(plain), 1e-12)
    below = (plain - fit.value(future - fit.below)) / size
    above = (fit.value(future + fit.above) - plain) / size
    length = np.diff(_edges(fit))
    widen = np.minimum(np.sqrt(length / np.maximum(left, 1)), WIDEST)
    below, above = below * widen, above * widen
    for step in np.flatnonzero(touched):
        day = int(left[:step].sum())
        last = min(day + int(left[step]), WEEKS * WEEK)
        if near is None or length[step] < WEEK or last - day < 1:
            continue
        off = near.missed(day + 1, last)
        if np.isfinite(off):
            reach = (last - day) / left[step]
            below[step] = reach * off + (1 - reach) * below[step]
            above[step] = reach * off + (1 - reach) * above[step]
    return ahead * np.minimum(below, MOST_OFF), ahead * above


def _with_values(fit: Fit, whole: Floats, below: Floats, above: Floats, touched: np.ndarray) -> Fit:
    """The fit with other values and bands in the steps touched, as a level on its own scale."""
    future = fit.parts.total[len(fit.y) :]
    least = fit.transform.scale * 1e-9

    def scaled(values: Floats) -> Floats:
        return fit.transform.forward(values if fit.transform.kind == "plain" else np.maximum(values, least))

    middle = np.where(touched, scaled(whole), future)
    level = fit.parts.level.copy()
    level[len(fit.y) :] += middle - future
    low, high = middle - scaled(whole - below), scaled(whole + above) - middle
    return replace(
        fit,
        parts=replace(fit.parts, level=level),
        below=np.where(touched, low, fit.below),
        above=np.where(touched, high, fit.above),
        ceiling=max(fit.ceiling, float((whole + above)[touched].max(initial=0.0))),
    )


def _flow(near: NearTerm | None, by_series: Floats, today: date) -> Flow:
    """What levers act on, the bookings' own weeks being those of the fit."""
    if near is None:
        return Flow.unknown(today)
    weeks = [float(by_series[k * WEEK : (k + 1) * WEEK].sum()) for k in range(WEEKS)]
    return replace(near.flow, series=np.array(weeks))


def _edges(fit: Fit) -> np.ndarray:
    """The borders of the steps ahead, as day numbers."""
    stops = ends(fit.future[-1:], fit.frequency)
    return np.concatenate([fit.future.to_numpy(), stops.to_numpy()]).astype("datetime64[D]").astype("int64")
