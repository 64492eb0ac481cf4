"""Where deals are lost, why and when. What the columns mean: docs/queries.md."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pandas as pd

from core.charts.figure import Figure
from core.charts.legend import Kind, write_legend
from core.charts.remembered import remembered
from core.charts.rows import add_row_bars, lay_rows
from core.charts.theme import elide, look, nothing, plain, sizes, style, value_axis
from core.charts.trend import MONTH_MS, month_axis
from core.i18n import _, format_number, format_rate

MOST_REASONS = 6


def reasons_shown(*frames: pd.DataFrame) -> list[str]:
    """Return the keys of the reasons with a colour of their own in the charts of `frames`, the most frequent first.

    All of them where the colours suffice; else the `MOST_REASONS` most frequent, and the others are put together.
    """
    counted = pd.concat([frame[["reason_key", "count"]] for frame in frames]).groupby("reason_key", sort=False)
    keys = [str(key) for key in counted["count"].sum().sort_values(ascending=False, kind="stable").index]
    return keys if len(keys) <= MOST_REASONS + 1 else keys[:MOST_REASONS]


def _names(frame: pd.DataFrame) -> dict[str, str]:
    """Return what each reason is called; "" are those put together."""
    named = {str(key): str(name) or _("None") for key, name in zip(frame["reason_key"], frame["reason"], strict=True)}
    return named | {"": _("Other reasons")}


@remembered
def lost_by_stage(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    title: str | None = None,
    subtitle: str | None = None,
    reasons: Sequence[str] | None = None,
) -> Figure:
    """Return the lost deals of each stage, stacked by reason; rare reasons are put together.

    frame, stages in order: stage_key, stage, reason_key, reason str, count int. reasons: the keys of those with a
    colour of their own, in its order, where another chart beside has the same. customdata: stage_key, reason_key, ""
    standing for all the reasons that have no colour of their own.
    """
    title = title or _("Where deals were lost, and why")
    if frame.empty or int(frame["count"].sum()) == 0:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    stages = frame.drop_duplicates("stage_key")
    place = {key: at for at, key in enumerate(stages["stage_key"])}
    named, names = list(reasons or reasons_shown(frame)), _names(frame)
    by_stage = dict.fromkeys(place, 0)
    table: dict[str, dict[Any, int]] = {}
    for row in frame.to_dict("records"):
        key = str(row["reason_key"]) if str(row["reason_key"]) in named else ""
        cell = table.setdefault(key, dict.fromkeys(place, 0))
        cell[row["stage_key"]] += int(row["count"])
        by_stage[row["stage_key"]] += int(row["count"])
    figure = Figure()
    height = lay_rows(
        figure,
        [str(name) for name in stages["stage"]],
        [_("<b>{n}</b> lost", n=format_number(by_stage[key])) for key in place],
        c=c,
        s=s,
    )
    start, kinds = [0] * len(place), list[Kind]()
    for number, reason in enumerate([*named, ""]):
        if reason not in table:
            continue
        name, counts = names[reason], list(table[reason].values())
        kinds.append(Kind(name, c.series[number] if reason else c.previous))
        add_row_bars(
            figure,
            counts,
            s=s,
            base=start,
            color=kinds[-1].colour,
            keys=[[key, reason] for key in place],
            name=plain(name),
            showlegend=False,
            square=True,
            tips=[
                _(
                    "<b>{stage}</b><br>{reason}: {n} ({share})",
                    stage=plain(str(stage)),
                    reason=plain(name),
                    n=format_number(count),
                    share=format_rate(count / by_stage[key] if by_stage[key] else None, 0),
                )
                for stage, key, count in zip(stages["stage"], place, counts, strict=True)
            ],
        )
        start = [a + b for a, b in zip(start, counts, strict=True)]
    figure.update_xaxes(range=[0, max(start) or 1])
    figure.update_layout(barmode="overlay")
    headroom = write_legend(figure, kinds, c=c, s=s, left=figure.laid["margin"]["l"])
    return style(
        figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large, headroom=headroom
    )  # fmt: skip


@remembered
def lost_by_month(
    frame: pd.DataFrame,
    *,
    dark: bool,
    large: bool = False,
    title: str | None = None,
    reasons: Sequence[str] | None = None,
) -> Figure:
    """Return the lost deals of each month, stacked by reason; rare reasons are put together.

    frame, months in order: month date, reason_key, reason str, count int. reasons: as in `lost_by_stage`.
    customdata: the month's first day in ISO form, reason_key, "" standing for all the reasons that have no colour of
    their own.
    """
    title = title or _("Lost deals by month and reason")
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    named, names = list(reasons or reasons_shown(frame)), _names(frame)
    months: list[date] = sorted({stamp.date() for stamp in pd.to_datetime(frame["month"])})
    whole = dict.fromkeys(months, 0)
    table: dict[str, dict[date, int]] = {}
    for row in frame.to_dict("records"):
        key = str(row["reason_key"]) if str(row["reason_key"]) in named else ""
        month = pd.Timestamp(row["month"]).date()
        cell = table.setdefault(key, dict.fromkeys(months, 0))
        cell[month] += int(row["count"])
        whole[month] += int(row["count"])
    figure = Figure()
    for place, key in enumerate([*named, ""]):
        if key not in table:
            continue
        name = names[key]
        figure.add_bar(
            x=[month.isoformat() for month in months],
            y=list(table[key].values()),
            width=0.62 * MONTH_MS,
            name=plain(elide(name, 22)),
            marker={"color": c.series[place] if key else c.previous, "cornerradius": 0},
            customdata=[[month.isoformat(), key] for month in months],
            hovertext=[
                _(
                    "{reason}: {n} ({share})",
                    reason=plain(name),
                    n=format_number(count),
                    share=format_rate(count / whole[month], 0),
                )
                for month, count in table[key].items()
            ],
            hoverinfo="x+text",
        )
    figure.update_layout(barmode="stack", margin={"b": 4})
    figure.update_xaxes(**month_axis(months, large=large))
    figure.update_yaxes(**value_axis("count", max(whole.values())))
    return style(figure, title=title, dark=dark, height=s.row * 8, large=large)
