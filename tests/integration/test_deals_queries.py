"""Lists of deals and customers are narrowed, sorted and cut by the database, and hold their scope."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from core.analytics.filters import Filters
from core.domain.names import fold_name
from core.domain.periods import Period
from core.domain.stages import ActivityKind, StageKind
from core.errors import EditedMeanwhile, InvalidFields, NotFound
from core.queries.activities import activities_of, due_activities
from core.queries.customers import (
    contacts_of,
    customer_record,
    customers_found,
    customers_page,
    segments_in_use,
    similar_customers,
)
from core.queries.deals import SORT_KEYS, DealFilter, deal_record, deals_board, deals_page, open_deals_of
from core.queries.drafts import kept_draft
from core.queries.reference import form_choices
from core.services.activities import (
    AlreadyDone,
    complete_activity,
    delete_activity,
    log_activity,
    reopen_activity,
    reschedule_activity,
    restore_activity,
)
from core.services.customers import (
    ContactInUse,
    add_contact,
    create_customer,
    edit_contact,
    edit_customer,
    remove_contact,
)
from core.services.deal_moves import advance_deal
from core.services.deals import change_amount
from core.services.drafts import clear_draft, save_draft
from tests.factories import NOW

TODAY = date(2026, 7, 15)


def ids(page):
    return list(page.rows["id"])


def test_deals_are_cut_into_pages_with_the_total_of_all(make, answer_as, company):
    deals = [make.deal(amount=100 * n) for n in range(1, 6)]
    make.deal(owner="charlie", amount=999)
    first = answer_as("eastern rep", deals_page, sort="amount", descending=True, size=2, page=1)
    last = answer_as("eastern rep", deals_page, sort="amount", descending=True, size=2, page=3)
    assert (first.total, first.value) == (5, Decimal(1500))
    assert ids(first) == [deals[4].id, deals[3].id]
    assert ids(last) == [deals[0].id]
    for key in SORT_KEYS:
        assert answer_as("leader", deals_page, sort=key).total == 6


def test_deals_are_found_by_words_of_name_or_customer_and_never_by_wildcards(make, answer_as, company):
    deal = make.deal(name="年度 100% 合同", customer=make.customer(name="海城钢铁", name_en="Haicheng Steel"))
    make.deal()
    for search in ("100%", "海城", "steel haicheng", "合同 钢铁"):
        assert ids(answer_as("leader", deals_page, wanted=DealFilter(search=search))) == [deal.id]
    assert answer_as("leader", deals_page, wanted=DealFilter(search="_")).total == 0


def test_every_filter_narrows(make, answer_as, company):
    won = make.deal(
        owner="bob",
        credited="alice",
        product="sextant",
        channel="partner",
        path=(
            ("identified", datetime(2026, 5, 1, tzinfo=UTC)),
            ("won", datetime(2026, 6, 30, 16, tzinfo=UTC)),
        ),
    )
    make.deal(owner="charlie", expected_close_on=date(2027, 1, 1))
    july = Period(date(2026, 7, 1), date(2026, 8, 1))
    for wanted in (
        DealFilter(states=(StageKind.WON,)),
        DealFilter(stage_ids=(make.stages["won"],)),
        DealFilter(closed=july),  # 16:00 UTC is midnight in Shanghai
        DealFilter(opened=Period(date(2026, 5, 1), date(2026, 5, 2))),
        DealFilter(expected=Period(date(2026, 7, 1), date(2026, 8, 1))),
        DealFilter(customer_id=won.customer_id),
        DealFilter(filters=Filters(rep_ids=(make.reps["alice"],))),
        DealFilter(filters=Filters(team_ids=(make.teams["east"],))),
        DealFilter(filters=Filters(product_ids=(make.products["sextant"],))),
        DealFilter(filters=Filters(channel_ids=(make.channels["partner"],))),
        DealFilter(filters=Filters(territory_ids=(make.territories["east"],))),
    ):
        assert ids(answer_as("leader", deals_page, wanted=wanted)) == [won.id], wanted
    assert (
        answer_as("leader", deals_page, wanted=DealFilter(filters=Filters(team_ids=(make.teams["head"],)))).total == 2
    )
    assert answer_as("leader", deals_page, wanted=DealFilter(filters=Filters(rep_ids=(make.reps["bob"],)))).total == 0


def test_the_board_counts_every_open_deal_and_shows_the_largest(make, answer_as, company):
    for amount in (10, 30, 20):
        make.deal(amount=amount)
    make.deal(path=(("won", NOW),))
    board = answer_as("leader", deals_board, cards=2)
    assert [column.count for column in board] == [3, 0, 0, 0, 0]
    assert board[0].value == Decimal(60)
    assert list(board[0].cards["amount"]) == [Decimal(30), Decimal(20)]


def test_a_deal_entered_as_won_tells_the_end_above_the_opening(make, answer_as, company):
    deal = make.deal(path=(("identified", NOW), ("demo", NOW), ("won", NOW)))
    record = answer_as("leader", deal_record, deal_id=deal.id)
    assert [entry.kind for entry in record.timeline] == ["won", "moved", "opened"]


def test_a_deals_page_tells_its_whole_history_with_names(make, answer_as, perform_as, company):
    deal = make.deal(amount=100)
    deal = perform_as("eastern manager", change_amount, deal_id=deal.id, version=1, amount=Decimal(150))
    perform_as("eastern rep", advance_deal, deal_id=deal.id, to_stage_id=make.stages["demo"], version=deal.version)
    make.activity(customer=None, deal_id=deal.id)
    record = answer_as("eastern rep", deal_record, deal_id=deal.id)
    told = {(entry.kind, entry.before, entry.after) for entry in record.timeline}
    assert told == {
        ("opened", "", "Lead identified"),
        ("moved", "Lead identified", "Demo"),
        ("amount", "100.00 CNY", "150.00 CNY"),
        ("visit", "", ""),
    }
    assert (record.owner, record.lines[0].product, record.may_edit) == ("Alice", "Compass", True)
    assert answer_as("leader", deal_record, deal_id=deal.id).may_edit is False
    for number in (deal.id, 999_999):
        with pytest.raises(NotFound, match=f"no deal with the number {number}"):
            answer_as("western rep", deal_record, deal_id=number)


def test_customers_show_what_was_won_and_what_is_open(make, answer_as, company):
    customer = make.customer(name="甲公司", segment="SME")
    make.deal(customer=customer, amount=10)
    make.deal(customer=customer, amount=7, path=(("won", NOW),))
    make.activity(customer=customer)
    make.customer(owner="charlie")
    page = answer_as("eastern rep", customers_page)
    row = page.rows.iloc[0]
    assert (page.total, row["open_count"], row["open_value"], row["won_value"]) == (
        1,
        1,
        Decimal(10),
        Decimal(7),
    )
    for sort in ("name", "owner", "open_value", "won_value", "last_activity"):
        assert answer_as("leader", customers_page, sort=sort, descending=True).total == 2
    record = answer_as("leader", customer_record, customer_id=customer.id)
    assert (record.won_value, record.open_value, record.won_count, len(record.deals)) == (7, 10, 1, 2)
    assert answer_as("leader", segments_in_use) == ["SME"]
    with pytest.raises(NotFound):
        answer_as("western rep", customer_record, customer_id=customer.id)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("上海罗盘科技有限公司", "上海罗盘科技（股份）有限公司"),
        ("GTX Pro, Inc.", "gtxpro"),
        ("Ａｃｍｅ　Co., Ltd.", "ACME"),
        ("  A-B  ", "ab"),
    ],
)
def test_two_spellings_of_a_company_fold_to_one(one, other):
    assert fold_name(one) == fold_name(other)


def test_a_name_that_is_only_a_form_keeps_it():
    assert fold_name("有限公司") == "有限公司"
    assert fold_name("Inc") == "inc"


def test_a_new_name_that_looks_like_a_customer_is_told_and_nothing_of_others(make, answer_as, perform_as, company):
    made = perform_as("eastern rep", create_customer, key="c", fields={"name": "海城钢铁有限公司"})
    assert [hit.id for hit in answer_as("eastern rep", similar_customers, name="海城钢铁")] == [made.id]
    assert answer_as("western rep", similar_customers, name="海城钢铁") == []
    assert answer_as("eastern rep", similar_customers, name="南山软件") == []
    assert [hit.id for hit in answer_as("eastern rep", customers_found, search="钢铁")] == [made.id]


def test_a_customer_is_made_once_and_edited_by_version(make, perform_as, company):
    first = perform_as("eastern rep", create_customer, key="c", fields={"name": " 甲 "})
    again = perform_as("eastern rep", create_customer, key="c", fields={"name": "乙"})
    assert (again.id, again.name, again.owner_id) == (first.id, "甲", make.reps["alice"])
    perform_as("eastern rep", edit_customer, customer_id=first.id, version=1, fields={"city": "上海"})
    with pytest.raises(EditedMeanwhile):
        perform_as("eastern rep", edit_customer, customer_id=first.id, version=1, fields={"city": "北京"})
    with pytest.raises(InvalidFields) as refused:
        perform_as("eastern rep", create_customer, key="d", fields={"name": "", "phone": "1" * 61})
    assert set(refused.value.problems) == {"name", "phone"}


def test_a_customer_has_one_primary_contact_and_a_named_one_stays(make, perform_as, answer_as, company):
    customer = make.customer()
    one = perform_as(
        "eastern rep",
        add_contact,
        key="1",
        customer_id=customer.id,
        fields={"name": "周", "is_primary": True},
    )
    two = perform_as(
        "eastern rep",
        add_contact,
        key="2",
        customer_id=customer.id,
        fields={"name": "吴", "is_primary": True},
    )
    assert answer_as("eastern rep", contacts_of, customer_id=customer.id) == [(two.id, "吴"), (one.id, "周")]
    with pytest.raises(InvalidFields):
        perform_as("eastern rep", edit_contact, contact_id=two.id, version=1, fields={"email": "nobody"})
    make.activity(customer=customer, contact_id=two.id)
    with pytest.raises(ContactInUse):
        perform_as("eastern rep", remove_contact, contact_id=two.id, version=1)
    perform_as("eastern rep", remove_contact, contact_id=one.id, version=2)
    assert len(answer_as("eastern rep", contacts_of, customer_id=customer.id)) == 1


def test_an_activity_goes_from_due_to_done_and_back(make, perform_as, answer_as, company):
    customer = make.customer()
    due = perform_as(
        "eastern rep",
        log_activity,
        key="a",
        kind=ActivityKind.VISIT,
        customer_id=customer.id,
        due_on=TODAY + timedelta(days=1),
    )
    assert [row.activity.id for row in answer_as("eastern rep", due_activities, own=True)] == [due.id]
    assert answer_as("eastern rep", due_activities, until=TODAY) == []
    assert answer_as("western rep", due_activities) == []
    due = perform_as("eastern rep", reschedule_activity, activity_id=due.id, version=due.version, due_on=TODAY)
    done = perform_as("eastern rep", complete_activity, activity_id=due.id, version=due.version)
    assert (done.done_at, done.due_on) == (NOW, TODAY)
    with pytest.raises(AlreadyDone):
        perform_as("eastern rep", complete_activity, activity_id=due.id, version=done.version)
    again = perform_as("eastern rep", reopen_activity, activity_id=due.id, version=done.version)
    assert again.done_at is None


def test_a_deleted_activity_comes_back_whole(make, perform_as, answer_as, company):
    customer = make.customer()
    activity = make.activity(customer=customer, subject="报价", note="很好")
    snapshot = perform_as("eastern rep", delete_activity, activity_id=activity.id, version=1)
    assert answer_as("eastern rep", activities_of, customer_id=customer.id) == []
    for _time in range(2):
        perform_as("eastern rep", restore_activity, key="r", snapshot=snapshot)
    (row,) = answer_as("eastern rep", activities_of, customer_id=customer.id)
    assert (row.activity.subject, row.activity.note, row.activity.done_at) == ("报价", "很好", NOW)


def test_an_activity_says_what_is_wrong_beside_each_field(make, perform_as, company):
    with pytest.raises(InvalidFields) as refused:
        perform_as("eastern rep", log_activity, key="a", kind=ActivityKind.CALL, done_on=TODAY + timedelta(days=1))
    assert set(refused.value.problems) == {"customer_id", "done_on"}
    with pytest.raises(NotFound):
        perform_as("western rep", log_activity, key="b", kind=ActivityKind.CALL, customer_id=make.customer().id)


def test_a_draft_is_its_authors_alone(make, perform_as, answer_as, company):
    perform_as("eastern rep", save_draft, form="log_deal", values={"name": "x"})
    perform_as("eastern rep", save_draft, form="log_deal", values={"name": "y"})
    assert answer_as("eastern rep", kept_draft, form="log_deal").values == {"name": "y"}
    assert answer_as("eastern manager", kept_draft, form="log_deal") is None
    perform_as("eastern rep", clear_draft, form="log_deal")
    assert answer_as("eastern rep", kept_draft, form="log_deal") is None


def test_forms_offer_the_reps_of_the_scope(make, answer_as, company):
    assert {rep.name for rep in answer_as("eastern manager", form_choices).reps} == {"Alice", "Bob"}
    assert {rep.name for rep in answer_as("operations", form_choices).reps} == {"Alice", "Bob", "Charlie"}
    choices = answer_as("eastern rep", form_choices)
    assert choices.currencies[0] == "CNY"
    assert [p.name for p in choices.products] == ["Compass", "Sextant"]
    deal = make.deal()
    assert answer_as("eastern rep", open_deals_of, customer_id=deal.customer_id) == [(deal.id, deal.name)]
