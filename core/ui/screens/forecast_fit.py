"""The fit behind the Forecast page: at most once for a series and its data, in the background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import streamlit as st

from core.domain.periods import Period, add_months
from core.forecasting.backtest import score
from core.forecasting.blend import blend
from core.forecasting.fit import fallback_fit
from core.forecasting.gauge import gauged
from core.forecasting.near_term import NearTerm
from core.forecasting.result import COMPONENTS, Backtest, Components, Fit, Near
from core.forecasting.sentences import Sentence
from core.forecasting.series import prepare
from core.forecasting.steps import ends, steps_from
from core.forecasting.workers import state_of, submit_fit
from core.i18n import N_, _
from core.queries.near_term import near_outlook
from core.queries.scenarios import monthly_quotas
from core.queries.series import booked_series
from core.ui import session
from core.ui.screens.forecast_state import LONGEST, REDRAWN
from core.ui.way_back import is_late

if TYPE_CHECKING:
    from collections.abc import Mapping
    from concurrent.futures import Future
    from datetime import date, datetime

    from core.analytics.dimensions import Dimension
    from core.forecasting.flow import Flow
    from core.forecasting.scenario_totals import Booked
    from core.forecasting.series import PreparedSeries
    from core.forecasting.transform import Floats
    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown

FIRST_ANSWER = N_("A first forecast by one Prophet fit, shown until the full one is ready.")
SIMPLE_ANSWER = N_("A quick first forecast, shown until the full one is ready.")
LOOKS_AT = ("company", "team", "territory", "product")
"""Parts whose deals' days are told apart."""
FIRST_SECONDS = 0.35
_BEGUN = "luopan_fit_begun"
_USUAL_SECONDS = 8.0
_LOOK_SECONDS = 0.7


@dataclass(frozen=True)
class Forecast:
    """A prepared series with its one forecast, into which the open deals are laid, and what is owed in the same steps.

    `whole` reaches as far as any forecast does, `fit` is its chosen part, both the quick first answer while `pending`
    runs. `near`: what open deals say, None where too little; `flow`: what levers on deals act on; `week_ago`: the whole
    as it was to be a week ago by what had happened until then, None where that is unknown or `waiting` for its fit.
    `owed`: month -> quota; `quota`: a value a future step, NaN where a day of it lies in a month without quota.
    `booked`: what was booked between two days until yesterday, `booked_then` until a week ago: what is masked too.
    """

    prepared: PreparedSeries
    fit: Fit
    whole: Fit
    near: NearTerm | None
    flow: Flow
    week_ago: Fit | None
    pending: Future[Fit] | None
    waiting: Future[Fit] | None
    owed: Mapping[date, float]
    quota: Floats
    booked: Booked
    booked_then: Booked


def series_of(view: View, shown: Shown) -> PreparedSeries:
    """Return the chosen series; without a point where it has no complete step."""
    return prepare(_by_day(view, shown), frequency=shown.frequency, today=view.today, masked=shown.masked)


def _by_day(view: View, shown: Shown) -> pd.DataFrame:
    """The measure of each day: one answer for every step, and dates to the day in what is said of them."""
    dimension = cast("Dimension", shown.dimension)
    return view.ask(booked_series, frequency="day", dimension=dimension, key=shown.key, measure=shown.measure)


def forecast_of(view: View, shown: Shown, prepared: PreparedSeries) -> Forecast:
    """Return the forecast of a series with at least one point.

    The fit always reaches the longest horizon and is cut to the chosen one, and levers are laid on
    its arrays, so that no slider fits anything again.
    """
    longest = LONGEST[shown.frequency]
    owed = _owed(view, shown, prepared, longest) if shown.measure == "booked" else {}
    named = (view.database.url, view.actor.scope, shown.dimension, shown.key, prepared.fingerprint)
    task = submit_fit(named, prepared, longest, shown.events, china=shown.china)
    if state_of(task) in ("done", "failed"):
        whole, pending = task.result(), None
    else:
        first = submit_fit(named, prepared, longest, shown.events, china=shown.china, depth="first")
        try:
            whole = replace(first.result(FIRST_SECONDS), reason=Sentence(FIRST_ANSWER))
        except TimeoutError:
            whole = fallback_fit(prepared, horizon=longest, reason=SIMPLE_ANSWER, events=shown.events)
        pending = task
    near = gauged(near_of(view, shown), whole)
    daily = _by_day(view, shown)

    def laid(series: Fit, today: date, ago: int) -> tuple[Fit, Flow]:
        booked = booked_until(daily, today)(series.future[0].date(), today)
        return blend(series, near, today=today, booked=booked, ago=ago)

    one, flow = laid(whole, view.today, 0)
    earlier = view.today - timedelta(days=7)
    then: Fit | None = whole
    waiting = None
    if earlier < whole.future[0].date():
        then, waiting = (None, None) if pending is not None else _fit_then(view, shown, earlier)
    week_ago = None if then is None or one.near is None else laid(then, earlier, 1)[0]
    fit = cut(one, shown.horizon)
    return Forecast(
        prepared, fit, one, near, flow, week_ago, pending, waiting, owed, quota_by_step(fit, owed),
        booked_until(daily, view.today), booked_until(daily, earlier),
    )  # fmt: skip


