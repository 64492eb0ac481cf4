"""Two people editing one customer."""

import pytest

from core.access.actors import SYSTEM
from core.model import Customer
from core.services.customers import edit_customer
from tests.factories import NOW
from tests.ui.pages import opened
from tests.ui.test_selling_pages import said

pytestmark = pytest.mark.usefixtures("on_small_company")


def test_two_people_editing_one_customer_compare_and_overwrite_nothing_silently(small_company, perform_as):
    customer = small_company.customer(city="上海", phone="1")
    app = opened(small_company, "customer", id=customer.id)
    app.button(key="edit-customer").click().run()
    form = f"edit_customer_{customer.id}"
    app.text_input(key=f"{form}.city").set_value("Mine").run()
    perform_as("eastern manager", edit_customer, customer_id=customer.id, version=1, fields={"phone": "2"})

    app.button(key="save-customer").click().run()

    key = f"conflict-customer-{customer.id}"
    assert "Choose for each field" in said(app)
    assert app.radio(key=f"{key}-phone-choice").value == "theirs"
    app.button(key=f"{key}-save").click().run()
    assert not app.exception
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        row = work.session.get(Customer, customer.id)
    assert (row.city, row.phone) == ("Mine", "2")
