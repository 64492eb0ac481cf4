"""A figure is kept by all that it was drawn from."""

from __future__ import annotations

import pandas as pd
import pytest

from core.charts import ranked_bars
from core.charts.remembered import MOST, remembered
from core.i18n import use_language

FRAME = pd.DataFrame({"key": ["1", "2"], "name": ["East", "West"], "value": [2.0, 1.0]})


@pytest.fixture(autouse=True)
def _in_english():
    use_language("en")
    yield
    use_language("en")


def drawn(frame=FRAME, **changed):
    return ranked_bars(frame, **{"unit": "money", "title": "Booked", "dark": False} | changed)


def test_the_same_numbers_are_drawn_once():
    assert drawn(FRAME.copy()) is drawn(FRAME.copy())


@pytest.mark.parametrize("changed", [{"dark": True}, {"large": True}, {"title": "Won"}, {"currency": "USD"}])
def test_another_look_or_word_is_another_figure(changed):
    assert drawn(**changed) is not drawn()
    assert drawn(**changed).to_dict() != drawn().to_dict()


def test_another_number_name_or_kind_of_number_is_another_figure():
    for other in (FRAME.assign(value=[2.0, 1.5]), FRAME.assign(name=["East", "South"]), FRAME.assign(value=[2, 1])):
        assert drawn(other) is not drawn()


def test_each_language_has_its_own_figure():
    english = drawn()
    use_language("zh")

    assert drawn() is not english
    assert drawn().to_dict() != english.to_dict()


def test_what_cannot_be_told_apart_is_drawn_each_time():
    calls = []
    draw = remembered(calls.append)
    thing = object()
    draw(thing)
    draw(thing)

    assert calls == [thing, thing]


def test_the_oldest_figures_are_forgotten():
    calls = []
    draw = remembered(calls.append)
    for number in (*range(MOST + 1), MOST, 0):
        draw(number)

    assert calls == [*range(MOST + 1), 0]
