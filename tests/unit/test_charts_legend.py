"""Legends of many or long names: all of them stand whole above the plot, on a phone as on a wide screen."""

from itertools import pairwise

import pandas as pd
import pytest

from core.charts.bars import grouped_bars
from core.charts.funnel_flow import KIND_NAMES, flow
from core.charts.funnel_losses import lost_by_stage
from core.charts.theme import NARROWEST, sizes, text_width
from core.i18n import LANGUAGES, _, speaking

STAGES = ["New", "Lead identified", "Demo", "Quote and negotiation", "Lost"]
LINKS = pd.DataFrame(
    [
        {
            "from_key": str(at), "from_stage": STAGES[at], "from_position": at, "to_key": str(at + 1), "to_position": 9,
            "to_stage": "Won", "kind": kind, "deals": 10 - at, "moves": 10, "value": 1e6,
        }
        for at, kind in enumerate(["entered", "forward", "skipped", "back", "lost"])
    ]
    + [
        {
            "from_key": str(at), "from_stage": STAGES[at], "from_position": at, "to_key": "1", "to_position": 1,
            "to_stage": "Lead identified", "kind": kind, "deals": 3, "moves": 3, "value": 1e6,
        }
        for at, kind in ((3, "won"), (4, "reopened"))
    ]
)  # fmt: skip


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("code", LANGUAGES)
def test_each_kind_of_move_stands_whole_in_the_legend_of_a_phone(code, large):
    """plotly's own legend has the width of the ribbons alone: beside the names that is too little on a phone."""
    px = sizes(large=large).tick
    with speaking(code):
        figure = flow(LINKS, dark=large, large=large)
        named = [_(name) for name in KIND_NAMES.values()]
    left = figure.layout.margin.l
    shown = [note for note in figure.layout.annotations if note.yref == "paper" and note.text in named]
    marks = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert [note.text for note in shown] == named
    assert len(marks) == len({mark.line.color for mark in marks}) == len(named)
    assert not figure.layout.showlegend
    for note, mark in zip(shown, marks, strict=True):
        assert -left <= mark.x0 < mark.x1 < note.xshift
        assert left + note.xshift + text_width(note.text, px) <= NARROWEST
        assert 0 < note.yshift < figure.layout.margin.t
    places = [(note.yshift, note.xshift, note.xshift + text_width(note.text, px)) for note in shown]
    for (high, _start, end), (after, start, _end) in pairwise(places):
        assert after < high or end < start, "no name stands over another"


def test_a_kind_that_did_not_happen_is_not_in_the_legend():
    figure = flow(LINKS[LINKS["kind"] != "reopened"], dark=False)
    assert "Reopened" not in [note.text for note in figure.layout.annotations]


LONG = [f"{n}: a product whose name is long" for n in range(6)]
PARTS = {
    "groups": lambda **k: grouped_bars(
        pd.DataFrame([{"stage_key": "a", "stage": "A", "group_key": n, "group": n, "value": 0.5} for n in LONG]),
        unit="rate", title="T", **k,
    ),
    "reasons": lambda **k: lost_by_stage(
        pd.DataFrame([{"stage_key": "a", "stage": "A", "reason_key": n, "reason": n, "count": 5} for n in LONG]), **k
    ),
}  # fmt: skip


@pytest.mark.parametrize("draw", PARTS.values(), ids=PARTS)
@pytest.mark.parametrize("large", [False, True])
def test_groups_and_reasons_are_named_in_full_each_with_its_colour(draw, large):
    figure = draw(dark=large, large=large)
    names = [note for note in figure.layout.annotations if note.text in LONG]
    assert [note.text for note in names] == LONG
    assert [note.yshift for note in names] == sorted({note.yshift for note in names}, reverse=True)
    marks = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    drawn = {trace.name: trace.marker.color for trace in figure.data if trace.name}
    assert {note.text: mark.fillcolor for note, mark in zip(names, marks, strict=True)} == drawn
    assert not figure.layout.showlegend
    assert max(note.yshift for note in names) < figure.layout.margin.t
