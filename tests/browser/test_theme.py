"""A reader whose screen turns dark in the evening."""

import pytest
from playwright.sync_api import expect

from core.charts.theme import DARK, LIGHT
from tests.unit.test_chart_inks import in_style

pytestmark = pytest.mark.browser


def test_a_chart_changes_its_ink_with_the_theme_without_being_asked_anew(page_as):
    page = page_as("leadership", path="overview")
    text = page.locator('[data-testid="stMain"] .main-svg .xtick text').first
    expect(text).to_have_css("fill", in_style(LIGHT.muted))  # found anew at each try: the page may draw it again
    page.emulate_media(color_scheme="dark")
    expect(text).to_have_css("fill", in_style(DARK.muted), timeout=10_000)
