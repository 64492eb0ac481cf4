"""The selling pages as each role meets them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlmodel import func, select
from streamlit.testing.v1 import AppTest

from core.access.actors import SYSTEM
from core.model import Activity, Customer, Deal, StageMove
from core.services.deals import change_amount, edit_deal
from core.settings import PROJECT_ROOT
from core.ui import session
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.ui.pages import opened

pytestmark = pytest.mark.usefixtures("on_small_company")

PAGES = ("today", "deals", "customers", "log_deal", "log_activity")


def said(app: AppTest) -> str:
    kinds = ("markdown", "text", "caption", "success", "info", "warning", "error", "title", "subheader")
    return "\n".join(element.value for kind in kinds for element in getattr(app, kind))


def count(company: Company, table: type) -> int:
    with company.database.reading(SYSTEM, now=NOW) as work:
        return int(work.session.scalar(select(func.count()).select_from(table)))


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "leader", "operations"])
@pytest.mark.parametrize("page", ["today", "deals", "customers"])
def test_every_reading_page_opens_for_every_role_with_and_without_data(small_company, page, who, language):
    assert not opened(small_company, page, who, language).exception
    deal = small_company.deal(expected_close_on=NOW.date() - timedelta(days=3))
    small_company.deal(path=(("identified", NOW - timedelta(days=5)), ("won", NOW)))
    small_company.activity(deal_id=deal.id, due_on=NOW.date())
    assert not opened(small_company, page, who, language).exception
    assert not opened(small_company, "deal", who, language, id=deal.id).exception
    assert not opened(small_company, "customer", who, language, id=deal.customer_id).exception


@pytest.mark.parametrize("layout", ["table", "board"])
def test_a_list_without_deals_says_what_to_do_next(small_company, layout):
    params = {"as": layout}
    assert "There are no deals yet" in said(opened(small_company, "deals", **params))
    small_company.deal(name="Extruder")
    assert "1 deal · " in said(opened(small_company, "deals", **params))
    app = opened(small_company, "deals", **params, q="nothing like it")
    assert not app.exception
    assert "No deals match" in said(app)


@pytest.mark.parametrize("page", [*PAGES, "deal", "customer"])
def test_an_administrator_is_not_led_to_deals_and_a_stranger_past_the_frame_sees_nothing(small_company, page):
    deal = small_company.deal()
    with pytest.raises(ValueError, match="registered"):
        opened(small_company, page, "administrator")
    for who in ("administrator", None):
        app = AppTest.from_file(PROJECT_ROOT / "pages" / f"{page}.py", default_timeout=30)
        if who:
            app.session_state[session.ACTOR_KEY] = actor(small_company, who)
        app.query_params["id"] = str(deal.id)
        app.run()
        assert deal.name not in said(app)
        assert not app.button


def test_a_deal_of_another_team_looks_like_one_that_never_was(small_company):
    western = small_company.deal(owner="charlie", name="秘密商机")
    seen = []
    for number in (western.id, 999_999):
        app = opened(small_company, "deal", id=number)
        assert "秘密商机" not in said(app)
        seen.append(said(app).replace(str(number), "N"))
    assert seen[0] == seen[1]


def log_one(app: AppTest, amount: str = "1.2万") -> AppTest:
    app.text_input(key="log_deal.amount").set_value(amount)
    return app.button(key="save-deal").click().run()


def test_a_deal_is_logged_in_one_go_with_a_new_customer(small_company):
    app = opened(small_company, "log_deal")
    app.text_input(key="log_deal.search").set_value("新城科技").run()
    app.button(key="customer-begin").click().run()
    assert app.text_input(key="log_deal.customer_name").value == "新城科技"
    log_one(app)
    assert not app.exception
    assert "Saved" in app.success[0].value
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        (deal,) = work.session.exec(select(Deal)).all()
    assert (deal.amount, deal.owner_id) == (Decimal(12000), small_company.reps["alice"])


def test_what_is_missing_is_said_beside_the_field_and_nothing_is_saved(small_company):
    app = opened(small_company, "log_deal", language="zh")
    app.button(key="save-deal").click().run()
    assert count(small_company, Deal) == 0
    shown = said(app)
    assert "请选择客户" in shown.replace("\\", "")
    app.text_input(key="log_deal.amount").set_value("abc").run()
    app.button(key="save-deal").click().run()
    assert count(small_company, Deal) == 0
    assert said(app).count("这不是一个金额") == 1


def test_what_was_refused_is_said_until_the_field_holds_something_else(small_company):
    app = opened(small_company, "log_deal", customer=small_company.customer().id)
    log_one(app, "-5")
    below, above = "An amount is zero or more", "Please check the marked fields"
    assert below in said(app)
    assert above in said(app)
    app.text_input(key="log_deal.amount").set_value("5").run()
    assert below not in said(app)
    assert above not in said(app)


def test_a_list_price_is_not_taken_for_one_in_the_currency_that_is_chosen_later(small_company):
    app = opened(small_company, "log_deal", customer=small_company.customer().id)
    for row in (1, 2):
        app.button(key="log_deal-add-line").click().run()
        app.selectbox(key=f"log_deal.product{row}").set_value(f"{small_company.products['compass']}/1").run()
    app.text_input(key="log_deal.price2").set_value("900").run()
    app.selectbox(key="log_deal.currency").set_value("USD").run()
    assert app.text_input(key="log_deal.price1").value == ""
    assert app.text_input(key="log_deal.price2").value == "900", "what somebody typed stays"
    assert "List price: ¥1,000" in said(app).replace("\\", "")
    app.selectbox(key="log_deal.currency").set_value("CNY").run()
    assert app.text_input(key="log_deal.price1").value == "1000.00"
    assert "List price" not in said(app)


def test_lines_price_themselves_from_the_list_and_make_the_amount(small_company):
    customer = small_company.customer()
    app = opened(small_company, "log_deal", customer=customer.id)
    app.button(key="log_deal-add-line").click().run()
    options = app.selectbox(key="log_deal.product1").options
    app.selectbox(key="log_deal.product1").set_value(
        next(code for code in (f"{small_company.products['compass']}/1",) if options)
    ).run()
    assert app.text_input(key="log_deal.price1").value == "1000.00"
    app.number_input(key="log_deal.quantity1").set_value(3).run()
    app.number_input(key="log_deal.discount1").set_value(10.0).run()
    app.button(key="save-deal").click().run()
    assert not app.exception
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        (deal,) = work.session.exec(select(Deal)).all()
    assert deal.amount == Decimal(2700)


def test_a_form_taken_up_after_a_lost_connection_still_saves_once(small_company):
    customer = small_company.customer()
    first = opened(small_company, "log_deal", customer=customer.id)
    first.text_input(key="log_deal.amount").set_value("500").run()
    second = opened(small_company, "log_deal")
    next(button for button in second.button if button.label == "Continue with it").click().run()
    assert second.text_input(key="log_deal.amount").value == "500"
    first.button(key="save-deal").click().run()
    second.button(key="save-deal").click().run()
    assert not second.exception
    assert count(small_company, Deal) == 1


def test_a_name_that_looks_like_a_customer_is_warned_of(small_company):
    small_company.customer(name="海城钢铁有限公司", name_key="海城钢铁")
    app = opened(small_company, "log_deal")
    app.text_input(key="log_deal.search").set_value("海城钢铁集团").run()
    app.button(key="customer-begin").click().run()
    assert "looks like a customer" in said(app)
    next(button for button in app.button if button.label == "Use this one").click().run()
    log_one(app)
    assert count(small_company, Customer) == 1


def test_a_deal_moves_on_its_page_and_the_move_is_undone(small_company):
    deal = small_company.deal()
    app = opened(small_company, "deal", id=deal.id)
    pills = next(group for group in app.button_group if group.key == f"stage-{deal.id}-1")
    pills.set_value(small_company.stages["demo"]).run()
    app.button(key="move-deal").click().run()
    assert not app.exception
    assert "Demo" in said(app)
    app.button(key="undo-move").click().run()
    assert count(small_company, StageMove) == 3
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(Deal, deal.id).stage_id == small_company.stages["identified"]


def test_losing_asks_for_the_reason(small_company):
    deal = small_company.deal()
    app = opened(small_company, "deal", id=deal.id)
    app.button(key="deal-lose").click().run()
    app.button(key="panel-confirm").click().run()
    assert "why the deal was lost" in said(app).replace("\\", "")
    app.selectbox(key=f"lose_deal_{deal.id}.lost_reason_id").set_value(small_company.lost_reasons["price"]).run()
    app.button(key="panel-confirm").click().run()
    assert not app.exception
    assert "Price too high" in said(app)


def test_losing_and_handing_over_are_undone_on_the_page(small_company):
    deal = small_company.deal()
    app = opened(small_company, "deal", "eastern manager", id=deal.id)
    app.button(key="deal-lose").click().run()
    app.selectbox(key=f"lose_deal_{deal.id}.lost_reason_id").set_value(small_company.lost_reasons["price"]).run()
    app.button(key="panel-confirm").click().run()
    app.button(key="undo-move").click().run()
    assert not app.exception
    assert "The history keeps both steps" in said(app).replace("\\", "")
    app.button(key="deal-reassign").click().run()
    app.selectbox(key=f"reassign_deal_{deal.id}.owner_id").set_value(small_company.reps["bob"]).run()
    app.button(key="panel-confirm").click().run()
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(Deal, deal.id).owner_id == small_company.reps["bob"]
    app.button(key="undo-move").click().run()
    assert not app.exception
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        row = work.session.get(Deal, deal.id)
    assert (row.owner_id, row.state, row.stage_id) == (deal.owner_id, deal.state, deal.stage_id)


def test_undo_is_gone_once_somebody_changed_the_deal(small_company, perform_as):
    deal = small_company.deal()
    app = opened(small_company, "deal", "eastern manager", id=deal.id)
    app.button(key="deal-reassign").click().run()
    app.selectbox(key=f"reassign_deal_{deal.id}.owner_id").set_value(small_company.reps["bob"]).run()
    app.button(key="panel-confirm").click().run()
    assert app.button(key="undo-move")
    perform_as("second eastern rep", edit_deal, deal_id=deal.id, version=2, changes={"note": "Mine now"})
    app.button(key="undo-move").click().run()
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(Deal, deal.id).owner_id == small_company.reps["bob"]
    assert not [button for button in app.run().button if button.key == "undo-move"]


def test_two_people_editing_one_deal_compare_field_by_field(small_company, perform_as):
    deal = small_company.deal(amount=100)
    app = opened(small_company, "deal", id=deal.id)
    app.button(key="deal-edit").click().run()
    app.text_input(key=f"edit_deal_{deal.id}.name").set_value("mine")
    app.text_input(key=f"edit_deal_{deal.id}.amount").set_value("300").run()
    theirs = perform_as("eastern manager", change_amount, deal_id=deal.id, version=1, amount=Decimal(200))
    perform_as("eastern manager", edit_deal, deal_id=deal.id, version=theirs.version, changes={"note": "theirs"})
    app.button(key="edit-save").click().run()
    assert not app.exception
    assert "Choose for each field" in said(app)
    key = f"conflict-{deal.id}"
    assert app.radio(key=f"{key}-amount-choice").value == "theirs"
    assert app.radio(key=f"{key}-name-choice").value == "mine"
    assert app.radio(key=f"{key}-note-choice").value == "theirs"
    app.radio(key=f"{key}-amount-choice").set_value("mine").run()
    app.button(key=f"{key}-save").click().run()
    assert not app.exception
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        row = work.session.get(Deal, deal.id)
    assert (row.name, row.amount, row.note) == ("mine", Decimal(300), "theirs")


def test_an_activity_is_logged_for_the_deal_in_the_address(small_company):
    deal = small_company.deal()
    app = opened(small_company, "log_activity", deal=deal.id, when="due")
    app.button(key="save-activity").click().run()
    assert not app.exception
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        (activity,) = work.session.exec(select(Activity)).all()
    assert (activity.deal_id, activity.done_at, activity.customer_id) == (deal.id, None, deal.customer_id)


def test_due_work_is_done_with_one_click_and_taken_back_with_another(small_company):
    small_company.deal()
    due = small_company.activity(due_on=NOW.date())
    app = opened(small_company, "today")
    app.button(key=f"today-due-done-{due.id}").click().run()
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(Activity, due.id).done_at == NOW
    app.button(key="today-due-undo-button").click().run()
    with small_company.database.reading(SYSTEM, now=NOW) as work:
        assert work.session.get(Activity, due.id).done_at is None


def test_what_a_user_typed_is_never_markdown(small_company):
    evil = "![x](https://evil.example/p.png) **b**"
    deal = small_company.deal(name=evil, customer=small_company.customer(name=evil))
    for page, number in (
        ("deal", deal.id),
        ("customer", deal.customer_id),
        ("today", None),
        ("log_deal", None),
    ):
        app = opened(small_company, page, **({"id": number} if number else {}))
        assert not app.exception
        texts = [element.value for kind in ("markdown", "caption", "title") for element in getattr(app, kind)]
        texts += [button.label for button in app.button]
        assert not any("![x](" in text or "**b**" in text for text in texts)
