"""axe-core on every page, light and dark: nothing serious but what Streamlit itself brings."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest

from core.ui import routes
from tests.browser.conftest import PageAs, settle

pytestmark = pytest.mark.browser

STREAMLITS_OWN = {
    "svg-img-alt": "the icons in Streamlit's toolbars and its chart toolbar are images without a name",
    "target-size": "Streamlit's own small buttons (help marks, toolbars) are below 24 px",
    "nested-interactive": "Streamlit's tabs and expanders nest focusable elements",
    "scrollable-region-focusable": "Streamlit's scrolling containers take no focus",
    "aria-input-field-name": "Streamlit's slider thumbs carry their label beside, not as a name",
    "button-name": "Streamlit's number steppers and sidebar toggles are icons without a name",
    "label": "Streamlit's hidden inputs of the uploader and of tables have no label",
}
"""Rules that Streamlit's own elements break, which no page can mend; with the reason."""

LEFT_OUT = {
    "[data-testid=stSidebarNavItems]": "Streamlit's navigation puts headings between the items of its list",
    "button[data-selected=true]": "Streamlit writes a chosen segment in the primary colour, which must be dark enough "
    "to carry the white words of a button and so is 3.4 : 1 on the dark page; its frame and fill say it too",
    "[data-testid=stSliderThumbValue]": "likewise the number over a slider's thumb",
    ".stMarkdownColoredText": "Streamlit fades the coloured words of a caption",
}
"""Elements of Streamlit's that no setting mends; with the reason."""

ROLE_OF = {"people": "administrator", "settings": "administrator", "audit": "administrator"}
WITHOUT_A_NUMBER = [spec.name for spec in routes.PAGES if spec.name not in {"deal", "customer", "shared"}]
_RUN = """async leftOut => {
    const rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"];
    const found = await axe.run({exclude: leftOut.map(part => [part])}, {resultTypes: ["violations"], runOnly: rules});
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
        for rule, impact, nodes in page.evaluate(_RUN, list(LEFT_OUT))
        if impact in {"serious", "critical"} and rule not in STREAMLITS_OWN
        for node in nodes
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("role", ["operations", "administrator"])
def test_no_page_has_a_serious_finding(page_as: PageAs, axe: str, role: str, dark: bool) -> None:
    page = page_as(role, dark=dark)
    found: dict[str, list[str]] = {}
    for name in WITHOUT_A_NUMBER:
        mine = ROLE_OF.get(name, "operations") == role
        if not mine:
            continue
        page.goto(f"/{name}")
        settle(page)
        lines = findings(page, axe)
        if lines:
            found[name] = lines
    assert not found, "\n".join(f"{name}: {line}" for name, lines in found.items() for line in lines)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_sign_in_page_has_no_serious_finding(app_server: Any, browser: Any, axe: str, dark: bool) -> None:
    context = browser.new_context(base_url=app_server.url, color_scheme="dark" if dark else "light")
    page = context.new_page()
    for address in ("/", "/shared?token=made-up"):
        page.goto(address)
        settle(page)
        assert findings(page, axe) == []
    context.close()
