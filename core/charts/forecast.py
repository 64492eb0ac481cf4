"""History, base forecast with its band, and scenarios laid on it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import pandas as pd

from core.charts.bars import ranked_bars
from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.theme import (
    Look,
    Sizes,
    Unit,
    elide,
    look,
    nothing,
    plain,
    say,
    sizes,
    style,
    text_width,
    value_axis,
)
from core.charts.trend import short_months, tick_places
from core.i18n import _, format_date, format_month, language

MONTH_STEP_DAYS = 27
_TAIL = 4  # characters of a name's end: " (2)"


@dataclass(frozen=True, slots=True)
class _Line:
    """One named line. `key` goes into customdata after the day; `says` are the hover texts."""

    name: str
    key: str
    days: list[date]
    values: list[float]
    says: list[str]
    style: dict[str, object]
    named_at_end: bool = True

    def draw(self, figure: Figure) -> None:
        figure.add_scatter(
            x=self.days,
            y=self.values,
            name=plain(self.name),
            mode="lines" if len(self.days) > 1 else "lines+markers",
            line=self.style,
            customdata=[[day.isoformat(), self.key] for day in self.days],
            hovertext=self.says,
            hoverinfo="x+text",
            showlegend=not self.named_at_end,
        )


def _days(frame: pd.DataFrame) -> list[date]:
    return [stamp.date() for stamp in pd.to_datetime(frame["ds"])]


def _floats(frame: pd.DataFrame, name: str) -> list[float]:
    return [float(v) for v in frame[name]]


def _lines(
    history: pd.DataFrame,
    base: pd.DataFrame,
    quota: pd.DataFrame | None,
    scenarios: Mapping[str, pd.DataFrame],
    *,
    c: Look,
    unit: Unit,
    currency: str,
) -> list[_Line]:
    def said(name: str, values: list[float]) -> list[str]:
        return [f"{plain(name)} {say(v, unit, currency)}" for v in values]

    lines = []
    past, actual = _days(history), _floats(history, "y")
    if past:
        name = _("Actual")
        drawn = {"color": c.ink, "width": 2.2}
        lines.append(_Line(name, "history", past, actual, said(name, actual), drawn, False))
    if quota is not None and not quota.empty:
        name, owed = _("Quota"), _floats(quota, "y")
        drawn = {"color": c.muted, "width": 1.8, "dash": "dot", "shape": "hvh"}
        whole = base.empty or _days(quota)[-1] >= _days(base)[-1]
        lines.append(_Line(name, "quota", _days(quota), owed, said(name, owed), drawn, whole))
    if not base.empty:
        expected = _floats(base, "yhat")
        says = [
            _(
                "Base {amount} ({low} to {high})",
                amount=say(y, unit, currency),
                low=say(low, unit, currency),
                high=say(high, unit, currency),
            )
            for y, low, high in zip(expected, _floats(base, "lo"), _floats(base, "hi"), strict=True)
        ]
        drawn = {"color": c.forecast, "width": 2.8}
        lines.append(_Line(_("Base"), "base", _days(base), expected, says, drawn))
    spare = (c.scenario, *c.series[2:4], *c.series[5:])
    for number, (name, frame) in enumerate(scenarios.items()):
        if frame.empty:
            continue
        values = _floats(frame, "yhat")
        drawn = {"color": spare[number % len(spare)], "width": 2.4, "dash": "dash"}
        lines.append(_Line(name, name, _days(frame), values, said(name, values), drawn))
    return lines


def _draw_band(figure: Figure, base: pd.DataFrame, *, start: tuple[date, float] | None, c: Look) -> None:
    """Draw the band from the last actual value on, so that no gap stands between."""
    days, low, high = _days(base), _floats(base, "lo"), _floats(base, "hi")
    if start:
        days, low, high = [start[0], *days], [start[1], *low], [start[1], *high]
    figure.add_scatter(
        x=days + days[::-1],
        y=high + low[::-1],
        fill="toself",
        fillcolor=c.band,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name=_("80% band"),
        showlegend=True,
        customdata=[[day.isoformat(), "base"] for day in days + days[::-1]],
    )


def _spread(heights: list[float], least: float) -> list[float]:
    """Return the heights, moved apart so that neighbours differ by `least` or more."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    moved = list(heights)
    for below, above in pairwise(order):
        moved[above] = max(moved[above], moved[below] + least)
    return moved


def told_apart(names: list[str], columns: int) -> list[str]:
    """Return the names, cut at `columns`; those that would then read alike keep their ends too."""
    cut = [elide(name, columns) for name in names]
    kept = [name if len(name) <= _TAIL else elide(name, columns - _TAIL) + name[-_TAIL:] for name in names]
    return [kept[at] if cut.count(each) > 1 and each != names[at] else each for at, each in enumerate(cut)]


