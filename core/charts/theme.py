"""Palette, type sizes, axes and the one `style` that every figure wears.

Colours keep apart for readers with normal sight and for deuteranopes, protanopes and tritanopes
(CIE76 of any two series colours >= 18 as each of them sees it; tests/unit/test_charts_theme.py).
Text from outside passes `plain`, since plotly reads a little HTML in labels.
"""

import math
import unicodedata
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cache
from typing import Any, Literal

from core.charts.figure import Figure
from core.i18n import (
    _,
    currency_symbol,
    format_compact,
    format_days,
    format_money,
    format_number,
    format_rate,
)

Unit = Literal["money", "count", "rate", "days"]

FONT = (
    "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'Noto Sans SC', 'PingFang SC', 'Microsoft YaHei', "
    "'Noto Sans CJK SC', sans-serif"
)
NARROWEST = 340  # px that a chart has on a phone of 390 px
CONFIG: dict[str, Any] = {"displayModeBar": False, "scrollZoom": False, "responsive": True}
PAPER = {False: "#FFFFFF", True: "#121922"}
"""What a figure kept as a picture lies on, by `dark`; on a page the page's own background shows (core/ui/looks.py)."""
TARGET = 44  # px beside a title for the button that makes a picture, as wide as a thumb on a phone


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of one theme: seven series colours, and those that mean something."""

    ink: str
    muted: str
    grid: str
    track: str
    tip: str
    previous: str
    series: tuple[str, ...]
    won: str
    lost: str
    open: str
    quota: str
    forecast: str
    scenario: str
    band: str
    pale: str


LIGHT = Look(
    ink="#1B2735",
    muted="#5C6978",
    grid="#E4E9EF",
    track="#EEF2F6",
    tip="#FFFFFF",
    previous="#A3AEBB",
    series=("#2258A7", "#D4823C", "#208A6A", "#733B6C", "#6EB1D1", "#A32825", "#D3A900"),
    won="#208A6A",
    lost="#A32825",
    open="#6EB1D1",
    quota="#1B2735",
    forecast="#2258A7",
    scenario="#D4823C",
    band="rgba(34,88,167,0.14)",
    pale="#B9CBE5",
)
DARK = Look(
    ink="#E9EDF3",
    muted="#9DA9B8",
    grid="#2A3443",
    track="#1E2734",
    tip="#1A2230",
    previous="#66737F",
    series=("#4B89E0", "#F39E20", "#54CDA3", "#A36897", "#B0DFF9", "#CA4D4F", "#FCDE87"),
    won="#54CDA3",
    lost="#CA4D4F",
    open="#A3CCF5",
    quota="#E9EDF3",
    forecast="#4B89E0",
    scenario="#F39E20",
    band="rgba(75,137,224,0.22)",
    pale="#2B466E",
)


def crosswise(px: float) -> float:
    """Return the size of a "line-ns" mark that shall be `px` high: plotly draws it 1.4 times."""
    return px / 1.4


@dataclass(frozen=True, slots=True)
class Sizes:
    """Type sizes and distances in px: on a page, or `large` for projectors and share links."""

    title: int
    subtitle: int
    text: int
    tick: int
    row: int
    bar: int


PAGE = Sizes(title=16, subtitle=12, text=13, tick=12, row=32, bar=16)
LARGE = Sizes(title=22, subtitle=15, text=16, tick=15, row=44, bar=22)


def look(*, dark: bool) -> Look:
    """Return the colours of the dark or the light theme."""
    return DARK if dark else LIGHT


def sizes(*, large: bool) -> Sizes:
    """Return the type sizes for a page, or for a projector."""
    return LARGE if large else PAGE


# --- text -----------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Return `text` so that plotly shows it as it stands, and reads no HTML in it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def text_width(text: str, px: float) -> float:
    """Return about how wide `text` is, in px, at a font size of `px`, in a usual sans serif, half of it bold."""
    return px * 1.04 * sum(map(_em, text))


def _em(char: str) -> float:
    if _columns(char) > 1:
        return 1.0
    if char in " .,:;|!'’·ijlI()[]/-ft":
        return 0.3
    return 0.86 if char in "mwMW%@" else 0.68 if char.isupper() else 0.55


def fitted(text: str, px: float, width: float) -> str:
    """Return `text`, cut with an ellipsis where it is wider than `width`."""
    if text_width(text, px) <= width:
        return text
    kept = text
    while kept and text_width(f"{kept}…", px) > width:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def elide(text: str, columns: int) -> str:
    """Return `text`, cut with an ellipsis at `columns`; a Chinese character takes two."""
    if sum(map(_columns, text)) <= columns:
        return text
    kept, used = "", 0
    for char in text:
        used += _columns(char)
        if used > columns - 1:
            break
        kept += char
    return f"{kept.rstrip()}…"


def wrap(text: str, px: float, width: float = NARROWEST) -> list[str]:
    """Return the lines of `text` that fit `width`: at spaces, in Chinese between any two."""
    pieces, piece = [], ""
    for char in text:
        piece += char
        if char == " " or _columns(char) > 1:
            pieces.append(piece)
            piece = ""
    pieces.append(piece)
    lines = [""]
    for piece in pieces:
        stop = piece[:1] in "，。；：、！？）"
        if lines[-1] and not stop and text_width((lines[-1] + piece).rstrip(), px) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]


def two_lines(text: str, px: float, width: float) -> list[str]:
    """Return `text` in at most two lines of `width`, the second one cut where it is still too long."""
    whole = text.strip()
    first = wrap(whole, px, width)[0]
    lines = [first, whole[len(first) :].strip()] if len(first) < len(whole) else [whole]
    return [fitted(line, px, width) for line in lines]


def say(value: float | None, unit: Unit, currency: str = "CNY") -> str:
    """Return a value with its unit, short: ¥382万, 1,234, 62.3%, 12 days."""
    match unit:
        case "money":
            return format_money(value, currency, compact=True)
        case "rate":
            return format_rate(value)
        case "days":
            return format_days(value)
        case "count":
            return format_number(value)


# --- axes -----------------------------------------------------------------------------------


_LEAST_SPAN = Decimal("1e-9")  # nothing sold is that small; a float far below would lose its digits


def nice_ticks(max_value: float, min_value: float = 0, *, whole: bool = False) -> list[float]:
    """Return 3 to 8 round ticks, steps of 1, 2 or 5 x 10^k, that cover zero and both values."""
    high, low = Decimal(str(max(max_value, 0))), Decimal(str(min(min_value, 0)))
    span = high - low
    if span <= _LEAST_SPAN or not span.is_finite():
        high, span = Decimal(1), Decimal(1)
    raw = span / 5
    power = Decimal(10) ** raw.adjusted()
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= raw)
    if whole:
        step = max(step, Decimal(1))
    first = (low / step).to_integral_value(ROUND_FLOOR)
    last = max((high / step).to_integral_value(ROUND_CEILING), first + 1)
    return [float(step * k) for k in range(int(first), int(last) + 1)]


def value_axis(unit: Unit, max_value: float, min_value: float = 0, currency: str = "CNY") -> dict[str, Any]:
    """Return tickvals, ticktext and range of an axis in the reader's format."""
    ticks = nice_ticks(max_value, min_value, whole=unit in ("count", "money"))
    match unit:
        case "rate":
            fine = ticks[1] - ticks[0] < 0.01
            labels = [format_rate(tick, 1 if fine else 0) for tick in ticks]
        case "money":
            sign = currency_symbol(currency)
            labels = [("-" if tick < 0 else "") + sign + format_compact(abs(tick)) if tick else "0" for tick in ticks]
        case "count" | "days":
            labels = [format_compact(tick) for tick in ticks]
    return {
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": labels,
        "range": [ticks[0], ticks[-1]],
    }


