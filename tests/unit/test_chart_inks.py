"""The sheet that lets charts follow a change of theme knows each colour of the charts."""

import inspect
import re

import pytest

from core.charts.theme import DARK, LIGHT
from core.ui import chart_inks

SHEET = inspect.getsource(chart_inks)
NAMED = ("ink", "muted", "grid", "track", "tip", "previous", "pale")
PAIRS = [(getattr(LIGHT, name), getattr(DARK, name)) for name in NAMED] + list(
    zip(LIGHT.series, DARK.series, strict=True)
)


def in_style(colour):
    return "rgb({}, {}, {})".format(*(int(colour[at : at + 2], 16) for at in (1, 3, 5)))


@pytest.mark.parametrize("prop", ["fill", "stroke"])
@pytest.mark.parametrize(("light", "dark"), PAIRS)
def test_a_colour_has_its_twin_in_the_other_theme(light, dark, prop):
    rules = dict(re.findall(r"(:is\(.+?\)) \{\s*(\S+: light-dark.+?) !important\}", SHEET))
    selector = f':is([style*="{prop}: {in_style(light)}"], [style*="{prop}: {in_style(dark)}"])'
    assert rules[selector] == f"{prop}: light-dark({light}, {dark})"


def test_no_colour_leads_to_two():
    selectors = re.findall(r'\[style\*="(.+?)"\]', SHEET)
    assert len(selectors) == len(set(selectors)) == 4 * len(PAIRS)
