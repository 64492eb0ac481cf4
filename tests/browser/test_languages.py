"""Each language's pages speak that language alone: no Chinese on English ones, no English on Chinese ones.

What a person typed stays as it is: addresses and notes. Where both names of a thing are kept, and where the audit says
what was stored, both languages stand side by side: such pages of the administration are not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from data.demo.reference import COMPETITORS
from tests.browser.conftest import AppServer, PageAs, serving, turn_to

pytestmark = pytest.mark.browser

PAGES = {
    "operations": (
        "today", "overview", "overview?by=segment", "pipeline", "funnel", "leaderboard", "contests", "forecast",
        "all_series", "plan", "deals", "deals?as=board", "customers", "deal?id=1400", "deal?id=900", "customer?id=5",
        "rep?id=5", "log_deal", "log_activity", "quotas", "acquisition_costs", "currencies", "import_data", "account",
    ),
    "administrator": ("people",),
    "rep": ("today", "overview", "leaderboard"),
}  # fmt: skip
STREAMLITS_OWN = {
    "Skip to main content": "the link for keyboards, off the screen until it has the focus",
    "more_vert icon": "what Streamlit says of an icon to a screen reader",
    "Selected Date": "what Streamlit's calendar says to a screen reader",
    "Choose an option": "the placeholder of a choice that is never empty, so that it is never seen",
}
_TYPED = re.compile(r"^(Address|地址)")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
_CODES = (
    r"\S+@\S+", r"\S+\.(?:manager|rep)", r"Asia/\w+", "English", "CSV", "TXT", "TSV", "XLSX?", "XLSM", "Excel", "MB",
    "KPI", "SKU", r"(?:US|HK)(?=\$)", "CNY", "USD", "EUR", "HKD", "JPY", "GBP", "Prophet", "Theta", "Holt", r"Auto\w+",
    "MASE", "WAPE", "Brier", r"FY\d{4}", "Chrome", "HeadlessChrome", "Linux",
    "leader", "operations", "administrator", "on", *COMPETITORS,
)  # fmt: skip
"""Codes, file types, brands and sign-in names, which are the same in both languages; `on` is a switch's own value."""
_READ = """() => {
    const left = "[data-testid=stFileUploaderDropzone], script, style, noscript";
    const isIcon = box => getComputedStyle(box).fontFamily.includes("Material Symbols");
    const found = [];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const box = walk.currentNode.parentElement;
        if (box && !box.closest(left) && !isIcon(box)) found.push(walk.currentNode.textContent.trim());
    }
    for (const field of document.querySelectorAll("input, textarea")) found.push(field.value, field.placeholder);
    return found.filter(Boolean);
}"""


def _said(page: Any, path: str) -> list[str]:
    turn_to(page, f"/{path}")
    texts = page.evaluate(_READ)
    assert len(texts) > 15, f"{path} said hardly anything"
    assert not page.get_by_test_id("stException").count()
    return [text for text in texts if not any(own in text for own in STREAMLITS_OWN) and not _TYPED.search(text)]


@pytest.fixture(scope="module")
def app_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A company of this module's own: what other flows typed is in the language that they typed."""
    with serving(tmp_path_factory.mktemp("languages")) as server:
        yield server


@pytest.mark.parametrize("role", PAGES)
def test_an_english_page_says_nothing_in_chinese(page_as: PageAs, role: str) -> None:
    page = page_as(role, height=2000)
    found = {path: [text for text in _said(page, path) if _CHINESE.search(text)] for path in PAGES[role]}
    left = {path: [text for text in texts if text != "中文"] for path, texts in found.items()}
    assert not {path: texts for path, texts in left.items() if texts}


@pytest.mark.parametrize("role", PAGES)
def test_a_chinese_page_says_nothing_in_english(page_as: PageAs, role: str) -> None:
    page = page_as(role, locale="zh-CN", height=2000)
    codes = re.compile("|".join(rf"(?<![A-Za-z]){code}(?![A-Za-z])" for code in _CODES))
    left = {path: [text for text in _said(page, path) if _LATIN.search(codes.sub("", text))] for path in PAGES[role]}
    assert not {path: texts for path, texts in left.items() if texts}
