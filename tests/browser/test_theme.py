"""A reader whose screen turns dark in the evening."""

import pytest

from core.charts.theme import DARK, LIGHT
from tests.browser.conftest import settle
from tests.unit.test_chart_inks import in_style

pytestmark = pytest.mark.browser


def test_a_chart_changes_its_ink_with_the_theme_without_being_asked_anew(page_as):
    page = page_as("leadership", path="overview")
    text = page.locator('[data-testid="stMain"] .main-svg .xtick text').first
    ink = "text => getComputedStyle(text).fill"
    assert text.evaluate(ink) == in_style(LIGHT.muted)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(1_500)
    settle(page)
    assert text.evaluate(ink) == in_style(DARK.muted)
