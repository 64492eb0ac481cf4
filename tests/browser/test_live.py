"""An open page follows what others save, and a copied address opens the same list."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from core import gate
from core.db.actors import actor_named
from core.db.work import Database
from core.model import Customer
from core.services.deals import log_deal
from tests.browser.conftest import ROLES

pytestmark = pytest.mark.browser
OPEN_DEALS = re.compile(r"^([\d,]+) deals?$")


def log_one(app_server) -> None:
    """Save a deal as the rep would, from outside the browser."""
    database = Database(f"sqlite:///{app_server.data_dir / 'luopan.db'}", zone=ZoneInfo("Asia/Shanghai"))
    now = datetime.now(UTC)
    actor = actor_named(database, ROLES["rep"], now=now, origin="test")
    with database.reading(actor, now=now) as work:
        customer = work.session.scalars(select(Customer.id)).first()
    gate.perform(
        database, actor, log_deal, now, key=uuid.uuid4().hex, customer_id=customer, amount=Decimal(12_345),
        expected_close_on=(now + timedelta(days=30)).date(),
    )  # fmt: skip
    database.close()


def open_deals(page) -> int:
    button = page.locator(".st-key-open-overview-pipeline button").first
    return int(OPEN_DEALS.match(button.inner_text().split("\n")[-1].strip())[1].replace(",", ""))


def test_an_open_overview_follows_a_deal_that_somebody_logs(app_server, page_as):
    page = page_as("leadership", "overview")
    before = open_deals(page)
    page.evaluate("window.notReloaded = true")
    log_one(app_server)
    page.wait_for_function(
        "n => document.querySelector('.st-key-open-overview-pipeline button').innerText.replace(/\\D/g, '') == n",
        arg=str(before + 1), timeout=6_000,
    )  # fmt: skip
    assert page.evaluate("window.notReloaded")


def test_a_list_stays_still_while_data_changes_and_opens_from_its_address(app_server, page_as):
    page = page_as("leadership", "overview")
    count = open_deals(page)
    page.locator(".st-key-open-overview-pipeline button").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(re.compile(rf"^{count:,} deals, ")).wait_for()
    copied = page.url
    assert "drill=" in copied
    log_one(app_server)
    page.wait_for_timeout(3_000)
    assert dialog.get_by_text(re.compile(rf"^{count:,} deals, ")).is_visible()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    page.wait_for_function(
        "n => document.querySelector('.st-key-open-overview-pipeline button').innerText.replace(/\\D/g, '') == n",
        arg=str(count + 1), timeout=6_000,
    )  # fmt: skip
    assert "drill=" not in page.url
    page.goto(copied)
    page.get_by_role("dialog").get_by_text(re.compile(rf"^{count + 1:,} deals, ")).wait_for()


WATCHED = ".st-key-pipeline-stages"
WATCH = """
place => {
  window.empty = 0;
  const drawn = () => {
    const drawing = document.querySelector(`${place} .js-plotly-plot .main-svg`);
    const held = document.querySelector(`${place} .luopan-held .main-svg`);
    if (!held && !(drawing && getComputedStyle(drawing).visibility !== "hidden")) window.empty += 1;
  };
  const afterPaint = new MessageChannel();
  afterPaint.port1.onmessage = drawn;
  const each = () => { afterPaint.port2.postMessage(0); requestAnimationFrame(each); };
  each();
  window.first = document.querySelector(`${place} .js-plotly-plot`);
}
"""


def test_a_chart_stays_in_sight_while_the_one_that_follows_the_data_is_drawn(app_server, page_as):
    page = page_as("leadership", "pipeline", height=1600)
    page.locator(f"{WATCHED} .js-plotly-plot .main-svg").first.wait_for()
    page.evaluate(WATCH, WATCHED)
    log_one(app_server)
    page.wait_for_function(
        "place => ![null, window.first].includes(document.querySelector(`${place} .js-plotly-plot`))",
        arg=WATCHED, timeout=8_000,
    )  # fmt: skip
    page.wait_for_function("() => !document.querySelector('.luopan-held, [data-held]')", timeout=8_000)
    assert page.evaluate("window.empty") == 0
    assert page.locator(f"{WATCHED} .js-plotly-plot .main-svg").first.is_visible()
