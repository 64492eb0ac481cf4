"""The browser's Back and Forward on pages whose address holds their state.

A test stands for the browser: it gives the page an earlier address and runs it, no widget touched.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import gate
from core.domain.plans import PlanSpread
from core.forecasting.levers import Levers
from core.services.plans import adopt_plan
from core.ui.as_of import dated_filters
from core.ui.screens import leaderboard
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.ui.pages import opened

pytestmark = pytest.mark.usefixtures("reading_small_company")


def gone_back(app: AppTest, address: dict[str, Any]) -> AppTest:
    app.query_params.clear()
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def said(app: AppTest) -> dict[str, Any]:
    return {name: app.query_params[name] for name in app.query_params}


def test_back_shows_the_earlier_view_and_leaves_its_address_alone(small_company: Company) -> None:
    app = opened(small_company, "leaderboard", "leader", period="2026Q2")
    first = said(app)
    app.selectbox(key="board-measure").select("win_rate").run()
    second = said(app)
    assert second != first

    gone_back(app, first)
    assert app.selectbox(key="board-measure").value == "booked"
    assert said(app) == first

    gone_back(app, second)
    assert app.selectbox(key="board-measure").value == "win_rate"
    assert said(app) == second


def test_back_goes_through_periods_and_parts_one_by_one(small_company: Company) -> None:
    small_company.deal()
    app = opened(small_company, "funnel", "leader", period="this-year")
    steps = [said(app)]
    app.selectbox(key="filter-period").select("last-12-months").run()
    steps.append(said(app))
    app.button_group(key="funnel-part").set_value("now").run()
    steps.append(said(app))
    assert len({str(step) for step in steps}) == 3

    gone_back(app, steps[1])
    assert app.selectbox(key="filter-period").value == "last-12-months"
    assert app.button_group(key="funnel-part").value == "cohort"
    gone_back(app, steps[0])
    assert app.selectbox(key="filter-period").value == "this-year"
    assert said(app) == steps[0]


def test_a_way_back_that_another_run_ends_halfway_still_leads_back(
    small_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(small_company, "leaderboard", "leader", period="2026Q2")
    first = said(app)
    app.selectbox(key="board-measure").select("win_rate").run()
    ended: list[Any] = []

    def end_once(view: Any) -> Any:
        if not ended:
            ended.append(view)
            st.rerun()
        return dated_filters(view)

    monkeypatch.setattr(leaderboard, "dated_filters", end_once)
    gone_back(app, first)
    assert ended
    assert app.selectbox(key="board-measure").value == "booked"
    assert said(app) == first


def test_a_choice_made_after_going_back_counts(small_company: Company) -> None:
    app = opened(small_company, "leaderboard", "leader", period="2026Q2")
    first = said(app)
    app.selectbox(key="filter-period").select("2026Q1").run()
    gone_back(app, first)

    app.selectbox(key="board-measure").select("won_count").run()

    assert app.selectbox(key="filter-period").value == "2026Q2"
    assert said(app) == {**first, "measure": "won_count"}


def test_a_choice_made_before_the_last_ones_address_arrived_is_not_taken_for_a_way_back(small_company: Company) -> None:
    """Two quick choices: the browser sends the second with the address of before the first."""
    app = opened(small_company, "leaderboard", "leader", period="2026Q2")
    first = said(app)
    app.selectbox(key="filter-period").select("2026Q1").run()
    app.query_params.clear()
    for name, value in first.items():
        app.query_params[name] = value

    app.selectbox(key="board-measure").select("won_count").run()

    assert app.selectbox(key="filter-period").value == "2026Q1"
    assert said(app) == {**first, "period": "2026Q1", "measure": "won_count"}


def test_an_address_typed_by_hand_is_read_or_told_to_be_unreadable(small_company: Company) -> None:
    app = opened(small_company, "leaderboard", "leader", period="2026Q9", **{"as-of": "2099-01-01"})
    assert app.selectbox(key="filter-period").value == "this-quarter"
    assert any("is not over yet" in info.value for info in app.info)
    old = opened(small_company, "leaderboard", "leader", period="2019Q3")
    assert old.selectbox(key="filter-period").value == "2019Q3"
    assert "Q3 2019" in old.selectbox(key="filter-period").options


def test_a_period_of_one_day_is_called_by_that_day(small_company: Company) -> None:
    app = opened(small_company, "leaderboard", "leader", **{"from": "2026-06-30", "to": "2026-07-01"})
    assert "Jun 30, 2026" in [caption.value.replace("\\", "") for caption in app.caption]


def test_back_on_the_list_of_deals_restores_search_filters_and_order(small_company: Company) -> None:
    app = opened(small_company, "deals", "leader")
    first = said(app)
    app.text_input(key="deals-search").set_value("nothing like this").run()
    app.selectbox(key="deals-sort").select("amount").run()
    second = said(app)
    assert second != first

    gone_back(app, first)
    assert app.text_input(key="deals-search").value == ""
    assert app.selectbox(key="deals-sort").value == "expected"
    assert said(app) == first
    gone_back(app, second)
    assert app.text_input(key="deals-search").value == "nothing like this"
    assert said(app) == second


def test_back_on_forecast_restores_series_and_levers(small_company: Company) -> None:
    app = opened(small_company, "forecast", "leader")
    first = said(app)
    app.button_group(key="forecast-by").set_value("week").run()
    second = said(app)
    assert second != first

    gone_back(app, first)
    assert app.button_group(key="forecast-by").value == "month"
    assert said(app) == first
    gone_back(app, second)
    assert app.button_group(key="forecast-by").value == "week"
    assert said(app) == second


def test_back_on_all_series_restores_the_step(small_company: Company) -> None:
    app = opened(small_company, "all_series", "leader")
    first = said(app)
    app.button_group(key="all-series-by").set_value("week").run()
    assert said(app) == {**first, "by": "week"}

    gone_back(app, first)
    assert app.button_group(key="all-series-by").value == "month"
    assert said(app) == first


def test_back_on_the_plan_restores_which_plan_is_shown(small_company: Company) -> None:
    for number, name in enumerate(("First", "Second")):
        gate.perform(
            small_company.database, actor(small_company, "leader"), adopt_plan, NOW, key=name, name=name,
            months={date(2026, 7 + number, 1): Decimal(1000)}, spread_by=PlanSpread.SHARE, levers=Levers().to_dict(),
        )  # fmt: skip
    app = opened(small_company, "plan", "leader")
    first = said(app)
    shown = app.selectbox(key="plan-chosen").value
    earlier = next(name for name in app.selectbox(key="plan-chosen").options if name.startswith("First"))
    app.selectbox(key="plan-chosen").select(earlier).run()
    second = said(app)
    assert second != first

    gone_back(app, first)
    assert app.selectbox(key="plan-chosen").value == shown
    assert said(app) == first
    gone_back(app, second)
    assert said(app) == second


def test_a_past_day_before_the_readers_first_deal_stays(small_company: Company) -> None:
    small_company.deal(amount=10_000, path=(("identified", NOW), ("won", NOW)))
    app = opened(small_company, "funnel", "leader", period="this-year", **{"as-of": "2019-03-31"})
    for _run in range(2):
        assert said(app)["as-of"] == "2019-03-31"
        assert any("Mar 31, 2019" in info.value for info in app.info)
        app.run()
    app.date_input(key="as-of-day").set_value(date(2026, 6, 30)).run()
    assert said(app)["as-of"] == "2026-06-30"
    app.radio(key="as-of-known").set_value("then").run()
    assert said(app)["known"] == "then"
    app.button(key="as-of-now").click().run()
    assert "as-of" not in app.query_params
    assert "known" not in app.query_params


def test_a_filter_is_counted_and_can_be_cleared_as_soon_as_it_is_chosen(small_company: Company) -> None:
    small_company.deal()
    app = opened(small_company, "funnel", "leader", period="this-year")
    assert not [button for button in app.button if button.key == "filter-clear"]
    team = app.multiselect(key="filter-team")
    team.select(team.options[0]).run()
    assert "team" in said(app)
    app.button(key="filter-clear").click().run()
    assert app.multiselect(key="filter-team").value == []
    assert "team" not in said(app)
    assert not [button for button in app.button if button.key == "filter-clear"]
