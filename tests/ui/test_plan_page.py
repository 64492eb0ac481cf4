"""A scenario becomes the plan on the Forecast page, is changed on its own, and stands on Today and Overview."""

import json
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import gate
from core.domain.periods import Period
from core.domain.plans import PlanSpread
from core.forecasting.levers import Levers
from core.queries.plans import PlanGrid, PlannedRep, plan_by_month, plan_grid, sales_plans
from core.services.plans import PlanChange, adopt_plan, change_plan, spread_plan
from core.ui import session
from core.ui.page import plain
from core.ui.screens.plan_edit import changes_of
from tests.conftest import actor
from tests.factories import NOW, Company
from tests.ui.test_forecast_page import FRAME, fits, opened, selling, texts  # noqa: F401

pytestmark = pytest.mark.usefixtures("on_small_company")

JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)


def page(company: Company, name: str, who: str = "leader", language: str = "en", **params: str) -> AppTest:
    app = AppTest.from_file(str(FRAME), default_timeout=60)
    app.session_state[session.ACTOR_KEY] = actor(company, who)
    app.session_state[session.NOW_KEY] = NOW
    app.session_state[session.LANGUAGE_KEY] = language
    app.run()
    app.switch_page(f"../../pages/{name}.py")
    for key, value in params.items():
        app.query_params[key] = value
    return app.run()


@pytest.fixture
def planned(selling: Company) -> Company:  # noqa: F811
    gate.perform(
        selling.database, actor(selling, "leader"), adopt_plan, NOW, key="k", name="Push",
        months={JULY: Decimal(1000), AUGUST: Decimal(2000)}, spread_by=PlanSpread.SHARE, levers=Levers().to_dict(),
    )  # fmt: skip
    return selling


@pytest.mark.parametrize("language", ["en", "zh"])
def test_without_a_plan_the_page_says_how_one_comes_to_be(selling, language):  # noqa: F811
    app = page(selling, "plan", "eastern rep", language)
    assert not app.exception
    assert len(app.info) == 1


def test_a_leader_reads_plan_due_and_booked_and_a_rep_the_own_part(planned):
    app = page(planned, "plan")
    assert not app.exception
    found = {metric.label: metric.value for metric in app.metric}
    assert found["Plan"] == "¥3K"
    assert found["Booked"] == "¥0"
    assert "in force" in texts(app)
    own = page(planned, "plan", "western rep")
    assert {metric.label: metric.value for metric in own.metric}["Plan"] != found["Plan"]
    assert not [button for button in own.button if button.key == "plan-withdraw"]


def test_a_plan_is_withdrawn_and_put_into_force_again_with_one_button(planned):
    app = page(planned, "plan")
    app.button(key="plan-withdraw").click().run()
    assert not app.exception
    leader = actor(planned, "leader")
    assert not gate.answer(planned.database, leader, sales_plans, NOW)["in_force"].any()
    app.button(key="plan-withdraw").click().run()
    assert gate.answer(planned.database, leader, sales_plans, NOW)["in_force"].all()


def test_the_scenario_is_adopted_in_a_dialog_by_those_who_may_alone(selling, fits):  # noqa: F811
    assert not [button for button in opened(selling, "eastern rep").button if button.key == "plan-adopt"]
    app = opened(selling, win="10")
    app.button(key="plan-adopt").click().run()
    assert not app.exception
    app.button(key="plan-adopt").click()  # a whole run keeps a dialog open only where its button is pressed
    app.button(key="plan-send").click().run()
    leader = actor(selling, "leader")
    plans = gate.answer(selling.database, leader, sales_plans, NOW)
    assert plans["name"].tolist() == ["Plan from Jul 2026"]
    assert plans.loc[0, "first_month"] == JULY
    amounts = gate.answer(selling.database, leader, plan_by_month, NOW, period=Period(JULY, date(2027, 1, 1)))
    assert len(amounts) == 6
    assert (amounts["plan"] > 0).all()


