"""Row charts: a name at the left and figures at the right, above a bar as wide as the chart.

They read the same on a phone and on a wall, whatever the length of the names.
"""

import re
from collections.abc import Sequence

from core.charts.figure import Figure, Properties
from core.charts.theme import NARROWEST, Look, Sizes, crosswise, fitted, plain, text_width

NAME_COLUMNS = 24
_CLEAR = "rgba(0,0,0,0)"
_ASIDE = 1e-7
"""How far, in rows, the middle of what lies over a row stands from the row's: plotly rounds of the bars with one middle
the longest alone, so that a bar under it would be square or round as it happens."""


def row_px(s: Sizes, *, bar_px: int | None = None, note: bool = False) -> int:
    """Return the height of a row in px: text, `bar_px` of bars, and room for a `note` below."""
    return (bar_px or s.bar) + s.text + 20 + (s.tick + 6 if note else 0)


def lay_rows(
    figure: Figure,
    names: Sequence[str],
    figures: Sequence[str],
    *,
    c: Look,
    s: Sizes,
    bar_px: int | None = None,
    note: bool = False,
    columns: int = NAME_COLUMNS,
) -> int:
    """Write names and figures over bars at y = 0, 1, 2 … from the top; return the plot's height.

    bar_px: the thickness of what stands in a row, where it is not one bar. columns: how long a name may be at most.
    """
    thick = bar_px or s.bar
    pitch = row_px(s, bar_px=bar_px, note=note)
    above = s.text + 12 + thick / 2
    written: list[dict[str, object]] = []
    for at, (name, text) in enumerate(zip(names, figures, strict=True)):
        taken = text_width(re.sub("<.+?>", "", text), s.text)
        room = min(NARROWEST - taken - 8, columns * 0.55 * s.text)
        shared = {
            "y": at,
            "yref": "y",
            "yanchor": "bottom",
            "yshift": thick / 2 + 4,
            "xref": "paper",
            "showarrow": False,
            "font": {"size": s.text, "color": c.ink},
        }
        written.append({**shared, "text": plain(fitted(name, s.text, room)), "x": 0, "xanchor": "left"})
        if text:
            written.append({**shared, "text": text, "x": 1, "xanchor": "right"})
    figure.update_layout(annotations=written)  # in one go: adding each alone is quadratic
    count = max(len(names), 1)
    figure.update_yaxes(range=[count - 1 + (pitch - above) / pitch, -above / pitch], showticklabels=False)
    figure.update_yaxes(showgrid=False)
    figure.update_xaxes(showgrid=False, showticklabels=False)
    figure.update_layout(margin={"l": 2, "r": 2, "b": 4})
    return pitch * count


def add_row_bars(
    figure: Figure,
    values: Sequence[float],
    *,
    s: Sizes,
    color: str | Sequence[str],
    keys: Sequence[Sequence[object]],
    tips: Sequence[str] | None,
    name: str = "",
    rows: Sequence[int] | None = None,
    bar_px: float | None = None,
    square: bool = False,
    **more: object,
) -> None:
    """Draw a bar under each row's words, `bar_px` thick.

    values, keys (customdata) and tips (hover texts; None: none is shown) are those of all rows; `rows` picks some. A
    bar without a name stands in no legend; one with others beside it or around it in its row is `square`. `more`:
    properties of plotly's bar, such as base.
    """
    chosen = list(range(len(values)) if rows is None else rows)
    paint = color if isinstance(color, str) else [color[at] for at in chosen]
    figure.add_bar(
        x=[values[at] for at in chosen], orientation="h", width=(bar_px or s.bar) / row_px(s),
        marker={"color": paint, **({"cornerradius": 0} if square else {})}, **_told(chosen, name, keys, tips), **more,
    )  # fmt: skip


def add_row_ticks(
    figure: Figure,
    values: Sequence[float],
    *,
    s: Sizes,
    color: str,
    keys: Sequence[Sequence[object]],
    tips: Sequence[str],
    name: str = "",
    high_px: float | None = None,
    thick: float = 2.5,
) -> None:
    """Draw an upright tick across each row's bar, as a quota is shown: three pixels longer a side, or `high_px`."""
    mark = {"symbol": "line-ns", "size": crosswise(high_px or s.bar + 6), "line": {"width": thick, "color": color}}
    figure.add_scatter(x=list(values), mode="markers", marker=mark, **_told(list(range(len(values))), name, keys, tips))


def add_row_hits(figure: Figure, keys: Sequence[Sequence[object]], tips: Sequence[str], *, c: Look) -> None:
    """Let each row open and tell what its bar does, from end to end and words included, however short the bar is.

    To be called when the ranges of both axes are set: the rows are as wide as the one, and begin where the other does.
    """
    low, high = figure.laid["xaxis"]["range"]
    rows = list(range(len(keys)))
    figure.add_bar(
        x=[high - low] * len(rows), base=low, orientation="h", width=1,
        offset=figure.laid["yaxis"]["range"][1] + _ASIDE,
        marker={"color": _CLEAR, "cornerradius": 0}, selected={"marker": {"color": c.band, "opacity": 1}},
        unselected={"marker": {"opacity": 0}}, **_told(rows, "", keys, tips),
    )  # fmt: skip


def _told(rows: Sequence[int], name: str, keys: Sequence[Sequence[object]], tips: Sequence[str] | None) -> Properties:
    texts = {"hoverinfo": "skip"} if tips is None else {"hovertext": [tips[at] for at in rows], "hoverinfo": "text"}
    named = {"name": name} if name else {"showlegend": False}
    return {"y": list(rows), "customdata": [keys[at] for at in rows], **texts, **named}
