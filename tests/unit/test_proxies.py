"""A proxy is believed where it is named; one that is not named is told of once."""

from __future__ import annotations

import logging

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from core.web.auth import client_address
from core.web.proxies import ProxyMiddleware

PROXY = "10.0.0.9"
FROM_OUTSIDE = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


async def _tell(scope, receive, send):
    request = Request(scope)
    await PlainTextResponse(f"{request.url.scheme} {client_address(request)}")(scope, receive, send)


def _client(trusted):
    return TestClient(ProxyMiddleware(_tell, trusted), client=(PROXY, 5000))


@pytest.mark.parametrize("trusted", [PROXY, f"127.0.0.1, {PROXY}", "10.0.0.0/8", "*"])
def test_a_named_proxy_is_believed_without_a_word(trusted, caplog):
    assert _client(trusted).get("/", headers=FROM_OUTSIDE).text == "https 203.0.113.7"
    assert caplog.records == []


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_a_proxy_that_is_not_named_is_not_believed_and_told_of_once(trusted, caplog):
    client = _client(trusted)
    assert [client.get("/", headers=FROM_OUTSIDE).text for _ in range(3)] == [f"http {PROXY}"] * 3
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"LUOPAN_TRUSTED_PROXIES={PROXY}" in caplog.text


def test_nothing_is_told_of_a_reader_without_a_proxy(caplog):
    assert _client("").get("/").text == f"http {PROXY}"
    assert caplog.records == []
