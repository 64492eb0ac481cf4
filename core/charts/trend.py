"""Booked value month by month."""

import math
from datetime import date, timedelta
from typing import Any

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.theme import look, money_axis, nothing, say, sizes, style
from core.i18n import N_, _, format_rate, language

MONTH_MS = 30.4 * 86_400_000  # plotly measures bars on a time axis in milliseconds
_MOST_CHINESE = 9
_QUOTA, _LAST_YEAR, _PLAN = N_("Quota {amount}"), N_("Last year {amount}"), N_("Plan {amount}")


def short_months(months: list[date], *, most: int = 12) -> tuple[list[int], list[str]]:
    """Return positions and texts of at most `most` labels, with the year where it turns.

    In Chinese of at most nine: ten to twelve would run into each other on a phone.
    """
    if language() == "zh":
        most = min(most, _MOST_CHINESE)
    step = max(1, math.ceil(len(months) / most))
    step = next((s for s in (1, 2, 3, 6, 12) if s >= step), 12)
    at = [i for i, m in enumerate(months) if (m.month - 1) % step == 0]
    if not at and months:
        at = [0]
    texts, year = [], None
    for i in at:
        month = months[i]
        text = f"{month.month}月" if language() == "zh" else f"{month:%b}"
        if month.year != year:
            turns_soon = step < 6 and any(  # two years side by side would run together
                months[j].year != month.year for j in at if i < j <= i + 2 * step
            )
            text += "" if turns_soon else f"<br>{month.year}"
            year = month.year
        texts.append(text)
    return at, texts


def tick_places(days: list[date]) -> list[str]:
    """Return where to label `days`: beside midnight, else the hover text takes the short label."""
    return [f"{day.isoformat()}T06:00" for day in days]


def month_axis(months: list[date], *, large: bool = False) -> dict[str, Any]:
    """Return a time axis over the first days of months, labelled and hovered in the reader's words."""
    at, labels = short_months(months, most=6 if large else 12)
    return {
        "type": "date",
        "range": [months[0] - timedelta(days=17), months[-1] + timedelta(days=17)],
        "hoverformat": "%Y年%-m月" if language() == "zh" else "%b %Y",
        "tickmode": "array",
        "tickvals": tick_places([months[i] for i in at]),
        "ticktext": labels,
        "tickangle": 0,
        "showgrid": False,
        "showline": True,
    }


def _days(column: "pd.Series[pd.Timestamp]") -> list[date]:
    return [stamp.date() for stamp in pd.to_datetime(column)]


def _floats(frame: pd.DataFrame, name: str) -> list[float]:
    if name not in frame:
        return [math.nan] * len(frame)
    return [math.nan if v is None else float(v) for v in frame[name]]


@remembered
def booked_by_month(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return bars of booked value, last year's line and a mark for each month's quota.

    frame, a row per month in order: month date; booked float, major units; previous, quota and plan
    float, NaN where there is none; won int, optional, for the hover text. customdata: the first day in
    ISO form of the month whose deals a mark counts; none on quota and plan, which count no deals.
    """
    title = title or _("Booked by month")
    booked, previous, quota, plan = (_floats(frame, n) for n in ("booked", "previous", "quota", "plan"))
    seen = [v for v in (*booked, *previous, *quota, *plan) if not math.isnan(v)]
    if not any(seen):
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    months = [day.replace(day=1) for day in _days(frame["month"])]
    days = [m.isoformat() for m in months]
    keys = [[day] for day in days]
    won = _floats(frame, "won")
    axis = money_axis(max(seen, default=0), min(seen, default=0), currency)

    quotas, earlier, plans = (
        [_(text, amount=say(value, "money", currency)) for value in values]
        for text, values in ((_QUOTA, quota), (_LAST_YEAR, previous), (_PLAN, plan))
    )
    texts = []
    for i, (value, goal, count) in enumerate(zip(booked, quota, won, strict=True)):
        text = _("Booked {amount}", amount=say(value, "money", currency))
        if not math.isnan(count):
            text += " · " + _("{n} won", n=say(count, "count"))
        if goal > 0 and not math.isnan(value):
            text += " · " + _("attainment {rate}", rate=format_rate(value / goal))
        beside = ((quota, quotas), (previous, earlier), (plan, plans))
        texts.append("<br>".join([text, *(said[i] for values, said in beside if not math.isnan(values[i]))]))
    figure = Figure()
    figure.add_bar(
        x=days,
        y=booked,
        name=_("Booked"),
        width=0.62 * MONTH_MS,
        marker={"color": c.series[0]},
        customdata=keys,
        hovertext=texts,
        hoverinfo="x+text",
    )
    if not all(map(math.isnan, quota)):
        thin = axis["range"][1] * 0.009
        owed = [i for i, goal in enumerate(quota) if not math.isnan(goal)]
        figure.add_bar(
            x=[days[i] for i in owed],
            y=[thin] * len(owed),
            base=[quota[i] - thin / 2 for i in owed],
            name=_("Quota"),
            width=0.86 * MONTH_MS,
            offset=-0.43 * MONTH_MS + 1,  # a millisecond aside: the bars of one middle are rounded by which is longest
            marker={"color": c.quota, "cornerradius": 0},
            hovertext=[quotas[i] for i in owed],
            hoverinfo="x+text",
            showlegend=False,
        )
        dash = {"symbol": "line-ew", "line": {"width": 2.5, "color": c.quota}}  # a bar's sign in the legend is a square
        figure.add_scatter(x=[None], y=[None], name=_("Quota"), mode="markers", marker=dash, hoverinfo="skip")
    if not all(map(math.isnan, previous)):
        figure.add_scatter(
            x=days,
            y=previous,
            name=_("A year earlier"),
            mode="lines+markers",
            line={"color": c.series[1], "width": 2.2},
            marker={"size": 5, "color": c.series[1]},
            customdata=[[m.replace(year=m.year - 1).isoformat()] for m in months],
            hovertext=earlier,
            hoverinfo="x+text",
        )
    if not all(map(math.isnan, plan)):
        figure.add_scatter(
            x=days,
            y=plan,
            name=_("Plan"),
            mode="lines+markers",
            line={"color": c.series[2], "width": 2.2, "dash": "dot"},
            marker={"size": 6, "color": c.series[2], "symbol": "diamond"},
            hovertext=plans,
            hoverinfo="x+text",
        )
    at, labels = short_months(months, most=6 if large else 12)
    figure.update_layout(barmode="overlay", hovermode="closest", margin={"b": 4})
    figure.update_xaxes(
        type="date",
        range=[months[0] - timedelta(days=17), months[-1] + timedelta(days=17)],
        hoverformat="%Y年%-m月" if language() == "zh" else "%b %Y",
        tickmode="array",
        tickvals=tick_places([months[i] for i in at]),
        ticktext=labels,
        tickangle=0,
        showgrid=False,
        showline=True,
    )
    figure.update_yaxes(**axis)
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=s.row * 9, large=large)
