"""The flow's marks: each ribbon has one to be clicked, and none lies under another."""

from itertools import combinations
from math import hypot

import pandas as pd
import pytest

from core.charts.funnel_flow import flow
from core.charts.theme import NARROWEST

STAGES = ["New", "Identified", "Contact", "Needs", "Demo", "Quote", "Won", "Lost"]


def link(start, end, kind, deals):
    return {
        "from_key": str(start), "from_stage": STAGES[start], "from_position": start, "to_key": str(end),
        "to_stage": STAGES[end], "to_position": end, "kind": kind, "deals": deals, "moves": deals, "value": 1e6,
    }  # fmt: skip


@pytest.mark.parametrize("few", [1, 300])
def test_no_mark_of_the_flow_lies_under_another_on_a_phone(few):
    """Lost deals that were reopened at every stage are thin ribbons that begin at one point."""
    links = [
        link(0, 1, "entered", 4_000), *(link(at, at + 1, "forward", 3_000 - 500 * at) for at in range(1, 5)),
        *(link(at, at - 1, "back", 100) for at in range(2, 6)), *(link(at, 7, "lost", 300) for at in range(1, 6)),
        *(link(7, at, "reopened", few) for at in range(1, 6)), link(5, 6, "won", 900), link(4, 6, "skipped", few),
    ]  # fmt: skip
    figure = flow(pd.DataFrame(links), dark=False)
    (marks,) = (trace for trace in figure.data if trace.mode == "markers")
    assert len(marks.customdata) == len({tuple(pair) for pair in marks.customdata}) == len(links)
    margin, low, high = figure.layout.margin, *figure.layout.yaxis.range
    across = NARROWEST - margin.l - margin.r
    up = (figure.layout.height - margin.t - margin.b) / (high - low)
    places = [(x * across, y * up) for x, y in zip(marks.x, marks.y, strict=True)]
    assert all(hypot(x - other, y - its) > marks.marker.size for (x, y), (other, its) in combinations(places, 2))
