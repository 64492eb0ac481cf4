"""Colours that everybody can tell apart, and axes that cover what they show."""

import math
import tomllib
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.charts.figure import Figure
from core.charts.theme import (
    DARK,
    LIGHT,
    NARROWEST,
    elide,
    money_axis,
    nice_ticks,
    nothing,
    plain,
    style,
    text_width,
    value_axis,
    wrap,
)
from core.i18n import LANGUAGES, speaking

ROOT = Path(__file__).parents[2]

# Machado, Oliveira, Fernandes 2009: severity 1.0, on linear RGB.
SIGHT = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
PAPER = {"light": "#FFFFFF", "dark": "#0E1420"}
LOOKS = {"light": LIGHT, "dark": DARK}


def linear(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]


def lab(color, sight):
    seen = [min(1.0, max(0.0, sum(m * p for m, p in zip(row, linear(color), strict=True)))) for row in SIGHT[sight]]
    x = 0.4124564 * seen[0] + 0.3575761 * seen[1] + 0.1804375 * seen[2]
    y = 0.2126729 * seen[0] + 0.7151522 * seen[1] + 0.0721750 * seen[2]
    z = 0.0193339 * seen[0] + 0.1191920 * seen[1] + 0.9503041 * seen[2]
    a, b, c = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x / 0.95047, y, z / 1.08883))
    return 116 * b - 16, 500 * (a - b), 200 * (b - c)


def contrast(one, other):
    def luminance(color):
        r, g, b = linear(color)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", LOOKS)
def test_any_two_series_colours_differ_for_every_kind_of_sight(theme, sight):
    for one, other in combinations(LOOKS[theme].series, 2):
        assert math.dist(lab(one, sight), lab(other, sight)) >= 18, (one, other)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", LOOKS)
def test_won_lost_open_and_on_their_way_differ_for_every_kind_of_sight(theme, sight):
    c = LOOKS[theme]
    for one, other in combinations((c.won, c.lost, c.open, c.series[0]), 2):
        assert math.dist(lab(one, sight), lab(other, sight)) >= 18, (one, other)
    assert math.dist(lab(c.forecast, sight), lab(c.scenario, sight)) >= 40


@pytest.mark.parametrize("theme", LOOKS)
def test_text_and_bars_stand_out_from_the_page(theme):
    c, paper = LOOKS[theme], PAPER[theme]
    assert contrast(c.ink, paper) >= 12
    assert contrast(c.muted, paper) >= 4.5
    assert all(contrast(color, paper) >= 2.2 for color in c.series)
    assert all(contrast(color, paper) >= 3 for color in (c.won, c.lost, c.forecast, c.quota))


@given(
    high=st.floats(min_value=0, max_value=1e13),
    low=st.floats(min_value=-1e12, max_value=0),
    code=st.sampled_from(LANGUAGES),
    unit=st.sampled_from(["money", "count", "days", "rate"]),
)
@settings(deadline=None)
def test_ticks_are_round_cover_the_values_and_read_differently(high, low, code, unit):
    with speaking(code):
        axis = value_axis(unit, high, low)
    ticks = axis["tickvals"]
    assert axis["range"] == [ticks[0], ticks[-1]]
    assert ticks[0] <= low <= 0 <= high <= ticks[-1]
    assert 2 <= len(ticks) <= 8
    step = ticks[1] - ticks[0]
    assert f"{step:.3e}"[0] in "125"
    assert 0 in ticks
    if high - low >= 1:
        assert len(set(axis["ticktext"])) == len(ticks), axis


def test_a_money_axis_speaks_the_readers_language():
    assert money_axis(4_600_000)["ticktext"] == ["0", "¥1M", "¥2M", "¥3M", "¥4M", "¥5M"]
    with speaking("zh"):
        assert money_axis(4_600_000)["ticktext"] == [
            "0", "¥100万", "¥200万", "¥300万", "¥400万", "¥500万",
        ]  # fmt: skip
        assert money_axis(180_000_000)["ticktext"] == [
            "0", "¥5,000万", "¥1亿", "¥1.5亿", "¥2亿",
        ]  # fmt: skip
    assert money_axis(900, -400, "USD")["ticktext"] == ["-$500", "0", "$500", "$1K"]


