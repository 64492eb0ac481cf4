"""Signing in, as a browser sees it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import ROLES, AppServer, PageAs, fill_sign_in, settle

pytestmark = pytest.mark.browser


def _cookie(page: Any, name: str) -> dict[str, Any] | None:
    return next((kept for kept in page.context.cookies() if kept["name"] == name), None)


def _password_of(page: Any) -> Any:
    return page.get_by_role("textbox", name="Password", exact=True)


def test_one_sign_in_holds_over_a_reload_and_in_a_new_tab_until_it_is_ended(page_as: PageAs) -> None:
    page = page_as("leadership", "account?from=link")
    assert "/account?from=link" in page.url
    sid = _cookie(page, "sid")
    assert sid
    assert sid["httpOnly"]
    assert sid["sameSite"] == "Lax"

    page.reload()
    settle(page)
    assert page.get_by_role("button", name="Sign out").is_visible()
    tab = page.context.new_page()
    tab.goto("/account")
    settle(tab)
    assert tab.get_by_role("button", name="Sign out").is_visible()

    page.get_by_role("button", name="Sign out").click()
    _password_of(page).wait_for(timeout=15_000)
    settle(page)
    assert _cookie(page, "sid") is None

    page.context.add_cookies([sid])
    page.goto("/account")
    settle(page)
    assert page.get_by_role("button", name="Sign out").count() == 0
    assert _password_of(page).is_visible()


def test_a_sign_in_that_the_server_revokes_ends_at_the_next_click(page_as: PageAs, app_server: AppServer) -> None:
    page = page_as("operations", "account")
    ended, *_rest = app_server.admin("revoke", ROLES["operations"]).split()
    assert int(ended) >= 1
    page.get_by_text("中文", exact=True).first.click()
    page.get_by_role("textbox", name="密码", exact=True).wait_for(timeout=15_000)
    settle(page)
    assert page.get_by_role("button", name="退出登录").count() == 0


def test_no_page_breaks_the_content_security_policy(page_as: PageAs) -> None:
    page = page_as("leadership")
    broken: list[str] = []
    page.on("console", lambda said: "Content Security" in said.text and broken.append(said.text))
    for path in ("", "overview", "funnel", "account"):
        page.goto(f"/{path}")
        settle(page)
    assert broken == []


def test_a_ticket_opens_nothing_in_another_browser(app_server: AppServer, browser: Any) -> None:
    first, second = (browser.new_context(base_url=app_server.url, locale="en-US") for _ in range(2))
    page = first.new_page()
    taken: list[str] = []

    def hold(route: Any) -> None:
        taken.append(route.request.url)
        route.abort()

    page.route("**/auth/redeem**", hold)
    page.goto("/")
    settle(page)
    fill_sign_in(page, ROLES["rep"], app_server.passphrase)
    page.wait_for_event("requestfailed", timeout=15_000)
    thief = second.new_page()
    thief.goto("/")
    settle(thief)
    thief.goto(taken[0])
    settle(thief)
    assert _password_of(thief).is_visible()
    assert all(kept["name"] != "sid" for kept in second.cookies())
    first.close()
    second.close()
