"""Telling the browser where the program lies, so that it need not try.

Streamlit's page looks for its server below every part of its own address (`/today/_stcore/health`, then
`/_stcore/health`): two answers "not found" for each page that is opened. A page that is told asks the right place at
once. It is told by a small script beside Streamlit's, whose own address says where the program lies, also below a
path that a reverse proxy takes off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.web import steady

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "luopan/base.js"
SCRIPT = 'window.__streamlit = { BACKEND_BASE_URL: new URL("../", document.currentScript.src).href };\n'
_TAGS = f'<script src="./{PATH}"></script><script defer src="./{steady.address()}"></script>'.encode()
_HEAD = b"<head>"
NOWHERE = "/nothing-here"
_DEEPER = frozenset({"auth", "component", "luopan", "media", "oauth2callback", "static"})
"""First parts of the addresses below which something lies; Streamlit's own begin with an underscore."""


async def base_script(_request: Request) -> Response:
    """Return the script that tells the page where the program lies."""
    return Response(SCRIPT, media_type="text/javascript", headers={"Cache-Control": "public, max-age=86400"})


class BasePathMiddleware:
    """Puts it and the script of `steady` at a page's head; leads an address below a page to one that says so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        asked = Headers(scope=scope) if scope["type"] == "http" else None
        if asked is None or scope["method"] != "GET" or "text/html" not in asked.get("accept", ""):
            await self.app(scope, receive, send)
            return
        if _leads_nowhere(scope["path"]):
            await RedirectResponse(f"{scope.get('root_path', '')}{NOWHERE}", status_code=303)(scope, receive, send)
            return
        plain = [(name, value) for name, value in scope["headers"] if name not in (b"accept-encoding", b"range")]
        await self.app({**scope, "headers": plain}, receive, _Inserting(send))


class _Inserting:
    """Sends an answer on; a page is kept until it is whole, and sent with the scripts in it."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            self.start = message
        elif message["type"] == "http.response.body" and self.start is not None:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_whole(self.start)
        else:
            await self.send(message)

    async def _send_whole(self, start: Message) -> None:
        body = self.body.replace(_HEAD, _HEAD + _TAGS, 1)
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        self.start = None
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body})


def _leads_nowhere(path: str) -> bool:
    """Say whether an address has more parts than any page's: Streamlit would answer it with a page without scripts."""
    first, _, more = path.strip("/").partition("/")
    return bool(more) and first not in _DEEPER and not first.startswith("_")


def _is_page(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return message["status"] == 200 and kind.startswith("text/html")


ROUTES = [Route(f"/{PATH}", base_script, methods=["GET"])]
