"""How long deals stay in each stage. What the columns mean: docs/queries.md."""

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd

from core.charts.figure import Figure
from core.charts.funnel import number
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, add_row_hits, add_row_ticks, lay_rows
from core.charts.theme import look, nothing, plain, sizes, style, value_axis
from core.i18n import _, format_days, format_rate


def _reached(days: float, known: bool) -> str:
    return _("not reached yet") if known and math.isnan(days) else format_days(days)


def _told(median: float, p90: float, *, known: bool) -> str:
    if known and math.isnan(median):
        return "<b>" + _("not reached yet") + "</b>"
    if known and math.isnan(p90):
        return _("<b>{median}</b> · 9 in 10: not reached yet", median=format_days(median))
    if math.isnan(median):
        return format_days(median)
    return _("<b>{median}</b> · 9 in 10: {p90}", median=format_days(median), p90=format_days(p90))


def _ended(row: dict[Hashable, Any]) -> list[str]:
    if "ended_median_days" not in row:
        return []
    median, p90 = format_days(number(row["ended_median_days"])), format_days(number(row["ended_p90_days"]))
    return [_("Of the stays that ended: {median}, 9 in 10: {p90}", median=median, p90=p90)]


@remembered
def time_in_stage(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    title: str | None = None,
    subtitle: str | None = None,
) -> Figure:
    """Return the median stay as a bar, the 90th percentile as a whisker, the expected as a tick.

    frame: stage_key, stage str, median_days, p90_days, expected_days float, NaN where unknown; optionally stays int:
    where there are some and a figure is NaN, it is not reached yet; and ended_median_days, ended_p90_days float: of
    the stays that ended alone, for the hover text. customdata: stage_key.
    """
    title = title or _("Days in each stage")
    some = [bool(n) for n in frame["stays"]] if "stays" in frame else [False] * len(frame)
    if frame.empty or (not any(some) and bool(frame["median_days"].isna().all())):
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    median, p90, expected = ([number(v) for v in frame[name]] for name in ("median_days", "p90_days", "expected_days"))
    keys = [[key] for key in frame["stage_key"]]
    said = [(_reached(m, known), _reached(p, known)) for m, p, known in zip(median, p90, some, strict=True)]
    figures = [_told(m, p, known=known) for m, p, known in zip(median, p90, some, strict=True)]
    ended = [_ended(row) for row in frame.to_dict("records")]
    tips = [
        "<br>".join(
            (
                f"<b>{plain(str(stage))}</b>",
                _("Median: {days}", days=m),
                _("90th percentile: {days}", days=p),
                *own,
                _("Expected: {days}", days=format_days(e)),
            )
        )
        for stage, (m, p), own, e in zip(frame["stage"], said, ended, expected, strict=True)
    ]
    figure = Figure()
    height = lay_rows(figure, [str(x) for x in frame["stage"]], figures, c=c, s=s)
    places = list(range(len(frame)))
    add_row_bars(figure, p90, s=s, color=c.previous, keys=keys, tips=tips, name=_("9 in 10"), bar_px=5, square=True)
    late = [m > e for m, e in zip(median, expected, strict=True)]
    for name, color, wanted in (
        (_("Median"), c.series[0], False),
        (_("Above expected"), c.scenario, True),
    ):
        at = [i for i in places if late[i] is wanted]
        if at:
            add_row_bars(figure, median, s=s, color=color, keys=keys, tips=tips, name=name, rows=at)
    add_row_ticks(figure, p90, s=s, color=c.previous, keys=keys, tips=tips, high_px=s.bar * 0.7, thick=2)
    add_row_ticks(figure, expected, s=s, color=c.quota, keys=keys, tips=tips, name=_("Expected"))
    figure.update_xaxes(range=[0, max([1.0, *(v for v in (*median, *p90, *expected) if v > 0)]) * 1.02])
    add_row_hits(figure, keys, tips, c=c)
    figure.update_layout(barmode="overlay")
    return style(figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large)


@remembered
def stay_curves(frame: pd.DataFrame, *, dark: bool, large: bool = False, title: str | None = None) -> Figure:
    """Return the share of stays that last beyond each day, a line a stage.

    frame, days ascending within a stage: stage_key, stage str, days, share float. customdata: stage_key.
    """
    title = title or _("Share still there, by days")
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    figure = Figure()
    for place, (key, part) in enumerate(frame.groupby("stage_key", sort=False)):
        name = str(part["stage"].iloc[0])
        figure.add_scatter(
            x=part["days"].to_list(),
            y=part["share"].to_list(),
            mode="lines",
            name=plain(name),
            line={"color": c.series[place % len(c.series)], "width": 2.2, "shape": "hv"},
            cliponaxis=False,
            customdata=[[key]] * len(part),
            hovertext=[
                _("{stage}: after {days} {share} still there", stage=plain(name), days=format_days(d),
                  share=format_rate(v, 0))
                for d, v in zip(part["days"], part["share"], strict=True)
            ],
            hoverinfo="text",
        )  # fmt: skip
    axis = value_axis("days", float(frame["days"].max()))
    figure.update_xaxes(
        **axis, showgrid=False, title={"text": _("Days in the stage"), "font": {"size": s.tick, "color": c.muted}}
    )
    figure.update_yaxes(**value_axis("rate", 1.0))
    figure.add_hline(y=0.5, line={"color": c.muted, "width": 1, "dash": "dot"})
    figure.update_layout(margin={"b": 30})
    return style(figure, title=title, dark=dark, height=s.row * 8, large=large)
