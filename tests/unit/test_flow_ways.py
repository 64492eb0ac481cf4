"""The ways that deals took, as bits: they say what the moves themselves say, however many ways there are."""

from __future__ import annotations

from collections import Counter
from random import Random
from types import SimpleNamespace

import duckdb
import duckdb_engine
import numpy as np
from sqlalchemy import Integer, column, select, table

from core.analytics.flow_ways import WORD, Flow, Places, steps_between


def _stages(open_ones, *, retired=()):
    kinds = [*("open" for _each in range(open_ones)), "won", "lost"]
    return [
        SimpleNamespace(id=7 + 3 * place, stage=str(place), kind=kind, position=place + 1, active=place not in retired)
        for place, kind in enumerate(kinds)
    ]


def test_a_way_is_a_skip_only_over_a_stage_in_use():
    kinds = {(step.from_position, step.to_position): step.kind for step in steps_between(_stages(4, retired=(1,)))}
    assert [kinds[way] for way in ((0, 3), (1, 2), (1, 3), (1, 4), (3, 1), (2, 5), (2, 6), (5, 1), (6, 5))] == [
        "entered", "forward", "forward", "skipped", "back", "won", "lost", "reopened", "won",
    ]  # fmt: skip


def test_deals_and_moves_of_more_ways_than_a_number_has_bits_are_those_of_the_moves():
    random, stages = Random(3), [stage.id for stage in _stages(8)]
    places = Places(tuple((step.from_id, step.to_id) for step in steps_between(_stages(8))))
    assert places.words == 2
    moves = [
        (deal, random.choice([0, *stages[: 2 + deal % 9]]), random.choice(stages[: 2 + deal % 9]))
        for deal in range(1, 41)
        for _each in range(random.randint(1, 9))
    ]
    amounts = {deal: 100 * deal for deal, _origin, _end in moves}
    told = {deal: _told(places, [(one, two) for each, one, two in moves if each == deal]) for deal in amounts}
    rows = {
        f"{name}_{word}": np.array([told[deal][at][word] for deal in amounts])
        for at, name in enumerate(("way", "even"))
        for word in range(places.words)
    }
    rows |= {"again": np.array([deal if told[deal][2] else 0 for deal in amounts]), "deals": np.ones(len(amounts))}
    rows["value"] = np.array(list(amounts.values()))
    flow = Flow(places, rows, lambda ids: Counter((one, two) for deal, one, two in moves if deal in ids))
    assert {each[2] for each in told.values()} == {True, False}
    for wanted in ([places.ways[0]], [places.ways[WORD + 5]], places.ways[10:70], places.ways):
        behind = [(deal, (one, two)) for deal, one, two in moves if (one, two) in set(wanted)]
        deals = {deal for deal, _way in behind}
        assert flow.of(wanted) == (len(deals), len(behind), sum(amounts[deal] for deal in deals))


def _told(places, ways):
    """Return bits of the ways taken, of those taken an even number of times, and whether that leaves a move out."""
    known = [way for way in ways if way in places.ways]
    counts = Counter(known)
    words = [
        [sum(1 << place % WORD for place, way in enumerate(places.ways) if place // WORD == word and test(counts[way]))
         for word in range(places.words)]
        for test in (lambda n: n > 0, lambda n: n > 0 and n % 2 == 0)
    ]  # fmt: skip
    return *words, len(ways) > sum(1 + (n % 2 == 0) for n in counts.values())


def test_the_bit_of_a_move_is_that_of_its_way_and_none_where_the_way_is_not_known():
    places = Places(tuple((step.from_id, step.to_id) for step in steps_between(_stages(8))))
    moves = table("moves", column("from_stage_id", Integer), column("to_stage_id", Integer))
    text = select(*moves.c, *places.bits(moves.c)).compile(
        dialect=duckdb_engine.Dialect(), compile_kwargs={"literal_binds": True}
    )
    ways = [*places.ways, (0, 999), (7, 7), (999, 7), (1, 10)]
    values = ", ".join(f"({one or 'NULL'}, {two})" for one, two in ways)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE moves AS SELECT * FROM (VALUES {values}) v(from_stage_id, to_stage_id)")
        found = {(one or 0, two): tuple(bits) for one, two, *bits in connection.execute(str(text)).fetchall()}
    for place, way in enumerate(places.ways):
        assert found[way] == tuple(1 << place % WORD if place // WORD == word else 0 for word in range(places.words))
    assert all(found[way] == (0, 0) for way in ways[len(places.ways) :])
