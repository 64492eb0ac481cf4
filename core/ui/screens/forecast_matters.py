"""What could change the forecast: the levers by their effect, and how far each must go to reach an amount."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import streamlit as st

from core.charts.tornado import tornado_chart
from core.forecasting.scenarios import apply
from core.forecasting.what_matters import SOUGHT, at, seek, tornado
from core.i18n import N_, _, format_rate
from core.reports.tables import Column
from core.ui.cards import said
from core.ui.drill import chart, numbers
from core.ui.page import plain
from core.ui.screens.forecast_controls import show
from core.ui.screens.forecast_fit import cut
from core.ui.screens.forecast_levers import SLIDERS, signed_rate
from core.ui.screens.forecast_words import span_words

if TYPE_CHECKING:
    from core.forecasting.flow import Flow
    from core.forecasting.result import Fit
    from core.forecasting.what_matters import Sought
    from core.ui.page import View
    from core.ui.screens.forecast_fit import Forecast
    from core.ui.screens.forecast_state import Shown

STEPS: Final = (0.05, 0.1, 0.2)
NAMES: Final = {**{lever: slider.title for lever, slider in SLIDERS.items()}, "capacity": N_("Capacity")}


def what_matters(view: View, shown: Shown, forecast: Forecast, flow: Flow) -> None:
    """Draw the section: which lever matters most, and beside it what it takes to reach the quota."""
    st.subheader(_("What could change it"), anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        _tornado(view, shown, forecast, flow)
    with right:
        _goal(view, shown, forecast, flow)


def _tornado(view: View, shown: Shown, forecast: Forecast, flow: Flow) -> None:
    step = 0.1
    if view.query is None:
        step = st.segmented_control(
            _("Each lever moved by"), STEPS, default=0.1, required=True, key="tornado-step",
            format_func=lambda by: f"±{format_rate(by, 0)}",
        ) or 0.1  # fmt: skip
    frame = tornado(forecast.fit, shown.levers, flow, step=float(step))
    frame = frame[frame["swing"] > 0].reset_index(drop=True)
    frame["name"] = [_(NAMES[lever]) for lever in frame["lever"]]
    figure = tornado_chart(
        frame.rename(columns={"lever": "key"})[["key", "name", "less", "more"]],
        title=_("Which lever matters most"), subtitle=_("Change of the total, one lever at a time"),
        less_name=f"−{format_rate(step, 0)}", more_name=f"+{format_rate(step, 0)}",
        dark=view.dark, large=view.large, currency=view.currency,
    )  # fmt: skip
    chart(view, figure, key="forecast-tornado", alt=_("Which lever matters most"))
    columns = [
        Column("name", _("Lever")),
        Column("less", f"−{format_rate(step, 0)}", "estimate", currency=view.currency),
        Column("more", f"+{format_rate(step, 0)}", "estimate", currency=view.currency),
    ]
    numbers(view, frame, columns, name="forecast-levers")


def _goal(view: View, shown: Shown, forecast: Forecast, flow: Flow) -> None:
    fit, owed = _owing(forecast)
    stands = apply(fit, shown.levers, flow).total
    goal, likely = owed if math.isfinite(owed) else round(stands * 1.1, -3), False
    if view.query is None:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            goal = float(
                st.number_input(
                    _("Reach, {currency}", currency=view.currency), min_value=0.0, value=float(round(goal)),
                    format="%.0f",
                    step=float(10 ** max(3, round(math.log10(max(goal, 1))) - 1)), width=220,
                    key=f"goal-{shown.dimension}-{shown.key}-{shown.frequency}-{shown.horizon}",
                    help=_("The quota of these days where there is one."),
                )
            )  # fmt: skip
            likely = st.toggle(
                _("80% likely"), key="goal-likely",
                help=_("In 80 of 100 simulated courses, instead of in the middle one."),
            )  # fmt: skip
    st.markdown(f"**{plain(_('What it takes'))}**")
    now, wanted = (said(amount, "money", view.currency) for amount in (stands, goal))
    st.caption(plain(_("{span}: now {total}, to reach {goal}", span=span_words(fit), total=now, goal=wanted)))
    ranges = {lever: (SLIDERS[lever].least / 100, SLIDERS[lever].most / 100) for lever in SOUGHT}
    found = [
        seek(fit, shown.levers, lever, goal, flow, between=ranges[lever], likely=likely)
        for lever in SOUGHT
        if lever != "cycle" or flow.known
    ]
    if all(_is_there(shown, each) for each in found):
        st.success(_("It is reached as things stand."), icon=":material/check_circle:")
        return
    st.text(_("Any one of these reaches it, the others left as they stand:"))
    with st.container(horizontal=True, gap="small"):
        for each in found:
            if each.value is not None:
                _offer(view, shown, each)
    short = [each for each in found if each.value is None]
    if len(short) == len(found):
        st.warning(_("No lever reaches it alone within its range."), icon=":material/block:")
    for each in short:
        told = _("{lever} alone does not: at {end} it comes to {reached}.", lever=_(NAMES[each.lever]),
                 end=signed_rate(each.end), reached=said(each.reached, "money", view.currency))  # fmt: skip
        st.caption(plain(told))


def _offer(view: View, shown: Shown, found: Sought) -> None:
    value = _rounded(found)
    words = f"{_(NAMES[found.lever])} {signed_rate(value)}"
    if view.query is not None:
        st.badge(plain(words))
        return
    st.button(
        words, key=f"goal-{found.lever}", icon=":material/tune:", help=_("Set the lever there"), on_click=show,
        args=(replace(shown, levers=at(shown.levers, found.lever, value)),),
    )  # fmt: skip


def _rounded(found: Sought) -> float:
    """The value in whole per cent, on the side that reaches the goal."""
    hundredths = round((found.value or 0.0) * 100, 6)
    return (math.floor(hundredths) if found.lever == "cycle" else math.ceil(hundredths)) / 100


def _is_there(shown: Shown, found: Sought) -> bool:
    if found.value is None:
        return False
    stands = getattr(shown.levers, found.lever)
    return bool(stands <= found.value if found.lever == "cycle" else stands >= found.value)


def _owing(forecast: Forecast) -> tuple[Fit, float]:
    """The steps that have a quota from the first on, and their quota; all of them and NaN where the first has none."""
    missing = np.isnan(forecast.quota)
    covered = int(np.argmax(missing)) if missing.any() else forecast.fit.horizon
    if not covered:
        return forecast.fit, float("nan")
    return cut(forecast.fit, covered), float(forecast.quota[:covered].sum())
