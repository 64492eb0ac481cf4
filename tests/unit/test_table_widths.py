"""Column widths: headings whole, numbers whole, long texts give way."""

from hypothesis import given, settings
from hypothesis import strategies as st

from core.ui.screens.funnel_words import step_name
from core.ui.table_widths import fitting_widths, name_pixels, text_pixels

SOME = st.lists(
    st.tuples(st.text(max_size=12), st.lists(st.text(max_size=40), max_size=5), st.booleans()), min_size=1, max_size=12
)


def test_a_chinese_character_is_about_as_wide_as_two_letters():
    assert 1.6 < text_pixels("商") / text_pixels("a") < 2.1


def test_a_long_text_gives_way_to_the_amounts_beside_it():
    name, amount = fitting_widths(
        ["Customer", "Amount"], [["x" * 200], ["¥1,234,567,890.00"]], texts=[True, False], room=300
    )
    assert amount >= text_pixels("¥1,234,567,890.00")
    assert name + amount <= 300


@settings(deadline=None)
@given(SOME)
def test_every_heading_is_whole(columns):
    labels, cells, texts = zip(*columns, strict=True)
    widths = fitting_widths(labels, cells, texts=texts, room=500)
    assert all(width + 1 > text_pixels(label) for width, label in zip(widths, labels, strict=True))


def test_a_table_that_moves_sideways_all_the_same_shows_the_name_of_a_team_whole():
    amounts = [["¥2,746,100.00"]] * 9
    labels, texts = ["Team", *"ABCDEFGHI"], [True, *[False] * 9]
    team = fitting_widths(labels, [["Jiangsu and Zhejiang"], *amounts], texts=texts)[0]
    assert team >= text_pixels("Jiangsu and Zhejiang")


STEPS = [step_name({"stage": one, "next_stage": other}) for one, other in (
    ("Lead identified", "First contact"), ("Demo", "Quote and negotiation"), ("Needs analysis", "Demo"),
)]  # fmt: skip
PHONE = 327
"""Pixels that a table has on a phone of 390."""


def test_the_names_that_stay_where_a_table_moves_sideways_are_whole_and_stay_on_a_phone_too():
    """The measured pixels are those of the table's type in Arial; 16 are the cell's own edges."""
    labels, texts = ["Step", "Verdict", *"ABCDEFGHIJKLMNO"], [True, True, *[False] * 15]
    cells = [STEPS, ["Not enough evidence"] * 3, *[["¥2,746,100.00"] * 3] * 15]
    step, verdict, *_amounts = fitting_widths(labels, cells, texts=texts, stays=True)
    assert 178.7 + 16 <= step < PHONE * 0.6
    assert verdict <= 180
    assert fitting_widths(labels, cells, texts=texts)[0] == 180, "one that moves with the others gives way"


def test_the_names_that_stay_never_take_the_whole_of_a_phone():
    labels, texts = ["Customer", *"ABCDEFGHIJ"], [True, *[False] * 10]
    cells = [["x" * 200], *[["¥2,746,100.00"]] * 10]
    assert fitting_widths(labels, cells, texts=texts, stays=True)[0] < PHONE * 0.6


def test_a_name_of_thin_letters_takes_less_room_than_one_of_broad_letters():
    assert name_pixels("illicit") < text_pixels("illicit") < name_pixels("mammogram")
    assert name_pixels("商机") == text_pixels("商机")
