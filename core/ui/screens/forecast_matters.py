"""What could change the forecast: the levers by their effect, and how far each must go to reach an amount."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import streamlit as st

from core.charts.tornado import tornado_chart
from core.domain.periods import Period, add_months
from core.forecasting.levers import BOUNDS, NEUTRAL
from core.forecasting.scenarios import apply, expected
from core.forecasting.steps import ends
from core.forecasting.what_matters import Counted, alike, at, seek, tornado
from core.i18n import N_, _, format_month, format_quarter, format_rate
from core.reports.tables import Column
from core.ui.cards import said
from core.ui.drill import chart, numbers
from core.ui.filters import write_address
from core.ui.page import plain
from core.ui.screens.forecast_controls import seeded, show
from core.ui.screens.forecast_fit import cut
from core.ui.screens.forecast_levers import SLIDERS, signed_rate
from core.ui.screens.forecast_state import MOST_REACHED, STEPS
from core.ui.screens.forecast_words import span_words

if TYPE_CHECKING:
    import pandas as pd

    from core.forecasting.flow import Flow
    from core.forecasting.result import Fit
    from core.forecasting.what_matters import Sought
    from core.ui.page import View
    from core.ui.screens.forecast_fit import Forecast
    from core.ui.screens.forecast_state import Shown

NAMES: Final = {**{lever: slider.title for lever, slider in SLIDERS.items()}, "capacity": N_("Capacity")}
LEAST_TOLD: Final = 0.005
"""Of the most telling lever's effect, below which one has no bar: it would be less than a pixel."""


def what_matters(view: View, shown: Shown, forecast: Forecast, flow: Flow) -> None:
    """Draw the section: which lever matters most, and beside it what it takes to reach the quota."""
    st.subheader(_("What could change it"), anchor=False)
    left, right = (st.container(), st.container()) if view.large else st.columns(2, gap="large")
    with left:
        shown = _tornado(view, shown, forecast, flow)
    with right:
        _goal(view, shown, forecast, flow)


def _tornado(view: View, shown: Shown, forecast: Forecast, flow: Flow) -> Shown:
    step = shown.asked.moved
    if view.query is None:
        step = float(st.segmented_control(
            _("Each lever moved by"), STEPS, required=True, key=seeded("moved", step),
            format_func=lambda by: f"±{format_rate(by, 0)}",
        ) or step)  # fmt: skip
        shown = _asking(shown, moved=step)
    frame = tornado(forecast.fit, shown.levers, flow, step=step)
    frame, idle = telling(frame)
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
    _alike(frame, shown)
    if idle:
        st.caption(plain(_("Next to no effect here: {levers}.", levers=_(", ").join(_(NAMES[each]) for each in idle))))
    numbers(view, frame, columns, name="forecast-levers")
    return shown


