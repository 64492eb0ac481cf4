"""The cohort funnel, how long deals stay in each stage, and where they fall out.

What the columns mean: core/analytics/funnel.py.
"""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.charts.remembered import remembered
from core.charts.rows import lay_rows, row_px
from core.charts.theme import crosswise, elide, look, nothing, plain, say, sizes, style
from core.i18n import _, _n, format_days, format_number, format_rate

MOST_REASONS = 6


def _number(value: Any) -> float:
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
            amount=say(_number(row["value"]), "money", currency),
        ),
    ]
    if not math.isnan(_number(row["rate_from_previous"])):
        lines += [
            _("{rate} of the stage before", rate=format_rate(row["rate_from_previous"])),
            _("{rate} of all that entered", rate=format_rate(row["rate_from_start"])),
        ]
    lines += [
        _("Still open here: {n}", n=format_number(row["still_open"])),
        _("Lost here: {n}", n=format_number(row["lost_here"])),
    ]
    if before is not None:
        lines.append(_("Previous period: {n}", n=format_number(before)))
    return "<br>".join(lines)


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
) -> go.Figure:
    """Return a bar a stage, split into went on, still open and lost here, with conversions.

    frame, in the order of the process: stage_key, stage str, reached int, value float in major
    units, rate_from_previous and rate_from_start float (NaN on the first stage), still_open and
    lost_here int: deals that got this far and no further. previous: stage_key, reached of the
    period before, drawn as a thin bar. customdata: stage_key, then "went_on", "still_open",
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
        counts.append(f"<b>{deals}</b> · {say(_number(row['value']), 'money', currency)}")
    figure = go.Figure()
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
    for number, (part, name, color) in enumerate(
        (
            ("went_on", _("Went on or won"), c.series[0]),
            ("still_open", _("Still open here"), c.open),
            ("lost_here", _("Lost here"), c.lost),
        )
    ):
        colors = [color] * len(rows)
        amounts = [split[number] for split in parts]
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
        step, whole = _number(row["rate_from_previous"]), _number(row["rate_from_start"])
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


@remembered
def time_in_stage(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    title: str | None = None,
    subtitle: str | None = None,
) -> go.Figure:
    """Return the median stay as a bar, the 90th percentile as a whisker, the expected as a tick.

    frame: stage_key, stage str, median_days, p90_days, expected_days float, NaN where unknown.
    customdata: stage_key.
    """
    title = title or _("Days in each stage")
    if frame.empty or bool(frame["median_days"].isna().all()):
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    median, p90, expected = ([_number(v) for v in frame[name]] for name in ("median_days", "p90_days", "expected_days"))
    keys = [[key] for key in frame["stage_key"]]
    figures = [
        _("<b>{median}</b> · 9 in 10: {p90}", median=format_days(m), p90=format_days(p))
        for m, p in zip(median, p90, strict=True)
    ]
    tips = [
        "<br>".join(
            (
                f"<b>{plain(str(stage))}</b>",
                _("Median: {days}", days=format_days(m)),
                _("90th percentile: {days}", days=format_days(p)),
                _("Expected: {days}", days=format_days(e)),
            )
        )
        for stage, m, p, e in zip(frame["stage"], median, p90, expected, strict=True)
    ]
    figure = go.Figure()
    height = lay_rows(figure, [str(x) for x in frame["stage"]], figures, c=c, s=s)
    places = list(range(len(frame)))
    shared = {"customdata": keys, "hovertext": tips, "hoverinfo": "text", "y": places}
    figure.add_bar(
        x=p90,
        orientation="h",
        width=5 / row_px(s),
        name=_("9 in 10"),
        marker={"color": c.previous, "cornerradius": 0},
        **shared,
    )
    late = [m > e for m, e in zip(median, expected, strict=True)]
    for name, color, wanted in (
        (_("Median"), c.series[0], False),
        (_("Above expected"), c.scenario, True),
    ):
        if wanted not in late:
            continue
        at = [i for i in places if late[i] is wanted]
        figure.add_bar(
            x=[median[i] for i in at],
            y=at,
            orientation="h",
            width=s.bar / row_px(s),
            name=name,
            marker={"color": color},
            customdata=[keys[i] for i in at],
            hovertext=[tips[i] for i in at],
            hoverinfo="text",
        )
    figure.add_scatter(
        x=p90,
        mode="markers",
        showlegend=False,
        marker={
            "symbol": "line-ns",
            "size": crosswise(s.bar * 0.7),
            "line": {"width": 2, "color": c.previous},
        },
        **shared,
    )
    figure.add_scatter(
        x=expected,
        mode="markers",
        name=_("Expected"),
        marker={"symbol": "line-ns", "size": crosswise(s.bar + 6), "line": {"width": 2.5, "color": c.quota}},
        **shared,
    )
    figure.update_xaxes(range=[0, max(v for v in (*median, *p90, *expected) if v > 0) * 1.02])
    figure.update_layout(barmode="overlay")
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)


@remembered
def lost_by_stage(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    title: str | None = None,
    subtitle: str | None = None,
) -> go.Figure:
    """Return the lost deals of each stage, stacked by reason; rare reasons are put together.

    frame, stages in order: stage_key, stage str, reason str, count int. customdata: stage_key,
    reason, "" standing for all the reasons that have no colour of their own.
    """
    title = title or _("Where deals were lost, and why")
    if frame.empty or int(frame["count"].sum()) == 0:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    stages = frame.drop_duplicates("stage_key")
    place = {key: at for at, key in enumerate(stages["stage_key"])}
    totals = frame.groupby("reason", sort=False)["count"].sum().sort_values(ascending=False)
    named = [str(reason) for reason in totals.index[:MOST_REASONS]]
    by_stage = dict.fromkeys(place, 0)
    table: dict[str, dict[Any, int]] = {}
    for row in frame.to_dict("records"):
        reason = row["reason"] if row["reason"] in named else ""
        cell = table.setdefault(reason, dict.fromkeys(place, 0))
        cell[row["stage_key"]] += int(row["count"])
        by_stage[row["stage_key"]] += int(row["count"])
    figure = go.Figure()
    height = lay_rows(
        figure,
        [str(name) for name in stages["stage"]],
        [_("<b>{n}</b> lost", n=format_number(by_stage[key])) for key in place],
        c=c,
        s=s,
    )
    start = [0] * len(place)
    for number, reason in enumerate([*named, ""]):
        if reason not in table:
            continue
        name = reason or _("Other reasons")
        counts = list(table[reason].values())
        figure.add_bar(
            x=counts,
            y=list(place.values()),
            base=start,
            orientation="h",
            width=s.bar / row_px(s),
            name=plain(elide(name, 22)),
            marker={
                "color": c.series[number] if reason else c.previous,
                "cornerradius": 0,
            },
            customdata=[[key, reason] for key in place],
            hovertext=[
                _(
                    "<b>{stage}</b><br>{reason}: {n} ({share})",
                    stage=plain(str(stage)),
                    reason=plain(name),
                    n=format_number(count),
                    share=format_rate(count / by_stage[key] if by_stage[key] else None, 0),
                )
                for stage, key, count in zip(stages["stage"], place, counts, strict=True)
            ],
            hoverinfo="text",
        )
        start = [a + b for a, b in zip(start, counts, strict=True)]
    figure.update_xaxes(range=[0, max(start) or 1])
    figure.update_layout(barmode="overlay")
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)
