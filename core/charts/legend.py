"""A legend written above the plot, for charts on which plotly's own is cut or takes a phone's room from a wide screen.

plotly's is as wide as the plot, and names that are longer than that are cut; this one has the width of a phone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from core.charts.figure import Figure
from core.charts.theme import NARROWEST, Look, Sizes, fitted, plain, text_width

_MARK, _MARK_HIGH, _BESIDE, _APART, _BELOW = 16, 9, 6, 14, 12
"""A kind's mark, what lies between it and its name, between two kinds, and between the rows and the plot, in px."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a colour means: its name, the colour of its mark's edge and, where that is another, of its inside."""

    name: str
    colour: str
    inside: str = ""


def write_legend(figure: Figure, kinds: Sequence[Kind], *, c: Look, s: Sizes, left: int) -> int:
    """Write what colours mean above the plot, in rows that a phone has the width for; return `style`'s headroom in px.

    left: the plot's margin.
    """
    line, across, row = s.tick + 9, 0.0, 0
    places: list[tuple[Kind, str, float, int]] = []
    for kind in kinds:
        name = fitted(kind.name, s.tick, NARROWEST - _MARK - _BESIDE)
        wide = _MARK + _BESIDE + text_width(name, s.tick)
        if across and across + wide > NARROWEST:
            across, row = 0.0, row + 1
        places.append((kind, name, across - left, row))
        across += wide + _APART
    for kind, name, at, its_row in places:
        middle = (row - its_row + 0.5) * line + 4
        figure.add_shape(
            type="rect", xref="paper", yref="paper", xsizemode="pixel", ysizemode="pixel", xanchor=0, yanchor=1,
            x0=at, x1=at + _MARK, y0=middle - _MARK_HIGH / 2, y1=middle + _MARK_HIGH / 2,
            fillcolor=kind.inside or kind.colour, line={"width": 1.5, "color": kind.colour},
        )  # fmt: skip
        figure.add_annotation(
            text=plain(name), xref="paper", yref="paper", x=0, y=1, xanchor="left", yanchor="middle",
            xshift=at + _MARK + _BESIDE, yshift=middle, showarrow=False, font={"size": s.tick, "color": c.muted},
        )  # fmt: skip
    return (row + 1) * line + _BELOW
