"""How far to trust the forecast: past forecasts in words, by distance, and over what happened."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import streamlit as st

from core.charts.forecast_past import past_forecasts_chart
from core.forecasting.trust import by_distance, totals
from core.i18n import _, _n, format_date, format_month, format_rate
from core.reports.tables import Column
from core.ui.drill import chart
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from datetime import date

    from core.forecasting.result import Backtest, Fit
    from core.forecasting.steps import Frequency
    from core.forecasting.trust import Totals
    from core.ui.page import View

SHOWN_BEFORE = {"month": 12, "week": 26, "day": 42}


def trust(view: View, fit: Fit, *, pending: bool = False) -> None:
    """Draw the section; while the full forecast is `pending`, its past forecasts are not there yet."""
    st.subheader(_("How far to trust it"), anchor=False)
    backtest = fit.backtest
    if backtest is None and pending:
        st.caption(_("Past forecasts are being made with the full forecast, and shown here as soon as it is ready."))
        return
    if backtest is None:
        st.caption(_("There is too little history to test the method on the past."))
        return
    st.markdown(plain(trust_words(fit, backtest)))
    first = backtest.frame["origin"].min()
    history = fit.history().rename(columns={"actual": "y"})[["ds", "y"]]
    before = int((history["ds"] <= first).sum())
    figure = past_forecasts_chart(
        history.iloc[max(0, before - SHOWN_BEFORE[fit.frequency]) :],
        backtest.frame[["origin", "ds", "forecast"]],
        dark=view.dark, large=view.large, currency=view.currency,
        subtitle=_("Each began at its dot and knew nothing later"),
    )  # fmt: skip
    chart(view, figure, key="forecast-past", alt=_("Past forecasts over what happened"))
    frame = by_distance(backtest, fit.frequency)
    frame["ahead"] = [
        distance_words(fit.frequency, int(a), int(b)) for a, b in zip(frame["first"], frame["last"], strict=True)
    ]
    columns = [
        Column("ahead", _("Ahead")),
        Column("wape", _("Off by"), "rate", help=_("WAPE: the absolute errors over the actual values, as sums.")),
        Column("bias", _("Bias"), "rate", help=_("Above zero the forecasts were too high together.")),
        Column("coverage", _("Inside the band"), "rate", help=_("Near 80% is right.")),
        Column("mase", "MASE", "number", help=_("Below 1: better than repeating the last season did before.")),
        Column("naive_wape", _("Seasonal naive off by"), "rate"),
    ]
    if frame["ets_wape"].notna().any():
        columns.append(Column("ets_wape", _("AutoETS off by"), "rate"))
    table(view, frame, columns, name="forecast-backtest")


def trust_words(fit: Fit, backtest: Backtest) -> str:
    """Return how past totals over the shown horizon fared, against the simpler methods."""
    found = totals(backtest, fit.horizon)
    if found is None:
        return _("Nothing was booked in the steps that past forecasts were about, so they cannot be scored.")
    since: date = backtest.frame["origin"].min().date()
    when = format_month(since) if fit.frequency == "month" else format_date(since)
    told = [
        _("Tested on what happened after {when}: {ahead} was off by {off} as a total, {side}.", when=when,
          ahead=_forecast_of(fit.frequency, found.steps), off=format_rate(found.off), side=_side(found)),
        _("{coverage} of the single values lay inside the 80% band.",
          coverage=format_rate(backtest.scores.coverage, 0)),
        _("Repeating the last season would have been off by {naive}.", naive=format_rate(found.naive_off)),
    ]  # fmt: skip
    has_ets = not math.isnan(found.ets_off)
    if has_ets:
        told.append(_("AutoETS alone would have been off by {ets}.", ets=format_rate(found.ets_off)))
    if fit.method == "combination" and min(found.naive_off, found.ets_off if has_ets else math.inf) < found.off:
        told.append(_("A simpler method did better on these {n} past forecasts. So few do not say that it does next "
                      "time: the combination gives way where repeating the last season errs by less than half as much.",
                      n=found.forecasts))  # fmt: skip
    return " ".join(told)


def _side(found: Totals) -> str:
    if abs(found.bias) < 0.005:
        return _("neither too high nor too low on the whole")
    share = format_rate(abs(found.bias))
    return (
        _("{bias} too high on the whole", bias=share)
        if found.bias > 0
        else _("{bias} too low on the whole", bias=share)
    )


def _forecast_of(frequency: Frequency, steps: int) -> str:
    match frequency:
        case "month":
            return _n("a forecast of {n} month", "a forecast of {n} months", steps, n=steps)
        case "week":
            return _n("a forecast of {n} week", "a forecast of {n} weeks", steps, n=steps)
        case _:
            return _n("a forecast of {n} day", "a forecast of {n} days", steps, n=steps)


def distance_words(frequency: Frequency, first: int, last: int) -> str:
    """Return a span of steps ahead."""
    span = str(first) if first == last else f"{first}-{last}"
    match frequency:
        case "month":
            return _n("{span} month", "{span} months", last, span=span)
        case "week":
            return _n("{span} week", "{span} weeks", last, span=span)
        case _:
            return _n("{span} day", "{span} days", last, span=span)
