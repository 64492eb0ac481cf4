"""`/healthz`: whether the program answers and its database with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import literal, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

from core.db.work import open_database

if TYPE_CHECKING:
    from starlette.requests import Request


async def health(_request: Request) -> JSONResponse:
    """Answer 200 where the database answers, else 503."""
    well = await run_in_threadpool(_database_answers)
    return JSONResponse({"status": "ok" if well else "no database"}, status_code=200 if well else 503)


def _database_answers() -> bool:
    try:
        with open_database().engine.connect() as connection:
            connection.execute(select(literal(1)))
    except SQLAlchemyError:
        return False
    return True


ROUTES = [Route("/healthz", health, methods=["GET"])]
