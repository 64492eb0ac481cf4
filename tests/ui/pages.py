"""Starting the program in a test as somebody, and opening its pages through the frame."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from streamlit.testing.v1 import AppTest

from core import gate
from core.access.actors import Actor
from core.i18n import use_language
from core.services.share import make_share_link
from core.settings import PROJECT_ROOT
from core.ui import session
from tests.conftest import actor
from tests.factories import NOW, Company

FRAME = PROJECT_ROOT / "core" / "ui" / "frame.py"


def framed(
    who: Actor | None, *, language: str | None = "en", now: datetime = NOW, seconds: int = 60, **state: Any
) -> AppTest:
    """Return the frame before its first run, for `who` (None: a stranger), with `state` in the session."""
    app = AppTest.from_file(str(FRAME), default_timeout=seconds)
    app.session_state[session.NOW_KEY] = now
    if language is not None:
        use_language(language)  # AppTest writes a widget's choice in this thread's words
        app.session_state[session.LANGUAGE_KEY] = language
    if who is not None:
        app.session_state[session.ACTOR_KEY] = who
    for name, value in state.items():
        app.session_state[name] = value
    return app


def turned(app: AppTest, page: str, **params: Any) -> AppTest:
    """Return the frame with `page` open, its address holding `params`."""
    for name, value in params.items():
        app.query_params[name] = value if isinstance(value, list) else str(value)
    return app.switch_page(f"../../pages/{page}.py").run()


def opened(company: Company, page: str, who: str = "eastern rep", language: str = "en", **params: Any) -> AppTest:
    """Return `page` as the cast's `who` sees it."""
    return turned(framed(actor(company, who), language=language).run(), page, **params)


def link(company: Company, name: str, who: str = "eastern manager", **more: Any) -> str:
    """Return the token of a share link to a page, made by the cast's `who`."""
    values = {"title": "", "query": {}, "language": "en", "hours": 24} | more
    return gate.perform(company.database, actor(company, who), make_share_link, NOW, page=name, **values)
