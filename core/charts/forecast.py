"""History, base forecast with its band, and scenarios laid on it."""

import math
from collections.abc import Mapping
from datetime import date

import pandas as pd
import plotly.graph_objects as go

from core.charts.bars import ranked_bars
from core.charts.theme import (
    Unit, elide, look, nothing, plain, say, sizes, style, text_width, value_axis,
)  # fmt: skip
from core.charts.trend import short_months
from core.i18n import _, format_date, format_month, language

MONTH_STEP_DAYS = 27


def _days(frame: pd.DataFrame) -> list[date]:
    return [stamp.date() for stamp in pd.to_datetime(frame["ds"])]


def _spread(heights: list[float], least: float) -> list[float]:
    """Return the heights, moved apart so that neighbours differ by `least` or more."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for below, above in zip(order, order[1:], strict=False):
        moved[above] = max(moved[above], moved[below] + least)
    return moved


def forecast_chart(
    history: pd.DataFrame,
    base: pd.DataFrame,
    *,
    dark: bool,
    scenarios: Mapping[str, pd.DataFrame] | None = None,
    quota: pd.DataFrame | None = None,
    today: date | None = None,
    unit: Unit = "money",
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> go.Figure:
    """Return history, the base forecast with its 80 % band, scenarios and quota in one chart.

    history: ds date, y float. base: ds, yhat, lo, hi. scenarios: name -> ds, yhat. quota: ds, y.
    today: where the boundary stands; by default at the last day of history. Lines are named at
    their ends. customdata: the day in ISO form, then "history", "base", "quota" or the scenario.
    """
    title = title or _("Forecast")
    if history.empty and base.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark), sizes(large)
    figure = go.Figure()
    past, ahead = _days(history), _days(base)
    everyday = sorted({*past, *ahead})
    gaps = [(b - a).days for a, b in zip(everyday, everyday[1:], strict=False)]
    monthly = bool(gaps) and min(gaps) >= MONTH_STEP_DAYS
    named = format_month if monthly else format_date
    last_y = float(history["y"].iloc[-1]) if past else math.nan
    seen: list[float] = []
    ends: list[tuple[str, float, str]] = []

    def line(
        days: list[date], values: list[float], name: str, key: str, color: str, **look_of: object
    ) -> None:
        seen.extend(v for v in values if not math.isnan(v))
        figure.add_scatter(
            x=days,
            y=values,
            name=name,
            mode="lines+markers" if len(days) == 1 else "lines",
            line={"color": color, "width": 2.4, **look_of},
            customdata=[[day.isoformat(), key] for day in days],
            hovertext=[f"{name} {say(v, unit, currency)}" for v in values],
            hoverinfo="text",
            showlegend=False,
        )

    if ahead:
        join = [past[-1]] if past else []
        lo = [last_y] * len(join) + [float(v) for v in base["lo"]]
        hi = [last_y] * len(join) + [float(v) for v in base["hi"]]
        seen += [v for v in (*lo, *hi) if not math.isnan(v)]
        figure.add_scatter(
            x=join + ahead + (join + ahead)[::-1],
            y=hi + lo[::-1],
            fill="toself",
            fillcolor=c.band,
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            name=_("80% band"),
            showlegend=True,
        )
    if past:
        line(past, [float(v) for v in history["y"]], _("Actual"), "history", c.ink)
        figure.data[-1].showlegend = True
    if quota is not None and not quota.empty:
        owed = [float(v) for v in quota["y"]]
        line(_days(quota), owed, _("Quota"), "quota", c.muted, dash="dot", shape="hvh", width=1.8)
        ends.append((_("Quota"), owed[-1], c.muted))
    if ahead:
        expected = [float(v) for v in base["yhat"]]
        line(
            [*past[-1:], *ahead], [*([last_y] if past else []), *expected],
            _("Base"), "base", c.forecast, width=2.8,
        )  # fmt: skip
        ends.append((_("Base"), expected[-1], c.forecast))
        trace = figure.data[-1]
        trace.hovertext = [
            *([""] * len(past[-1:])),
            *(
                _(
                    "Base {amount} ({low} to {high})",
                    amount=say(y, unit, currency),
                    low=say(float(low), unit, currency),
                    high=say(float(high), unit, currency),
                )
                for y, low, high in zip(expected, base["lo"], base["hi"], strict=True)
            ),
        ]
    spare = (c.scenario, *c.series[2:4], *c.series[5:])
    for number, (name, frame) in enumerate((scenarios or {}).items()):
        if frame.empty:
            continue
        color = spare[number % len(spare)]
        values = [float(v) for v in frame["yhat"]]
        line(_days(frame), values, plain(name), name, color, dash="dash")
        ends.append((elide(name, 14), values[-1], color))

    plot_px = round(s.row * 10.5)
    axis = value_axis(unit, max(seen, default=0), min(seen, default=0), currency)
    low, high = axis["range"]
    heights = _spread([end[1] for end in ends], (high - low) * (s.tick + 5) / plot_px)
    final = everyday[-1]
    for (name, _value, color), height in zip(ends, heights, strict=True):
        figure.add_annotation(
            text=f"<b>{plain(name)}</b>",
            x=final,
            y=height,
            xanchor="left",
            xshift=6,
            showarrow=False,
            font={"size": s.tick, "color": color},
        )
    if past and ahead:
        boundary = today or past[-1]
        figure.add_shape(
            type="line", x0=boundary, x1=boundary, y0=0, y1=1, yref="paper",
            line={"color": c.muted, "width": 1, "dash": "dot"},
        )  # fmt: skip
        figure.add_annotation(
            text=_("Today"),
            x=boundary,
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            font={"size": s.tick, "color": c.muted},
        )
    starts = sorted({day.replace(day=1) for day in everyday})
    at, labels = short_months(starts)
    pattern = {True: ("%Y年%-m月", "%b %Y"), False: ("%Y年%-m月%-d日", "%b %-d, %Y")}[monthly]
    widest = max((text_width(end[0], s.tick) for end in ends), default=0)
    figure.update_layout(hovermode="x unified", margin={"r": round(widest * 1.1) + 14, "b": 4})
    figure.update_xaxes(
        type="date",
        range=[everyday[0], final],
        tickmode="array",
        tickvals=[starts[i] for i in at],
        ticktext=labels,
        tickangle=0,
        hoverformat=pattern[0] if language() == "zh" else pattern[1],
        showgrid=False,
        showline=True,
    )
    figure.update_yaxes(**axis)
    subtitle = subtitle or _("{first} to {last}", first=named(everyday[0]), last=named(final))
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=plot_px, large=large)


def scenario_totals(
    frame: pd.DataFrame,
    *,
    dark: bool,
    quota: float | None = None,
    unit: Unit = "money",
    large: bool = False,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> go.Figure:
    """Return the totals of the scenarios as bars, the first being the base, the quota a line.

    frame: key, name str, value float. quota: the total owed in the same period. customdata: key.
    """
    title = title or _("Scenarios compared")
    figure = ranked_bars(
        frame.assign(compare=quota) if quota is not None and not frame.empty else frame,
        unit=unit,
        title=title,
        subtitle=subtitle,
        dark=dark,
        large=large,
        currency=currency,
        compare_name=_("Quota"),
        value_name=_("Total"),
    )
    if not frame.empty:
        c = look(dark)
        figure.data[0].marker.color = [c.forecast] + [c.scenario] * (len(frame) - 1)
    return figure
