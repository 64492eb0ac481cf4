"""The routes that set and clear the sign-in cookie; only the server's own redirects come here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from core.db.work import open_database
from core.queries.sign_ins import is_live
from core.services import sign_in
from core.settings import settings

if TYPE_CHECKING:
    from starlette.requests import Request

SESSION_COOKIE = "sid"
BROWSER_COOKIE = "browser"
_BROWSER_COOKIE_AGE = 400 * 86_400


async def redeem(request: Request) -> Response:
    """Turn the ticket in the address into a sign-in cookie, and go to the page that was asked for."""
    now = datetime.now(UTC)
    redeemed = await run_in_threadpool(
        sign_in.redeem_ticket,
        open_database(),
        ticket=request.query_params.get("ticket", ""),
        binding=request.cookies.get(BROWSER_COOKIE, ""),
        address=client_address(request),
        browser=request.headers.get("user-agent", ""),
        now=now,
        hours=settings().session_hours,
    )
    if redeemed is None:
        return _go("/")
    answer = _go(redeemed.next_path)
    answer.set_cookie(
        SESSION_COOKIE, redeemed.token, max_age=int((redeemed.expires_at - now).total_seconds()), path="/",
        httponly=True, samesite="lax", secure=is_secure(request),
    )  # fmt: skip
    return answer


async def leave(request: Request) -> Response:
    """Clear the cookie of a sign-in that has ended; one that lives stays, whoever links here."""
    answer = _go("/")
    token = request.cookies.get(SESSION_COOKIE, "")
    live = await run_in_threadpool(
        is_live,
        open_database(),
        token=token,
        now=datetime.now(UTC),
        idle_minutes=settings().session_idle_minutes,
    )
    if not live:
        answer.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="lax", secure=is_secure(request))
    return answer


def client_address(request: Request) -> str:
    """Return the address the request came from, a trusted proxy's word for it included."""
    return request.client.host if request.client else ""


def is_secure(request: Request) -> bool:
    """Say whether cookies go over https alone."""
    chosen = settings().secure_cookies
    return chosen == "always" or (chosen == "auto" and request.url.scheme in {"https", "wss"})


def _go(path: str) -> RedirectResponse:
    return RedirectResponse(path, status_code=303, headers={"Cache-Control": "no-store"})


ROUTES = [Route("/auth/redeem", redeem, methods=["GET"]), Route("/auth/leave", leave, methods=["GET"])]
