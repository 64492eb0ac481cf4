"""A scenario becomes the sales plan: spread to the cent, changed, withdrawn, and beside what was booked."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isnan

import pytest

from core.analytics.filters import Filters
from core.domain.periods import Period
from core.domain.plans import PlanSpread
from core.errors import EditedMeanwhile, InvalidField, InvalidFields, NotAllowed, NotFound
from core.forecasting.levers import Levers
from core.queries.plans import plan_by_month, plan_grid, plan_now, sales_plans
from core.services.plans import (
    NotYourPlan,
    PlanChange,
    adopt_plan,
    change_plan,
    restore_plan,
    spread_plan,
    withdraw_plan,
)

JULY, AUGUST, SEPTEMBER = (date(2026, month, 1) for month in (7, 8, 9))
Q3 = Period(JULY, date(2026, 10, 1))
MONTHS = {JULY: Decimal("1000.00"), AUGUST: Decimal("2000.01"), SEPTEMBER: Decimal("3000.00")}


@pytest.fixture
def adopt(perform_as):
    def adopted(who="leader", name="Plan", key="", **more):
        values = {"months": MONTHS, "spread_by": PlanSpread.SHARE, "levers": Levers(growth=0.1).to_dict(), **more}
        return perform_as(who, adopt_plan, name=name, key=key or name, **values)

    return adopted


@pytest.fixture
def sold(company):
    """Alice booked 300 and Charlie 100 in the year before."""
    for rep, amount in (("alice", 300), ("charlie", 100)):
        won = datetime(2026, 3, 10, 4, tzinfo=UTC)
        company.deal(owner=rep, amount=amount, path=(("identified", won - timedelta(days=5)), ("won", won)))
    return company


def planned(answer_as, who="leader", **more):
    frame = answer_as(who, plan_by_month, period=Q3, **more)
    return dict(zip(frame["month"], frame["plan"], strict=True))


def by_rep(answer_as, plan, month=JULY, who="leader"):
    grid = answer_as(who, plan_grid, plan_id=plan.id)
    names = {rep.id: rep.name for rep in grid.reps}
    return {names[rep]: amount for (rep, on), (amount, _v) in grid.cells.items() if on == month}


def test_a_plan_is_spread_by_what_each_booked_and_adds_up_to_the_cent(sold, adopt, answer_as):
    plan = adopt()
    grid = answer_as("leader", plan_grid, plan_id=plan.id)
    for month, amount in MONTHS.items():
        assert sum(cell for (_rep, on), (cell, _v) in grid.cells.items() if on == month) == amount
    assert grid.cells[sold.reps["alice"], JULY][0] == Decimal(750)
    assert grid.cells[sold.reps["charlie"], JULY][0] == Decimal(250)
    assert grid.cells[sold.reps["bob"], JULY][0] == 0


def test_by_capacity_everybody_who_is_there_counts_alike(sold, adopt, answer_as):
    plan = adopt(spread_by=PlanSpread.CAPACITY)
    grid = answer_as("leader", plan_grid, plan_id=plan.id)
    parts = [grid.cells[sold.reps[name], JULY][0] for name in ("alice", "bob", "charlie")]
    assert max(parts) - min(parts) <= Decimal("0.01")


def test_each_sees_the_plan_of_their_own_scope(sold, adopt, answer_as):
    adopt()
    assert planned(answer_as)[JULY] == 1000
    assert planned(answer_as, "eastern rep") == {JULY: 750.0, AUGUST: 1500.01, SEPTEMBER: 2250.0}
    assert planned(answer_as, "western rep")[JULY] == 250
    assert planned(answer_as, "eastern manager")[JULY] == 750
    assert planned(answer_as, filters=Filters(team_ids=(sold.teams["west"],)))[JULY] == 250
    assert planned(answer_as, filters=Filters(segments=("x",))) == {}


def test_the_last_plan_counts_until_it_is_withdrawn_and_again_when_restored(sold, adopt, answer_as, perform_as):
    adopt()
    later = adopt(name="Better", months={AUGUST: Decimal(5000)})
    assert planned(answer_as) == {JULY: 1000.0, AUGUST: 5000.0, SEPTEMBER: 3000.0}
    perform_as("leader", withdraw_plan, plan_id=later.id, version=later.version)
    assert planned(answer_as)[AUGUST] == 2000.01
    listed = answer_as("leader", sales_plans)
    assert listed["name"].tolist() == ["Better", "Plan"]
    assert listed["in_force"].tolist() == [False, True]
    perform_as("leader", restore_plan, plan_id=later.id)
    assert planned(answer_as)[AUGUST] == 5000


def test_today_holds_the_plan_against_what_was_booked(sold, adopt, answer_as):
    """Today is 15 July 2026: 15 of July's 31 days are over."""
    adopt()
    won = datetime(2026, 7, 2, 4, tzinfo=UTC)
    sold.deal(owner="alice", amount=400, path=(("identified", won - timedelta(days=5)), ("won", won)))
    rows = answer_as("leader", plan_now).set_index("row")
    assert rows.loc["month", ["plan", "booked"]].tolist() == [1000.0, 400.0]
    assert rows.loc["quarter", "plan"] == pytest.approx(6000.01)
    assert rows.loc["quarter", "due"] == pytest.approx(1000 * 15 / 31)
    assert rows.loc["year", "booked"] == 400
    own = answer_as("western rep", plan_now).set_index("row")
    assert own.loc["month", ["plan", "booked"]].tolist() == [250.0, 0.0]


