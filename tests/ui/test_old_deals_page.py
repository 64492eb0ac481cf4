"""Today after old data came in, and going through what is long dead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.access.actors import SYSTEM
from core.domain.stages import StageKind
from core.model import Deal
from tests.factories import NOW
from tests.ui.pages import opened
from tests.ui.test_selling_pages import said

pytestmark = pytest.mark.usefixtures("on_small_company")

DAY = timedelta(days=1)


def late(company, days, **more):
    path = (("identified", NOW - max(5, days + 50) * DAY),)
    return company.deal(expected_close_on=(NOW - days * DAY).date(), path=path, **more)


def deal(company, number):
    with company.database.reading(SYSTEM, now=NOW) as work:
        return work.session.get(Deal, number)


def links(app):
    return {link.proto.label.replace("\\", ""): link.proto for link in app.get("page_link")}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_today_lists_a_few_counts_the_rest_and_folds_the_long_dead(small_company, language):
    deals = [late(small_company, n, name=f"Deal {n}") for n in range(1, 31)]
    for n in range(200, 204):
        late(small_company, n, name=f"Old {n}")
    app = opened(small_company, "today", language=language)
    assert not app.exception
    found = links(app)
    assert sum("Deal " in label and "Past" not in label for label in found) == 6, "the latest alone"
    assert "**Deal 1**" in found
    whole = next(link for label, link in found.items() if label in ("Show all 30", "查看全部 30 个"))
    assert "need=attention" in whole.query_string
    assert len(deals) == 30
    assert not any("Old" in label for label in found)
    assert app.button(key="go-old-deals")


def test_all_of_the_few_are_listed_without_counts(small_company):
    late(small_company, 3, name="Only one")
    app = opened(small_company, "today")
    assert "**Only one**" in links(app)
    assert not any("Show all" in label for label in links(app))


def test_leadership_is_led_to_the_list_but_not_to_changing_it(small_company):
    late(small_company, 200)
    app = opened(small_company, "today", "leader")
    assert app.button(key="show-old-deals")
    with pytest.raises(ValueError, match="registered"):
        opened(small_company, "old_deals", "leader")


def choose(app, rows, turn=0):
    app.session_state[f"old-deals-{turn}"] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return app.run()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_old_deals_get_a_new_day_which_can_be_taken_back(small_company, language):
    first, second = late(small_company, 100), late(small_company, 200)
    app = choose(opened(small_company, "old_deals", language=language), [0])
    app.button(key="old-deals-expect-now").click().run()
    assert not app.exception
    assert deal(small_company, first.id).expected_close_on == (NOW + 30 * DAY).date()
    assert deal(small_company, second.id).expected_close_on == second.expected_close_on
    app.button(key="old-deals-undo").click().run()
    assert deal(small_company, first.id).expected_close_on == first.expected_close_on


def test_losing_old_deals_asks_first_and_can_be_undone(small_company):
    numbers = [late(small_company, days).id for days in (100, 200, 300)]
    app = opened(small_company, "old_deals")
    app.session_state["old_deals.way"] = "lose"
    app = choose(app, [0, 2])
    assert app.button(key="old-deals-lose").disabled, "not without a reason"
    app.session_state["old_deals.lost_reason_id"] = small_company.lost_reasons["fit"]
    app.run()
    app.button(key="old-deals-lose").click().run()
    assert "leave the pipeline" in said(app)
    assert {deal(small_company, number).state for number in numbers} == {StageKind.OPEN}, "not before the answer"
    app.button(key="old-deals-lose-now").click().run()
    assert not app.exception
    states = [deal(small_company, number).state for number in numbers]
    assert states == [StageKind.LOST, StageKind.OPEN, StageKind.LOST]
    app.button(key="old-deals-undo").click().run()
    assert {deal(small_company, number).state for number in numbers} == {StageKind.OPEN}


def test_where_nothing_is_long_dead_the_page_says_so(small_company):
    late(small_company, 10)
    assert "No open deal" in said(opened(small_company, "old_deals"))
