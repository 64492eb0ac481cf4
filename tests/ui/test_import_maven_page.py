"""The real company's four files, brought in through the page into an empty database, and every figure compared."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import gate
from core.access.actors import SYSTEM
from core.access.policy import Role
from core.db.actors import actor_named
from core.db.work import Database
from core.model import User
from core.settings import PROJECT_ROOT
from core.ui import session
from tests.factories import NOW

FOLDER = Path(__file__).resolve().parents[2].parent / "shared/data/maven_crm"
pytestmark = [
    pytest.mark.skipif(not FOLDER.is_dir(), reason="the real data is not beside the project"),
    pytest.mark.slow,
]


def golden_script() -> Any:
    path = PROJECT_ROOT / "tests" / "golden" / "maven_crm.py"
    spec = spec_from_file_location("maven_crm_golden", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def press(page: AppTest, label: str) -> AppTest:
    page = next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def test_the_real_pipeline_comes_in_through_the_page_and_every_figure_agrees(sqlite_database: Database) -> None:
    script = golden_script()
    golden = script.expected(FOLDER)
    with sqlite_database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.add(User(username="operations", name="Operations", role=Role.OPERATIONS))
    st.cache_data.clear()
    session.use_database(sqlite_database)
    try:
        page = AppTest.from_file(str(PROJECT_ROOT / "pages" / "import_data.py"), default_timeout=120)
        page.session_state[session.ACTOR_KEY] = actor_named(sqlite_database, "operations", now=NOW, origin="test")
        page.session_state[session.NOW_KEY] = NOW
        page.run()
        files = [(path.name, path.read_bytes(), "text/csv") for path in sorted(FOLDER.glob("*.csv"))]
        page = page.file_uploader[0].set_value(files).run()
        page = press(page, "Continue to mapping")
        page = press(page, "Continue to review")
        merge = next(one for one in page.radio if "GTXPro" in one.label)
        merge.set_value(True)
        page = press(page, "Apply these choices")
        page = press(page, "Import")
    finally:
        session.use_database(None)

    assert "8,927 rows imported, 0 merged or there already, 0 refused" in page.success[0].value
    sqlite_database.mirror.refresh()

    def ask(query: Any, **values: Any) -> Any:
        return gate.answer(sqlite_database, SYSTEM, query, NOW, **values)

    assert script.differences(golden, ask) == []
    assert script.differences_of_all(golden, ask) == []
    golden.board["Darcel Schlecht"] = (0, 0, "0", 0.0, 0.0)
    golden.booked_by_week.popitem()
    assert [said.split(":")[0] for said in script.differences_of_all(golden, ask)] == [
        "booked by week", "leaderboard", "ranks",
    ], "differences would be seen"  # fmt: skip
