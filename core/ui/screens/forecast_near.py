"""The month and the quarter under way: where the one forecast lands them, and what carries it."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd
import streamlit as st

from core.charts.forecast_landing import landing_chart
from core.domain.periods import Period, add_months
from core.forecasting.scenario_totals import compare, landed
from core.forecasting.steps import ends, overlap_share
from core.i18n import _, format_chance, format_month, format_quarter, format_rate
from core.queries.near_term import carrying_deals
from core.reports.tables import Column
from core.ui.cards import said
from core.ui.drill import chart
from core.ui.page import plain
from core.ui.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.forecasting.levers import Levers
    from core.forecasting.near_term import NearTerm
    from core.forecasting.result import Fit
    from core.forecasting.scenario_totals import Booked
    from core.ui.page import View
    from core.ui.screens.forecast_fit import Forecast
    from core.ui.screens.forecast_state import Shown

SHOWN = 10
LOPSIDED = 0.2
"""How far off its band's middle, as a share of half the band, a forecast may lie and be told as ± half of it."""
TOLD = ("total", "lo", "hi", "quota", "chance")


@dataclass(frozen=True)
class Ending:
    """A period under way: where it lands (80 % band), of what, and what it owes (NaN: unknown).

    booked: until yesterday; from_open: by deals open now; new: the rest. before: where it was to land a week ago.
    """

    key: str
    name: str
    total: float
    lo: float
    hi: float
    quota: float
    chance: float
    booked: float
    from_open: float
    before: float
    weighted: float

    @property
    def new(self) -> float:
        """What is to come from deals that are not open yet."""
        return self.total - self.booked - self.from_open


def endings_of(view: View, forecast: Forecast) -> list[Ending]:
    """Return the month and the quarter under way, read off the one forecast; none that it does not reach the end of."""
    whole, made = forecast.whole, []
    on = max(view.today, whole.future[0].date()) if whole.near is not None else whole.future[0].date()
    last = ends(whole.future[-1:], whole.frequency)[0].date()
    month = on.replace(day=1)
    quarter = view.calendar.quarter_of(on)
    for key, period, name in (
        ("month", Period(month, add_months(month, 1)), format_month(month)),
        ("quarter", view.calendar.quarter(*quarter), format_quarter(*quarter)),
    ):
        if period.end > last:
            continue
        row = _row(view, forecast, whole, period, key, booked=forecast.booked)
        if row is None:
            continue
        then = forecast.week_ago
        reached = then is not None and period.end <= ends(then.future[-1:], then.frequency)[0].date()
        before = None
        if then is not None and reached:
            before = _row(view, forecast, then, period, key, booked=forecast.booked_then)
        booked, opened = _parts(whole, period, forecast.booked)
        weighted = math.nan
        if forecast.near is not None and whole.near is not None:
            weighted = booked + forecast.near.weighted_over((period.end - view.today).days)
        made.append(
            Ending(
                key, name, row["total"], row["lo"], row["hi"], row["quota"], row["chance"], booked, opened,
                math.nan if before is None else before["total"], weighted,
            )
        )  # fmt: skip
    return made


def _row(
    view: View, forecast: Forecast, fit: Fit, period: Period, key: str, *, booked: Booked
) -> dict[str, float] | None:
    """The forecast's total of a period, as the table of totals has it."""
    frame = compare(
        fit, {}, by="month" if key == "month" else "quarter", quota=forecast.owed,
        year_starts_in=view.calendar.first_month, booked=booked,
    )  # fmt: skip
    found = frame[frame["starts_on"] == pd.Timestamp(period.start)]
    return (
        None if found.empty else {name: float(found[name].iloc[0]) for name in ("total", "lo", "hi", "quota", "chance")}
    )


def changed_ending(view: View, forecast: Forecast, levers: Levers) -> tuple[float, float] | None:
    """Return where the quarter under way, else the month, lands with `levers`, and its chance to reach the quota."""
    name = "moved"
    by: Literal["month", "quarter"] = "quarter" if len(endings_of(view, forecast)) > 1 else "month"
    frame = compare(
        forecast.whole, {name: levers}, by=by, quota=forecast.owed, year_starts_in=view.calendar.first_month,
        flow=forecast.flow, booked=forecast.booked,
    )  # fmt: skip
    moved = frame[frame["scenario"] == name]
    return None if moved.empty else (float(moved["total"].iloc[0]), float(moved["chance"].iloc[0]))


def _parts(fit: Fit, period: Period, booked: Booked) -> tuple[float, float]:
    """What of a period is booked, and what of the rest comes from deals open now."""
    shares = overlap_share(fit.steps, ends(fit.steps, fit.frequency), period.start, period.end)
    landed_so_far = landed(fit, booked, period.start, period.end)
    if fit.near is None:
        return landed_so_far, 0.0
    return landed_so_far, float(shares[len(fit.y) :] @ fit.near.from_open)


def ending_words(view: View, ending: Ending) -> str:
    """Return the sentence that a leader reads."""
    total, low, high = (said(each, "money", view.currency) for each in (ending.total, ending.lo, ending.hi))
    half = (ending.hi - ending.lo) / 2
    if abs((ending.hi + ending.lo) / 2 - ending.total) > LOPSIDED * half:
        told = _("{period} lands at {total} (between {low} and {high}, 80%)", period=ending.name, total=total, low=low,
                 high=high)  # fmt: skip
    else:
        told = _("{period} lands at {total} ± {half}", period=ending.name, total=total,
                 half=said(half, "money", view.currency))  # fmt: skip
    if math.isnan(ending.chance):
        return told
    return told + _("; {chance} likely to reach the quota", chance=format_chance(ending.chance))


