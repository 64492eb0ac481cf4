"""Column widths that fit what a table shows, in either script."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Sequence

LAPTOP = 1040
"""Pixels that a table has on a screen of 1440, beside the menu and the column of marks."""

_WIDE, _NARROW = 13.2, 7.2
_HEADING_ROOM, _CELL_ROOM = 28, 22
_LEAST, _MOST, _LEAST_TEXT, _SCROLLED_TEXT = 64, 320, 130, 180
_SCROLLED_NAME = 195
"""Pixels of a first column that stays: Streamlit lets one go that takes three fifths of the table, on a phone 196."""
_THIN_SIGNS, _THIN, _BROAD_SIGNS, _BROAD = frozenset(" .,:;|!'·()[]/-Iijltfr"), 5.0, frozenset("mwMW%@"), 11.0


def text_pixels(text: str) -> float:
    """Return about how many pixels `text` takes in a cell: a Chinese character counts as two letters."""
    if text.isascii():
        return len(text) * _NARROW
    return sum(_WIDE if east_asian_width(sign) in "WF" else _NARROW for sign in text)


def name_pixels(text: str) -> float:
    """Return about how many pixels a name takes, letter by letter; `text_pixels` is for numbers too, and wider."""
    return sum(_THIN if sign in _THIN_SIGNS else _BROAD if sign in _BROAD_SIGNS else text_pixels(sign) for sign in text)


def fitting_widths(
    labels: Sequence[str],
    cells: Sequence[Sequence[str]],
    *,
    texts: Sequence[bool],
    room: int = LAPTOP,
    stays: bool = False,
) -> list[int]:
    """Return a width in pixels for each column, headings whole.

    `cells` are a column's written values. Where all together pass `room`, the widest of the columns
    that `texts` marks give way, down to their headings or 130 pixels; numbers are never cut. A table that is too wide
    all the same, and moves sideways, leaves them 180, and 195 to names in a first column that `stays` where it is.
    """
    least, widths = [], []
    scrolled = [_SCROLLED_NAME if stays and texts[0] else _SCROLLED_TEXT, *[_SCROLLED_TEXT] * (len(labels) - 1)]
    for place, (label, column, is_text) in enumerate(zip(labels, cells, texts, strict=True)):
        pixels = name_pixels if stays and is_text and not place else text_pixels
        heading = max(_LEAST, text_pixels(label) + _HEADING_ROOM)
        wanted = max([heading, *(pixels(cell) + _CELL_ROOM for cell in column)])
        widths.append(round(min(wanted, max(_MOST, heading))))
        least.append(round(max(heading, _LEAST_TEXT)) if is_text else widths[-1])
    if sum(map(min, least, widths)) > room:
        least = [max(low, min(wanted, most)) for low, wanted, most in zip(least, widths, scrolled, strict=True)]
    while sum(widths) > room:
        widest = max(range(len(widths)), key=lambda i: widths[i] - least[i])
        if widths[widest] <= least[widest]:
            break
        widths[widest] -= min(8, widths[widest] - least[widest])
    return widths