def test_a_managers_scenario_becomes_the_teams_plan_beside_the_share_of_the_companys(planned, fits):  # noqa: F811
    app = opened(planned, "eastern manager")
    button = app.button(key="plan-adopt")
    assert button.label == "Adopt as the team's plan"
    button.click().run()
    app.button(key="plan-adopt").click()
    app.button(key="plan-send").click().run()
    assert not app.exception
    manager = actor(planned, "eastern manager")
    plans = gate.answer(planned.database, manager, sales_plans, NOW)
    assert plans["team"].tolist() == ["East", ""]
    shown = page(planned, "plan", "eastern manager")
    assert not shown.exception
    assert "The company's plan gives the same people" in texts(shown)
    assert [each for each in shown.button if each.key == "plan-withdraw"]
    whole = page(planned, "plan", "eastern manager", plan=str(plans["id"].iloc[-1]))
    assert not [each for each in whole.button if each.key == "plan-withdraw"], "the company's is not the manager's"
    today = page(planned, "today", "eastern manager")
    assert "Plan of East; of the company's plan" in texts(today)
    assert "Teams with a plan of their own\\: East" in texts(page(planned, "plan"))
    assert not [each for each in opened(planned, "eastern manager", of="product").button if each.key == "plan-adopt"]


def test_a_month_spread_anew_is_undone_with_one_button(planned):
    app = page(planned, "plan")
    leader = actor(planned, "leader")
    whole = Period(JULY, date(2026, 9, 1))
    before = gate.answer(planned.database, leader, plan_by_month, NOW, period=whole)
    (amount,) = [each for each in app.number_input if (each.key or "").startswith("plan-amount")]
    amount.set_value(700.0).run()
    app.button(key="plan-spread").click().run()
    assert not app.exception
    assert gate.answer(planned.database, leader, plan_by_month, NOW, period=whole)["plan"].tolist() == [700.0, 2000.0]
    app.button(key="plan-undo").click().run()
    assert not app.exception
    assert gate.answer(planned.database, leader, plan_by_month, NOW, period=whole).equals(before)
    assert not [each for each in app.button if each.key == "plan-undo"]


def test_each_chart_offers_itself_as_a_picture_with_a_name_and_a_day(planned):
    charts = page(planned, "plan").get("plotly_chart")
    assert charts
    for each in charts:
        config = json.loads(each.proto.config)
        assert config["modeBarButtons"] == [["toImage"]]
        assert config["displayModeBar"] == "hover"
        assert config["toImageButtonOptions"]["filename"].startswith("luopan-plan-")
        assert config["toImageButtonOptions"]["filename"].endswith("-2026-07-15")


def somebody_else_spreads(planned, amount):
    gate.perform(
        planned.database, actor(planned, "operations"), spread_plan, NOW, plan_id=1, version=1, month=JULY,
        amount=Decimal(amount), team_id=None, seen=Decimal(1000),
    )  # fmt: skip


def planned_in_july(planned):
    period = Period(JULY, AUGUST)
    return gate.answer(planned.database, actor(planned, "leader"), plan_by_month, NOW, period=period)["plan"].tolist()


@pytest.mark.parametrize(("side", "stands"), [("mine", 2500.0), ("theirs", 1200.0)])
def test_a_month_that_somebody_else_changed_meanwhile_is_compared_and_what_was_typed_stays(planned, side, stands):
    app = page(planned, "plan")
    (amount,) = [each for each in app.number_input if (each.key or "").startswith("plan-amount")]
    amount.set_value(2500.0).run()
    somebody_else_spreads(planned, 1200)
    app.button(key="plan-spread").click().run()
    assert not app.exception
    assert planned_in_july(planned) == [1200.0], "what somebody else saved is not overwritten unasked"
    (choice,) = [each for each in app.radio if (each.key or "").startswith("conflict-plan")]
    assert [each.replace("\\", "") for each in choice.options] == ["Mine: ¥2,500.00", "Theirs: ¥1,200.00"]
    assert "Before: ¥1,000.00" in texts(app).replace("\\", "")
    choice.set_value(side)
    (save,) = [each for each in app.button if (each.key or "").endswith("-save") and each.key.startswith("conflict")]
    save.click().run()
    assert not app.exception
    assert planned_in_july(planned) == [stands]
    (amount,) = [each for each in app.number_input if (each.key or "").startswith("plan-amount")]
    assert amount.value == stands


def test_an_amount_that_nobody_typed_over_follows_what_somebody_else_saves(planned):
    app = page(planned, "plan")
    somebody_else_spreads(planned, 1200)
    app.run()
    (amount,) = [each for each in app.number_input if (each.key or "").startswith("plan-amount")]
    assert amount.value == 1200
    assert app.button(key="plan-spread").disabled


