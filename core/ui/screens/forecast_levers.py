"""The levers of the Forecast page: a few in sight, the rest folded, and what is moved in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

import streamlit as st

from core.forecasting.levers import NEUTRAL
from core.i18n import N_, _, format_money, format_number, format_rate
from core.ui.screens.forecast_controls import PREFIX, choose_events, event_words, seeded, show
from core.ui.screens.forecast_state import AS_THEY_ARE

if TYPE_CHECKING:
    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown


@dataclass(frozen=True)
class Slider:
    """How a lever is set: least, most, step and format of its slider; `after` another that it belongs to."""

    title: str
    least: float
    most: float
    told: str
    step: float = 1
    written: str = "%+d%%"
    after: str = ""


MAIN: Final[dict[str, Slider]] = {
    "growth": Slider(N_("Growth a year"), -50, 100, N_(
        "Multiplies each step by (1 + growth) to the power of the years until it, on top of the trend.")),
    "win_rate": Slider(N_("Win rate"), -50, 50, N_(
        "Relative: +10% turns a win rate of 30% into 33%. Acts on the chances of the open deals, none beyond "
        "certainty, and on new business.")),
    "average_deal": Slider(N_("Average deal"), -50, 50, N_(
        "Multiplies every step by (1 + change of the average deal's value).")),
    "headcount": Slider(N_("Headcount"), -50, 100, N_(
        "People who sell, against today. New ones reach full output in a straight line over the ramp; who leaves is "
        "gone at once.")),
    "ramp_months": Slider(N_("Ramp of new people"), 0, 24, N_(
        "Months until somebody new sells as much as the others."), written=N_("%d months"), after="headcount"),
}  # fmt: skip
MORE: Final[dict[str, Slider]] = {
    "leads": Slider(N_("Lead volume"), -50, 100, N_(
        "New deals from today on. Acts on new business alone, which takes over as today's open deals close.")),
    "cycle": Slider(N_("Sales cycle"), -50, 100, N_(
        "How long a deal takes, open ones and new ones. A shorter cycle brings bookings earlier; it does not make more "
        "of them.")),
    "price": Slider(N_("Price"), -30, 50, N_(
        "Multiplies the value by (1 + price), and the wins by (1 + price) to the power of the elasticity.")),
    "elasticity": Slider(N_("Price elasticity"), -3, 0.5, N_(
        "By how many per cent wins change where the price is 1% higher: at 0 nobody leaves, at -1 nothing is gained."),
        step=0.1, written="%+.1f", after="price"),
    "seasonality": Slider(N_("Seasonality"), -100, 100, N_(
        "Changes the size of the seasonal swing: -100% is flat, +100% twice the swing of the past.")),
    "flexibility": Slider(N_("Trend flexibility"), -100, 100, N_(
        "How much the trend's latest slope counts: -100% goes on with the slope of the whole history, +100% counts the "
        "latest turn twice.")),
}  # fmt: skip
SLIDERS: Final = {**MAIN, **MORE}
OF_MONEY: Final = frozenset({"average_deal", "price", "elasticity", "capacity"})
"""Levers that say nothing about how many deals or pieces there are."""


def choose_levers(view: View, shown: Shown, *, deals_known: bool) -> Shown:
    """Draw the scenario's sliders, the events, the switch of holidays and the reset; return what they say."""
    found = _sliders(shown, MAIN, deals_known=deals_known)
    moved = sum(getattr(shown.levers, lever) != getattr(NEUTRAL, lever) for lever in (*MORE, "capacity"))
    label = _("More levers ({n} moved)", n=moved) if moved else _("More levers")
    with st.expander(label, icon=":material/tune:", key="forecast-more", expanded=bool(moved)):
        found |= _sliders(shown, MORE, deals_known=deals_known)
        found["capacity"] = None if shown.measure != "booked" else st.number_input(
            _("Capacity a month, {currency}", currency=view.currency), min_value=0.0, step=100_000.0, format="%.0f",
            key=seeded("capacity", shown.levers.capacity), placeholder=_("No bound"),
            help=_("The most that can be booked in a month; what is beyond it is lost, not put off."),
        )  # fmt: skip
        china = st.toggle(
            _("Holidays of China"), key=seeded("china", shown.china),
            help=_("Takes the Spring Festival and the public holidays into account. Switching it computes the "
                   "forecast anew, once."),
        )  # fmt: skip
    shown = replace(shown, levers=replace(shown.levers, **cast("Any", found)), china=bool(china))
    shown = choose_events(shown)
    changed = not shown.levers.neutral or bool(shown.events) or not shown.china
    neutral = replace(shown, levers=NEUTRAL, events=(), china=True)
    st.button(
        _("Reset"), icon=":material/restart_alt:", key="forecast-reset", disabled=not changed, width="stretch",
        help=_("Back to the base forecast"), on_click=show, args=(neutral,),
    )  # fmt: skip
    return shown


def _sliders(shown: Shown, sliders: dict[str, Slider], *, deals_known: bool) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for lever, slider in sliders.items():
        plain_unit = lever in AS_THEY_ARE
        value = getattr(shown.levers, lever) * (1 if plain_unit else 100)
        if lever in OF_MONEY and shown.measure != "booked":
            found[lever] = getattr(NEUTRAL, lever)
            continue
        if slider.after and not getattr(shown.levers, slider.after) and not st.session_state.get(PREFIX + slider.after):
            continue
        whole = slider.step == 1
        kind = int if whole else float
        least, most = kind(slider.least), kind(slider.most)
        first = kind(min(max(round(value, 0 if whole else 1), least), most))
        unknown = lever == "cycle" and not deals_known
        told = _("The history of the deals says too little here.") if unknown else _(slider.told)
        picked = st.slider(
            _(slider.title), least, most, key=seeded(lever, first), help=told, disabled=unknown,
            format=_(slider.written) if lever == "ramp_months" else slider.written, step=kind(slider.step),
        )  # fmt: skip
        found[lever] = float(picked) if plain_unit else picked / 100
    return found


def lever_words(view: View, shown: Shown) -> str:
    """Return the levers that are not neutral, in one line."""
    said = [lever_said(lever, shown) for lever in SLIDERS if getattr(shown.levers, lever) != getattr(NEUTRAL, lever)]
    if shown.levers.capacity is not None:
        most = format_money(shown.levers.capacity, view.currency, compact=True)
        said.append(_("at most {amount} a month", amount=most))
    said += [event_words(event) for event in shown.all_events]
    if not shown.china:
        said.append(_("without the holidays of China"))
    return "  ·  ".join(filter(None, said))


def lever_said(lever: str, shown: Shown) -> str:
    """Return one moved slider in words; nothing for one that is told with another."""
    slider, value = SLIDERS[lever], getattr(shown.levers, lever)
    if slider.after:
        return ""
    text = f"{_(slider.title)} {signed_rate(value)}"
    if lever == "headcount" and value > 0:
        text += _(" (full output after {n} months)", n=f"{shown.levers.ramp_months:.3g}")
    if lever == "price":
        text += _(" (elasticity {value})", value=format_number(shown.levers.elasticity, 1))
    return text


def signed_rate(value: float) -> str:
    """Return a change in per cent with its sign."""
    return ("+" if value > 0 else "") + format_rate(value, 0)
