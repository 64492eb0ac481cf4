"""Every number opens the rows that it counts: marks of charts and cards, clicked in a browser."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser
expect = pytest.importorskip("playwright.sync_api").expect
COUNTED = re.compile(r"^([\d,]+) deals?, ¥")
_MARK = """([chart, trace, place]) => {
  const drawn = document.querySelector(`.st-key-${chart} .js-plotly-plot`);
  const groups = [...drawn.querySelectorAll('.barlayer .trace, .scatterlayer .trace')];
  const group = groups.find(one => one.__data__[0].trace.name === trace);
  const mark = group.querySelectorAll('.point')[place];
  const box = (mark.querySelector('path') || mark).getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}"""


def listed(page) -> tuple[str, str, int]:
    """Return what the open list is called, of which days it is, and how many it counts; and close it."""
    dialog = page.get_by_role("dialog")
    counted = dialog.get_by_text(COUNTED)
    counted.wait_for()
    lines = [line for line in dialog.inner_text().split("\n") if line.strip()]
    at = next(place for place, line in enumerate(lines) if COUNTED.match(line))
    dialog.get_by_role("button", name="Close").click()
    dialog.wait_for(state="detached")
    settle(page)
    return lines[at - 2], lines[at - 1], int(COUNTED.match(lines[at])[1].replace(",", ""))


def click_mark(page, chart: str, trace: str, tip: str) -> None:
    """Click a mark of a trace that lies free: its own words show, and neither they nor the mark move any more."""
    shown = page.locator(f".st-key-{chart} .hoverlayer .hovertext").first
    page.locator(f".st-key-{chart} .js-plotly-plot .point").first.wait_for(state="attached")
    page.locator(f".st-key-{chart}").first.scroll_into_view_if_needed()
    free = re.compile(tip)
    for place in [*range(12)] * 5:
        x, y = page.evaluate(_MARK, [chart, trace, place])
        page.mouse.move(x, y)
        page.mouse.move(x + 1, y)
        try:
            expect(shown).to_have_text(free, timeout=1_000)
        except AssertionError:
            continue
        if page.evaluate(_MARK, [chart, trace, place]) == [x, y]:
            page.mouse.click(x + 1, y)
            return
    raise AssertionError(f"no mark of {trace} lies free")


def test_a_mark_opens_each_time_that_it_is_clicked_and_last_years_mark_opens_last_year(app_server, page_as):
    page = page_as("leadership", "overview?period=this-year")
    page.get_by_text("Booked by month").first.wait_for()
    opened = []
    for _again in range(2):
        click_mark(page, "overview-trend", "Booked", "Booked")
        title, days, count = listed(page)
        assert title == "Booked"
        assert count > 0
        opened.append(days)
    assert opened[0] == opened[1]
    year = int(opened[0][-4:])
    click_mark(page, "overview-trend", "A year earlier", r"^\w+ \d{4}Last year")
    title, days, _count = listed(page)
    assert title == "Booked"
    assert days.endswith(str(year - 1))


def test_a_card_of_the_podium_opens_as_many_deals_as_it_says(app_server, page_as):
    page = page_as("leadership", "leaderboard?period=last-year&measure=won_count")
    card = page.locator(".st-key-card-podium-0")
    won = int(card.get_by_test_id("stText").inner_text().replace(",", ""))
    card.get_by_role("button", name="Show deals").filter(visible=True).click()
    assert listed(page)[2] == won


def test_the_tables_that_lie_open_stand_in_the_address_and_close_on_the_way_back(app_server, page_as):
    page = page_as("leadership", "funnel?period=this-year")
    folds = page.get_by_text("The numbers as a table")
    table = page.locator(".st-key-table-funnel-cohort")
    assert not table.count()
    folds.first.click()
    table.first.wait_for()
    page.wait_for_url(re.compile(r"open=funnel-cohort"))
    settle(page)
    copied = page.context.new_page()
    copied.goto(page.url)
    copied.locator(".st-key-table-funnel-cohort [data-testid=stDataFrame]").wait_for()
    settle(copied)
    assert copied.locator('[data-testid="stDataFrame"]').count() == 1
    page.go_back()
    table.first.wait_for(state="detached")
    page.go_forward()
    table.first.wait_for()
    folds.first.click()
    table.first.wait_for(state="detached")
    page.wait_for_url(lambda url: "open=" not in url)
