"""The administration's pages, through the frame, as those who may open them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import delete
from sqlmodel import col, select
from streamlit.testing.v1 import AppTest

from core.access.actors import SYSTEM
from core.model import AcquisitionCost, AuditEntry, FxRate, Quota, Setting, Stage, User
from core.services import installation
from core.services.process import StageFields, edit_stage
from core.ui import session
from core.ui.administration import typed_number, typed_text
from tests.conftest import actor
from tests.factories import NOW
from tests.ui.pages import framed, turned

PAGES = {
    "people": "administrator",
    "settings": "administrator",
    "audit": "administrator",
    "process": "operations",
    "goods": "operations",
    "quotas": "operations",
    "acquisition_costs": "operations",
    "currencies": "operations",
}
TITLES = {
    "people": ("People and teams", "人员与团队"),
    "settings": ("Settings", "设置"),
    "audit": ("Audit", "审计"),
    "process": ("Sales process", "销售流程"),
    "goods": ("Products", "产品"),
    "quotas": ("Quotas", "销售目标"),
    "acquisition_costs": ("Acquisition costs", "获客成本"),
    "currencies": ("Currencies", "币种与汇率"),
}


@pytest.fixture
def opened(small_company, monkeypatch):
    """Open a page as somebody: `opened("people")`."""
    monkeypatch.setattr(session, "address", lambda: "127.0.0.1")
    session.use_database(small_company.database)

    def start(page: str, *, language: str = "en", **state: object) -> AppTest:
        test = turned(framed(actor(small_company, PAGES[page]), language=language, **state).run(), page)
        assert not test.exception
        return test

    yield start
    session.use_database(None)


def press(test, *keys):
    """Press buttons of one run; a dialog's own needs the one that opened it, since AppTest has no fragments."""
    for key in keys:
        test.button(key=key).click()
    test.run()
    assert not test.exception


def stored(company, table):
    with company.database.reading(SYSTEM, now=NOW) as work:
        return list(work.session.exec(select(table)))


@pytest.mark.parametrize("page", list(PAGES))
@pytest.mark.parametrize(("place", "language"), [(0, "en"), (1, "zh")])
def test_each_page_opens_in_both_languages(opened, page, place, language):
    assert [title.value for title in opened(page, language=language).title] == [TITLES[page][place]]


def test_settings_are_saved_and_an_impossible_one_is_said(opened, small_company):
    test = opened("settings")
    days = next(field for field in test.number_input if "idle" in field.label)
    days.set_value(21)
    next(button for button in test.button if button.label == "Save").click().run()
    assert not test.exception
    assert {row.name: row.value for row in stored(small_company, Setting)}["idle_days"] == "21"


def test_an_account_is_made_with_a_link_that_is_shown_once(opened, small_company):
    test = opened("people")
    test.button(key="account-new").click().run()
    test.text_input(key="account-new-form-name").set_value("新同事")
    test.text_input(key="account-new-form-username").set_value("newcomer")
    press(test, "account-new", "account-new-form-send")
    assert not test.exception
    user = next(user for user in stored(small_company, User) if user.username == "newcomer")
    assert user.rep_id is not None
    assert "/?reset=" in test.code[0].value
    test.button(key="handed-done").click().run()
    assert not test.code


def test_a_name_that_is_taken_is_said_under_its_field(opened, small_company):
    test = opened("people")
    test.button(key="account-new").click().run()
    test.text_input(key="account-new-form-name").set_value("x")
    test.text_input(key="account-new-form-username").set_value("leader")
    press(test, "account-new", "account-new-form-send")
    assert [error.value for error in test.error] == ["Somebody has this name already."]


def test_a_stage_is_renamed_through_its_form(opened, small_company):
    demo = next(stage for stage in stored(small_company, Stage) if stage.code == "demo")
    test = opened("process")
    chosen = test.selectbox(key="stage-chosen")
    chosen.select("Demo").run()
    test.button(key="stage-edit").click().run()
    test.text_input(key=f"stage-{demo.id}-1-name").set_value("现场演示")
    press(test, "stage-edit", f"stage-{demo.id}-1-send")
    assert not test.exception
    assert next(s for s in stored(small_company, Stage) if s.id == demo.id).name == "现场演示"


def test_a_probability_that_nobody_touched_is_not_rounded(opened, small_company, perform_as):
    demo = next(stage for stage in stored(small_company, Stage) if stage.code == "demo")
    exact = StageFields(demo.name, demo.name_en, demo.kind, 0.632, demo.expected_days)
    perform_as("operations", edit_stage, stage_id=demo.id, version=demo.version, fields=exact)
    test = opened("process")
    test.selectbox(key="stage-chosen").select("Demo").run()
    test.button(key="stage-edit").click().run()
    assert test.number_input(key=f"stage-{demo.id}-2-probability").value == 63
    test.text_input(key=f"stage-{demo.id}-2-name").set_value("现场演示")
    press(test, "stage-edit", f"stage-{demo.id}-2-send")
    saved = next(stage for stage in stored(small_company, Stage) if stage.id == demo.id)
    assert (saved.name, saved.probability) == ("现场演示", 0.632)


def test_a_probability_beyond_its_bounds_is_said_and_nothing_is_saved(opened, small_company):
    demo = next(stage for stage in stored(small_company, Stage) if stage.code == "demo")
    test = opened("process")
    test.selectbox(key="stage-chosen").select("Demo").run()
    test.button(key="stage-edit").click().run()
    test.text_input(key=f"stage-{demo.id}-1-name").set_value("现场演示")
    test.number_input(key=f"stage-{demo.id}-1-probability").set_value(250)
    press(test, "stage-edit", f"stage-{demo.id}-1-send")
    assert [error.value for error in test.error] == ["A whole number from 0 to 100."]
    assert next(s for s in stored(small_company, Stage) if s.id == demo.id).name == demo.name


