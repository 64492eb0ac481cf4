"""A script beside Streamlit's: a chart stays in sight until the one that takes its place is drawn (`steady.js`)."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

PATH = "luopan/steady.js"


@cache
def script() -> str:
    """Return the script."""
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


@cache
def address() -> str:
    """Return where the script of this version lies, below the program's own address."""
    return f"{PATH}?v={sha256(script().encode()).hexdigest()[:12]}"


async def steady_script(_request: Request) -> Response:
    """Return the script that keeps charts in sight."""
    return Response(script(), media_type="text/javascript", headers={"Cache-Control": "public, max-age=86400"})


ROUTES = [Route(f"/{PATH}", steady_script, methods=["GET"])]
