"""Forecast: what is likely to be booked, and what levers would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from core.charts.forecast import forecast_chart
from core.forecasting.scenarios import BASE, apply, chance_to_reach, compare, sample_paths
from core.forecasting.steps import ends
from core.i18n import _, _n, format_date, format_month, format_quarter, format_rate
from core.reports.tables import Column
from core.ui.cards import Card, draw_cards, said
from core.ui.drill import chart, numbers
from core.ui.filters import address, write_address
from core.ui.page import plain
from core.ui.screens.forecast_controls import choose_levers, choose_series, lever_words, series_name
from core.ui.screens.forecast_fit import cut, forecast_of, series_of, watch
from core.ui.screens.forecast_saved import choose_compared, compared_totals
from core.ui.screens.forecast_state import Shown, is_neutral
from core.ui.sharing import share_button
from core.ui.tables import table

if TYPE_CHECKING:
    from core.forecasting.result import Fit
    from core.forecasting.scenarios import Levers
    from core.ui.page import View
    from core.ui.screens.forecast_fit import Forecast

HISTORY_SHOWN = {"month": 24, "week": 78, "day": 120}


def draw(view: View) -> None:
    """Draw the page."""
    share_button(view)
    shown = Shown.from_params(address(view))
    if view.query is None:
        shown = choose_series(view, shown)
    prepared = series_of(view, shown)
    if not len(prepared):
        _nothing_yet(view, shown)
        return
    if view.query is not None:
        words = lever_words(shown)
        st.caption(plain(series_name(view, shown) + (f"  ·  {words}" if words else "")))
        forecast = forecast_of(view, shown, prepared)
        _forecast(view, shown, forecast)
    else:
        wide, narrow = st.columns([3, 1], gap="large")
        with narrow:
            st.subheader(_("Scenario"), anchor=False)
            shown = choose_compared(view, choose_levers(shown))
        write_address(**shown.to_params())
        forecast = forecast_of(view, shown, prepared)
        with wide:
            _forecast(view, shown, forecast)
    _below(view, shown, forecast)


def _nothing_yet(view: View, shown: Shown) -> None:
    if view.query is None:
        write_address(**shown.to_params())
    st.info(
        _("There is nothing to forecast from yet: no deal was won in a complete day, week or month of this series. "
          "Log deals as they are won, or import your company's past deals, and the forecast appears here."),
        icon=":material/inbox:",
    )  # fmt: skip


def _forecast(view: View, shown: Shown, forecast: Forecast) -> None:
    fit = forecast.fit
    st.subheader(plain(headline(view, fit, shown.levers)), anchor=False)
    st.caption(plain(f"{_span(fit)}  ·  {fit.reason}"))
    if forecast.pending is not None:
        watch(forecast.pending)
    draw_cards(view, _cards(view, shown, forecast), key="forecast")
    _chart(view, shown, forecast)


def _below(view: View, shown: Shown, forecast: Forecast) -> None:
    scenarios = _scenarios(shown)
    if shown.compared:
        compared_totals(view, forecast, scenarios)
    _totals(view, shown, forecast, scenarios)
    with st.expander(_("How this was computed"), icon=":material/info:"):
        st.text(_("Method: {method}. {reason}", method=forecast.fit.method_name, reason=forecast.fit.reason))
        st.text(backtest_words(forecast.fit))
        for sentence in (*forecast.fit.notes, *forecast.prepared.issues):
            st.text(f"· {sentence}")


def headline(view: View, fit: Fit, levers: Levers) -> str:
    """Return the one sentence that a leader reads."""
    low, total, high = total_of(fit)
    told = _(
        "{span}: {total} (between {low} and {high}, 80 %)",
        span=ahead_words(view, fit),
        total=said(total, "money", view.currency),
        low=said(low, "money", view.currency),
        high=said(high, "money", view.currency),
    )
    if is_neutral(levers):
        return told
    _low, changed, _high = total_of(fit, levers)
    return told + _("; with your scenario {total}", total=said(changed, "money", view.currency))


def total_of(fit: Fit, levers: Levers | None = None) -> tuple[float, float, float]:
    """Return the low end, the middle and the high end (80 %) of the sum over the horizon."""
    total = apply(fit, levers).total
    low, high = np.quantile(sample_paths(fit, levers).sum(axis=1), (0.1, 0.9))
    return min(float(low), total), total, max(float(high), total)


def ahead_words(view: View, fit: Fit) -> str:
    """Return the horizon in words: from now on, or from the end of data that end earlier."""
    count = fit.horizon
    if ends(fit.steps[: len(fit.y)], fit.frequency)[-1].date() < fit.future[0].date() or _stale(view, fit):
        return _span(fit)
    match fit.frequency:
        case "month":
            return _n("Next month", "Next {n} months", count, n=count)
        case "week":
            return _n("Next week", "Next {n} weeks", count, n=count)
        case _:
            return _n("Next day", "Next {n} days", count, n=count)


def _stale(view: View, fit: Fit) -> bool:
    return bool(ends(fit.future[:1], fit.frequency)[0].date() <= view.today)


def _span(fit: Fit) -> str:
    last = ends(fit.future, fit.frequency)[-1].date()
    if fit.frequency == "month":
        start, end = format_month(fit.future[0].date()), format_month(fit.future[-1].date())
        return start if start == end else _("{start} to {end}", start=start, end=end)
    return _("{start} to {end}", start=format_date(fit.future[0].date()), end=format_date((pd.Timestamp(last) - pd.Timedelta(days=1)).date()))


def _cards(view: View, shown: Shown, forecast: Forecast) -> list[Card]:
    fit, levers = forecast.fit, shown.levers
    money = lambda value: said(value, "money", view.currency)  # noqa: E731
    low, base, high = total_of(fit)
    cards = [Card("base", _("Base"), "money", base, note=_("80 %: {low} to {high}", low=money(low), high=money(high)),
                  help=_("The forecast with all levers neutral, summed over the horizon."))]  # fmt: skip
    if not is_neutral(levers):
        low, total, high = total_of(fit, levers)
        cards.append(Card("scenario", _("Scenario"), "money", total, note=_("80 %: {low} to {high}", low=money(low), high=money(high)),
                          help=_("The base with the levers laid on it.")))  # fmt: skip
        difference = total - base
        note = f"{'+' if difference >= 0 else ''}{format_rate(difference / base)}" if base else ""
        cards.append(Card("difference", _("Difference to the base"), "money", difference, note=note))
    covered = int(np.argmax(np.isnan(forecast.quota))) if np.isnan(forecast.quota).any() else fit.horizon
    if covered:
        part = cut(fit, covered)
        quota = float(forecast.quota[:covered].sum())
        total = apply(part, levers).total
        chance = chance_to_reach(part, quota, levers)
        span = "" if covered == fit.horizon else _span(part)
        cards.append(Card("quota", _("Quota"), "money", quota, note=span,
                          help=_("What is owed in the same days; months are shared by their days.")))  # fmt: skip
        cards.append(Card("gap", _("Against quota"), "money", total - quota,
                          note=_("{chance} chance to reach it", chance=format_rate(chance, 0)),
                          help=_("Forecast minus quota; with a scenario, the scenario's. The chance is the share of 400 "
                                 "simulated courses that reach the quota.")))  # fmt: skip
    return cards


def _scenarios(shown: Shown) -> dict[str, Levers]:
    found = dict(shown.compared)
    if is_neutral(shown.levers):
        return found
    name = _("Scenario")
    while name in found:
        name += "′"
    return {name: shown.levers, **found}


def _chart(view: View, shown: Shown, forecast: Forecast) -> None:
    fit = forecast.fit
    base = apply(fit).frame
    history = fit.history().rename(columns={"actual": "y"})
    scenarios = {name: apply(fit, levers).frame for name, levers in _scenarios(shown).items()}
    quota = pd.DataFrame({"ds": fit.future, "y": forecast.quota}).dropna()
    figure = forecast_chart(
        history.tail(HISTORY_SHOWN[fit.frequency]), base, scenarios=scenarios, quota=quota, today=None,
        dark=view.dark, large=view.large, currency=view.currency,
        title=_("Booked value: {name}", name=series_name(view, shown)),
    )  # fmt: skip
    chart(view, figure, key="forecast-chart", alt=_("History, forecast and scenarios"))
    rows = pd.concat([history[["ds", "y"]], base], ignore_index=True)
    for name, frame in scenarios.items():
        rows[f"scenario-{name}"] = [np.nan] * len(history) + list(frame["yhat"])
    rows["quota"] = [np.nan] * len(history) + list(forecast.quota)
    columns = [
        Column("ds", _("Period"), "month" if fit.frequency == "month" else "date"),
        Column("y", _("Actual"), "money", currency=view.currency),
        Column("yhat", _("Base"), "money", currency=view.currency),
        Column("lo", _("80 %, low"), "money", currency=view.currency),
        Column("hi", _("80 %, high"), "money", currency=view.currency),
        *(Column(f"scenario-{name}", name, "money", currency=view.currency) for name in scenarios),
        Column("quota", _("Quota"), "money", currency=view.currency),
    ]
    rows["ds"] = rows["ds"].dt.date
    numbers(view, rows.iloc[::-1].reset_index(drop=True), columns, name="forecast-steps")


def _totals(view: View, shown: Shown, forecast: Forecast, scenarios: dict[str, Levers]) -> None:
    st.subheader(_("Totals by period"), anchor=False)
    by: Any = "month"
    if forecast.fit.frequency == "month":
        by = "quarter" if forecast.fit.horizon > 3 else "month"
    frame = compare(
        forecast.fit, scenarios, by=by, quota=forecast.owed, year_starts_in=view.calendar.first_month
    )
    named = {BASE: _("Base")}
    starts = [stamp.date() for stamp in frame["starts_on"]]
    frame["scenario"] = [named.get(name, name) for name in frame["scenario"]]
    frame["period"] = [
        format_quarter(*view.calendar.quarter_of(day)) if by == "quarter" else format_month(day) for day in starts
    ]
    money = [("total", _("Total")), ("lo", _("80 %, low")), ("hi", _("80 %, high")),
             ("difference", _("Difference to the base")), ("quota", _("Quota")), ("gap", _("Against quota"))]  # fmt: skip
    columns = [
        Column("period", _("Period")),
        Column("scenario", _("Scenario")),
        *(Column(key, label, "money", currency=view.currency) for key, label in money),
        Column("chance", _("Chance to reach the quota"), "rate"),
    ]
    order = frame.sort_values("starts_on", kind="stable", ignore_index=True)
    table(view, order, columns, name="forecast-totals")
    st.caption(_("What was already booked in the first period counts; a period that the horizon reaches only in part counts that part."))


def backtest_words(fit: Fit) -> str:
    """Return how past forecasts fared, for people."""
    if fit.backtest is None:
        return _("There is too little history to test the method on the past.")
    scores = fit.backtest.scores
    told = _n(
        "Tested on {n} forecast from the past: off by {wape} of the booked value.",
        "Tested on {n} forecasts from the past: off by {wape} of the booked value.",
        scores.origins, n=scores.origins, wape=format_rate(scores.wape, 0),
    )  # fmt: skip
    lean = _("Together they were {bias} too high.") if scores.bias >= 0 else _("Together they were {bias} too low.")
    told += " " + lean.format(bias=format_rate(abs(scores.bias), 0))
    told += " " + _("{coverage} of the actual values lay inside the 80 % band.", coverage=format_rate(scores.coverage, 0))
    return told + " " + _("Repeating the last season would have been off by {naive}.", naive=format_rate(scores.naive_wape, 0))