def test_cells_that_two_people_changed_are_compared_and_the_others_are_saved(planned):
    leader = actor(planned, "leader")
    seen = gate.answer(planned.database, leader, plan_grid, NOW, plan_id=1)
    rep = seen.reps[0].id
    mine = [PlanChange(rep, month, Decimal(77), seen.cells[rep, month][1]) for month in (JULY, AUGUST)]
    theirs = PlanChange(rep, JULY, Decimal(55), seen.cells[rep, JULY][1])
    gate.perform(planned.database, actor(planned, "operations"), change_plan, NOW, plan_id=1, changes=[theirs])
    app = page(planned, "plan")
    app.session_state["luopan_plan_mine"] = {"plan-1": (seen, mine)}
    app.run()
    assert not app.exception
    (choice,) = [each for each in app.radio if (each.key or "").startswith("conflict-plan-1")]
    assert [each.replace("\\", "").split(": ")[-1] for each in choice.options] == ["¥77.00", "¥55.00"]
    (save,) = [each for each in app.button if (each.key or "").startswith("conflict-plan-1") and "save" in each.key]
    save.click().run()
    assert not app.exception
    cells = gate.answer(planned.database, leader, plan_grid, NOW, plan_id=1).cells
    assert [cells[rep, month][0] for month in (JULY, AUGUST)] == [55, 77], "theirs is suggested where both changed it"


def test_the_plan_stands_on_today_and_on_overview(planned):
    today = page(planned, "today", "western rep")
    assert not today.exception
    assert "Against the sales plan" in texts(today)
    overview = page(planned, "overview")
    assert not overview.exception


def test_cells_that_changed_are_told_from_those_that_hold_no_amount():
    grid = PlanGrid(
        1, 1, (JULY, AUGUST), (PlannedRep(7, "Bob", None, ""),), {(7, JULY): (Decimal("10.00"), 3)}, {}, {}, {}
    )
    typed = pd.DataFrame({JULY.isoformat(): ["1,250.5"], AUGUST.isoformat(): ["many"]}, index=[7])
    changes, wrong = changes_of(grid, typed)
    assert changes == [PlanChange(7, JULY, Decimal("1250.50"), 3)]
    assert len(wrong) == 1
    same = pd.DataFrame({JULY.isoformat(): ["10.00"], AUGUST.isoformat(): [""]}, index=[7])
    assert changes_of(grid, same) == ([], [])


def test_where_there_is_no_plan_a_button_leads_to_where_one_begins(selling):  # noqa: F811
    app = page(selling, "plan")
    assert "There is no sales plan yet" in texts(app)
    app.button(key="begin-there").click().run()
    assert not app.exception
    assert [title.value for title in app.title] == ["Forecast"]


def spread_july(app: AppTest, amount: float) -> None:
    (field,) = [each for each in app.number_input if (each.key or "").startswith("plan-amount")]
    field.set_value(amount).run()
    app.button(key="plan-spread").click().run()
    assert not app.exception


def test_several_changes_are_taken_back_one_after_another_each_with_a_sentence(planned):
    app = page(planned, "plan")
    for amount in (700.0, 900.0, 1300.0):
        spread_july(app, amount)
    assert "Changed: Whole company, Jul 2026: ¥900.00 → ¥1,300.00" in [line.value for line in app.text]
    assert "2 changes before it can be taken back too." in texts(app)
    for stands in (900.0, 700.0, 1000.0):
        app.button(key="plan-undo").click().run()
        assert not app.exception
        assert planned_in_july(planned) == [stands]
    told = plain("Taken back: Whole company, Jul 2026: ¥1,000.00 → ¥700.00")
    assert told in [toast.value for toast in app.toast]
    assert not [each for each in app.button if each.key == "plan-undo"]


def test_a_change_over_which_somebody_else_saved_is_not_taken_back_nor_those_under_it(planned):
    app = page(planned, "plan")
    for amount in (700.0, 900.0):
        spread_july(app, amount)
    gate.perform(
        planned.database, actor(planned, "operations"), spread_plan, NOW, plan_id=1, version=1, month=JULY,
        amount=Decimal(1200), team_id=None, seen=Decimal(900),
    )  # fmt: skip
    for told in ("¥700.00 → ¥900.00", "¥1,000.00 → ¥700.00"):
        app.button(key="plan-undo").click().run()
        (refused,) = [error.value for error in app.error if "Somebody else changed the same cells" in error.value]
        assert plain(told) in refused
        assert planned_in_july(planned) == [1200.0]
        app.run()
