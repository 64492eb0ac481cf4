"""Headers that every answer carries, paths that nobody may ask for, and the browser's own cookie."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from core.web.auth import BROWSER_COOKIE, is_secure

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

BLOCKED = ("/_stcore/metrics", "/_stcore/agent/interact", "/_stcore/agent/mcp", "/_stcore/agent/openapi.json")
_COOKIE_AGE = 400 * 86_400
_INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


@cache
def content_security_policy() -> str:
    """Return the policy: own scripts, and Streamlit's inline ones by the hash of what is installed."""
    page = (files("streamlit") / "static" / "index.html").read_text(encoding="utf-8")
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in _INLINE.findall(page))
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {hashes}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


class SecurityMiddleware:
    """Adds the security headers, refuses `BLOCKED`, gives a browser without one its binding cookie.

    The binding cookie says nothing about a person; a sign-in ticket is good only in the browser
    whose cookie it was made for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if scope["path"].rstrip("/").endswith(BLOCKED):
            await PlainTextResponse("Not Found", status_code=404)(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                _dress(request, MutableHeaders(scope=message))
            await send(message)

        await self.app(scope, receive, dressed)


def _dress(request: Request, headers: MutableHeaders) -> None:
    headers["Content-Security-Policy"] = content_security_policy()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "SAMEORIGIN"
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    secure = is_secure(request)
    if secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if "text/html" in request.headers.get("accept", "") and BROWSER_COOKIE not in request.cookies:
        said = f"{BROWSER_COOKIE}={secrets.token_urlsafe(32)}; Path=/; Max-Age={_COOKIE_AGE}"
        headers.append("Set-Cookie", f"{said}; HttpOnly; SameSite=Lax{'; Secure' if secure else ''}")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
