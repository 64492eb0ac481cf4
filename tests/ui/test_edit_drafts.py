"""What was typed into an edit survives a reload, an ended sign-in and another tab, until it is saved or discarded."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlmodel import select

from core.access.actors import SYSTEM
from core.i18n import use_language
from core.model import Contact, Customer, Deal, DealLine, Draft
from core.services.customers import edit_customer
from core.services.deals import edit_deal
from tests.factories import NOW
from tests.ui.pages import opened
from tests.ui.test_selling_pages import said

pytestmark = pytest.mark.usefixtures("on_small_company")


def row(company, table, number):
    with company.database.reading(SYSTEM, now=NOW) as work:
        return work.session.get(table, number)


def drafts(company):
    with company.database.reading(SYSTEM, now=NOW) as work:
        return sorted(draft.form for draft in work.session.exec(select(Draft)))


@pytest.fixture
def deal(small_company):
    return small_company.deal(name="Old name", note="Old note", competitor="Acme", product="compass")


@pytest.fixture
def typed(small_company, deal):
    """Somebody changed name, amount and day, emptied the competitor, and the browser was closed."""
    app = opened(small_company, "deal", id=deal.id)
    app.button(key="deal-edit").click().run()
    form = f"edit_deal_{deal.id}"
    app.text_input(key=f"{form}.name").set_value("New name").run()
    app.text_input(key=f"{form}.amount").set_value("12345").run()
    app.text_input(key=f"{form}.competitor").set_value("").run()
    app.date_input(key=f"{form}.expected_close_on").set_value(date(2026, 12, 24)).run()
    assert not app.exception
    return form


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_edit_is_taken_up_after_a_reload_and_saved(small_company, deal, typed, language):
    use_language(language)
    app = opened(small_company, "deal", id=deal.id, language=language)
    assert ("did not save it" in said(app)) or ("尚未保存" in said(app))
    app.button(key=f"draft-on-{typed}").click().run()
    assert not app.exception
    assert app.text_input(key=f"{typed}.name").value == "New name"
    assert app.text_input(key=f"{typed}.competitor").value == "", "what was emptied stays empty"
    assert row(small_company, Deal, deal.id).name == "Old name"
    app.button(key="edit-save").click().run()
    saved = row(small_company, Deal, deal.id)
    assert (saved.name, saved.amount, saved.competitor) == ("New name", Decimal(12345), "")
    assert (saved.expected_close_on, saved.note) == (date(2026, 12, 24), "Old note")
    assert drafts(small_company) == []
    assert not [button for button in opened(small_company, "deal", id=deal.id).button if "draft" in (button.key or "")]


def test_a_draft_can_be_discarded_and_is_then_gone(small_company, deal, typed):
    app = opened(small_company, "deal", id=deal.id)
    app.button(key=f"draft-off-{typed}").click().run()
    assert drafts(small_company) == []
    app.button(key="deal-edit").click().run()
    assert app.text_input(key=f"{typed}.name").value == "Old name"


def test_opening_the_form_offers_the_draft_there_as_well(small_company, deal, typed):
    app = opened(small_company, "deal", id=deal.id)
    app.button(key="deal-edit").click().run()
    assert app.text_input(key=f"{typed}.name").value == "Old name"
    app.button(key=f"draft-on-{typed}").click().run()
    assert app.text_input(key=f"{typed}.name").value == "New name"


def test_cancelling_leaves_no_draft(small_company, deal):
    app = opened(small_company, "deal", id=deal.id)
    app.button(key="deal-edit").click().run()
    app.text_input(key=f"edit_deal_{deal.id}.name").set_value("Other").run()
    assert drafts(small_company) == [f"edit_deal_{deal.id}"]
    app.button(key="edit-cancel").click().run()
    assert drafts(small_company) == []


def test_looking_at_a_deal_or_opening_its_form_makes_no_draft(small_company, deal):
    app = opened(small_company, "deal", id=deal.id)
    app.button(key="deal-edit").click().run()
    app.run()
    assert drafts(small_company) == []


def test_a_draft_older_than_somebody_elses_change_is_compared_field_by_field(small_company, deal, typed, perform_as):
    perform_as(
        "eastern manager", edit_deal, deal_id=deal.id, version=1, changes={"note": "Theirs", "amount": Decimal(777)}
    )
    app = opened(small_company, "deal", id=deal.id)
    app.button(key=f"draft-on-{typed}").click().run()
    app.button(key="edit-save").click().run()
    assert "Choose for each field" in said(app)
    assert row(small_company, Deal, deal.id).name == "Old name"
    key = f"conflict-{deal.id}"
    assert app.radio(key=f"{key}-amount-choice").value == "theirs", "both changed it"
    assert app.radio(key=f"{key}-note-choice").value == "theirs"
    app.button(key=f"{key}-save").click().run()
    assert not app.exception
    saved = row(small_company, Deal, deal.id)
    assert (saved.name, saved.note, saved.amount) == ("New name", "Theirs", Decimal(777))
    assert drafts(small_company) == []


def test_products_of_an_edit_come_back_with_the_draft(small_company, deal):
    form = f"edit_deal_{deal.id}"
    app = opened(small_company, "deal", id=deal.id)
    app.button(key="deal-edit").click().run()
    app.number_input(key=f"{form}.quantity1").set_value(3).run()
    app = opened(small_company, "deal", id=deal.id)
    app.button(key=f"draft-on-{form}").click().run()
    assert app.number_input(key=f"{form}.quantity1").value == 3
    app.button(key="edit-save").click().run()
    assert not app.exception
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        (line,) = work.session.exec(select(DealLine).where(DealLine.deal_id == deal.id)).all()
    assert line.quantity == 3
    assert row(small_company, Deal, deal.id).amount == line.amount


def test_why_a_deal_was_lost_is_kept_too(small_company, deal):
    app = opened(small_company, "deal", id=deal.id)
    app.button(key="deal-lose").click().run()
    form = f"lose_deal_{deal.id}"
    app.text_area(key=f"{form}.note").set_value("They bought elsewhere").run()
    app = opened(small_company, "deal", id=deal.id)
    app.button(key=f"draft-on-{form}").click().run()
    assert app.text_area(key=f"{form}.note").value == "They bought elsewhere"
    app.button(key="panel-cancel").click().run()
    assert drafts(small_company) == []


def test_a_draft_is_offered_to_its_author_alone(small_company, deal, typed):
    assert "did not save it" not in said(opened(small_company, "deal", "eastern manager", id=deal.id))


@pytest.mark.parametrize("conflict", [False, True])
def test_a_customers_edit_survives_and_conflicts_are_compared(small_company, perform_as, conflict):
    customer = small_company.customer(city="上海", phone="1", note="Old")
    form = f"edit_customer_{customer.id}"
    app = opened(small_company, "customer", id=customer.id)
    app.button(key="edit-customer").click().run()
    app.text_input(key=f"{form}.city").set_value("Suzhou").run()
    app.text_area(key=f"{form}.note").set_value("").run()
    if conflict:
        perform_as("eastern manager", edit_customer, customer_id=customer.id, version=1, fields={"phone": "2"})
    app = opened(small_company, "customer", id=customer.id)
    app.button(key=f"draft-on-{form}").click().run()
    assert app.text_input(key=f"{form}.city").value == "Suzhou"
    app.button(key="save-customer").click().run()
    if conflict:
        app.button(key=f"conflict-customer-{customer.id}-save").click().run()
    assert not app.exception
    saved = row(small_company, Customer, customer.id)
    assert (saved.city, saved.note, saved.phone) == ("Suzhou", "", "2" if conflict else "1")
    assert drafts(small_company) == []


def test_a_contacts_form_is_kept(small_company):
    customer = small_company.customer()
    app = opened(small_company, "customer", id=customer.id)
    form = f"contact_{customer.id}_new"
    app.text_input(key=f"{form}.name").set_value("Ms Lin").run()
    app = opened(small_company, "customer", id=customer.id)
    app.button(key=f"draft-on-{form}").click().run()
    app.button(key=f"{form}-save").click().run()
    assert not app.exception
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert [contact.name for contact in work.session.exec(select(Contact))] == ["Ms Lin"]
    assert drafts(small_company) == []
