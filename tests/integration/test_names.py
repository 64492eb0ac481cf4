"""Names in the reader's language: persons, deals that nobody named, and words of the word list."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from core.access.actors import SYSTEM
from core.analytics.facts import spoken
from core.analytics.filters import Filters
from core.analytics.selection import Selection
from core.domain.names import beside_customer
from core.domain.periods import Period
from core.errors import InvalidFields
from core.i18n import speaking
from core.model import Deal
from core.queries.administration import word_pairs
from core.queries.audit import AuditFilter, audit_entries
from core.queries.choices import filter_choices
from core.queries.customers import customers_page
from core.queries.deals import DealFilter, deal_record, deals_page, open_deals_of
from core.queries.drill import deals_behind
from core.queries.overview import breakdown
from core.queries.today_numbers import deals_needing_attention
from core.services.deal_moves import advance_deal
from core.services.deal_rules import LineFields
from core.services.deals import edit_deal, log_deal
from core.services.words import WordRow, save_words
from tests.conftest import actor
from tests.factories import NOW

YEAR = Period(date(2026, 1, 1), date(2027, 1, 1))
OPEN = Selection("open")


@pytest.fixture
def unnamed(make, company, perform_as):
    customer = make.customer(name="澄川精密机械有限公司", name_en="Chengchuan Machinery")
    lines = [
        LineFields(make.products["compass"], 1, Decimal(1_000)),
        LineFields(make.products["sextant"], 1, Decimal(5_000)),
    ]
    return perform_as(
        "eastern rep", log_deal, key="k", customer_id=customer.id, lines=lines,
        expected_close_on=NOW.date(),
    )  # fmt: skip


def test_a_deal_that_nobody_named_is_called_after_customer_and_main_product(unnamed, make, answer_as):
    said = {"en": "Chengchuan Machinery · Sextant", "zh": "澄川精密机械有限公司 · 六分仪"}
    assert unnamed.auto_named
    assert unnamed.name == said["zh"], "the Chinese of it is stored"
    for language, title in said.items():
        with speaking(language):
            assert answer_as("leader", deal_record, deal_id=unnamed.id).title == title
            assert answer_as("leader", deals_page).rows["name"].tolist() == [title]
            assert answer_as("eastern rep", open_deals_of, customer_id=unnamed.customer_id) == [(unnamed.id, title)]
            assert answer_as("leader", deals_behind, selection=OPEN)["name"].tolist() == [title]


def test_a_deal_is_found_by_the_product_that_its_title_names(unnamed, make, answer_as):
    make.deal(name="Sextant trial")
    make.deal(name="另一个", product="sextant")
    for word in ("sextant", "六分仪"):
        found = answer_as("leader", deals_page, wanted=DealFilter(search=word), sort="name").rows["id"]
        assert unnamed.id in found.tolist()
    names = answer_as("leader", deals_page, wanted=DealFilter(search="sextant"), sort="name").rows["name"]
    assert names.tolist() == ["Chengchuan Machinery · Sextant", "Sextant trial"], "a typed name is taken as typed"


def test_an_empty_name_makes_the_title_follow_customer_and_products(unnamed, make, answer_as, perform_as):
    named = perform_as("eastern rep", edit_deal, deal_id=unnamed.id, version=1, changes={"name": " Pilot "})
    assert (named.name, named.auto_named) == ("Pilot", False)
    assert answer_as("leader", deals_page).rows["name"].tolist() == ["Pilot"]
    lines = [LineFields(make.products["compass"], 3, Decimal(2_000))]
    again = perform_as(
        "eastern rep", edit_deal, deal_id=unnamed.id, version=named.version, changes={"name": "", "lines": lines}
    )
    assert (again.name, again.auto_named) == ("澄川精密机械有限公司 · 罗盘", True)
    assert answer_as("leader", deals_page).rows["name"].tolist() == ["Chengchuan Machinery · Compass"]


def test_a_person_goes_by_one_name_everywhere(make, company, answer_as, perform_as):
    deal = make.deal()
    contacted = make.stages["contacted"]
    perform_as("eastern rep", advance_deal, deal_id=deal.id, to_stage_id=contacted, version=deal.version)
    for language, name in (("en", "Alice"), ("zh", "王爱丽")):
        with speaking(language):
            assert actor(company, "eastern rep").called == name, "not the account's own name, Eastern Rep"
            record = answer_as("leader", deal_record, deal_id=deal.id)
            assert (record.timeline[0].who, record.owner, record.last_editor) == (name, name, name)
            entries = answer_as("administrator", audit_entries, wanted=AuditFilter(action="deal.advance"), limit=9)
            assert {(entry.who, entry.username) for entry in entries} == {(name, "eastern rep")}
    assert actor(company, "leader").called == "Leader"


@pytest.fixture
def listed(company, perform_as):
    rows = [WordRow(1, "大型企业", "Enterprise"), WordRow(2, "苏州", "Suzhou"), WordRow(3, "宿州", "Suzhou")]
    perform_as("administrator", save_words, rows=rows)
    return company


def test_a_word_is_shown_in_the_readers_language_and_keyed_as_it_is_stored(listed, make, answer_as):
    make.deal(customer=make.customer(segment="大型企业", city="苏州"), path=(("won", NOW),))
    make.deal(customer=make.customer(segment="Enterprise", city="Suzhou"), path=(("won", NOW),))
    make.deal(customer=make.customer(segment="Trade fair"), path=(("won", NOW),))
    with speaking("en"):
        frame = answer_as("leader", breakdown, period=YEAR, by="segment")
        assert dict(zip(frame["key"], frame["name"], strict=True)) == {
            "大型企业": "Enterprise", "Enterprise": "Enterprise", "Trade fair": "Trade fair",
        }  # fmt: skip
        assert answer_as("leader", filter_choices)["segment"]["大型企业"] == "Enterprise"
        rows = answer_as("leader", customers_page, segments=("大型企业",)).rows
        assert (rows["segment"].tolist(), rows["city"].tolist()) == (["Enterprise"], ["Suzhou"])
        assert answer_as("leader", customers_page, search="suzhou").total == 2
        booked = answer_as("leader", deals_behind, selection=Selection("won", YEAR, Filters(segments=("大型企业",))))
        assert len(booked) == 1, "a filter holds the stored word"
    with speaking("zh"):
        frame = answer_as("leader", breakdown, period=YEAR, by="segment")
        assert sorted(frame["name"]) == ["Trade fair", "大型企业", "大型企业"]
        cities = answer_as("leader", customers_page, search="Suzhou").rows["city"]
        assert "Suzhou" in cities.tolist(), "two Chinese words share the English one: it is left as it stands"


def test_a_change_of_the_list_is_shown_at_once(listed, make, answer_as, perform_as):
    make.deal(customer=make.customer(segment="大型企业"))
    assert answer_as("leader", filter_choices)["segment"] == {"大型企业": "Enterprise"}
    pair = answer_as("administrator", word_pairs)[0]
    perform_as("administrator", save_words, rows=[WordRow(1, pair.name, "Large", pair.id, pair.version)])
    assert answer_as("leader", filter_choices)["segment"] == {"大型企业": "Large"}
    pair = answer_as("administrator", word_pairs)[0]
    perform_as("administrator", save_words, rows=[], removed=[(pair.id, pair.version)])
    assert answer_as("leader", filter_choices)["segment"] == {"大型企业": "大型企业"}


def test_a_line_of_the_list_has_both_words_and_stands_there_once(listed, answer_as, perform_as):
    with pytest.raises(InvalidFields) as refused:
        perform_as("administrator", save_words, rows=[WordRow(1, "大型企业", "Big"), WordRow(2, "软件", " ")])
    assert set(refused.value.problems) == {"1:name", "2:name_en"}
    one, other, *_rest = answer_as("administrator", word_pairs)
    swapped = [
        WordRow(1, other.name, one.name_en, one.id, one.version),
        WordRow(2, one.name, other.name_en, other.id, other.version),
    ]
    perform_as("administrator", save_words, rows=swapped)
    found = {pair.name: pair.name_en for pair in answer_as("administrator", word_pairs)}
    assert found == {"苏州": "Enterprise", "大型企业": "Suzhou", "宿州": "Suzhou"}


def test_the_mirror_and_python_say_the_same_words(listed, make):
    with make.database.reading(SYSTEM, now=NOW) as work:
        for language in ("en", "zh"):
            with speaking(language):
                words = work.mirror.facts.words
                rows = work.mirror.rows(select(words.c.id.label("id"), spoken(words).label("said")))
                assert {row.id: row.said for row in rows} == {row.id: work.words(row.id) for row in rows}
                assert {"大型企业", "Enterprise", "苏州"} <= {row.id for row in rows}
                assert "Suzhou" not in {row.id for row in rows}


def test_what_needs_attention_is_called_by_its_title(unnamed, make, answer_as):
    with make.database.writing(SYSTEM, now=NOW, action="test") as work:
        work.session.get(Deal, unnamed.id).expected_close_on = date(2026, 6, 1)
    frame = answer_as("leader", deals_needing_attention)
    assert frame["name"].tolist() == ["Chengchuan Machinery · Sextant"]


@pytest.mark.parametrize(
    ("title", "beside"),
    [("Acme · Compass", "Compass"), ("Acme", "Acme"), ("Acme · ", "Acme · "), ("Acmes · Compass", "Acmes · Compass"),
     ("Expansion", "Expansion")],
)  # fmt: skip
def test_beside_its_customer_a_deals_title_does_not_say_the_name_again(title, beside):
    assert beside_customer(title, "Acme") == beside