def telling(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a tornado that are worth a bar, and the levers of the others."""
    told = (frame["swing"] > 0) & (frame["swing"] >= LEAST_TOLD * frame["swing"].max())
    return frame[told].reset_index(drop=True), frame.loc[~told, "lever"].tolist()


def _asking(shown: Shown, **asked: Any) -> Shown:
    """Return the page with what it is asked now, and have the address say so."""
    shown = replace(shown, asked=replace(shown.asked, **asked))
    write_address(**shown.asked.to_params())
    return shown


def _alike(frame: pd.DataFrame, shown: Shown) -> None:
    """Say why several levers come to the same, where they do."""
    same = alike(frame)
    if not same:
        return
    told = [_("{levers} come to the same here, and not by mistake: by the same rate each multiplies all that is still "
              "to come.", levers=_(", ").join(_(NAMES[lever]) for lever in same))]  # fmt: skip
    if "win_rate" in same:
        told.append(_("A win rate differs only where open deals near certainty carry the forecast."))
    if "price" in same and shown.levers.elasticity == 0:
        told.append(_("A price loses wins only with an elasticity below 0."))
    st.caption(plain(" ".join(told)))


def periods_ahead(view: View, fit: Fit) -> dict[str, Period]:
    """Return the quarters, then the months, that end after today and within reach of a fit, as the address has them."""
    last = ends(fit.future[-1:], fit.frequency)[0].date()
    first = max(fit.future[0].date(), view.today)
    found: dict[str, Period] = {}
    year, number = view.calendar.quarter_of(first)
    while (quarter := view.calendar.quarter(year, number)).end <= last:
        found[f"{year}Q{number}"] = quarter
        year, number = view.calendar.quarter_of(quarter.end)
    for month in Period(first.replace(day=1), last).months():
        if add_months(month, 1) <= last:
            found[f"{month:%Y-%m}"] = Period(month, add_months(month, 1))
    return found


def _period_words(view: View, period: Period) -> str:
    if add_months(period.start, 1) == period.end:
        return format_month(period.start)
    return format_quarter(*view.calendar.quarter_of(period.start))


@dataclass(frozen=True)
class Goal:
    """What is to be reached: the steps that count, what it is called, its quota (NaN: none), where it stands.

    `base`: where it stood with every lever neutral.
    """

    fit: Fit
    counted: Counted
    span: str
    quota: float
    stands: float
    base: float


def _period(view: View, shown: Shown, forecast: Forecast) -> Shown:
    """Offer a quarter or a month to reach an amount in."""
    ahead = periods_ahead(view, forecast.whole)
    offered = ["", *ahead]
    picked = shown.asked.within if shown.asked.within in ahead else ""
    if view.query is None and ahead:
        picked = st.selectbox(
            _("In"), offered, width=220, key=seeded("within", picked, offered),
            format_func=lambda code: _period_words(view, ahead[code]) if code else _("all that is shown"),
            help=_("A quarter or a month, with what is booked in it already; also beyond what is shown."),
        )  # fmt: skip
    return shown if picked == shown.asked.within else _asking(shown, within=picked, reach=None)


def _chosen(view: View, shown: Shown, forecast: Forecast, flow: Flow) -> Goal:
    """Return the quarter or month in which an amount is to be reached, or else all that is shown."""
    ahead = periods_ahead(view, forecast.whole)
    picked = shown.asked.within
    if picked not in ahead:
        fit, owed = _owing(forecast)
        stands = apply(fit, shown.levers, flow).total
        return Goal(fit, Counted.whole(fit), span_words(fit), owed, stands, apply(fit).total)
    period, fit = ahead[picked], forecast.whole
    counted = Counted.within(fit, period, forecast.booked)
    owed = sum(forecast.owed.get(month, math.nan) for month in period.months())
    stands, base = (
        counted.known + float(expected(fit, levers, flow) @ counted.shares) for levers in (shown.levers, NEUTRAL)
    )
    return Goal(fit, counted, _period_words(view, period), owed, stands, base)


def _goal(view: View, shown: Shown, forecast: Forecast, flow: Flow) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="goal-bar"):
        shown = _period(view, shown, forecast)
        goal = _chosen(view, shown, forecast, flow)
        known = float(round(goal.quota)) if math.isfinite(goal.quota) else max(float(round(goal.base * 1.1, -3)), 0.0)
        wanted = known if shown.asked.reach is None else shown.asked.reach
        if view.query is None:
            about = "-".join((*shown.series, str(shown.horizon), shown.asked.within))
            wanted = float(
                st.number_input(
                    _("Reach, {currency}", currency=view.currency), min_value=0.0, max_value=MOST_REACHED,
                    format="%.0f", step=float(10 ** max(3, round(math.log10(max(known, 1))) - 1)), width=220,
                    key=seeded(f"reach-{about}-{known:.0f}", wanted),
                    help=_("The quota of these days where there is one."),
                )
            )  # fmt: skip
            likely = st.toggle(
                _("80% likely"), key=seeded("likely", shown.asked.likely),
                help=_("In 80 of 100 simulated courses, instead of in the middle one."),
            )  # fmt: skip
            shown = _asking(shown, reach=None if wanted == known else wanted, likely=bool(likely))
    likely = shown.asked.likely
    st.markdown(f"**{plain(_('What it takes'))}**")
    _stands(view, goal, wanted)
    found = [
        seek(goal.fit, shown.levers, lever, wanted, flow, between=_slider(lever), likely=likely, counted=goal.counted)
        for lever in goal.counted.sought
        if lever != "cycle" or flow.known
    ]
    if all(_is_there(shown, each) for each in found):
        st.success(_("It is reached as things stand."), icon=":material/check_circle:")
        return
    short = [each for each in found if each.value is None]
    if len(short) == len(found):
        st.warning(_("No lever reaches it alone within its range."), icon=":material/block:")
    else:
        st.text(_("Any one of these reaches it, the others left as they stand:"))
    with st.container(horizontal=True, gap="small"):
        for each in found:
            if each.value is not None:
                _offer(view, shown, each)
    for each in short:
        further = seek(
            goal.fit, shown.levers, each.lever, wanted, flow, between=BOUNDS[each.lever], likely=likely,
            counted=goal.counted,
        )  # fmt: skip
        st.caption(plain(_short_words(view, each, further)))


def _slider(lever: str) -> tuple[float, float]:
    return SLIDERS[lever].least / 100, SLIDERS[lever].most / 100


def _stands(view: View, goal: Goal, wanted: float) -> None:
    """Say where the goal's period stands, and how far from the goal."""

    def money(amount: float) -> str:
        return said(amount, "money", view.currency)

    told = _("{span}: now {total}, to reach {goal}", span=goal.span, total=money(goal.stands), goal=money(wanted))
    if goal.stands < wanted:
        gap = money(wanted - goal.stands)
        to_quota = math.isfinite(goal.quota) and wanted == round(goal.quota)
        told += _("; {gap} short of the quota", gap=gap) if to_quota else _("; {gap} short", gap=gap)
    st.caption(plain(told))


def _short_words(view: View, found: Sought, further: Sought) -> str:
    """Say how far a lever gets at the end of its slider, and whether anything beyond it would do."""
    lever, end = _(NAMES[found.lever]), signed_rate(found.end)
    reached = said(found.reached, "money", view.currency)
    if further.value is not None:
        return _("{lever} alone does not: at {end} it comes to {reached}; it would take {value}.", lever=lever, end=end,
                 reached=reached, value=signed_rate(_rounded(further)))  # fmt: skip
    most = said(further.reached, "money", view.currency)
    return _("{lever}: no value reaches it; even at {end} it comes to {reached}.", lever=lever,
             end=signed_rate(further.end), reached=most)  # fmt: skip


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
