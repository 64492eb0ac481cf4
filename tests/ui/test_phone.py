"""What a rep with a phone in the hand gets."""

from decimal import Decimal

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.pages import opened
from tests.ui.test_selling_pages import said

pytestmark = pytest.mark.usefixtures("on_small_company")


def rows(app, name):
    """The links of the list that narrow screens get, as (address, label)."""
    found = [block for block in app.main.get("page_link") if name in block.proto.page]
    return [(block.proto.query_string, block.proto.label) for block in found if block.proto.label.startswith("**")]


def test_each_deal_of_the_table_is_a_row_to_tap_with_its_amount_and_stage(small_company):
    deal = small_company.deal(name="Gateway", amount=Decimal(120_000))
    app = opened(small_company, "deals")
    ((address, label),) = rows(app, "deal")
    assert address == f"id={deal.id}"
    assert label.startswith("**Gateway** **¥120K** :gray[")


def test_a_name_in_a_row_is_shown_letter_by_letter(small_company):
    small_company.deal(name="**[x](https://x.example)")
    ((_address, label),) = rows(opened(small_company, "deals"), "deal")
    assert label.startswith(r"**\*\*\[x\]\(https\://x\.example\)** **")


def test_a_customers_row_names_only_the_values_there_are(small_company):
    customer = small_company.customer(name="Harbour", city="Ningbo")
    small_company.deal(customer=customer, amount=Decimal(5_000))
    label = next(
        label for _address, label in rows(opened(small_company, "customers"), "customer") if "Harbour" in label
    )
    assert "Open value" in label
    assert "Won value" not in label


def test_the_amount_of_a_new_deal_asks_a_phone_for_its_digits(small_company):
    amount = opened(small_company, "log_deal").text_input(key="log_deal.amount")
    assert (amount.proto.type, amount.proto.icon, amount.proto.autocomplete) == (amount.proto.PHONE, "", "off")


def test_after_a_visit_the_next_step_is_one_tap_away(small_company):
    deal = small_company.deal()
    app = opened(small_company, "log_activity", deal=deal.id)
    app.button(key="save-activity").click().run()
    app.button(key="plan-next").click().run()
    assert app.session_state["log_activity.when"] == "due"
    assert app.session_state["log_activity.deal_id"] == deal.id


def test_a_planned_step_does_not_ask_for_another_plan(small_company):
    deal = small_company.deal()
    app = opened(small_company, "log_activity", deal=deal.id, when="due")
    app.button(key="save-activity").click().run()
    assert "Planned" in said(app)
    assert "plan-next" not in {button.key for button in app.button}


def test_from_what_was_saved_a_tap_leads_back_to_today(small_company):
    app = opened(small_company, "log_activity", deal=small_company.deal().id)
    app.button(key="save-activity").click().run()
    app.button(key="saved-today").click().run()
    assert app.title[0].value.startswith("Hello")


def test_of_many_rows_a_phone_gets_the_first_and_the_rest_on_demand():
    def page():
        from core.ui.phone import PhoneRow, draw_rows

        draw_rows([PhoneRow(number, f"Name {number}") for number in range(51)], name="board", opens=None)

    def names(app):
        return [block.value for block in app.markdown if block.value.startswith("**Name")]

    app = AppTest.from_function(page).run()
    assert len(names(app)) == 20
    app.button(key="board-phone-rest").click().run()
    assert len(names(app)) == 51


def test_a_table_begins_with_its_first_rows_and_shows_all_on_demand():
    def page():
        from types import SimpleNamespace
        from zoneinfo import ZoneInfo

        import pandas as pd

        from core.reports.tables import Column
        from core.ui.tables import table

        view = SimpleNamespace(may=lambda _action: False, zone=ZoneInfo("Asia/Shanghai"))
        table(view, pd.DataFrame({"name": [f"Name {n}" for n in range(9)]}), [Column("name", "Name")], name="t", most=4)

    app = AppTest.from_function(page).run()
    assert list(app.dataframe[0].value["name"]) == [f"Name {n}" for n in range(4)]
    app.button(key="t-table-rest").click().run()
    assert len(app.dataframe[0].value) == 9
    assert not app.button