def _name_ends(figure: Figure, lines: list[_Line], *, at: date, least: float, s: Sizes) -> float:
    """Write each line's name beside its end; return the width in px that the names take."""
    heights = _spread([line.values[-1] for line in lines], least)
    names = told_apart([line.name for line in lines], 14)
    for line, name, height in zip(lines, names, heights, strict=True):
        figure.add_annotation(
            text=f"<b>{plain(name)}</b>",
            x=at,
            y=height,
            xanchor="left",
            xshift=5,
            showarrow=False,
            font={"size": s.tick, "color": line.style["color"]},
        )
    return max((text_width(name, s.tick) for name in names), default=0) * 1.1 + 12


def _mark_boundary(figure: Figure, day: date, words: str, *, c: Look, s: Sizes) -> None:
    line = {"color": c.muted, "width": 1, "dash": "dot"}
    figure.add_shape(type="line", x0=day, x1=day, y0=0, y1=1, yref="paper", line=line)
    figure.add_annotation(
        text=plain(words),
        x=day,
        y=1,
        yref="paper",
        yanchor="bottom",
        showarrow=False,
        font={"size": s.tick, "color": c.muted},
    )


@remembered
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
) -> Figure:
    """Return history, the base forecast with its 80 % band, scenarios and quota in one chart.

    history: ds date, y float. base: ds, yhat, lo, hi. scenarios: name -> ds, yhat. quota: ds, y.
    today: where the boundary stands; by default at the last day of history. Lines are named at
    their ends. customdata: the day in ISO form, then "history", "base", "quota" or the scenario.
    """
    title = title or _("Forecast")
    if history.empty and base.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    lines = _lines(history, base, quota, scenarios or {}, c=c, unit=unit, currency=currency)
    past = _days(history)
    everyday = sorted({*past, *_days(base)})
    start = (past[-1], float(history["y"].iloc[-1])) if past else None

    figure = Figure()
    if not base.empty:
        _draw_band(figure, base, start=start, c=c)
    for line in lines:
        line.draw(figure)
    if start and not base.empty:
        figure.add_scatter(
            x=[start[0], _days(base)[0]],
            y=[start[1], float(base["yhat"].iloc[0])],
            mode="lines",
            line={"color": c.forecast, "width": 2.8},
            hoverinfo="skip",
            showlegend=False,
            customdata=[[start[0].isoformat(), "history"], [_days(base)[0].isoformat(), "base"]],
        )
        _mark_boundary(figure, today or past[-1], _("Today") if today else _("Data end"), c=c, s=s)

    seen = [v for line in lines for v in line.values if not math.isnan(v)]
    if not base.empty:
        seen += [v for v in (*base["lo"], *base["hi"]) if not math.isnan(v)]
    axis = value_axis(unit, max(seen, default=0), min(seen, default=0), currency)
    plot_px = round(s.row * 10.5)
    least = (axis["range"][1] - axis["range"][0]) * (s.tick + 5) / plot_px
    right = _name_ends(figure, [x for x in lines if x.named_at_end], at=everyday[-1], least=least, s=s)

    monthly = all((b - a).days >= MONTH_STEP_DAYS for a, b in pairwise(everyday))
    patterns = ("%Y年%-m月", "%b %Y") if monthly else ("%Y年%-m月%-d日", "%b %-d, %Y")
    starts = [day for day in sorted({d.replace(day=1) for d in everyday}) if day >= everyday[0]]
    at, labels = short_months(starts, most=6 if large else 12)
    figure.update_layout(hovermode="x unified", margin={"r": round(right), "b": 4})
    figure.update_xaxes(
        type="date",
        range=[everyday[0], everyday[-1]],
        tickmode="array",
        tickvals=tick_places([starts[i] for i in at]),
        ticktext=labels,
        tickangle=0,
        hoverformat=patterns[0] if language() == "zh" else patterns[1],
        showgrid=False,
        showline=True,
        showspikes=True,
    )
    figure.update_yaxes(**axis)
    named = format_month if monthly else format_date
    return style(
        figure,
        title=title,
        subtitle=subtitle or _("{first} to {last}", first=named(everyday[0]), last=named(everyday[-1])),
        dark=dark,
        height=plot_px,
        large=large,
        headroom=s.tick + 12,
    )


@remembered
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
) -> Figure:
    """Return the totals of the scenarios as bars, the first being the base, the quota a line.

    frame: key, name str, value float. quota: the total owed in the same period. customdata: key.
    """
    title = title or _("Scenarios compared")
    c = look(dark=dark)
    frame = frame.assign(name=told_apart(list(frame["name"]), 30))
    return ranked_bars(
        frame.assign(compare=quota) if quota is not None and not frame.empty else frame,
        unit=unit,
        title=title,
        subtitle=subtitle,
        dark=dark,
        large=large,
        currency=currency,
        compare_name=_("Quota"),
        value_name=_("Total"),
        colours=[c.forecast] + [c.scenario] * (len(frame) - 1),
    )