def booked_until(daily: pd.DataFrame, today: date) -> Booked:
    """Return what tells how much was booked in [start, end), as far as that was before `today`."""
    days = pd.to_datetime(daily["on"]).to_numpy().astype("datetime64[D]")
    values = daily["value"].to_numpy(dtype="float64")

    def booked(start: date, end: date) -> float:
        inside = (days >= np.datetime64(start, "D")) & (days < np.datetime64(min(end, today), "D"))
        return float(values[inside].sum())

    return booked


def _fit_then(view: View, shown: Shown, earlier: date) -> tuple[Fit | None, Future[Fit] | None]:
    """Return the fit of what had happened by an earlier day's step, else the one that is under way."""
    prepared = prepare(_by_day(view, shown), frequency=shown.frequency, today=earlier, masked=shown.masked)
    if not len(prepared):
        return None, None
    named = (view.database.url, view.actor.scope, shown.dimension, shown.key, prepared.fingerprint)
    task = submit_fit(named, prepared, LONGEST[shown.frequency], shown.events, china=shown.china)
    if state_of(task) not in ("done", "failed"):
        return None, task
    found = task.result()
    return (found if found.future[0].date() <= earlier else None), None


def near_of(view: View, shown: Shown) -> NearTerm | None:
    """Return what the open deals of the chosen part say; None where too little is known of them."""
    unknown = view.frozen is not None and not any(name.startswith("near_outlook") for name in view.frozen)
    if shown.measure != "booked" or shown.dimension not in LOOKS_AT or unknown:
        return None
    with st.spinner(_("Replaying the deals' past days …")):
        told = view.ask(near_outlook, dimension=shown.dimension, key=shown.key)  # type: ignore[arg-type]
    return NearTerm.from_dict(told) if told else None


def watch(task: Future[Fit], *, quietly: bool = False) -> None:
    """Show how far a fit is, unless `quietly`, and draw the page again once it is done."""
    begun: dict[int, datetime] = st.session_state.setdefault(_BEGUN, {})
    start = begun.setdefault(id(task), session.now())

    @session.fragment(run_every=_LOOK_SECONDS)
    def look() -> None:
        state = state_of(task)
        if state in ("done", "failed") and not is_late():
            begun.pop(id(task), None)
            st.session_state[REDRAWN] = True
            st.rerun()
        if quietly:
            return
        seconds = (session.now() - start).total_seconds()
        waits = _("Waiting for a free worker … A quick first forecast is shown meanwhile.")
        works = _("Computing the full forecast in the background … A quick first one is shown meanwhile.")
        done = 0.0 if state == "queued" else 1 - 0.5 ** (seconds / _USUAL_SECONDS * 2)
        st.progress(min(done, 0.97), text=waits if state == "queued" else works)

    look()


def cut(fit: Fit, horizon: int) -> Fit:
    """Return the first `horizon` steps of a fit, its past forecasts scored over the same steps."""
    if horizon >= fit.horizon:
        return fit
    count = len(fit.y) + horizon
    parts = Components(*(getattr(fit.parts, name)[:count] for name in COMPONENTS))
    return replace(
        fit,
        steps=fit.steps[:count],
        parts=parts,
        below=fit.below[:horizon],
        above=fit.above[:horizon],
        backtest=_backtest(fit.backtest, horizon),
        near=None if fit.near is None else Near(fit.near.booked[:horizon], fit.near.from_open[:horizon]),
    )


def _backtest(whole: Backtest | None, horizon: int) -> Backtest | None:
    if whole is None:
        return None
    frame = whole.frame[whole.frame["step"] <= horizon].reset_index(drop=True)
    return Backtest(frame, score(frame, scale=whole.scale), whole.scale)


def quota_by_step(fit: Fit, owed: Mapping[date, float]) -> Floats:
    """Return what is owed in each future step, months shared by their days; NaN where one has no quota."""
    starts = fit.future
    stops = ends(starts, fit.frequency)
    days = pd.date_range(starts[0], stops[-1] - pd.Timedelta(days=1))
    daily = np.array([owed.get(day.date().replace(day=1), np.nan) / day.days_in_month for day in days])
    first = (starts - starts[0]).days.to_numpy()
    return np.add.reduceat(daily, first)


def _owed(view: View, shown: Shown, prepared: PreparedSeries, longest: int) -> dict[date, float]:
    last = prepared.points["ds"].iloc[-1].date()
    future = steps_from(last, longest + 1, shown.frequency)[1:]
    first = future[0].date()
    period = Period(
        view.calendar.quarter(*view.calendar.quarter_of(first)).start,
        add_months(ends(future, shown.frequency)[-1].date().replace(day=1), 1),
    )
    frame = view.ask(monthly_quotas, period=period, dimension=shown.dimension, key=shown.key)  # type: ignore[arg-type]
    months = [pd.Timestamp(month).date() for month in frame["month"]]
    return dict(zip(months, map(float, frame["quota"]), strict=True))
