from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from sqlmodel import func, select
from streamlit.testing.v1 import AppTest

from core.access.actors import SYSTEM
from core.importing.readers import SourceFile
from core.model import Customer, Deal
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


def upload(page: AppTest, files: dict[str, bytes]) -> AppTest:
    return page.file_uploader[0].set_value([(name, content, "text/csv") for name, content in files.items()]).run()


def box(page: AppTest, label: str) -> Any:
    return next(one for one in page.selectbox if one.label == label)


def test_the_currency_of_amounts_is_asked_where_no_column_names_it(small_company: Company, page_of: Any) -> None:
    page = press(upload(page_of("operations"), {"deals.csv": CSV}), "Continue to mapping")

    asked = box(page, "Currency of the amounts")

    assert asked.value == "CNY"
    assert asked.options[0] == "CNY (base currency)"
    assert [one.value.replace("\\", "") for one in page.info] == [
        "No column of this file names a currency: every number in “close_value” is taken as CNY."
    ]

    page = asked.set_value("USD").run()

    assert "is taken as USD" in page.info[0].value
    assert "There is no exchange rate for USD yet" in page.warning[0].value
    page = press(page, "Continue to review")
    assert [metric.value for metric in page.metric] == ["0", "0", "0", "3"]


def test_a_file_that_names_its_currency_is_not_asked_about_it(page_of: Any) -> None:
    named = CSV.replace(b"close_value\n", b"close_value,currency\n").replace(b"5\n", b"5,CNY\n")

    page = press(upload(page_of("operations"), {"deals.csv": named}), "Continue to mapping")

    assert "Currency of the amounts" not in {one.label for one in page.selectbox}
    assert not page.info


def test_the_encoding_found_is_shown_and_another_can_be_chosen(page_of: Any) -> None:
    text = "客戶名稱,業務員,商機階段,金額\n股份有限公司,陳美玲,報價協商,1200\n台北國際貿易,林志明,贏單,300\n"
    page = press(upload(page_of("operations"), {"deals.csv": text.encode("big5")}), "Continue to mapping")

    assert "2 rows · Big5" in {one.value for one in page.caption}
    assert str(box(page, "What the rows are").value) == "deals"
    page = box(page, "Encoding").set_value("cp1252").run()

    assert "2 rows · Windows-1252" in {one.value for one in page.caption}
    page = box(page, "Encoding").set_value("utf-8").run()
    assert "letters of this file could not be read" in page.warning[0].value


def test_names_are_merged_by_radio_buttons_a_page_at_a_time(small_company: Company, page_of: Any) -> None:
    """Seven pairs are two pages; what is not chosen stays apart."""
    words = ("Aurora", "Borealis", "Cascade", "Dunlin", "Ember", "Fjordland", "Gannet")
    rows = [f"{word} Optics,Won,2024-01-05,5" for word in words for _n in range(2)]
    rows += [f"{word}Optics,Won,2024-01-06,5" for word in words]
    files = {"deals.csv": "\n".join(["account,deal_stage,close_date,close_value", *rows]).encode()}
    page = press(press(upload(page_of("operations"), files), "Continue to mapping"), "Continue to review")

    assert len(page.radio) == 6
    assert page.radio[0].options == ["Leave apart", "Take it for Aurora Optics"]
    page.radio[0].set_value(True)
    page = press(page, "Apply these choices")

    assert any("1 of 7 pairs is merged" in one.value or "1 of 7 pairs are merged" in one.value for one in page.caption)
    page.radio[1].set_value(True)
    page.run()
    assert any("1 choice is not applied yet" in one.value for one in page.caption)
    page = press(page, "Import")
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        names = set(work.session.exec(select(Customer.name)))
    assert len(names & {f"{word}Optics" for word in words}) == 5
    assert not {"AuroraOptics", "BorealisOptics"} & names, "what stands chosen on the screen is taken along"
