"""What people do with the program, from the first click to the number that it moves."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import AppServer, PageAs, settle

pytestmark = pytest.mark.browser


def go(page: Any, address: str) -> None:
    """Open an address below the program's own in this tab."""
    page.goto(f"/{address}")
    settle(page)
    settle(page)
    assert not page.get_by_test_id("stException").count()


def metric(page: Any, key: str) -> str:
    """The number on a card."""
    return str(page.locator(f".st-key-{key} [data-testid=stMetricValue]").inner_text()).strip()


def first_number(text: str) -> int:
    found = re.search(r"[\d,]+", text)
    assert found, text
    return int(found[0].replace(",", ""))


def headline(page: Any) -> str:
    return str(page.get_by_role("heading", name=re.compile("opened in this period|本期开启|期间")).first.inner_text())


def test_a_deal_logged_on_a_phone_moves_the_funnel_and_the_leaderboard(page_as: PageAs) -> None:
    page = page_as("rep", width=390, height=900)
    go(page, "funnel?period=this-month")
    entered = page.locator("strong").filter(has_text="opened in this period")
    before = first_number(entered.inner_text()) if entered.count() else 0
    go(page, "overview?period=this-month")
    won_before = first_number(metric(page, "card-overview-won_count"))
    go(page, "leaderboard?period=this-month")
    board = page.locator(".js-plotly-plot")
    board_before = board.first.inner_text() if board.count() else ""

    go(page, "log_deal")
    page.locator('[class*="log_deal-search"] input, input[type="search"]').first.fill("Phone Harbour Ltd")
    page.get_by_role("button", name=re.compile("New customer.*Phone Harbour")).click()
    settle(page)
    page.get_by_label(re.compile("^Amount")).fill("9876万")
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("combobox", name=re.compile("Stage")).first.click()
    page.keyboard.type("Won")
    page.keyboard.press("Enter")
    settle(page)
    assert page.get_by_label(re.compile("^Stage")).first.input_value() == "Won"
    page.locator(".st-key-save-deal button").click()
    page.get_by_text(re.compile("Saved: ")).wait_for(timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    go(page, "funnel?period=this-month")
    assert first_number(entered.inner_text()) == before + 1
    go(page, "overview?period=this-month")
    assert first_number(metric(page, "card-overview-won_count")) == won_before + 1
    go(page, "leaderboard?period=this-month")
    board.first.wait_for(timeout=15_000)
    assert board.first.inner_text() != board_before


def test_the_deals_behind_a_card_and_behind_a_bar_are_as_many_as_it_says(page_as: PageAs) -> None:
    page = page_as("leadership", "overview")
    go(page, "overview?period=this-year")
    opener = page.locator(".st-key-open-overview-booked button").first
    said = first_number(opener.inner_text())
    assert first_number(metric(page, "card-overview-won_count")) == said
    opener.click()
    dialog = page.get_by_role("dialog")
    counted = dialog.get_by_text(re.compile(r"^[\d,]+ deals?, "))
    counted.wait_for(timeout=15_000)
    assert first_number(counted.inner_text()) == said
    page.keyboard.press("Escape")
    settle(page)

    stages = page.locator(".st-key-overview-pipeline .js-plotly-plot")
    stages.scroll_into_view_if_needed()
    bar = stages.locator(".bars .point path, .barlayer .point path").first
    box = bar.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    counted.wait_for(timeout=15_000)
    assert first_number(counted.inner_text()) > 0
    assert page.get_by_role("dialog").get_by_text(re.compile("Open deals in")).count()


def test_a_slider_moves_the_scenario_without_another_fit(page_as: PageAs) -> None:
    page = page_as("leadership", "forecast")
    base = page.locator(".st-key-card-forecast-base [data-testid=stMetricValue]")
    base.wait_for(timeout=90_000)
    page.wait_for_function("() => !document.querySelector('[data-testid=stProgress]')", timeout=120_000)
    settle(page)
    fitted = base.inner_text()
    slider = page.locator(".st-key-forecast-win_rate, .st-key-forecast-growth").first.get_by_role("slider").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.locator(".st-key-card-forecast-scenario").wait_for(timeout=30_000)
    assert not page.get_by_test_id("stProgress").count(), "nothing is fitted again"
    settle(page)
    assert base.inner_text() == fitted
    assert re.search(r"(growth|win_rate|win-rate)=", page.url)


def test_a_small_file_of_deals_is_imported_through_the_page(
    page_as: PageAs, app_server: AppServer, tmp_path: Any
) -> None:
    page = page_as("operations", "import_data")
    path = tmp_path / "deals.csv"
    path.write_text(
        "Deal ID,Customer,Amount,Stage,Created date,Close date,Rep,Lost reason\n"
        "F-1,Kestrel Optics,12000,Won,2026-01-05,2026-02-03,Import Rep,\n"
        "F-2,Kestrel Optics,not a number,Won,2026-01-05,2026-02-03,Import Rep,\n"
        "F-3,Osprey Marine,8000,Lost,2026-01-07,2026-02-09,Import Rep,Price too high\n",
        encoding="utf-8",
    )
    page.locator("input[type=file]").set_input_files(str(path))
    page.get_by_text("3 rows").wait_for(timeout=20_000)
    page.get_by_role("button", name="Continue to mapping").click()
    settle(page)
    page.get_by_role("button", name="Continue to review").click()
    settle(page)
    page.get_by_role("button", name="Import", exact=True).click()
    done = page.get_by_text(re.compile(r"Import \d+ is done"))
    done.wait_for(timeout=30_000)
    numbers = list(map(int, re.findall(r"\d+", done.inner_text())))
    assert sum(numbers[1:]) == 3, "every row is imported, merged or refused"
    assert numbers[1] >= 2
    with sqlite3.connect(f"file:{app_server.data_dir / 'luopan.db'}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "SELECT external_id, state FROM deal WHERE external_id LIKE 'F-%' ORDER BY external_id"
        ).fetchall()
    assert rows == [("F-1", "won"), ("F-3", "lost")]


def test_the_language_switch_speaks_the_other_language_on_every_page_from_then_on(page_as: PageAs) -> None:
    page = page_as("leadership", "overview")
    page.get_by_text("中文", exact=True).first.click()
    page.get_by_role("heading", name="总览").wait_for(timeout=15_000)
    settle(page)
    for label in page.locator("[data-testid=stMetricLabel]").all_inner_texts():
        assert not re.search("[A-Za-z]{3}", label), label
    page.get_by_role("link", name=re.compile("漏斗")).first.click()
    page.get_by_role("heading", name=re.compile("漏斗")).first.wait_for(timeout=15_000)
    page.get_by_text("English", exact=True).first.click()
    page.get_by_role("heading", name="Funnel").first.wait_for(timeout=15_000)


def test_a_dark_browser_gets_a_dark_page_with_figures_that_can_be_read_on_it(page_as: PageAs) -> None:
    page = page_as("leadership", "overview", dark=True)
    go(page, "overview")
    back = page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert sum(map(int, re.findall(r"\d+", back)[:3])) < 200, back
    bright = r"(1[3-9]\d|2\d\d)"
    text = page.locator(".js-plotly-plot text").first
    expect(text).to_have_css("fill", re.compile(rf"rgba?\({bright}, {bright}, {bright}"))


def test_a_share_link_opens_without_an_account_and_dies_when_it_is_revoked(
    page_as: PageAs, browser: Any, app_server: AppServer
) -> None:
    page = page_as("leadership", "overview")
    go(page, "overview?period=this-year")
    booked = metric(page, "card-overview-booked")
    page.locator(".st-key-share button").first.click()
    page.locator(".st-key-share-make button").first.click()
    code = page.get_by_test_id("stCode").first
    code.wait_for(timeout=15_000)
    address = re.sub(r"\s", "", code.inner_text())
    assert "token=" in address
    token = address.rpartition("token=")[2]

    guest = browser.new_context(base_url=app_server.url, locale="en-US", viewport={"width": 390, "height": 900})
    held = guest.new_page()
    held.goto(f"/shared?token={token}")
    settle(held)
    held.get_by_role("heading", name=booked, exact=True).first.wait_for(timeout=20_000)
    assert held.get_by_role("button", name="Sign out").count() == 0
    assert held.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert held.locator("a[href*=deals], a[href*=customers]").count() == 0

    page.get_by_role("tab", name="My links").click()
    page.get_by_role("button", name="Revoke").first.click()
    page.get_by_role("dialog").get_by_text(re.compile("Revoked")).wait_for(timeout=15_000)
    held.reload()
    settle(held)
    held.get_by_text("This link no longer opens anything").wait_for(timeout=15_000)
    assert held.get_by_role("heading", name=booked, exact=True).count() == 0
    wrong = guest.new_page()
    wrong.goto("/shared?token=made-up")
    settle(wrong)
    wrong.get_by_text("This link no longer opens anything").wait_for(timeout=15_000)
    guest.close()


@pytest.mark.parametrize(("role", "path"), [("administrator", "audit"), ("operations", "deals")])
def test_a_whole_list_comes_as_a_file(page_as: PageAs, role: str, path: str) -> None:
    """Such a file is asked for by the click itself, outside of any run of the page."""
    page = page_as(role, path)
    with page.expect_download(timeout=30_000) as coming:
        page.locator(f".st-key-csv-{path} button").first.click()
    text = Path(coming.value.path()).read_text(encoding="utf-8-sig")
    assert len(text.splitlines()) > 2