def ending_cards(view: View, endings: list[Ending], near: NearTerm | None) -> None:
    """Draw a card a period, and one of how past forecasts by the open deals fared."""
    for ending in endings:
        _card(view, ending)
    if near is not None:
        _trust_card(near)


def near(view: View, shown: Shown, forecast: Forecast, endings: list[Ending]) -> None:
    """Draw what the forecast of the month and the quarter consists of; nothing where nothing is known."""
    if not endings:
        return
    st.subheader(_("What carries it"), anchor=False)
    frame = pd.DataFrame(
        [[e.name, e.booked, e.from_open, e.new, e.quota] for e in endings],
        columns=["name", "booked", "open", "new", "quota"],
    )
    title = _("What month and quarter consist of")
    figure = landing_chart(frame, dark=view.dark, large=view.large, currency=view.currency, title=title)
    chart(view, figure, key="forecast-landing", alt=title)
    if forecast.near is not None:
        st.caption(plain(part_words(forecast.near)))
        if view.query is None:
            with _unfrozen(view):
                _carriers(view, shown, counted=forecast.near.helps)


@contextmanager
def _unfrozen(view: View) -> Iterator[None]:
    """Keep what is asked meanwhile out of frozen links: they have no such section, and it names deals."""
    before = set(view.answers)
    yield
    for name in set(view.answers) - before:
        del view.answers[name]


def part_words(found: NearTerm) -> str:
    """Return what part the open deals have in the forecast, and why."""
    with_, without = format_rate(found.off("pipeline"), 0), format_rate(found.off("series"), 0)
    if not found.helps:
        return _("The open deals are left out: with them, past weeks would have been off by {with_}, by the bookings "
                 "alone {without}.", with_=with_, without=without)  # fmt: skip
    return _("Open deals by stage and age, new ones by their usual share, weighed by how past days fared: with the "
             "deals single weeks were off by {with_}, by the bookings alone {without}.",
             with_=with_, without=without)  # fmt: skip


def _card(view: View, ending: Ending) -> None:
    def money(value: float) -> str:
        return said(value, "money", view.currency)

    with st.container(border=True, gap="xxsmall", height="stretch", key=f"card-near-{ending.key}"):
        delta = None
        if not math.isnan(ending.before):
            delta = _signed(view, ending.total - ending.before)
        st.metric(
            _("{period}, expected", period=ending.name), money(ending.total), delta=delta,
            delta_description=None if delta is None else _("since last week"),
            help=_("Booked until yesterday, and what is expected until the end."),
        )  # fmt: skip
        st.caption(plain(_("80%: {low} to {high}", low=money(ending.lo), high=money(ending.hi))))
        if not math.isnan(ending.quota):
            gap = _signed(view, ending.total - ending.quota)
            st.caption(plain(_("{gap} against the quota of {quota}", gap=gap, quota=money(ending.quota))))
            if ending.key == "month":
                st.caption(plain(_("{chance} chance to reach it", chance=format_chance(ending.chance))))
        if not math.isnan(ending.weighted):
            st.caption(plain(_("By the weighted pipeline {amount}", amount=money(ending.weighted))))


def _trust_card(found: NearTerm) -> None:
    with st.container(border=True, gap="xxsmall", height="stretch", key="card-near-trust"):
        st.metric(
            _("Four weeks ahead, off by"), format_rate(found.total_off("forecast", 4)),
            help=_("The error of past totals of four weeks, each made with what was known on its day."),
        )  # fmt: skip
        weighted, series = format_rate(found.total_off("weighted", 4)), format_rate(found.total_off("series", 4))
        st.caption(plain(_("Weighted pipeline {weighted}, bookings alone {series}", weighted=weighted, series=series)))
        single, crm = format_rate(found.off("forecast")), format_rate(found.off("weighted"))
        st.caption(plain(_("Single weeks {single}, weighted pipeline {crm}", single=single, crm=crm)))


def _signed(view: View, amount: float) -> str:
    return ("+" if amount >= 0 else "") + said(amount, "money", view.currency)


def _carriers(view: View, shown: Shown, *, counted: bool) -> None:
    top = view.ask(carrying_deals, dimension=shown.dimension, key=shown.key, count=SHOWN)  # type: ignore[arg-type]
    if top.empty:
        return
    title = _("Open deals that carry it") if counted else _("Open deals, left out of the forecast")
    with st.expander(title, icon=":material/handshake:"):
        if not counted:
            st.caption(_("None of this is in the forecast: it is what each would bring by its stage and age alone."))
        columns = [
            Column("name", _("Deal"), width="large"),
            Column("value", _("Value"), "money", currency=view.currency),
            Column("age", _("Days in stage"), "count"),
            Column("chance", _("Won within 13 weeks"), "chance"),
            Column("brings", _("Brings"), "estimate", currency=view.currency),
        ]
        table(view, top, columns, name="forecast-carriers", opens="deal", id_column="deal")
