"""axe-core on every page, light and dark: nothing serious but what Streamlit itself brings."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from itertools import cycle
from typing import Any

import pytest

from core.access.sharing import SHAREABLE
from core.charts.theme import PAPER
from core.ui import routes
from tests.browser.conftest import AppServer, PageAs, load, settle, turn_to

pytestmark = pytest.mark.browser

STREAMLITS_OWN = {
    "list": "Streamlit's navigation puts headings between the items of its list",
    "listitem": "likewise",
    "target-size": "the parts of a day in Streamlit's date field (year, month, day) are below 24 px",
}
"""Rules that Streamlit's own elements break, which no page can mend; with the reason."""

LOST = "nothing-lies-here"
ROLE_OF = {"people": "administrator", "settings": "administrator", "audit": "administrator"}
WITHOUT_A_NUMBER = [spec.name for spec in routes.PAGES if spec.name not in {"deal", "customer", "shared"}]
PAPERS = {name: f"rgb{tuple(bytes.fromhex(PAPER[name == 'dark'][1:]))}" for name in ("light", "dark")}
"""What lies behind a page, by colour scheme."""
_HAS_PAPER = """colour => {
    const app = document.querySelector("[data-testid='stApp']");
    return app !== null && getComputedStyle(app).backgroundColor === colour;
}"""
_RUN = """async () => {
    const rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
    const found = await axe.run(document, {resultTypes: ["violations"], runOnly: rules});
    const line = node => [node.target.join(" "), node.html.slice(0, 160), node.any[0]?.message ?? ""].join(" | ");
    return found.violations.map(rule => [rule.id, rule.impact, rule.nodes.slice(0, 4).map(line)]);
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core, from the wheel that carries it."""
    pytest.importorskip("axe_playwright_python")
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def findings(page: Any, axe: str) -> list[str]:
    """What is serious or critical on the page, as lines to read."""
    page.evaluate(axe)
    return [
        f"{rule} ({impact}): {node}"
        for rule, impact, nodes in page.evaluate(_RUN)
        if impact in {"serious", "critical"} and rule not in STREAMLITS_OWN
        for node in nodes
    ]


def by_day_and_night(page: Any, axe: str, opening: Callable[[], object], first: str) -> list[str]:
    """What is serious on a page that is opened in the `first` colour scheme, and in the other, to which it turns."""
    page.emulate_media(color_scheme=first)
    opening()
    found = [f"{first}: {line}" for line in findings(page, axe)]
    (other,) = set(PAPERS) - {first}
    page.emulate_media(color_scheme=other)
    page.wait_for_function(_HAS_PAPER, arg=PAPERS[other])
    settle(page)
    return found + [f"{other}: {line}" for line in findings(page, axe)]


def numbered(app_server: AppServer) -> list[str]:
    """The addresses of an open, a won and a lost deal, of a customer, a rep, and of what is not there."""
    with sqlite3.connect(f"file:{app_server.data_dir / 'luopan.db'}?mode=ro", uri=True) as connection:
        deals = connection.execute(
            "SELECT max(deal.id) FROM deal JOIN stage ON stage.id = deal.stage_id GROUP BY stage.kind"
        ).fetchall()
    records = [*(f"deal?id={number}" for (number,) in deals), "customer?id=1", "rep?id=1"]
    return [*records, "deals?as=board", "deal?id=999999", LOST]


@pytest.mark.parametrize("role", ["operations", "administrator"])
def test_no_page_has_a_serious_finding_by_day_or_night(
    app_server: AppServer, page_as: PageAs, axe: str, role: str
) -> None:
    page = page_as(role)
    found: list[str] = []
    names = [*WITHOUT_A_NUMBER, *(numbered(app_server) if role == "operations" else ())]
    for name, first in zip([name for name in names if ROLE_OF.get(name, "operations") == role], cycle(PAPERS)):
        opening = partial(load if name == LOST else turn_to, page, f"/{name}")
        found += [f"{name}, {line}" for line in by_day_and_night(page, axe, opening, first)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_sign_in_page_has_no_serious_finding(app_server: Any, browser: Any, axe: str, dark: bool) -> None:
    context = browser.new_context(base_url=app_server.url, color_scheme="dark" if dark else "light")
    page = context.new_page()
    for address in ("/", "/shared?token=made-up"):
        page.goto(address)
        settle(page)
        assert findings(page, axe) == []
    context.close()


def test_an_opened_share_link_has_no_serious_finding(page_as: PageAs, browser: Any, axe: str) -> None:
    page = page_as("leadership")
    context = browser.new_context(locale="en-US")
    held = context.new_page()
    found: dict[str, list[str]] = {}
    for name, first in zip(SHAREABLE, cycle(PAPERS)):
        page.goto(f"/{name}")
        settle(page)
        page.locator(".st-key-share button").first.click()
        page.locator(".st-key-share-make button").first.click()
        address = page.locator('[data-testid="stDialog"] code, [data-testid="stCode"] code').first.inner_text()
        context.clear_cookies()
        found[name] = by_day_and_night(held, axe, partial(load, held, address.strip()), first)
    context.close()
    assert not any(found.values()), found
