"""The flow between stages in a period: ribbons from where deals came to where they went."""

from collections.abc import Hashable
from math import hypot
from typing import Any

import pandas as pd

from core.charts.figure import Figure
from core.charts.legend import Kind, write_legend
from core.charts.remembered import remembered
from core.charts.theme import NARROWEST, Look, look, nothing, plain, say, sizes, style, two_lines
from core.i18n import N_, _, _n, format_number

KIND_NAMES: dict[str, str] = {
    "entered": N_("Entered"),
    "forward": N_("Forward"),
    "skipped": N_("Skipped a stage"),
    "back": N_("Fell back"),
    "lost": N_("Lost"),
    "won": N_("Won"),
    "reopened": N_("Reopened"),
}
_GAP = 0.035
_LEFT, _RIGHT = 0.0, 1.0
_BEND = 24
_LEAST_THICK = 0.004
_LEAST_ROOM = 0.055
_MARK = 9
_BESIDE, _BESIDE_LARGE = 116, 170
"""How wide a stage's deals and name are beside the ribbons, in px."""


def _colours(c: Look) -> dict[str, str]:
    return {
        "entered": c.previous,
        "forward": c.series[0],
        "skipped": c.open,
        "back": c.scenario,
        "lost": c.lost,
        "won": c.won,
        "reopened": c.series[3],
    }


