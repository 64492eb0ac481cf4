"""The cohort funnel. What the columns mean: docs/queries.md."""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from core.charts.figure import Figure
from core.charts.remembered import remembered
from core.charts.rows import lay_rows, row_px
from core.charts.theme import look, nothing, plain, say, sizes, style
from core.i18n import _, _n, format_number, format_rate


def number(value: Any) -> float:
    """Return a cell as a float, NaN where it holds nothing."""
    return math.nan if value is None or pd.isna(value) else float(value)


def _split(row: dict[Hashable, Any]) -> tuple[int, int, int]:
    """Return how many of a stage's deals went on, are still open and were lost there."""
    reached, still, lost = (int(row[k]) for k in ("reached", "still_open", "lost_here"))
    gone = reached - still - lost
    return (gone, still, lost) if gone >= 0 else (reached, 0, 0)


def _tip(row: dict[Hashable, Any], before: int | None, currency: str) -> str:
    lines = [
        f"<b>{plain(str(row['stage']))}</b>",
        _(
            "Reached: {n} · {amount}",
            n=format_number(row["reached"]),
            amount=say(number(row["value"]), "money", currency),
        ),
    ]
    if not math.isnan(number(row["rate_from_previous"])):
        lines += [
            _("{rate} of the stage before", rate=format_rate(row["rate_from_previous"])) + _between(row, "low", "high"),
            _("{rate} of all that entered", rate=format_rate(row["rate_from_start"]))
            + _between(row, "start_low", "start_high"),
        ]
    lines += [
        _("Still open here: {n}", n=format_number(row["still_open"])),
        _("Lost here: {n}", n=format_number(row["lost_here"])),
    ]
    if before is not None:
        lines.append(_("Previous period: {n}", n=format_number(before)))
    return "<br>".join(lines)


def _between(row: dict[Hashable, Any], low: str, high: str) -> str:
    """Return the 95 % interval that follows a rate, "" where the frame has none."""
    if math.isnan(number(row.get(low))):
        return ""
    return _(" (95% interval {low} to {high})", low=format_rate(row[low]), high=format_rate(row[high]))


@remembered
def cohort_funnel(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    previous: pd.DataFrame | None = None,
    currency: str = "CNY",
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return a bar a stage, split into went on, still open and lost here, with conversions.

    frame, in the order of the process: stage_key, stage str, reached int, value float in major
    units, rate_from_previous and rate_from_start float (NaN on the first stage), low, high,
    start_low, start_high (their intervals, optional), still_open and lost_here int: deals that got
    this far and no further. previous: stage_key, reached of the period before, drawn as a thin bar.
    customdata: stage_key, then "went_on", "still_open",
    "lost_here" or "previous".
    """
    title = title or _("How far the deals got")
    if frame.empty or int(frame["reached"].max()) == 0:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    rows = frame.to_dict("records")
    top = max(int(row["reached"]) for row in rows)
    before: dict[Any, int] = {}
    if previous is not None:
        before = {r["stage_key"]: int(r["reached"]) for r in previous.to_dict("records")}
        top = max([top, *before.values()])
    bar_px = round(s.bar * 1.5)
    pitch = row_px(s, bar_px=bar_px, note=True)

    parts = [_split(row) for row in rows]
    tips = [_tip(row, before.get(row["stage_key"]), currency) for row in rows]
    counts = []
    for row in rows:
        deals = _n("{n} deal", "{n} deals", int(row["reached"]))
        counts.append(f"<b>{deals}</b> · {say(number(row['value']), 'money', currency)}")
    figure = Figure()
    height = lay_rows(figure, [str(r["stage"]) for r in rows], counts, c=c, s=s, bar_px=bar_px, note=True)
    shared = {"orientation": "h", "hovertext": tips, "hoverinfo": "text"}
    places = list(range(len(rows)))
    figure.add_bar(
        x=[top] * len(rows),
        y=places,
        width=bar_px / pitch,
        orientation="h",
        marker={"color": c.track},
        showlegend=False,
        hoverinfo="skip",
        customdata=[[row["stage_key"], "went_on"] for row in rows],
    )
    start = [0] * len(rows)
    for place, (part, name, color) in enumerate(
        (
            ("went_on", _("Went on or won"), c.series[0]),
            ("still_open", _("Still open here"), c.open),
            ("lost_here", _("Lost here"), c.lost),
        )
    ):
        colors = [color] * len(rows)
        amounts = [split[place] for split in parts]
        if part == "went_on":
            colors[-1] = c.won
        figure.add_bar(
            x=amounts,
            y=places,
            base=start,
            width=bar_px / pitch,
            name=name,
            marker={"color": colors, "cornerradius": 2},
            customdata=[[row["stage_key"], part] for row in rows],
            **shared,
        )
        start = [a + b for a, b in zip(start, amounts, strict=True)]
    if before:
        figure.add_bar(
            x=[before.get(row["stage_key"], 0) for row in rows],
            y=[at + (bar_px / 2 + 3) / pitch for at in places],
            width=4 / pitch,
            name=_("Previous period"),
            marker={"color": c.previous, "cornerradius": 0},
            customdata=[[row["stage_key"], "previous"] for row in rows],
            **shared,
        )
    for at, row in enumerate(rows[1:], start=1):
        step, whole = number(row["rate_from_previous"]), number(row["rate_from_start"])
        if math.isnan(step):
            continue
        figure.add_annotation(
            text=_(
                "<b>{step}</b> of the stage before · {whole} of all",
                step=format_rate(step),
                whole=format_rate(whole),
            ),
            x=0,
            xref="paper",
            xanchor="left",
            y=at,
            yanchor="top",
            yshift=-(bar_px / 2 + (5 if before else 2)),
            showarrow=False,
            font={"size": s.tick, "color": c.muted},
        )
    figure.update_xaxes(range=[0, top])
    figure.update_layout(barmode="overlay")
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)
