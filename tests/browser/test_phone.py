"""A phone of 390 pixels: rows to tap in place of wide tables, targets for a thumb, and save always in view."""

import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
THUMB = 44  # pixels, WCAG 2.2, success criterion 2.5.5


def box(page, selector):
    return page.locator(selector).first.bounding_box()


def test_a_phone_shows_deals_as_rows_with_their_amounts_and_a_wide_screen_a_table(page_as):
    phone = page_as("rep", path="deals", width=390)
    row = phone.locator(".st-key-phone-deals a").first
    amount = row.locator("strong").nth(1).bounding_box()
    assert amount["x"] > 0
    assert amount["x"] + amount["width"] <= 390
    assert row.bounding_box()["height"] >= THUMB
    assert not phone.locator('.st-key-wide-deals [data-testid="stDataFrame"]').is_visible()
    row.click()
    settle(phone)
    assert "/deal?id=" in phone.url

    wide = page_as("rep", path="deals", width=1440)
    wide.locator('.st-key-wide-deals [data-testid="stDataFrame"]').wait_for(state="visible", timeout=30_000)
    assert not wide.locator(".st-key-phone-deals a").first.is_visible()


def test_the_save_button_is_in_view_before_one_scrolls_and_wide_enough_for_a_thumb(page_as):
    page = page_as("rep", path="log_deal", width=390, height=700)
    save = box(page, ".st-key-save-deal button")
    assert save["y"] + save["height"] <= 700
    assert save["height"] >= THUMB


def test_what_a_thumb_has_to_hit_is_44_pixels_high(page_as):
    page = page_as("rep", path="log_activity", width=390)
    for selector in ('[data-testid="stButtonGroup"] button', ".st-key-customer-hits button"):
        for target in page.locator(f'[data-testid="stMain"] {selector}').all():
            assert target.bounding_box()["height"] >= THUMB


def test_on_a_phone_the_attainment_stands_above_what_it_is_made_of(page_as):
    page = page_as("rep", width=390)
    card = page.locator('[class*="st-key-attainment-"]').first
    rate, made_of = card.locator("h3").first, card.locator('[data-testid="stProgress"] p').first
    drawn = rate.evaluate(
        "e => { const words = document.createRange(); words.selectNodeContents(e);"
        " return words.getBoundingClientRect().bottom }"
    )
    assert drawn <= made_of.bounding_box()["y"] + 2


@pytest.mark.parametrize(
    ("path", "key", "rows_at"),
    [
        ("overview", "overview", {390: [1, 2, 2, 2, 2], 1024: [3, 3, 3], 1440: [5, 4], 1920: [5, 4]}),
        ("pipeline", "pipeline", {390: [1, 2, 2], 768: [3, 2], 1200: [3, 2], 1300: [5]}),
        ("overview?customers=shown", "customers", {390: [1, 2, 2, 2], 1024: [1, 3, 3], 1440: [4, 3]}),
    ],
    ids=["overview", "pipeline", "customers"],
)
def test_cards_stand_in_full_rows_at_every_width_and_cut_no_number(page_as, path, key, rows_at):
    page = page_as("leadership", path=path)
    for width, rows in rows_at.items():
        page.set_viewport_size({"width": width, "height": 1200})
        settle(page)
        in_full_rows(page, key, rows)


def in_full_rows(page, key, rows):
    """Hold that a grid's cards stand in these rows, each as wide as the grid, and that no number is cut."""
    cards = page.locator(f".st-key-cards-page-{key} > *")
    cards.nth(sum(rows) - 1).wait_for(timeout=30_000)
    boxes = [card.bounding_box() for card in cards.all()]
    tops = sorted({round(box["y"]) for box in boxes})
    assert [sum(round(box["y"]) == top for box in boxes) for top in tops] == rows
    ends = {round(max(b["x"] + b["width"] for b in boxes if round(b["y"]) == top)) for top in tops}
    assert max(ends) - min(ends) <= 1
    values = page.locator(f'.st-key-cards-page-{key} [data-testid="stMetricValue"]')
    assert all(values.evaluate_all("all => all.map(e => e.scrollWidth <= e.clientWidth)"))
