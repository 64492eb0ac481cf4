"""Past forecasts drawn over what happened."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.theme import Unit, look, nothing, plain, say, sizes, style, value_axis
from core.charts.trend import short_months, tick_places
from core.i18n import _, format_date, format_month, language

MONTH_STEP_DAYS = 27


@remembered
def past_forecasts_chart(
    history: pd.DataFrame,
    past: pd.DataFrame,
    *,
    dark: bool,
    unit: Unit = "money",
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return what happened as one line, and each past forecast as a thinner line with a start mark.

    history: ds, y. past: origin (last step known), ds, forecast. customdata: the day in ISO form,
    then "history" or the origin's day.
    """
    title = title or _("Past forecasts over what happened")
    if history.empty or past.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    figure = Figure()
    days, values = _days(history, "ds"), [float(value) for value in history["y"]]
    known = dict(zip(days, values, strict=True))
    monthly = all((b - a).days >= MONTH_STEP_DAYS for a, b in pairwise(days))
    named = format_month if monthly else format_date
    figure.add_scatter(
        x=days, y=values, mode="lines", name=_("Actual"), line={"color": c.ink, "width": 2.4},
        hovertext=[f"{_('Actual')} {say(value, unit, currency)}" for value in values], hoverinfo="x+text",
        customdata=[[day.isoformat(), "history"] for day in days],
    )  # fmt: skip
    seen = list(values)
    for number, (origin, part) in enumerate(past.groupby("origin", sort=True)):
        made = pd.Timestamp(str(origin)).date()
        ahead, expected = _days(part, "ds"), [float(value) for value in part["forecast"]]
        seen += expected
        if made in known:
            ahead, expected = [made, *ahead], [known[made], *expected]
        told = _("Forecast after {period}", period=named(made))
        figure.add_scatter(
            x=ahead, y=expected, mode="lines+markers", name=_("Forecasts made then"), legendgroup="past",
            showlegend=number == 0, line={"color": c.forecast, "width": 1.8, "dash": "solid"}, opacity=0.85,
            marker={"size": [7] + [0.1] * (len(ahead) - 1), "color": c.forecast},
            hovertext=[plain(f"{told}: {say(value, unit, currency)}") for value in expected], hoverinfo="x+text",
            customdata=[[day.isoformat(), made.isoformat()] for day in ahead],
        )  # fmt: skip
    axis = value_axis(unit, max(seen, default=0), min(seen, default=0), currency)
    starts = [day for day in sorted({day.replace(day=1) for day in days}) if day >= days[0]]
    at, labels = short_months(starts, most=6 if large else 12)
    patterns = ("%Y年%-m月", "%b %Y") if monthly else ("%Y年%-m月%-d日", "%b %-d, %Y")
    figure.update_layout(hovermode="closest", margin={"b": 4})
    figure.update_xaxes(
        type="date", range=[days[0], days[-1]], tickmode="array", tickvals=tick_places([starts[i] for i in at]),
        ticktext=labels, tickangle=0, hoverformat=patterns[0] if language() == "zh" else patterns[1], showgrid=False,
        showline=True,
    )  # fmt: skip
    figure.update_yaxes(**axis)
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=round(s.row * 8), large=large)


def _days(frame: pd.DataFrame, column: str) -> list[date]:
    return [stamp.date() for stamp in pd.to_datetime(frame[column])]