def test_a_typed_quota_is_looked_at_and_saved(opened, small_company):
    test = opened("quotas")
    key = "grid-quotas-rep-2026-0"
    test.session_state[key] = {
        "edited_rows": {0: {"2026-07-01": "3.5万"}}, "added_rows": [], "deleted_rows": [],
    }  # fmt: skip
    test.run()
    assert not test.exception
    test.button(key="quota-review").click().run()
    press(test, "quota-review", "quota-save")
    assert not test.exception
    assert [(row.month, row.amount) for row in stored(small_company, Quota)] == [
        (date(2026, 7, 1), Decimal("35000.00"))
    ]


def test_a_cell_that_is_no_amount_is_named_and_blocks_saving(opened):
    test = opened("quotas")
    test.session_state["grid-quotas-rep-2026-0"] = {
        "edited_rows": {0: {"2026-07-01": "viel"}}, "added_rows": [], "deleted_rows": [],
    }  # fmt: skip
    test.run()
    assert ["Jul 2026" in error.value for error in test.error] == [True]
    assert test.button(key="quota-review").disabled


def test_pasted_costs_are_looked_at_and_saved(opened, small_company):
    test = opened("acquisition_costs")
    assert "Nothing is entered for this year yet." in test.info[0].value
    year, rows = small_company.channels, len(small_company.channels)
    test.session_state["grid-acquisition-costs-2026-0"] = {
        "edited_rows": {0: {"2026-07-01": "3.5万"}, rows: {"2026-07-01": "1,000"}},
        "added_rows": [], "deleted_rows": [],
    }  # fmt: skip
    test.run()
    assert not test.exception
    press(test, "acquisition-cost-review")
    press(test, "acquisition-cost-review", "acquisition-cost-save")
    assert {(row.channel_id, row.month, row.amount) for row in stored(small_company, AcquisitionCost)} == {
        (min(year.values()), date(2026, 7, 1), Decimal("35000.00")), (None, date(2026, 7, 1), Decimal("1000.00")),
    }  # fmt: skip
    assert not test.info


def test_last_year_fills_the_grid_without_saving_anything(opened, small_company):
    small_company.quota(month=date(2025, 7, 1), amount=1000, rep="alice")
    test = opened("quotas")
    test.button(key="quota-fill").click().run()
    assert not test.exception
    assert not test.button(key="quota-review").disabled
    assert len(stored(small_company, Quota)) == 1
    test.button(key="quota-review").click().run()
    press(test, "quota-review", "quota-save")
    assert {(row.month, row.amount) for row in stored(small_company, Quota)} == {
        (date(2025, 7, 1), Decimal("1000.00")),
        (date(2026, 7, 1), Decimal("1100.00")),
    }


def test_a_product_typed_with_a_taken_code_is_named_by_line_and_column(opened, small_company):
    test = opened("goods")
    test.session_state["grid-products-0"] = {
        "edited_rows": {0: {"code": "sextant"}}, "added_rows": [], "deleted_rows": [],
    }  # fmt: skip
    test.run()
    test.button(key="products-save").click().run()
    assert [error.value for error in test.error] == ["Line 1, Code\\: This code is taken already\\."]


def test_a_new_rate_says_how_many_deals_it_re_rated(opened, small_company):
    small_company.deal(amount=100, currency="USD", base_amount=Decimal(1))
    test = opened("currencies")
    label = next(option for option in test.selectbox(key="currency-chosen").options if option.startswith("USD"))
    test.selectbox(key="currency-chosen").select(label).run()
    test.button(key="rate-new").click().run()
    test.text_input(key="rate-add-USD-rate").set_value("7.2")
    press(test, "rate-new", "rate-add-USD-send")
    assert not test.exception
    assert [(row.currency, row.rate, row.on) for row in stored(small_company, FxRate)] == [
        ("USD", Decimal("7.2"), date(2026, 7, 15))
    ]
    assert [toast.value for toast in test.toast] == ["Saved; 1 open deal is re-rated."]


def test_the_chain_is_checked_on_a_click(opened):
    test = opened("audit")
    test.button(key="audit-chain").click().run()
    assert not test.exception
    assert "nothing was changed or taken out" in test.success[0].value


def test_a_chain_cut_off_since_the_last_check_is_said_on_the_page(opened, small_company):
    opened("audit").button(key="audit-chain").click().run()
    number, _hash = installation.audit_end()
    with small_company.database.engine.begin() as connection:
        connection.execute(delete(AuditEntry).where(col(AuditEntry.id) == number))
    test = opened("audit")
    test.button(key="audit-chain").click().run()
    assert f"The chain breaks at: {number}." in test.error[0].value
    assert installation.audit_end()[0] == number


def test_a_search_without_a_match_says_so(opened):
    test = opened("audit")
    test.text_input(key="audit-text").set_value("nobody ever wrote this").run()
    assert [info.value for info in test.info] == ["Nothing matches this search."]


@pytest.mark.parametrize(
    ("typed", "number"),
    [("3.5万", 35000), ("50,000", 50000), ("", None), (None, None), (float("nan"), None), ("￥1,200.5", "1200.5")],
)
def test_cells_are_read_as_people_type_them(typed, number):
    assert typed_number(typed) == (None if number is None else Decimal(number))
    assert typed_text(typed) == ("" if number is None else typed)
