"""The routes beside the pages: the cookie, the headers, what is blocked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.db.work import open_database
from core.queries.sign_ins import session_of
from core.services import sign_in
from core.settings import settings
from core.web import auth, health
from core.web.security import SecurityMiddleware

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from tests.factories import Company


def _page(_request: Request) -> HTMLResponse:
    return HTMLResponse("<p>page</p>")


@pytest.fixture
def client(small_company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The routes over the cast's company."""
    monkeypatch.setenv("LUOPAN_DATABASE_URL", small_company.database.url)
    settings.cache_clear()
    open_database.cache_clear()
    routes = [*auth.ROUTES, *health.ROUTES, Route("/{path:path}", _page)]
    app = Starlette(routes=routes, middleware=[Middleware(SecurityMiddleware)])
    with TestClient(app, base_url="https://luopan.example", follow_redirects=False) as client:
        yield client
    open_database().close()
    open_database.cache_clear()


def _ticket(company: Company, binding: str) -> str:
    return sign_in.issue_ticket(
        company.database, user_id=company.users["leader"], binding=binding, next_path="/funnel?team=2",
        now=datetime.now(UTC),
    )  # fmt: skip


def _binding(client: TestClient) -> str:
    client.get("/", headers={"accept": "text/html"})
    return client.cookies["browser"]


def test_a_ticket_becomes_a_cookie_that_scripts_and_other_sites_cannot_use(
    client: TestClient, small_company: Company
) -> None:
    answer = client.get("/auth/redeem", params={"ticket": _ticket(small_company, _binding(client))})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/funnel?team=2"
    cookie = answer.headers["set-cookie"].lower()
    for part in ("sid=", "httponly", "samesite=lax", "secure", "path=/", "max-age=432"):
        assert part in cookie
    assert answer.headers["cache-control"] == "no-store"


def test_a_ticket_of_another_browser_sets_no_cookie(client: TestClient, small_company: Company) -> None:
    _binding(client)
    answer = client.get("/auth/redeem", params={"ticket": _ticket(small_company, "another")})
    assert answer.headers["location"] == "/"
    assert "set-cookie" not in answer.headers


def test_a_link_to_the_way_out_ends_no_living_sign_in(client: TestClient, small_company: Company) -> None:
    client.get("/auth/redeem", params={"ticket": _ticket(small_company, _binding(client))})
    token = client.cookies["sid"]
    assert "set-cookie" not in client.get("/auth/leave").headers
    here = session_of(small_company.database, token=token, now=datetime.now(UTC), origin="", idle_minutes=120)
    assert here is not None
    sign_in.sign_out(small_company.database, here, now=datetime.now(UTC))
    assert 'sid=""' in client.get("/auth/leave").headers["set-cookie"]
    assert "sid" not in client.cookies


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    answer = client.get("/funnel", headers={"accept": "text/html"})
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/x/_stcore/metrics", "/_stcore/agent/mcp"])
def test_streamlits_open_doors_are_shut(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_health_tells_whether_the_database_answers(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
