"""Believing the reverse proxies that are named, and saying where one is not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"forwarded"})
NOT_TRUSTED = (
    "A forwarded header came from %s, which LUOPAN_TRUSTED_PROXIES does not name: it is not believed. If that is your "
    "reverse proxy, everybody behind it counts as one address, for the throttle of the sign-in too, until you set "
    "LUOPAN_TRUSTED_PROXIES=%s (docs/hosting.md). This is said once."
)
_log = logging.getLogger(__name__)


class ProxyMiddleware:
    """Takes address and scheme from the headers of trusted proxies; warns once of an untrusted one."""

    def __init__(self, app: ASGIApp, trusted: str) -> None:
        self._believing = ProxyHeadersMiddleware(app, trusted_hosts=trusted)  # type: ignore[arg-type]
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if not self._warned and scope["type"] in {"http", "websocket"}:
            self._look_at(scope)
        await self._believing(scope, receive, send)  # type: ignore[arg-type]

    def _look_at(self, scope: Scope) -> None:
        host = scope["client"][0] if scope.get("client") else ""
        forwarded = any(name in FORWARDED for name, _value in scope["headers"])
        if host and forwarded and host not in self._believing.trusted_hosts:
            self._warned = True
            _log.warning(NOT_TRUSTED, host, host)
