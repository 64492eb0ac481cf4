"""Take the pictures of the pages: `make shots`, or `python docs/shots.py --all` for every page and look.

Starts the program on a demo company of a fixed seed in a temporary folder, signs in by role, and
writes docs/shots (committed) or build/shots (with --all, for looking at).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, TimeoutError, sync_playwright  # noqa: A004

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.browser import chromium  # noqa: E402
from benchmarks.servers import Company, Server, luopan, make_company, signed_in  # noqa: E402

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
STANDS_STILL = """() => {
    const works = '[data-testid="stApp"]:not([data-test-script-state="notRunning"]), [data-testid="stSpinner"], ' +
        '[data-testid="stProgress"], [data-testid="stSkeleton"], [data-stale="true"], [data-held]';
    const now = Date.now();
    if (document.querySelector(works) || !window.stillSince) window.stillSince = now;
    return now - window.stillSince > 2500;
}"""
"""Nothing runs, nothing is being computed or drawn, and has not for two and a half seconds."""
DEALS = 12_000
SECONDS = 60
LARGEST = 200_000


@dataclass(frozen=True)
class Shot:
    """One page as somebody sees it; `path` may have a query."""

    name: str
    path: str
    user: str = "leader"
    wait: str = ""
    committed: bool = True


SHOTS = (
    Shot("today", "today", user="shanghai.rep"),
    Shot("log-deal", "log_deal", user="shanghai.rep"),
    Shot("deals", "deals", user="east.manager"),
    Shot("customers", "customers", user="east.manager"),
    Shot("overview", "overview?period=this-year", wait=".main-svg"),
    Shot("funnel", "funnel?period=this-year", wait=".main-svg"),
    Shot("leaderboard", "leaderboard?period=this-year", wait=".main-svg"),
    Shot("forecast", "forecast", wait=".main-svg"),
    Shot("import", "import_data", user="operations"),
    Shot("people", "people", user="administrator", committed=False),
    Shot("process", "process", user="operations", committed=False),
    Shot("goods", "goods", user="operations", committed=False),
    Shot("quotas", "quotas", user="operations", committed=False),
    Shot("acquisition_costs", "acquisition_costs", user="operations", committed=False),
    Shot("currencies", "currencies", user="operations", committed=False),
    Shot("settings", "settings", user="administrator", committed=False),
    Shot("audit", "audit", user="administrator", committed=False),
    Shot("log-activity", "log_activity", user="shanghai.rep", committed=False),
    Shot("account", "account", user="leader", committed=False),
)


def take(browser: Browser, server: Server, cookies: dict[str, str], shot: Shot, look: dict[str, Any]) -> bytes:
    """Return a PNG of the page, once it stands still."""
    context = browser.new_context(
        viewport={"width": look["width"], "height": look["height"]}, locale=look["locale"],
        timezone_id="Asia/Shanghai", color_scheme=look["scheme"],
    )  # fmt: skip
    context.add_cookies([{"name": n, "value": v, "url": server.url} for n, v in cookies.items()])
    page = context.new_page()
    page.goto(f"{server.url}/{shot.path}")
    page.wait_for_timeout(1_500)
    page.wait_for_selector(IDLE, timeout=SECONDS * 1_000)
    if shot.wait:
        with suppress(TimeoutError):
            page.locator(f'[data-testid="stMain"] {shot.wait}').first.wait_for(timeout=SECONDS * 1_000)
    page.wait_for_function(STANDS_STILL, timeout=SECONDS * 1_000, polling=250)
    broken = page.locator('[data-testid="stException"], [data-testid="stAlertContentError"]').count()
    picture = page.screenshot()
    context.close()
    if broken:
        raise TimeoutError("the page shows an error")
    return picture


def smaller(picture: bytes) -> bytes:
    """Return the PNG with a palette of its own, small enough to be committed."""
    image = Image.open(BytesIO(picture)).convert("RGB")
    for colours in (256, 128, 64, 32):
        out = BytesIO()
        image.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        if out.tell() <= LARGEST:
            break
    return out.getvalue()


def looks(*, everything: bool) -> dict[str, dict[str, Any]]:
    """Return the looks by name: language, theme and width."""
    found: dict[str, dict[str, Any]] = {}
    for language, locale in (("en", "en-US"), ("zh", "zh-CN")):
        found[language] = {"locale": locale, "scheme": "light", "width": 1440, "height": 1000}
        if everything:
            found[f"{language}-dark"] = found[language] | {"scheme": "dark"}
            for scheme in ("light", "dark"):
                phone = {"locale": locale, "scheme": scheme, "width": 390, "height": 844}
                found[f"{language}-phone-{scheme}"] = phone
    return found


def main(arguments: list[str] | None = None) -> int:
    """Take the pictures; return 1 where Chromium is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every page and look, into build/shots")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these pages alone")
    asked = parser.parse_args(arguments)
    path = chromium()
    if path is None:
        print("Chromium is not installed; no picture was taken.", file=sys.stderr)
        return 1
    target = ROOT / "build" / "shots" if asked.all else ROOT / "docs" / "shots"
    target.mkdir(parents=True, exist_ok=True)
    wanted = [s for s in SHOTS if (s.committed or asked.all) and (not asked.only or s.name in asked.only)]
    with tempfile.TemporaryDirectory() as folder:
        company = make_company(Path(folder), deals=DEALS, until=datetime.now(UTC).date() - timedelta(days=1))
        _take_all(company, path, wanted, looks(everything=asked.all), target)
    return 0


def _take_all(company: Company, path: str, wanted: list[Shot], styles: dict[str, dict[str, Any]], target: Path) -> None:
    cookies = {user: signed_in(company, user) for user in {shot.user for shot in wanted}}
    with luopan(company) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )
        for shot in wanted:
            for style, look in styles.items():
                try:
                    picture = smaller(take(browser, server, cookies[shot.user], shot, look))
                except TimeoutError as error:
                    print(f"{shot.name} ({style}): no picture was taken: {error}", file=sys.stderr)
                    continue
                file = target / f"{shot.name}-{style}.png"
                file.write_bytes(picture)
                print(f"{file.relative_to(ROOT)}  {len(picture) / 1000:.0f} kB", flush=True)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
