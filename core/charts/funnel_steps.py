"""Each step's conversion, now against before, and month by month. What the columns mean: docs/queries.md."""

import math
from datetime import date

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, add_row_hits, lay_rows
from core.charts.theme import look, nice_ticks, nothing, plain, sizes, style, value_axis
from core.charts.trend import month_axis
from core.i18n import _, format_number, format_points, format_rate


def _verdict(row: dict[str, object]) -> str:
    if not row["is_change"]:
        return "unproven"
    return "fell" if float(row["difference"]) < 0 else "rose"  # type: ignore[arg-type]


@remembered
def step_differences(
    frame: pd.DataFrame, *, dark: bool, large: bool = False, now: str, before: str, beside: bool = False
) -> Figure:
    """Return each step's change of conversion with its 95 % interval around nought; proven ones coloured.

    frame, a row per step in order: stage_key, stage, next_stage str; entered, entered_before int; rate, rate_before,
    difference, low, high float; is_change bool. now, before: what the sides are called; `beside` each other they are
    groups of one period. customdata: stage_key.
    """
    title = _("Difference of conversion by step") if beside else _("Change of conversion, step by step")
    shown = frame[frame["difference"].notna()]
    if shown.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    rows: list[dict[str, object]] = [{str(k): v for k, v in row.items()} for row in shown.to_dict("records")]
    names = [f"{row['stage']} → {row['next_stage']}" for row in rows]
    figures = [
        f"{format_rate(row['rate_before'])} → <b>{format_rate(row['rate'])}</b>"  # type: ignore[arg-type]
        for row in rows
    ]
    tips = [
        "<br>".join((
            f"<b>{plain(name)}</b>",
            f"{plain(now)}: {format_rate(row['rate'])} · {format_number(row['entered'])}",  # type: ignore[arg-type]
            f"{plain(before)}: {format_rate(row['rate_before'])} · {format_number(row['entered_before'])}",  # type: ignore[arg-type]
            _("Difference {points} (95% interval {low} to {high})", points=format_points(row["difference"]),  # type: ignore[arg-type]
              low=format_points(row["low"]), high=format_points(row["high"])),  # type: ignore[arg-type]
        ))
        for name, row in zip(names, rows, strict=True)
    ]  # fmt: skip
    figure = Figure()
    height = lay_rows(figure, names, figures, c=c, s=s, columns=40)
    places = list(range(len(rows)))
    values = [float(row["difference"]) for row in rows]  # type: ignore[arg-type]
    lows, highs = ([float(row[name]) for row in rows] for name in ("low", "high"))  # type: ignore[arg-type]
    keys = [[row["stage_key"]] for row in rows]
    reach = max([0.05, *(abs(v) for v in (*lows, *highs) if not math.isnan(v))]) * 1.05
    spans = [high - low for low, high in zip(lows, highs, strict=True)]
    for verdict, said, colour in (
        ("fell", _("Lower") if beside else _("Fell"), c.lost), ("rose", _("Higher") if beside else _("Rose"), c.won),
        ("unproven", _("Not enough evidence"), c.previous),
    ):  # fmt: skip
        at = [place for place in places if _verdict(rows[place]) == verdict]
        if not at:
            continue
        add_row_bars(
            figure, spans, s=s, base=[lows[place] for place in at], color=colour, keys=keys, tips=tips, rows=at,
            bar_px=s.bar * 0.55, opacity=0.35,
        )  # fmt: skip
        figure.add_scatter(
            x=[values[place] for place in at], y=at, mode="markers", marker={"color": colour, "size": s.bar * 0.75},
            name=said, customdata=[keys[place] for place in at], hovertext=[tips[place] for place in at],
            hoverinfo="text",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": c.ink, "width": 1.2})
    figure.update_xaxes(range=[-reach, reach], showgrid=True, showticklabels=True, **_points(reach))
    add_row_hits(figure, keys, tips, c=c)
    figure.update_layout(margin={"b": s.tick + 12}, showlegend=True)
    below = _("In points, with the 95% interval; coloured where it is proven for so many steps at once.")
    return style(figure, title=title, subtitle=below, dark=dark, height=height, large=large)


def _points(reach: float) -> dict[str, object]:
    """Return the ticks of an axis from -`reach` to `reach`, in points."""
    ticks = [tick for tick in nice_ticks(reach, -reach) if abs(tick) <= reach]
    return {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [format_points(tick) if tick else "0" for tick in ticks],
    }


@remembered
def step_trend(frame: pd.DataFrame, *, dark: bool, large: bool = False, title: str | None = None) -> Figure:
    """Return each step's conversion by the month of arrival, a line a step.

    frame: month date; stage_key, stage, next_stage str; entered int; rate, low, high float. customdata: stage_key,
    the month's first day in ISO form.
    """
    title = title or _("Conversion by month of arrival")
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    months: list[date] = sorted({stamp.date() for stamp in pd.to_datetime(frame["month"])})
    figure = Figure()
    for place, (key, part) in enumerate(frame.groupby("stage_key", sort=False)):
        name = f"{part['stage'].iloc[0]} → {part['next_stage'].iloc[0]}"
        days = [stamp.date().isoformat() for stamp in pd.to_datetime(part["month"])]
        figure.add_scatter(
            x=days,
            y=part["rate"].to_list(),
            mode="lines+markers",
            name=plain(name),
            line={"color": c.series[place % len(c.series)], "width": 2.2},
            marker={"size": 6},
            cliponaxis=False,
            customdata=[[key, day] for day in days],
            hovertext=[
                _("{step}: {rate} of {n} (95% interval {low} to {high})", step=plain(name), rate=format_rate(r),
                  n=format_number(n), low=format_rate(low), high=format_rate(high))
                for r, n, low, high in zip(part["rate"], part["entered"], part["low"], part["high"], strict=True)
            ],
            hoverinfo="x+text",
        )  # fmt: skip
    figure.update_xaxes(**month_axis(months, large=large))
    figure.update_yaxes(**value_axis("rate", 1.0))
    figure.update_layout(margin={"b": 4})
    return style(figure, title=title, dark=dark, height=s.row * 9, large=large)