def test_a_cell_is_changed_from_the_version_that_was_seen(sold, adopt, answer_as, perform_as):
    plan = adopt()
    change = PlanChange(sold.reps["bob"], JULY, Decimal("12.30"), 1)
    undoing = perform_as("operations", change_plan, plan_id=plan.id, changes=[change])
    assert undoing == (PlanChange(sold.reps["bob"], JULY, Decimal(0), 2),)
    assert planned(answer_as)[JULY] == 1012.30
    with pytest.raises(EditedMeanwhile):
        perform_as("operations", change_plan, plan_id=plan.id, changes=[change])
    with pytest.raises(InvalidField):
        perform_as("leader", change_plan, plan_id=plan.id, changes=[PlanChange(sold.reps["bob"], JULY, Decimal(-1), 2)])


def test_a_teams_month_is_spread_anew_as_it_was(sold, adopt, answer_as, perform_as):
    plan = adopt()
    shown = {"plan_id": plan.id, "version": plan.version, "month": JULY}
    perform_as("leader", spread_plan, amount=Decimal(900), team_id=sold.teams["east"], seen=Decimal(750), **shown)
    assert planned(answer_as)[JULY] == 1150
    assert planned(answer_as, "eastern rep")[JULY] == 900
    perform_as("leader", spread_plan, amount=Decimal(23), team_id=None, seen=Decimal(1150), **shown)
    assert planned(answer_as)[JULY] == 23
    assert planned(answer_as, "western rep")[JULY] == 5


def test_a_month_that_somebody_changed_since_it_was_seen_is_not_spread_over(sold, adopt, answer_as, perform_as):
    plan = adopt()
    shown = {"plan_id": plan.id, "version": plan.version, "month": JULY, "team_id": None, "seen": Decimal(1000)}
    perform_as("leader", spread_plan, amount=Decimal(1200), **shown)
    with pytest.raises(EditedMeanwhile):
        perform_as("operations", spread_plan, amount=Decimal(2500), **shown)
    assert planned(answer_as)[JULY] == 1200


def test_only_leadership_and_operations_adopt_a_plan(sold, adopt):
    for who in ("eastern rep", "administrator"):
        with pytest.raises(NotAllowed):
            adopt(who)
    with pytest.raises(NotYourPlan):
        adopt("eastern manager")
    assert adopt("operations").name == "Plan"


def test_a_change_of_cells_or_of_a_teams_month_is_undone_unless_somebody_changed_it_again(
    sold, adopt, answer_as, perform_as
):
    plan = adopt()
    before = by_rep(answer_as, plan)
    undoing = perform_as(
        "leader", spread_plan, plan_id=plan.id, version=plan.version, month=JULY, amount=Decimal(900), team_id=None,
        seen=Decimal(1000),
    )  # fmt: skip
    assert by_rep(answer_as, plan) != before
    redoing = perform_as("leader", change_plan, plan_id=plan.id, changes=undoing)
    assert by_rep(answer_as, plan) == before
    perform_as("leader", change_plan, plan_id=plan.id, changes=redoing)
    assert planned(answer_as)[JULY] == 900
    with pytest.raises(EditedMeanwhile):
        perform_as("leader", change_plan, plan_id=plan.id, changes=undoing)