def _clear(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _nodes(rows: list[dict[Hashable, Any]], side: str) -> list[tuple[str, str, int]]:
    """Return key, name and deals of the stages on one side, from the top in the order of the process."""
    found: dict[str, tuple[int, str, int]] = {}
    for row in rows:
        key = str(row[f"{side}_key"])
        place, name, deals = found.get(key, (int(row[f"{side}_position"]), str(row[f"{side}_stage"]), 0))
        found[key] = (place, name, deals + int(row["deals"]))
    return [(key, name, deals) for key, (_p, name, deals) in sorted(found.items(), key=lambda item: item[1][0])]


def _laid(nodes: list[tuple[str, str, int]], scale: float) -> dict[str, float]:
    """Return where each node begins, from the top down, the side centred, with room for each name."""
    rooms = [max(deals * scale, _LEAST_ROOM) for _k, _n, deals in nodes]
    at, found = (1.0 + sum(rooms) + _GAP * (len(nodes) - 1)) / 2, {}
    for (key, _name, deals), room in zip(nodes, rooms, strict=True):
        found[key] = at - (room - deals * scale) / 2
        at -= room + _GAP
    return found


def _curve(start: float, end: float) -> tuple[list[float], list[float]]:
    xs = [step / _BEND for step in range(_BEND + 1)]
    return xs, [start + (end - start) * (3 * x * x - 2 * x**3) for x in xs]


@remembered
def flow(
    frame: pd.DataFrame, *, dark: bool, large: bool = False, currency: str = "CNY", title: str | None = None
) -> Figure:
    """Return a ribbon for each pair of stages, as thick as the deals that moved; the left is where they came from.

    frame: from_key ("0": newly entered), from_stage, to_key, to_stage, kind str; from_position, to_position, deals,
    moves int; value float. customdata of a ribbon's mark: from_key, to_key.
    """
    title = title or _("Moves between stages")
    if frame.empty:
        return nothing(title, dark=dark, large=large)
    c, s = look(dark=dark), sizes(large=large)
    rows = frame.to_dict("records")
    for row in rows:
        row["from_stage"] = row["from_stage"] if str(row["from_key"]) != "0" else _("New")
    left, right = _nodes(rows, "from"), _nodes(rows, "to")
    most = max(sum(deals for _k, _n, deals in side) for side in (left, right))
    widest = max(len(left), len(right))
    scale = max(0.2, 1.0 - _GAP * (widest - 1)) / most
    begins, ends = _laid(left, scale), _laid(right, scale)
    out, into = dict(begins), dict(ends)
    landing: dict[tuple[str, str], float] = {}
    for row in sorted(rows, key=lambda row: (row["to_position"], row["from_position"])):
        pair = (str(row["from_key"]), str(row["to_key"]))
        landing[pair] = into[pair[1]]
        into[pair[1]] -= int(row["deals"]) * scale
    room = _BESIDE_LARGE if large else _BESIDE
    height, across = max(s.row * 9, s.row * 2 * widest), max(NARROWEST - 2 * room, 100)
    colours, figure = _colours(c), Figure()
    marks: dict[str, list[Any]] = {name: [] for name in ("x", "y", "key", "tip", "colour")}
    for row in sorted(rows, key=lambda row: (row["from_position"], row["to_position"])):
        pair, kind = (str(row["from_key"]), str(row["to_key"])), str(row["kind"])
        thick, start, end = int(row["deals"]) * scale, out[str(row["from_key"])], landing[pair]
        out[pair[0]] -= thick
        xs, top = _curve(start, end)
        tip = _tip(row, currency)
        figure.add_scatter(
            x=[*xs, *reversed(xs)],
            y=[*top, *(y - thick for y in reversed(top))],
            mode="lines",
            fill="toself",
            fillcolor=_clear(colours[kind], 0.45),
            line={"width": 0.4, "color": colours[kind]},
            hoveron="fills",
            hoverinfo="text",
            text=tip,
            name=_(KIND_NAMES[kind]),
            showlegend=False,
        )
        x, y = _free([(x, y - thick / 2) for x, y in zip(xs, top, strict=True)], marks, across=across, high=height)
        for name, value in (("x", x), ("y", y), ("key", list(pair)), ("tip", tip), ("colour", colours[kind])):
            marks[name].append(value)
    figure.add_scatter(
        x=marks["x"],
        y=marks["y"],
        mode="markers",
        marker={"size": _MARK, "color": marks["colour"], "line": {"width": 1.5, "color": c.tip}},
        customdata=marks["key"],
        hovertext=marks["tip"],
        hoverinfo="text",
        showlegend=False,
    )
    _name(figure, left, begins, scale, side="left", c=c, px=s.tick, room=room)
    _name(figure, right, ends, scale, side="right", c=c, px=s.tick, room=room)
    lowest = min(places[side[-1][0]] - side[-1][2] * scale for side, places in ((left, begins), (right, ends)))
    figure.update_xaxes(range=[_LEFT, _RIGHT], visible=False)
    figure.update_yaxes(range=[min(0.0, lowest) - 0.03, max(1.0, *begins.values(), *ends.values()) + 0.03])
    figure.update_yaxes(visible=False)
    figure.update_layout(margin={"l": room, "r": room, "b": 6})
    met = {str(row["kind"]) for row in rows}
    kinds = [
        Kind(_(name), colours[kind], _clear(colours[kind], 0.45)) for kind, name in KIND_NAMES.items() if kind in met
    ]
    headroom = write_legend(figure, kinds, c=c, s=s, left=room)
    return style(figure, title=title, dark=dark, height=height, large=large, headroom=headroom)


def _free(
    way: list[tuple[float, float]], marks: dict[str, list[Any]], *, across: int, high: int
) -> tuple[float, float]:  # fmt: skip
    """Return where a ribbon's mark lies on its `way`: a quarter along, or where it hides no other on a phone."""
    begin = _BEND // 4
    for at in sorted(range(2, _BEND - 1), key=lambda at: abs(at - begin)):
        x, y = way[at]
        taken = zip(marks["x"], marks["y"], strict=True)
        if all(hypot((x - other) * across, (y - its) * high) > _MARK + 3 for other, its in taken):
            return x, y
    return way[begin]


def _tip(row: dict[Hashable, Any], currency: str) -> str:
    moves = int(row["moves"])
    told = _n("{n} deal", "{n} deals", int(row["deals"])) + f" · {say(float(row['value']), 'money', currency)}"
    if moves > int(row["deals"]):
        told += " · " + _("{n} moves", n=format_number(moves))
    kind = str(row["kind"])
    way = f"{plain(str(row['from_stage']))} → {plain(str(row['to_stage']))}"
    return f"<b>{way}</b><br>{_(KIND_NAMES[kind])}<br>{told}"


def _name(
    figure: Figure, nodes: list[tuple[str, str, int]], places: dict[str, float], scale: float, *, side: str,
    c: Look, px: int, room: int,
) -> None:  # fmt: skip
    """Write each stage's deals and name beside the ribbons, in two lines where one is too short."""
    at, anchor, shift = (_LEFT, "right", -6) if side == "left" else (_RIGHT, "left", 6)
    for key, name, deals in nodes:
        thick, count = max(deals * scale, _LEAST_THICK), format_number(deals)
        lines = two_lines(f"{count} {name}", px, room - 8)
        lines[0] = f"<b>{count}</b>{plain(lines[0][len(count) :])}"
        figure.add_annotation(
            text="<br>".join([lines[0], *map(plain, lines[1:])]),
            x=at, y=places[key] - thick / 2, xref="x", yref="y", xanchor=anchor, yanchor="middle", xshift=shift,
            align=anchor, showarrow=False, font={"size": px, "color": c.ink},
        )  # fmt: skip
        figure.add_shape(
            type="line", x0=at, x1=at, y0=places[key], y1=places[key] - thick, line={"width": 4, "color": c.ink}
        )
