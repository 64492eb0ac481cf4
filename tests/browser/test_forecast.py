"""The Forecast page in a browser: sliders, and scenarios kept by name."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PageAs, settle

pytestmark = pytest.mark.browser


def test_a_slider_moves_the_scenario_which_is_saved_compared_renamed_and_deleted(page_as: PageAs) -> None:
    page = page_as("leadership", "forecast")
    page.locator(".st-key-card-forecast-base").wait_for(timeout=60_000)
    assert not page.locator(".st-key-card-forecast-scenario").count()

    page.locator(".st-key-forecast-growth [role=slider]").first.focus()
    for _step in range(5):
        page.keyboard.press("ArrowRight")
    page.locator(".st-key-card-forecast-scenario").wait_for(timeout=30_000)
    settle(page)
    assert "growth=5" in page.url

    page.locator(".st-key-scenario-save button").click()
    page.locator(".st-key-scenario-name input").fill("Five more")
    page.locator(".st-key-scenario-name input").press("Tab")
    page.locator(".st-key-scenario-send button").click()
    page.locator(".st-key-scenario-list button").wait_for(timeout=30_000)
    settle(page)

    page.locator(".st-key-forecast-compared input").click()
    page.get_by_role("option", name="Five more").click()
    settle(page)
    page.keyboard.press("Escape")
    assert "with=Five" in page.url
    page.locator(".st-key-forecast-side-by-side .js-plotly-plot").wait_for(timeout=30_000)

    page.locator(".st-key-scenario-list button").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Rename").click()
    field = page.locator("[class*=st-key-scenario-name-] input")
    field.fill("Five")
    field.press("Tab")
    page.locator("[class*=st-key-scenario-rename-] button").click()
    dialog.get_by_text("Five", exact=True).first.wait_for(timeout=30_000)
    page.keyboard.press("Escape")
    settle(page)
    if not dialog.is_visible():
        page.locator(".st-key-scenario-list button").click()
    page.locator("[class*=st-key-scenario-delete-] button").click()
    page.locator("[class*=st-key-scenario-gone-] button").click()
    dialog.get_by_text("You keep no scenario yet.").wait_for(timeout=30_000)
    assert not page.get_by_test_id("stException").count()
