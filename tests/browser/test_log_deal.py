"""Logging a deal in a real browser: quickly, once, in both languages, on a phone."""

import re
import sqlite3

import pytest

from tests.browser.conftest import settle

pytestmark = pytest.mark.browser


def deals_named(app_server, name):
    with sqlite3.connect(f"file:{app_server.data_dir / 'luopan.db'}?mode=ro", uri=True) as connection:
        return connection.execute(
            "SELECT count(*) FROM deal JOIN customer ON customer.id = deal.customer_id WHERE customer.name = ?", (name,)
        ).fetchone()[0]


@pytest.mark.parametrize(
    ("locale", "width", "name", "new", "saved"),
    [
        ("en-US", 1440, "Harbour Lights Trading", "New customer", "Saved: "),
        ("zh-CN", 390, "海港之光贸易", "新建客户", "已保存："),
    ],
)
def test_a_double_click_saves_one_deal(app_server, page_as, locale, width, name, new, saved):
    page = page_as("rep", locale=locale, width=width)
    page.locator(".st-key-quick-deal button").click()
    settle(page)
    page.locator(
        '.st-key-log_deal-search input, [class*="log_deal"] input[type="search"], input[type="search"]'
    ).first.fill(name)
    page.get_by_role("button", name=re.compile(f"{new}.*{name}")).click()
    settle(page)
    page.get_by_label(re.compile("^(Amount|金额)")).fill("8.8万")
    page.keyboard.press("Tab")
    settle(page)
    page.locator(".st-key-save-deal button").dblclick()
    page.get_by_text(re.compile(saved)).wait_for(timeout=15_000)
    settle(page)
    assert deals_named(app_server, name) == 1
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_reload_brings_back_what_was_typed(page_as):
    page = page_as("manager", path="")
    page.goto(page.url.split("?")[0].rstrip("/") + "/log_deal")
    settle(page)
    page.get_by_label(re.compile("^(Amount|金额)")).fill("4321")
    page.keyboard.press("Tab")
    settle(page)
    page.reload()
    settle(page)
    page.get_by_role("button", name="Continue with it").click()
    settle(page)
    assert page.get_by_label(re.compile("^(Amount|金额)")).input_value() == "4321"
