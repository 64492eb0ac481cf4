"""What a browser downloads before it can draw: Streamlit's own files, compressed once, and asked for early.

Streamlit leaves its scripts uncompressed (7.6 MB for a page with a chart) and names each only when the part that
needs it arrives. They never change under one name, so they are compressed once a process and kept; and the pages
that draw charts say in their first answer which they will need. Figures: ADR 3.
"""

from __future__ import annotations

import asyncio
import gzip
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = "/static/"
SMALLEST = 1_024
LEVEL = 6
EVERYWHERE = ("protobuf", "StreamlitMarkdown", "Metric", "ButtonGroup", "Selectbox", "Button", "Html", "PageLink")
"""Scripts of the elements that nearly every page draws, by the name before their hash."""

WITH_CHARTS = ("PlotlyChart",)
_KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}
_FOREVER = "public, immutable, max-age=31536000"


@cache
def _folder() -> Path:
    return Path(str(files("streamlit"))) / "static" / "static"


@cache
def packed() -> dict[str, Path]:
    """Return the files worth compressing, by the path under which a browser asks for them."""
    return {
        f"{STATIC}{path.relative_to(_folder()).as_posix()}": path
        for path in _folder().rglob("*")
        if path.suffix in _KINDS and path.stat().st_size >= SMALLEST
    }


@cache
def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), LEVEL, mtime=0)


@cache
def early(*, charts: bool) -> str:
    """Return the `Link` header that asks for a page's scripts before the page does."""
    wanted = EVERYWHERE + (WITH_CHARTS if charts else ())
    found = {path.name.split(".")[0]: path.name for path in sorted((_folder() / "js").glob("*.js"))}
    return ", ".join(f"<{STATIC}js/{found[name]}>; rel=modulepreload" for name in wanted if name in found)


class FirstPaintMiddleware:
    """Serves Streamlit's scripts compressed, and names those that a page will need in its first answer."""

    def __init__(self, app: ASGIApp, draws_charts: Callable[[str], bool]) -> None:
        self.app = app
        self.draws_charts = draws_charts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        path = packed().get(scope["path"])
        if path is not None and "gzip" in headers.get("accept-encoding", "") and "range" not in headers:
            body = await asyncio.to_thread(_compressed, path)
            said = {"Content-Encoding": "gzip", "Cache-Control": _FOREVER, "Vary": "Accept-Encoding"}
            await Response(body, headers=said, media_type=_KINDS[path.suffix])(scope, receive, send)
            return
        if "text/html" not in headers.get("accept", ""):
            await self.app(scope, receive, send)
            return
        charts = self.draws_charts(scope["path"].strip("/"))

        async def announced(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                if answer.get("content-type", "").startswith("text/html"):
                    answer["Link"] = early(charts=charts)
            await send(message)

        await self.app(scope, receive, announced)
