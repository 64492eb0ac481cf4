"""Two people editing one contact."""

import pytest

from core.access.actors import SYSTEM
from core.model import Contact
from core.services.customers import add_contact, edit_contact
from tests.factories import NOW
from tests.ui.pages import opened
from tests.ui.test_selling_pages import said

pytestmark = pytest.mark.usefixtures("on_small_company")


@pytest.fixture
def lin(small_company, perform_as):
    """Ms Lin at a customer of the eastern rep: the customer's number and hers."""
    customer = small_company.customer()
    fields = {"name": "Ms Lin", "phone": "1", "title": "Buyer"}
    contact = perform_as("eastern rep", add_contact, key="lin", customer_id=customer.id, fields=fields)
    return customer.id, contact.id


def stored(small_company, number):
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        return work.session.get(Contact, number)


def test_two_people_editing_one_contact_compare_and_overwrite_nothing_silently(small_company, perform_as, lin):
    customer, number = lin
    app = opened(small_company, "customer", id=customer)
    form, key = f"contact_{customer}_{number}", f"conflict-contact-{number}"
    app.text_input(key=f"{form}.title").set_value("Head of buying").run()
    app.text_input(key=f"{form}.phone").set_value("3").run()
    theirs = {"phone": "2", "email": "lin@example.com", "is_primary": True}
    perform_as("eastern manager", edit_contact, contact_id=number, version=1, fields=theirs)

    app.button(key=f"{form}-save").click().run()

    assert "Choose for each field" in said(app)
    assert app.radio(key=f"{key}-title-choice").value == "mine"
    assert [app.radio(key=f"{key}-{name}-choice").value for name in ("phone", "email", "is_primary")] == ["theirs"] * 3
    app.radio(key=f"{key}-phone-choice").set_value("mine").run()
    app.button(key=f"{key}-save").click().run()
    assert not app.exception
    saved = stored(small_company, number)
    assert (saved.title, saved.phone, saved.email, saved.is_primary) == ("Head of buying", "3", "lin@example.com", True)
    assert "Choose for each field" not in said(app)


def test_what_was_typed_into_a_contact_can_be_thrown_away_for_what_stands(small_company, perform_as, lin):
    customer, number = lin
    app = opened(small_company, "customer", id=customer)
    form = f"contact_{customer}_{number}"
    app.text_input(key=f"{form}.phone").set_value("3").run()
    perform_as("eastern manager", edit_contact, contact_id=number, version=1, fields={"phone": "2"})
    app.button(key=f"{form}-save").click().run()
    app.button(key=f"conflict-contact-{number}-cancel").click().run()
    assert not app.exception
    assert app.text_input(key=f"{form}.phone").value == "2"
    assert stored(small_company, number).phone == "2"


def test_a_contacts_form_that_nobody_typed_into_shows_what_somebody_else_saved(small_company, perform_as, lin):
    customer, number = lin
    app = opened(small_company, "customer", id=customer)
    perform_as("eastern manager", edit_contact, contact_id=number, version=1, fields={"phone": "2"})
    app.run()
    form = f"contact_{customer}_{number}"
    assert app.text_input(key=f"{form}.phone").value == "2"
    app.text_input(key=f"{form}.phone").set_value("4").run()
    app.button(key=f"{form}-save").click().run()
    assert stored(small_company, number).phone == "4"
