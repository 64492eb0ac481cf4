"""Scripts travel compressed and are asked for early; what they hold does not change."""

from __future__ import annotations

import gzip

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.testclient import TestClient

from core.ui import routes
from core.web.first_paint import EVERYWHERE, WITH_CHARTS, FirstPaintMiddleware, early, packed

PLOTLY = next(path for path in packed() if "/PlotlyChart." in path)


async def _streamlit(scope, receive, send):
    path = scope["path"]
    answer = PlainTextResponse("plain") if path in packed() or path == "/media/x" else HTMLResponse("<p>page</p>")
    await answer(scope, receive, send)


@pytest.fixture
def client():
    return TestClient(FirstPaintMiddleware(_streamlit, draws_charts=routes.draws_charts))


def test_a_script_arrives_compressed_and_whole(client):
    with client.stream("GET", PLOTLY) as answer:
        raw = b"".join(answer.iter_raw())
    original = packed()[PLOTLY].read_bytes()
    assert gzip.decompress(raw) == original
    assert len(raw) < len(original) / 3
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("headers", [{"Accept-Encoding": "identity"}, {"Range": "bytes=0-9"}])
def test_who_cannot_unpack_or_wants_a_part_gets_streamlits_own_answer(client, headers):
    assert client.get(PLOTLY, headers=headers).text == "plain"


@pytest.mark.parametrize("path", ["/media/x", "/static/../../__init__.py", "/static/js/none.js"])
def test_only_files_that_streamlit_ships_are_served(client, path):
    assert "content-encoding" not in client.get(path).headers


@pytest.mark.parametrize(
    ("path", "charts"),
    [("/overview", True), ("/funnel", True), ("/shared", True), ("/", False), ("/log_deal", False), ("/x/y", False)],
)
def test_a_page_names_what_it_will_need(client, path, charts):
    link = client.get(path, headers={"Accept": "text/html"}).headers["link"]
    assert ("PlotlyChart" in link) is charts
    assert link == early(charts=charts)


def test_nothing_is_announced_where_no_page_is_answered(client):
    assert "link" not in client.get("/media/x", headers={"Accept": "text/html"}).headers
    assert "link" not in client.get("/overview", headers={"Accept": "application/json"}).headers


def test_the_installed_streamlit_has_all_that_is_announced():
    link = early(charts=True)
    assert all(f"/static/js/{name}." in link for name in EVERYWHERE + WITH_CHARTS)
    assert len(link) < 2_000, "proxies keep no long headers"