def test_a_team_plans_for_itself_beside_the_companys_and_nothing_is_counted_twice(sold, adopt, answer_as):
    """Example: of the company's 1,000 the east has 750; its own plan says 900, which counts for the east alone."""
    adopt()
    own = adopt("eastern manager", "East", months={JULY: Decimal(900)}, team_id=sold.teams["east"])
    assert own.team_id == sold.teams["east"]
    assert planned(answer_as)[JULY] == 1000
    assert planned(answer_as, "eastern manager") == {JULY: 900.0, AUGUST: 1500.01, SEPTEMBER: 2250.0}
    assert planned(answer_as, filters=Filters(team_ids=(sold.teams["east"],)))[JULY] == 900
    assert planned(answer_as, "eastern rep")[JULY] == 900
    assert planned(answer_as, filters=Filters(rep_ids=(sold.reps["alice"],)))[JULY] == 900
    assert planned(answer_as, filters=Filters(team_ids=(sold.teams["west"],)))[JULY] == 250
    both = Filters(team_ids=(sold.teams["east"], sold.teams["west"]))
    assert planned(answer_as, filters=both)[JULY] == 1000, "of both together the company's plan counts"
    frame = answer_as("eastern manager", plan_by_month, period=Q3).set_index("month")
    assert frame.loc[JULY, "company"] == 750
    assert isnan(frame.loc[AUGUST, "company"])
    rows = answer_as("eastern manager", plan_now).set_index("row")
    assert rows.loc["month", ["plan", "team", "company"]].tolist() == [900.0, "East", 750.0]
    quarter = rows.loc["quarter", ["plan", "company", "own", "own_start", "own_end"]].tolist()
    assert quarter == [4650.01, 750.0, 900.0, JULY, AUGUST], "its own counts for July alone"
    assert answer_as("leader", plan_now).set_index("row").loc["month", ["plan", "team"]].tolist() == [1000.0, ""]


def test_a_plan_stands_beside_what_the_others_in_force_say(sold, adopt, answer_as):
    company = adopt()
    own = adopt("eastern manager", "East", months={JULY: Decimal(900)}, team_id=sold.teams["east"])
    grid = answer_as("eastern manager", plan_grid, plan_id=own.id)
    assert grid.beside == {None: {JULY: Decimal("750.00")}}
    assert sum(amount for amount, _v in grid.cells.values()) == 900
    assert answer_as("leader", plan_grid, plan_id=company.id).beside == {sold.teams["east"]: {JULY: Decimal("900.00")}}
    assert answer_as("western manager", plan_grid, plan_id=company.id).beside == {}


def test_a_teams_plan_is_its_own_and_those_above_it_to_see_and_its_leaders_to_change(
    sold, adopt, answer_as, perform_as
):
    own = adopt("eastern manager", "East", months={JULY: Decimal(900)}, team_id=sold.teams["east"])
    assert answer_as("eastern rep", sales_plans)["team"].tolist() == ["East"]
    assert answer_as("western manager", sales_plans).empty
    with pytest.raises(NotFound):
        perform_as("western manager", withdraw_plan, plan_id=own.id, version=1)
    with pytest.raises(NotYourPlan):
        adopt("western manager", "Theirs", team_id=sold.teams["east"])
    company = adopt("leader")
    with pytest.raises(NotYourPlan):
        perform_as("eastern manager", withdraw_plan, plan_id=company.id, version=1)
    stranger = PlanChange(sold.reps["charlie"], JULY, Decimal(1), None)
    with pytest.raises(NotFound):
        perform_as("leader", change_plan, plan_id=own.id, changes=[stranger])
    perform_as("eastern manager", withdraw_plan, plan_id=own.id, version=1)
    assert planned(answer_as, "eastern manager")[JULY] == 750


def test_a_form_that_arrives_twice_adopts_once(sold, adopt, answer_as):
    assert adopt().id == adopt().id
    assert len(answer_as("leader", sales_plans)) == 1


def test_a_plan_needs_a_name_and_amounts_of_zero_or_more(sold, adopt):
    with pytest.raises(InvalidFields):
        adopt(name=" ", key="k")
    with pytest.raises(InvalidField):
        adopt(months={JULY: Decimal(-1)})
    with pytest.raises(ValueError, match="follow each other"):
        adopt(months={JULY: Decimal(1), SEPTEMBER: Decimal(1)})


def test_no_plan_is_no_row(company, answer_as):
    assert planned(answer_as) == {}
    assert answer_as("leader", plan_now)["plan"].isna().all()
    with pytest.raises(NotFound):
        answer_as("leader", plan_grid, plan_id=1)