def test_an_axis_of_nothing_still_has_two_ticks_and_deals_are_never_halved():
    assert nice_ticks(0) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert value_axis("count", 3)["tickvals"] == [0, 1, 2, 3]
    assert value_axis("rate", 1)["ticktext"] == ["0%", "20%", "40%", "60%", "80%", "100%"]


def test_a_name_from_outside_is_shown_as_it_stands():
    assert plain("<a href='x'>R&D</a>") == "&lt;a href='x'&gt;R&amp;D&lt;/a&gt;"


def test_a_long_name_is_cut_by_its_width_on_screen():
    assert elide("华东一部上海浦东", 9) == "华东一部…"
    assert elide("GTX Plus Pro", 12) == "GTX Plus Pro"
    assert elide("GTX Plus Pro", 9) == "GTX Plus…"


@given(text=st.text(alphabet="ab 华东，", max_size=120))
@settings(deadline=None)
def test_wrapping_loses_no_character_but_spaces(text):
    assert "".join(wrap(text, 12, 80)).replace(" ", "") == text.replace(" ", "")


def test_a_title_breaks_where_a_phone_ends_and_keeps_its_margin():
    title = "Booked value by month and team, against a year earlier"
    lines = wrap(title, 16)
    assert len(lines) == 2
    assert all(text_width(line, 16) <= 348 for line in lines)
    short, long = (style(Figure(), title=t, dark=False) for t in ("Booked", title))
    assert long.layout.margin.t > short.layout.margin.t + 16
    assert long.layout.title.text.count("<br>") == 1


def named_bars(names, *, in_rows=False):
    figure = Figure()
    for n in range(names):
        figure.add_bar(x=[1], y=[1], name=f"A name that takes the row of a phone {n}")
    if in_rows:
        figure.update_yaxes(showticklabels=False)
    return style(figure, title="Title", subtitle="What it shows", dark=False, height=250)


def test_the_legend_stands_between_title_and_plot_and_under_it_where_it_takes_many_rows():
    """In a chart of rows, whose words keep their places, under a plot of the height that was asked for."""
    for names in (2, 6):
        figure = named_bars(names, in_rows=True)
        height, margin = figure.layout.height, figure.layout.margin
        top = (1 - figure.layout.legend.y) * height
        if names == 2:
            assert margin.t - top >= names * 20
            assert top >= 16 * 1.3 + 12
        else:
            assert height - margin.b < top <= height - names * 20
            assert margin.t < 16 * 5
        assert height - margin.t - margin.b == 250


def test_a_plot_takes_the_room_that_its_legend_leaves_on_a_wide_screen():
    """plotly puts a legend that stands on the chart's lower end under the axis: room for its rows on a phone stays."""
    figure = named_bars(6)
    legend, height, margin = figure.layout.legend, figure.layout.height, figure.layout.margin
    assert (legend.y, legend.yanchor, legend.yref) == (0, "bottom", "container")
    assert height - margin.t >= 250 + 6 * 20
    assert margin.b <= 10
    above = named_bars(2).layout.legend
    assert (above.yanchor, above.y > 0.5) == ("top", True)


def test_large_type_is_larger_and_the_page_shows_through():
    page, wall = (style(Figure(), title="T", dark=True, large=x) for x in (False, True))
    assert wall.layout.font.size > page.layout.font.size
    assert page.layout.plot_bgcolor == "rgba(0,0,0,0)"


def test_a_picture_of_a_figure_lies_on_the_themes_own_background():
    themes = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
    for dark, name in ((False, "light"), (True, "dark")):
        assert style(Figure(), title="T", dark=dark).layout.paper_bgcolor == themes[name]["backgroundColor"]


def test_a_title_leaves_room_for_the_button_beside_it():
    """On a phone the button is 44 px wide at the right end of 340: a wider title breaks."""
    title = "Change of the total, one lever at a time"
    assert NARROWEST - 44 < text_width(title, 16 * 1.04) < NARROWEST
    assert style(Figure(), title=title, dark=False).layout.title.text.count("<br>") == 1


def test_nothing_to_show_is_said_calmly_in_both_languages():
    assert nothing("T", dark=False).layout.annotations[0].text == "No data in this period"
    with speaking("zh"):
        assert nothing("T", dark=True).layout.annotations[0].text == "本期暂无数据"
