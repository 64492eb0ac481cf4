"""The ways that deals took: each deal once, each move as often as it was made, and what is not known left out."""

from __future__ import annotations

from random import Random
from types import SimpleNamespace

import numpy as np
import pytest

from core.analytics.flow_ways import Flow, steps_between


def _stages(open_ones, *, retired=()):
    kinds = [*("open" for _each in range(open_ones)), "won", "lost"]
    return [
        SimpleNamespace(id=7 + 3 * place, stage=str(place), kind=kind, position=place + 1, active=place not in retired)
        for place, kind in enumerate(kinds)
    ]


def _flow(ways, moves, amounts):
    columns = zip(*moves, strict=True) if moves else ((), (), ())
    made = dict(zip(("deal_id", "from_id", "to_id"), (np.array(each, np.int32) for each in columns), strict=True))
    return Flow(ways, made, {"id": np.array([*amounts], np.int32), "value": np.array([*amounts.values()], np.int64)})


def test_a_way_is_a_skip_only_over_a_stage_in_use():
    kinds = {(step.from_position, step.to_position): step.kind for step in steps_between(_stages(4, retired=(1,)))}
    assert [kinds[way] for way in ((0, 3), (1, 2), (1, 3), (1, 4), (3, 1), (2, 5), (2, 6), (5, 1), (6, 5))] == [
        "entered", "forward", "forward", "skipped", "back", "won", "lost", "reopened", "won",
    ]  # fmt: skip


@pytest.mark.parametrize("first", [1, 40_000_000])
def test_deals_and_moves_of_ways_are_those_of_the_moves(first):
    random, stages = Random(3), [stage.id for stage in _stages(8)]
    ways = [(step.from_id, step.to_id) for step in steps_between(_stages(8))]
    moves = [
        (deal, random.choice([0, *stages[: 2 + deal % 9]]), random.choice(stages[: 2 + deal % 9]))
        for deal in range(first, first + 40)
        for _each in range(random.randint(1, 9))
    ]
    amounts = {deal: 100 * deal for deal in reversed([*dict.fromkeys(deal for deal, _one, _two in moves)])}
    flow = _flow(ways, moves, amounts)
    for wanted in (ways[:1], ways[67:68], ways[10:70], ways):
        behind = [(deal, (one, two)) for deal, one, two in moves if (one, two) in set(wanted)]
        deals = {deal for deal, _way in behind}
        assert flow.of(wanted) == (len(deals), len(behind), sum(amounts[deal] for deal in deals))
    assert flow.of([]) == (0, 0, 0)


def test_moves_of_unknown_deals_and_on_unknown_ways_do_not_count():
    moves = [(1, 0, 7), (1, 7, 10), (2, 0, 7), (2, 7, 7), (2, 7, 999), (2, 999, 7), (2, 8, 10), (3, 0, 7)]
    flow = _flow([(0, 7), (7, 10)], moves, {1: 5, 2: 60})
    assert flow.of([(0, 7), (7, 10)]) == (2, 3, 65)
    assert _flow([], moves, {1: 5}).of([]) == (0, 0, 0)
    assert _flow([(0, 7)], [], {}).of([(0, 7)]) == (0, 0, 0)
