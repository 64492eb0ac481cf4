"""A figure week by week, in the range that was to be expected. Columns: docs/queries.md."""

import math
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.theme import look, nothing, say, sizes, style, value_axis
from core.charts.trend import month_axis
from core.i18n import _, format_date


@remembered
def expected_weeks(
    frame: pd.DataFrame, *, unit: Literal["money", "count", "rate"], title: str, dark: bool, large: bool = False,
    currency: str = "CNY",
) -> Figure:  # fmt: skip
    """Return a line of weeks in the band of what was to be expected; weeks outside it are marked.

    frame, weeks in order: week date (Monday); value, low, high float (NaN: none); unusual bool. customdata: the Monday
    in ISO form.
    """
    kept = frame[frame["value"].notna()]
    if kept.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    figure = Figure()
    banded = kept[kept["low"].notna()]
    days, low, high = list(banded["week"]), list(banded["low"]), list(banded["high"])
    if days:
        figure.add_scatter(
            x=days + days[::-1], y=high + low[::-1], fill="toself", fillcolor=c.band, line={"width": 0}, mode="lines",
            hoverinfo="skip", name=_("To be expected"), showlegend=True,
            customdata=[[day.isoformat()] for day in days + days[::-1]],
        )  # fmt: skip
    weeks, values = list(kept["week"]), list(kept["value"])
    colors = [c.lost if odd else c.ink for odd in kept["unusual"]]
    figure.add_scatter(
        x=weeks, y=values, mode="lines+markers", name=title, showlegend=False,
        line={"color": c.ink, "width": 1.8},
        marker={"color": colors, "size": [11 if odd else 6 for odd in kept["unusual"]]},
        customdata=[[day.isoformat()] for day in weeks],
        hovertext=[_tip(row, unit, currency) for row in kept.to_dict("records")], hoverinfo="text",
    )  # fmt: skip
    figure.update_layout(margin={"b": 4}, showlegend=bool(days))
    figure.update_xaxes(**month_axis(_months(weeks[0], weeks[-1]), large=large))
    figure.update_xaxes(range=[weeks[0] - timedelta(days=5), weeks[-1] + timedelta(days=5)])
    figure.update_yaxes(**value_axis(unit, max([*values, *high]), 0, currency))
    return style(figure, title=title, dark=dark, height=s.row * 5, large=large)


def _months(first: date, last: date) -> list[date]:
    months, month = [], first.replace(day=1)
    while month <= last:
        months.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return months


def _tip(row: dict[Any, Any], unit: Literal["money", "count", "rate"], currency: str) -> str:
    value, low, high = (float(str(row[name])) for name in ("value", "low", "high"))
    week = row["week"]
    said = _("Week of {day}: {value}", day=format_date(week if isinstance(week, date) else None),
             value=say(value, unit, currency))  # fmt: skip
    if math.isnan(low):
        return said
    told = _("expected {low} to {high}", low=say(low, unit, currency), high=say(high, unit, currency))
    return f"{said}<br>{told}"
