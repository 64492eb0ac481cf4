"""Ranked bars, and groups side by side."""

import math

import pandas as pd

from core.charts.figure import Figure
from core.charts.legend import Kind, write_legend
from core.charts.remembered import remembered
from core.charts.rows import add_row_hits, lay_rows, row_px
from core.charts.theme import Unit, crosswise, look, nothing, plain, say, sizes, style, text_width, two_lines
from core.i18n import _


@remembered
def ranked_bars(
    frame: pd.DataFrame,
    *,
    unit: Unit,
    title: str,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    subtitle: str | None = None,
    compare_name: str | None = None,
    value_name: str | None = None,
    colours: list[str] | None = None,
) -> Figure:
    """Return a horizontal bar a row, in the frame's order, with its value at the end.

    frame: key, name str, value float in `unit`, and optionally compare float, shown as a mark.
    A long name takes two lines, is cut after them, and whole in the hover text. colours: one for each
    bar. customdata: key.
    """
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    names = [str(name) for name in frame["name"]]
    values = [float(v) for v in frame["value"]]
    compared = [float(v) for v in frame["compare"]] if "compare" in frame else []
    labels = [say(v, unit, currency) for v in values]
    keys = [[key] for key in frame["key"]]
    rows = list(range(len(names)))
    written = [_in_two_lines(name, s.text, (9 if large else 11) * s.text) for name in names]
    pitch = s.row + (s.text if any("<br>" in name for name in written) else 0)
    before = compare_name or _("Previous period")

    texts = [f"<b>{plain(n)}</b><br>{label}" for n, label in zip(names, labels, strict=True)]
    for at, value in enumerate(compared):
        texts[at] += f"<br>{plain(before)} {say(value, unit, currency)}"
    figure = Figure()
    figure.add_bar(
        x=values,
        y=rows,
        orientation="h",
        width=s.bar / pitch,
        name=plain(value_name or _("This period")),
        marker={"color": colours or c.series[0]},
        customdata=keys,
        hovertext=texts,
        hoverinfo="text",
    )
    if compared:
        figure.add_scatter(
            x=compared,
            y=rows,
            mode="markers",
            name=before,
            marker={
                "symbol": "line-ns",
                "size": crosswise(s.bar + 8),
                "line": {"width": 2.5, "color": c.series[1]},
            },
            customdata=keys,
            hovertext=texts,
            hoverinfo="text",
        )
    ends = [
        max([v for v in pair if not math.isnan(v)], default=0.0)
        for pair in zip(values, compared or values, strict=True)
    ]
    figure.add_scatter(
        x=[max(end, 0.0) for end in ends],
        y=rows,
        mode="text",
        text=[f" {label}" for label in labels],
        textposition="middle right",
        textfont={"size": s.text, "color": c.ink},
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
        customdata=keys,
    )
    seen = [v for v in (*values, *compared) if not math.isnan(v)]
    figure.update_xaxes(
        range=[min([0.0, *seen]), max([0.0, *seen]) or 1.0],
        showgrid=False,
        showticklabels=False,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=rows,
        ticktext=written,
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    add_row_hits(figure, keys, texts, c=c)
    widest = max(text_width(label, s.text) for label in labels)
    figure.update_layout(margin={"r": round(widest) + 16, "b": 4})
    styled = style(
        figure,
        title=title,
        subtitle=subtitle,
        dark=dark,
        height=pitch * len(rows),
        large=large,
    )
    return styled.update_yaxes(tickfont={"size": s.text, "color": c.ink})


def _in_two_lines(name: str, px: float, width: float) -> str:
    """Return a bar's name for its axis: in two lines where one of `width` px is too short, cut after them."""
    return "<br>".join(f"{plain(line)}  " for line in two_lines(name, px, width))


@remembered
def grouped_bars(
    frame: pd.DataFrame,
    *,
    unit: Unit,
    title: str,
    dark: bool,
    large: bool = False,
    currency: str = "CNY",
    subtitle: str | None = None,
) -> Figure:
    """Return the groups side by side in each stage; at most seven groups keep a colour apart.

    frame, stages and groups in order: stage_key, stage str, group_key, group str, value float in
    `unit`. customdata: stage_key, group_key.
    """
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    stages = frame.drop_duplicates("stage_key")
    place = {key: at for at, key in enumerate(stages["stage_key"])}
    groups = list(frame.drop_duplicates("group_key")["group_key"])
    each = s.tick + 5
    block = each * len(groups)
    figure = Figure()
    height = lay_rows(figure, list(stages["stage"]), [""] * len(place), c=c, s=s, bar_px=block)
    thick = each / row_px(s, bar_px=block)
    labels: list[str] = []
    kinds: list[Kind] = []
    for number, group in enumerate(groups):
        rows = frame[frame["group_key"] == group]
        name = str(rows["group"].iloc[0])
        texts = [say(v, unit, currency) for v in rows["value"]]
        labels += texts
        kinds.append(Kind(name, c.series[number % len(c.series)]))
        shift = (number - (len(groups) - 1) / 2) * thick
        figure.add_bar(
            x=rows["value"].to_list(),
            y=[place[key] + shift for key in rows["stage_key"]],
            orientation="h",
            width=thick * 0.82,
            name=plain(name),
            showlegend=False,
            marker={"color": kinds[-1].colour},
            text=texts,
            textposition="outside",
            textfont={"size": s.tick, "color": c.ink},
            constraintext="none",
            cliponaxis=False,
            customdata=[[key, group] for key in rows["stage_key"]],
            hovertext=[
                f"<b>{plain(str(stage))}</b><br>{plain(name)} {text}"
                for stage, text in zip(rows["stage"], texts, strict=True)
            ],
            hoverinfo="text",
        )
    top = max((float(v) for v in frame["value"] if not math.isnan(v)), default=1.0)
    figure.update_xaxes(range=[0, top or 1.0])
    widest = max(text_width(label, s.tick) for label in labels)
    figure.update_layout(barmode="overlay", margin={"r": round(widest) + 16})
    headroom = write_legend(figure, kinds, c=c, s=s, left=figure.laid["margin"]["l"])
    return style(
        figure, title=title, subtitle=subtitle, dark=dark, height=height, large=large, headroom=headroom
    )  # fmt: skip
