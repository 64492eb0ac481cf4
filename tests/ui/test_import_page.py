from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from sqlmodel import func, select
from streamlit.testing.v1 import AppTest

from core.access.actors import SYSTEM
from core.importing.readers import SourceFile
from core.model import Deal
from core.queries.imports import import_reference
from core.settings import PROJECT_ROOT
from core.ui import session
from core.ui.import_state import ImportState
from tests.conftest import actor
from tests.factories import NOW, Company

CSV = b"""opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
A1,Moses,Compass,Acme,Won,2024-01-05,2024-02-01,100
A2,Moses,Compass,,Engaging,2024-01-06,,5
A3,Moses,Compass,Beta,Won,2024-01-06,,5
"""


@pytest.fixture
def page_of(small_company: Company) -> Iterator[Any]:
    st.cache_data.clear()
    session.use_database(small_company.database)

    def opened(who: str, **state: Any) -> AppTest:
        page = AppTest.from_file(str(PROJECT_ROOT / "pages" / "import_data.py"), default_timeout=30)
        page.session_state[session.ACTOR_KEY] = actor(small_company, who)
        page.session_state[session.NOW_KEY] = NOW
        for name, value in state.items():
            page.session_state[name] = value
        return page.run()

    yield opened
    session.use_database(None)


def collected(company: Company) -> ImportState:
    from core import gate

    state = ImportState()
    state.add([SourceFile("deals.csv", CSV)], gate.answer(company.database, SYSTEM, import_reference, NOW))
    return state


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def test_a_file_goes_through_every_step_and_back(small_company: Company, page_of: Any) -> None:
    page = page_of("operations", luopan_import=collected(small_company))

    page = press(page, "Continue to mapping")
    kind = next(box for box in page.selectbox if box.label == "What the rows are")
    assert str(kind.value) == "deals"
    page = press(page, "Continue to review")
    assert [metric.value for metric in page.metric] == ["2", "0", "0", "1"]
    page = press(press(page, "Back"), "Continue to review")
    page = press(page, "Import")

    assert not page.exception
    assert "2 rows imported, 0 merged or there already, 1 refused" in page.success[0].value
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.exec(select(func.count()).select_from(Deal)).one() == 2


def test_who_may_not_import_sees_no_uploader(page_of: Any) -> None:
    for who in ("eastern rep", "leader", "administrator"):
        page = page_of(who)
        assert [error.value for error in page.error] == ["There is no such page, or it is not open to you."]
        assert not page.button
