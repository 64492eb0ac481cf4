"""The Forecast page in a browser: a slider moves the scenario."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PageAs, settle

pytestmark = pytest.mark.browser


def test_a_slider_moves_the_scenario_and_the_address(page_as: PageAs) -> None:
    page = page_as("leadership", "forecast")
    page.locator(".st-key-card-forecast-base").wait_for(timeout=60_000)
    assert not page.locator(".st-key-card-forecast-scenario").count()

    page.locator(".st-key-forecast-growth").get_by_role("slider").first.focus()
    for _step in range(5):
        page.keyboard.press("ArrowRight")
    page.locator(".st-key-card-forecast-scenario").wait_for(timeout=30_000)
    settle(page)
    assert "growth=5" in page.url
    assert not page.get_by_test_id("stException").count()
