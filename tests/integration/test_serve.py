"""The program sets itself up however it is started, says one address, and tells pages where it lies."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from urllib.parse import urljoin

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.settings import PROJECT_ROOT
from core.web.base_path import PATH, ROUTES, BasePathMiddleware

LIFESPAN = """
import logging
from starlette.testclient import TestClient
from Home import app
with TestClient(app, base_url="http://localhost") as client:
    print("health", client.get("/healthz").json()["status"])
    page = client.get("/today", headers={"accept": "text/html", "accept-encoding": "gzip"})
    whole = page.headers["content-length"] == str(len(page.content))
    print("page", page.status_code, "luopan/base.js" in page.text, whole)
    print("csp", "script-src 'self'" in page.headers["content-security-policy"])
    print("script", client.get("/luopan/base.js").headers["content-type"])
    print("steady", "luopan/steady.js" in page.text, client.get("/luopan/steady.js").headers["content-type"])
    print("loud", [n for n in ("uvicorn", "uvicorn.error") if logging.getLogger(n).isEnabledFor(logging.INFO)])
    print("access log", not logging.getLogger("uvicorn.access").disabled)
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """What a bare `uvicorn Home:app` does in an empty data folder, through its lifespan."""
    folder = tmp_path_factory.mktemp("installation") / "data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LUOPAN_")}
    done = subprocess.run(
        [sys.executable, "-c", LIFESPAN], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={**environment, "LUOPAN_DATA_DIR": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, done.stdout


def test_a_bare_asgi_server_gets_a_migrated_database_and_a_key_that_only_its_user_reads(started):
    folder, told = started
    assert "health ok" in told
    assert (folder / "cookie.key").is_file()
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path.name} is open to others"


def test_a_bare_start_says_how_to_begin_and_logs_no_request(started):
    _folder, told = started
    assert "Setup code" in told
    assert "loud []" in told
    assert "access log False" in told, "addresses hold tickets and share links"


def test_pages_of_the_program_are_told_where_it_lies(started):
    _folder, told = started
    assert "page 200 True True" in told
    assert "csp True" in told
    assert "script text/javascript" in told
    assert "steady True text/javascript" in told


@pytest.fixture
def client():
    def page(_request):
        return HTMLResponse("<!DOCTYPE html><html><head><title>x</title></head></html>")

    def missing(_request):
        return PlainTextResponse("Not Found", status_code=404)

    routes = [*ROUTES, Route("/missing", missing), Route("/{path:path}", page)]
    with TestClient(Starlette(routes=routes, middleware=[Middleware(BasePathMiddleware)])) as client:
        yield client


def test_the_script_comes_first_and_is_asked_for_beside_the_program(client):
    page = client.get("/funnel?team=3", headers={"accept": "text/html"})
    assert page.text.index(PATH) < page.text.index("<title>")
    for address, base in (("http://h/funnel", "http://h/"), ("http://h/sales/funnel", "http://h/sales/")):
        script = urljoin(address, f"./{PATH}")
        assert urljoin(script, "../") == base, "the program's own address, also below a path"


def test_what_is_no_page_is_sent_as_it_is(client):
    assert client.get("/missing", headers={"accept": "text/html"}).text == "Not Found"
    assert PATH not in client.get("/funnel", headers={"accept": "application/json"}).text


@pytest.mark.parametrize("path", ["/a/b", "/funnel/x/y", "/today/"])
def test_an_address_below_a_page_leads_to_the_one_that_says_so(client, path):
    answer = client.get(path, headers={"accept": "text/html"}, follow_redirects=False)
    deeper = path.strip("/").count("/") > 0
    assert (answer.status_code, answer.headers.get("location")) == ((303, "/nothing-here") if deeper else (200, None))


@pytest.mark.parametrize("path", ["/auth/redeem", "/static/js/x.js", "/_stcore/health", "/media/x", "/component/a/b"])
def test_what_lies_deeper_is_left_alone(client, path):
    assert client.get(path, headers={"accept": "text/html"}, follow_redirects=False).status_code == 200
