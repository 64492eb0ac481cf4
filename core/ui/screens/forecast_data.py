"""What was found in the series that is forecast, and which of its outliers are left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from core.i18n import _, format_date, format_month, format_number
from core.ui.page import plain
from core.ui.screens.forecast_controls import seeded
from core.ui.screens.forecast_fit import series_of
from core.ui.screens.forecast_state import MOST_MASKED

if TYPE_CHECKING:
    from datetime import date

    from core.forecasting.series import Issue, PreparedSeries
    from core.forecasting.steps import Frequency
    from core.ui.page import View
    from core.ui.screens.forecast_state import Shown


def choose_data(view: View, shown: Shown) -> tuple[Shown, PreparedSeries]:
    """Show what was found in the series, with a tick for each outlier; return the page and the series as ticked.

    Nothing is left out unasked. A share link shows the series as its maker ticked it.
    """
    whole = series_of(view, replace(shown, masked=()))
    if view.query is not None:
        return shown, series_of(view, shown) if shown.masked else whole
    offered = whole.days_of("outlier")[:MOST_MASKED]
    others = [issue for issue in whole.issues if issue.code != "outlier"]
    warned = len(offered) + sum(issue.severity == "warning" for issue in others)
    if {issue.code for issue in whole.issues} <= {"empty"}:
        return replace(shown, masked=()), whole
    label = _("The data: {n} to check", n=warned) if warned else _("The data")
    icon = ":material/fact_check:" if warned else ":material/check:"
    with st.popover(label, icon=icon, type="tertiary", key="forecast-data"):
        ticked = tuple(day for day in offered if _ticked(shown, whole, day))
        for issue in others:
            st.markdown(f"{_mark(issue)} {plain(_told(issue))}")
    shown = replace(shown, masked=ticked)
    return shown, series_of(view, shown) if ticked else whole


def _ticked(shown: Shown, whole: PreparedSeries, day: date) -> bool:
    """Offer to leave one outlier out; return whether it is to be."""
    points = whole.points.set_index("ds")["y"]
    value = format_number(float(points[points.index == day.isoformat()].iloc[0]))
    usual = format_number(float(points.median()))
    step = period_words(day, shown.frequency)
    return st.checkbox(
        plain(_("Leave {period} out: {value}, where {usual} is usual", period=step, value=value, usual=usual)),
        key=seeded(f"mask-{'-'.join((*shown.series, day.isoformat()))}", day in shown.masked),
        help=_("Then this period counts as those around it do. It is kept with the scenario and in the address."),
    )


def period_words(day: date, frequency: Frequency) -> str:
    """Return what a step is called by its first day."""
    if frequency == "month":
        return format_month(day)
    return _("the week from {day}", day=format_date(day)) if frequency == "week" else format_date(day)


def _mark(issue: Issue) -> str:
    return ":material/warning:" if issue.severity == "warning" else ":material/info:"


def _told(issue: Issue) -> str:
    """Return an issue with the days that it is about, where its sentence names fewer."""
    if len(issue.dates) < 2:
        return str(issue)
    more = ["…"] if int(issue.sentence.values.get("count", 0)) > len(issue.dates) else []
    return f"{issue} ({', '.join([*map(format_date, issue.dates), *more])})"