def money_axis(max_value: float, min_value: float = 0, currency: str = "CNY") -> dict[str, Any]:
    """Return the axis of an amount in major units: ¥0 … ¥500万, or ¥5M."""
    return value_axis("money", max_value, min_value, currency)


# --- the one style --------------------------------------------------------------------------


_ROWS_ABOVE = 2
"""Rows of a legend that have their room above the plot."""
_LABELS = 48
"""Pixels that the labels of an upright axis take from a legend's width."""


def _legend_rows(figure: Figure, px: int) -> int:
    names = [str(t["name"]) for t in figure.traces if t.get("name") and t.get("showlegend") is not False]
    if not names or (len(names) == 1 and figure.laid.get("showlegend") is not True):
        return 0
    widths = [text_width(name, px * 0.9) + 44 for name in names]
    room = NARROWEST - (0 if figure.laid.get("yaxis", {}).get("showticklabels") is False else _LABELS)
    if sum(widths) <= room:
        return 1
    return math.ceil(len(names) / max(1, int(room // max(widths))))


@cache
def _template(*, dark: bool, large: bool) -> dict[str, Any]:
    """Return what every figure of a theme and size shares."""
    c, s = look(dark=dark), sizes(large=large)
    axis = {
        "fixedrange": True,
        "automargin": True,
        "zeroline": False,
        "showline": False,
        "tickfont": {"size": s.tick, "color": c.muted},
        "gridcolor": c.grid,
        "linecolor": c.grid,
        "ticks": "",
        "spikecolor": c.muted,
        "spikedash": "dot",
        "spikethickness": 1,
        "showspikes": False,
    }
    return {
        "data": {
            "bar": [{"type": "bar", "marker": {"line": {"width": 0}}, "unselected": {"marker": {"opacity": 0.45}}}]
        },
        "layout": {
            "xaxis": axis,
            "yaxis": axis,
            "colorway": list(c.series),
            "hoverlabel": {
                "bgcolor": c.tip,
                "bordercolor": c.grid,
                "font": {"family": FONT, "size": s.text, "color": c.ink},
                "align": "left",
                "namelength": -1,
            },
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": c.muted, "activecolor": c.ink},
            "barcornerradius": 3,
            "bargap": 0.3,
        },
    }


def style(
    figure: Figure,
    *,
    title: str,
    subtitle: str | None = None,
    dark: bool,
    height: int | None = None,
    large: bool = False,
    headroom: int = 10,
) -> Figure:
    """Dress `figure` and return it: type, colours, title, legend under the title, no clutter.

    height: px of the plotted area; title, legend and `headroom` come on top of it. A legend that takes many rows on a
    phone stands under the plot, which takes the room that a wide screen's legend leaves, unless it is one of rows
    (`lay_rows`), whose words keep their places. Show it with `CONFIG`.
    """
    c, s = look(dark=dark), sizes(large=large)
    heading = wrap(title, s.title * 1.04, NARROWEST - TARGET)
    below = wrap(subtitle, s.subtitle) if subtitle else []
    legend_rows = _legend_rows(figure, s.tick)
    title_px = round(len(heading) * s.title * 1.3 + 6)
    below_px = round(len(below) * s.subtitle * 1.35 + (s.subtitle * 0.8 if below else 0))
    legend_px = round(legend_rows * (s.tick + 11))
    is_under = legend_rows > _ROWS_ABOVE
    top = title_px + below_px + (0 if is_under else legend_px) + headroom
    margin = figure.laid.get("margin", {})
    bottom = margin.get("b", 8) + (legend_px + round(s.tick * 3.2) if is_under else 0)
    total = top + (height or round(s.row * 8.5)) + bottom
    stands_below = is_under and figure.laid.get("yaxis", {}).get("showticklabels") is not False
    legend_y = 1 - (title_px + below_px + 2) / total
    if is_under:
        legend_y = 0 if stands_below else legend_px / total

    figure.update_layout(
        overwrite=True,
        template=_template(dark=dark, large=large),
        title={
            "text": "<br>".join(f"<b>{plain(line)}</b>" for line in heading),
            "font": {"size": s.title, "color": c.ink},
            "subtitle": {
                "text": "<br>".join(map(plain, below)),
                "font": {"size": s.subtitle, "color": c.muted},
            },
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": round((len(heading) - 1) * s.title * 1.3) + 4},
        },
        font={"family": FONT, "size": s.tick, "color": c.muted},
        paper_bgcolor=PAPER[dark],
        plot_bgcolor="rgba(0,0,0,0)",
        height=total,
        margin={
            "t": top,
            "b": margin.get("b", 8) if stands_below else bottom,
            "l": margin.get("l", 4),
            "r": margin.get("r", 8),
            "pad": 0,
        },
        showlegend=legend_rows > 0,
        legend={
            "orientation": "h",
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": legend_y,
            "yref": "container",
            "yanchor": "bottom" if stands_below else "top",
            "font": {"size": s.tick, "color": c.muted},
            "bgcolor": "rgba(0,0,0,0)",
            "itemclick": False,
            "itemdoubleclick": False,
            "itemsizing": "constant",
            "traceorder": "normal",
        },
        hovermode=figure.laid.get("hovermode", "closest"),
        dragmode=False,
        clickmode="event+select",
    )
    return figure


def nothing(title: str, *, dark: bool, large: bool = False) -> Figure:
    """Return the figure of an empty frame: a calm sentence, no axes."""
    c, s = look(dark=dark), sizes(large=large)
    figure = Figure()
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        text=_("No data in this period"),
        x=0.5,
        y=0.5,
        xref="paper",
        yref="paper",
        showarrow=False,
        font={"size": s.text, "color": c.muted},
    )
    return style(figure, title=title, dark=dark, height=s.row * 4, large=large)
