"""Scenarios on the Forecast page, through their dialogs: saved, replaced, compared, renamed, opened, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.conftest import PageAs, settle

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect


@pytest.fixture
def forecast(page_as: PageAs) -> Iterator[Any]:
    """The Forecast page with five per cent of growth laid on the base, without any scenario before and afterwards."""
    page = page_as("leadership", "forecast", height=2000)
    _delete_all(page)
    _grow(page, 5)
    yield page
    page.goto("/forecast")
    _delete_all(page)


def _delete_all(page: Any) -> None:
    page.locator(".st-key-card-forecast-base").wait_for(timeout=90_000)
    settle(page)
    while page.locator(".st-key-scenario-list").count():
        dialog = _list(page)
        dialog.get_by_role("button", name="Delete").first.click()
        dialog.locator("[class*=st-key-scenario-gone]").get_by_role("button").click()
        settle(page)
        page.reload()
        page.locator(".st-key-card-forecast-base").wait_for(timeout=60_000)
        settle(page)


def _grow(page: Any, steps: int) -> None:
    page.locator(".st-key-forecast-growth").get_by_role("slider").first.focus()
    for _step in range(steps):
        page.keyboard.press("ArrowRight")
    page.locator(".st-key-card-forecast-scenario").wait_for(timeout=30_000)
    settle(page)


def _save(page: Any, name: str, note: str = "") -> Any:
    page.locator(".st-key-scenario-save button").first.click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    dialog.locator(".st-key-scenario-name input").fill(name)
    dialog.locator(".st-key-scenario-note textarea").fill(note)
    dialog.locator(".st-key-scenario-note textarea").press("Control+Enter")
    settle(page)
    dialog.locator(".st-key-scenario-send button").first.click()
    settle(page)
    return dialog


def _list(page: Any) -> Any:
    page.locator(".st-key-scenario-list button").first.click()
    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    settle(page)
    return dialog


def _close(page: Any, dialog: Any) -> None:
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    settle(page)


def _named(dialog: Any, name: str) -> Any:
    return dialog.locator("[class*=st-key-scenario-]").filter(has=dialog.page.locator(f"strong:text-is('{name}')")).last


def test_a_scenario_is_saved_by_name_and_replaced_only_when_asked(forecast: Any) -> None:
    page = forecast
    dialog = _save(page, "Grow", note="five per cent")
    dialog.wait_for(state="hidden")
    _grow(page, 2)
    dialog = _save(page, "Grow")
    assert dialog.is_visible(), "a name that is taken is asked about"
    assert dialog.locator(".st-key-scenario-send").inner_text() == "Replace it"
    dialog.locator(".st-key-scenario-send button").first.click()
    dialog.wait_for(state="hidden")
    settle(page)
    dialog = _list(page)
    assert dialog.locator("strong").all_inner_texts() == ["Grow"]
    assert "+7" in dialog.inner_text()


def test_a_scenario_without_a_name_is_not_saved(forecast: Any) -> None:
    page = forecast
    dialog = _save(page, "  ")
    assert dialog.is_visible()
    assert dialog.get_by_role("alert").count()
    _close(page, dialog)
    assert not page.locator(".st-key-scenario-list").count()


def test_scenarios_are_compared_renamed_opened_and_deleted(forecast: Any) -> None:
    page = forecast
    _save(page, "Grow").wait_for(state="hidden")
    _grow(page, 5)
    _save(page, "Grow more").wait_for(state="hidden")
    settle(page)

    box = page.locator(".st-key-forecast-compared input")
    for name in ("Grow more", "Grow"):
        box.click()
        page.get_by_role("option", name=name, exact=True).click()
        settle(page)
    page.keyboard.press("Escape")
    page.locator(".st-key-forecast-side-by-side").wait_for()
    settle(page)
    told = page.locator(".st-key-forecast-side-by-side").inner_text()
    assert "Grow" in told
    assert "Grow more" in told

    dialog = _list(page)
    _named(dialog, "Grow more").get_by_role("button", name="Rename").click()
    popover = page.get_by_test_id("stPopoverBody")
    popover.get_by_role("textbox").fill("Leap")
    popover.get_by_role("textbox").press("Enter")
    settle(page)
    popover.get_by_role("button", name="Rename").click()
    settle(page)
    assert sorted(dialog.locator("strong").all_inner_texts()) == ["Grow", "Leap"]

    _named(dialog, "Grow").get_by_role("button", name="Open").click()
    dialog.wait_for(state="hidden")
    settle(page)
    assert "growth=5" in page.url

    dialog = _list(page)
    _named(dialog, "Leap").get_by_role("button", name="Delete").click()
    settle(page)
    dialog.get_by_role("button", name="Keep it").click()
    settle(page)
    assert dialog.locator("strong").count() == 2, "asked first, and kept"
    _named(dialog, "Leap").get_by_role("button", name="Delete").click()
    dialog.locator("[class*=st-key-scenario-gone]").get_by_role("button").click()
    expect(dialog.locator("strong")).to_have_text(["Grow"])
