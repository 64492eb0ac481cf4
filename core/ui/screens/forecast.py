"""Forecast: what is likely to be booked, and what levers would change."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
import pandas as pd
import streamlit as st

from core.charts.forecast import forecast_chart
from core.forecasting.scenario_totals import BASE, compare
from core.forecasting.scenarios import apply
from core.forecasting.steps import ends
from core.i18n import _, format_chance, format_month, format_quarter, format_rate
from core.reports.tables import Column
from core.ui.cards import said
from core.ui.drill import chart, numbers
from core.ui.empty import nothing_yet
from core.ui.filters import address, write_address
from core.ui.page import plain
from core.ui.screens.forecast_controls import choose_series, forget_widgets, seeded, series_title
from core.ui.screens.forecast_data import choose_data
from core.ui.screens.forecast_fit import forecast_of, series_of, watch
from core.ui.screens.forecast_flow import flow_of
from core.ui.screens.forecast_levers import choose_levers, lever_words
from core.ui.screens.forecast_matters import what_matters
from core.ui.screens.forecast_near import changed_ending, ending_cards, ending_words, endings_of, near
from core.ui.screens.forecast_saved import choose_compared, compared_totals
from core.ui.screens.forecast_state import Shown
from core.ui.screens.forecast_trust import trust
from core.ui.screens.forecast_words import (
    headline,
    member_words,
    season_words,
    span_words,
    total_of,
)
from core.ui.sharing import share_button
from core.ui.tables import table
from core.ui.way_back import is_led_back

if TYPE_CHECKING:
    from core.forecasting.flow import Flow
    from core.forecasting.levers import Levers
    from core.ui.page import View
    from core.ui.screens.forecast_fit import Forecast
    from core.ui.screens.forecast_near import Ending

HISTORY_SHOWN = {"month": 24, "week": 52, "day": 90}


def draw(view: View) -> None:
    """Draw the page."""
    if is_led_back():
        forget_widgets()
    share_button(view)
    shown = Shown.from_params(address(view))
    if view.query is None:
        shown = choose_series(view, shown)
    shown, prepared = choose_data(view, shown)
    if shown.measure != "booked":
        view = view.counting()
    if not len(prepared):
        _nothing_yet(view, shown)
        return
    if view.query is not None:
        st.caption(plain(series_title(view, shown)))
        forecast = forecast_of(view, shown, prepared)
        endings = endings_of(view, forecast)
        _forecast(view, shown, forecast, endings, top=st.container(gap="small"))
    else:
        top = st.container(gap="small")
        wide, narrow = st.columns([3, 1], gap="large")
        with narrow:
            st.subheader(_("Scenario"), anchor=False)
            shown = choose_compared(view, choose_levers(view, shown, deals_known=flow_of(view, shown).known))
        write_address(**shown.to_params())
        forecast = forecast_of(view, shown, prepared)
        endings = endings_of(view, forecast)
        with wide:
            _forecast(view, shown, forecast, endings, top=top)
    if shown.measure == "booked":
        near(view, shown, forecast, endings)
        what_matters(view, shown, forecast, forecast.flow)
    flow = forecast.flow
    scenarios = _scenarios(shown)
    if shown.compared:
        compared_totals(view, forecast, scenarios, flow)
    _totals(view, shown, forecast, scenarios, flow)
    trust(view, forecast.fit, pending=forecast.pending is not None)
    _making(forecast)


def _nothing_yet(view: View, shown: Shown) -> None:
    if view.query is None:
        write_address(**shown.to_params())
    nothing_yet(
        view,
        _("There is nothing to forecast from yet: no deal was won in a complete day, week or month of this "
          "series. Log deals as they are won, or import your company's past deals, and the forecast appears "
          "here."),
    )  # fmt: skip


def _forecast(
    view: View, shown: Shown, forecast: Forecast, endings: list[Ending], *, top: st.delta_generator.DeltaGenerator
) -> None:
    """Draw the sentence that a leader reads into `top`, then the cards and the chart."""
    fit, flow = forecast.fit, forecast.flow
    words = lever_words(view, shown)
    with top:
        ahead = headline(view, fit, shown.levers, flow)
        if endings:
            st.header(plain(ending_words(view, endings[-1]) + _changed_ending(view, shown, forecast)), anchor=False)
            st.markdown(f"**{plain(ahead)}**")
        else:
            st.header(plain(ahead), anchor=False)
        if words:
            st.markdown(f":material/tune: {plain(_('What if: {levers}', levers=words))}")
        st.caption(plain("  ·  ".join([span_words(fit), str(fit.reason), *season_words(fit)])))
        if forecast.pending is not None:
            watch(forecast.pending)
        elif forecast.waiting is not None:
            watch(forecast.waiting, quietly=True)
    _cards(view, shown, forecast, endings)
    _chart(view, shown, forecast, flow)


def _changed_ending(view: View, shown: Shown, forecast: Forecast) -> str:
    """Return where the first period lands with the levers that are moved, and how likely it then reaches its quota."""
    if shown.levers.neutral:
        return ""
    found = changed_ending(view, forecast, shown.levers)
    if found is None:
        return ""
    total, chance = said(found[0], "money", view.currency), found[1]
    if math.isnan(chance):
        return _("; with the scenario {total}", total=total)
    return _("; with the scenario {total}, {chance} likely", total=total, chance=format_chance(chance))


def _cards(view: View, shown: Shown, forecast: Forecast, endings: list[Ending]) -> None:
    fit, levers = forecast.fit, shown.levers

    def money(value: float) -> str:
        return said(value, "money", view.currency)

    low, base, high = total_of(fit)
    with st.grid(min_column_width=300 if view.large else 170, gap="small", key="cards-forecast"):
        ending_cards(view, endings, forecast.near)
        with _card("base"):
            told = _("The forecast with all levers neutral, summed over the horizon. A running month or week counts "
                     "whole, what is booked in it already included.")  # fmt: skip
            st.metric(_("Base"), money(base), help=told)
            st.caption(plain(_("80%: {low} to {high}", low=money(low), high=money(high))))
            st.caption(plain(span_words(fit)))
        if not levers.neutral:
            low, total, high = total_of(fit, levers, forecast.flow)
            with _card("scenario"):
                st.metric(
                    _("Scenario"), money(total), delta=_percent(total / base - 1) if base else None,
                    help=_("The base with the levers laid on it."),
                )  # fmt: skip
                gained = ("+" if total >= base else "") + money(total - base)
                st.caption(plain(_("{amount} against the base", amount=gained)))
                st.caption(plain(_("80%: {low} to {high}", low=money(low), high=money(high))))


def _card(name: str) -> st.delta_generator.DeltaGenerator:
    return st.container(border=True, gap="xxsmall", height="stretch", key=f"card-forecast-{name}")


def _percent(rate: float) -> str:
    return ("+" if rate >= 0 else "") + format_rate(rate)


def _scenarios(shown: Shown) -> dict[str, Levers]:
    """Return the scenario of the sliders, where it changes anything, and the compared ones, by name."""
    found = dict(shown.compared)
    if shown.levers.neutral:
        return found
    name = _("Scenario")
    while name in found:
        name += "′"
    return {name: shown.levers, **found}


def _chart(view: View, shown: Shown, forecast: Forecast, flow: Flow) -> None:
    fit = forecast.fit
    base = apply(fit).frame
    history = series_of(view, replace(shown, masked=())).points.tail(len(fit.y)).reset_index(drop=True)
    scenarios = {name: apply(fit, levers, flow).frame for name, levers in _scenarios(shown).items()}
    quota = pd.DataFrame({"ds": fit.future, "y": forecast.quota}).dropna()
    figure = forecast_chart(
        history.tail(HISTORY_SHOWN[fit.frequency]), base, scenarios=scenarios, quota=quota, dark=view.dark,
        large=view.large, currency=view.currency, title=series_title(view, shown),
        today=view.today if fit.future[0].date() <= view.today <= fit.future[-1].date() else None,
    )  # fmt: skip
    chart(view, figure, key="forecast-chart", alt=_("History, forecast and scenarios"))
    before = [np.nan] * len(history)
    rows = pd.concat([history[["ds", "y"]], base], ignore_index=True)
    for name, frame in scenarios.items():
        rows[f"scenario-{name}"] = [*before, *frame["yhat"]]
    rows["quota"] = [*before, *forecast.quota]
    rows["ds"] = rows["ds"].dt.date
    columns = [
        Column("ds", _("Period"), "month" if fit.frequency == "month" else "date"),
        Column("y", _("Actual"), "money", currency=view.currency),
        Column("yhat", _("Base"), "estimate", currency=view.currency),
        Column("lo", _("80%, low"), "estimate", currency=view.currency),
        Column("hi", _("80%, high"), "estimate", currency=view.currency),
        *(Column(f"scenario-{name}", name, "estimate", currency=view.currency) for name in scenarios),
        *([Column("quota", _("Quota"), "estimate", currency=view.currency)] if len(quota) else []),
    ]
    numbers(view, rows.iloc[::-1].reset_index(drop=True), columns, name="forecast-steps")


def _totals(view: View, shown: Shown, forecast: Forecast, scenarios: dict[str, Levers], flow: Flow) -> None:
    st.subheader(_("Totals by period"), anchor=False)
    fit = forecast.fit
    usual = "quarter" if fit.frequency == "month" and fit.horizon > 3 else "month"
    by = shown.asked.totals or usual
    if view.query is None:
        names = {"month": _("By month"), "quarter": _("By quarter")}
        by = st.segmented_control(
            _("Totals"), list(names), format_func=names.__getitem__, required=True,
            key=seeded(f"totals-{fit.frequency}", by, list(names)), label_visibility="collapsed",
        ) or by  # fmt: skip
        write_address(totals=[] if by == usual else [by])
    first = view.calendar.first_month
    span = cast('Literal["month", "quarter"]', by)
    frame = compare(forecast.whole, scenarios, by=span, quota=forecast.owed, year_starts_in=first, flow=flow,
                    booked=forecast.booked)  # fmt: skip
    until = ends(fit.future[-1:], fit.frequency)[0]
    frame = frame[frame["starts_on"] < until].reset_index(drop=True)
    named = {BASE: _("Base")}
    days = [stamp.date() for stamp in frame["starts_on"]]
    frame["scenario"] = [named.get(name, name) for name in frame["scenario"]]
    frame["period"] = [
        format_quarter(*view.calendar.quarter_of(day)) if by == "quarter" else format_month(day) for day in days
    ]
    owing = bool(frame["quota"].notna().any())
    money = [("lo", _("80%, low")), ("hi", _("80%, high"))]
    if scenarios:
        money.insert(0, ("difference", _("Difference to the base")))
    if owing:
        money += [("quota", _("Quota")), ("gap", _("Against quota"))]
    chance = Column("chance", _("Chance to reach the quota"), "chance")
    columns = [
        Column("period", _("Period")),
        Column("scenario", _("Scenario"), width="medium" if scenarios else None),
        Column("total", _("Total"), "estimate", currency=view.currency),
        *([chance] if owing else []),
        *(Column(key, label, "estimate", currency=view.currency) for key, label in money),
    ]
    ordered = frame.sort_values("starts_on", kind="stable", ignore_index=True)
    table(view, ordered, columns, name="forecast-totals")
    st.caption(_("Whole periods: what was already booked in the first one counts, and the last one counts to its end "
                 "as far as any forecast reaches."))  # fmt: skip


def _making(forecast: Forecast) -> None:
    fit = forecast.fit
    with st.expander(_("How this was computed"), icon=":material/info:"):
        st.text(_("Method: {method}. {reason}", method=fit.method_name, reason=fit.reason))
        if fit.members:
            st.text(_("Combined from {members}.", members="; ".join(member_words(fit.members))))
        for sentence in (*fit.notes, *forecast.prepared.issues):
            st.text(f"· {sentence}")
