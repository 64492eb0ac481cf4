"""Scenarios are kept by name, one's own alone; quotas ahead come from those who owe them."""

from datetime import date

import pytest

from core.domain.periods import Period
from core.errors import EditedMeanwhile, InvalidFields, NotAllowed, NotFound
from core.forecasting.levers import LeverOutOfRange, Levers
from core.queries.scenarios import monthly_quotas, my_scenarios, shared_scenarios
from core.services.scenarios import (
    ScenarioNameTaken,
    delete_scenario,
    rename_scenario,
    restore_scenario,
    save_scenario,
    share_scenario,
)

SERIES = {"dimension": "company", "key": "", "frequency": "month", "horizon": 6, "china": True, "events": []}
AHEAD = Period(date(2026, 7, 1), date(2027, 1, 1))


@pytest.fixture
def save(perform_as):
    def saved(who, name, key="", **more):
        values = {"series": SERIES, "levers": Levers(growth=0.1).to_dict(), "key": key or name, **more}
        return perform_as(who, save_scenario, name=name, **values)

    return saved


def test_a_scenario_keeps_its_series_and_levers(company, save, answer_as):
    save("leader", "  Hire   ten ", note=" in the east ")
    kept = answer_as("leader", my_scenarios)
    assert kept[["name", "note"]].to_numpy().tolist() == [["Hire ten", "in the east"]]
    assert kept.loc[0, "series"] == SERIES
    assert Levers.from_dict(kept.loc[0, "levers"]) == Levers(growth=0.1)


def test_nobody_sees_renames_or_deletes_the_scenario_of_another(company, save, answer_as, perform_as):
    number = save("leader", "Mine").id
    for who in ("operations", "eastern rep"):
        assert answer_as(who, my_scenarios).empty
        with pytest.raises(NotFound):
            perform_as(who, delete_scenario, scenario_id=number)
        with pytest.raises(NotFound):
            perform_as(who, rename_scenario, scenario_id=number, name="Theirs", version=1)
    assert list(answer_as("leader", my_scenarios)["name"]) == ["Mine"]


def test_an_administrator_keeps_no_scenarios(company, save):
    with pytest.raises(NotAllowed):
        save("administrator", "No")


def test_a_name_is_taken_once_a_person_unless_it_is_replaced(company, save, answer_as):
    save("leader", "Plan")
    save("operations", "Plan", key="other person")
    with pytest.raises(ScenarioNameTaken, match="Plan"):
        save("leader", "Plan", key="second")
    save("leader", "Plan", key="third", levers=Levers(win_rate=0.2).to_dict(), replace=True)
    kept = answer_as("leader", my_scenarios)
    assert len(kept) == 1
    assert kept.loc[0, "levers"]["win_rate"] == 0.2
    assert kept.loc[0, "levers"]["growth"] == 0


def test_a_form_that_arrives_twice_saves_once(company, save, answer_as):
    first, second = save("leader", "Once", key="same"), save("leader", "Once", key="same")
    assert first.id == second.id
    assert len(answer_as("leader", my_scenarios)) == 1


def test_a_scenario_is_renamed_from_the_version_that_was_seen_and_to_a_free_name(company, save, perform_as, answer_as):
    one = save("leader", "One")
    save("leader", "Two")
    with pytest.raises(ScenarioNameTaken):
        perform_as("leader", rename_scenario, scenario_id=one.id, name="Two", version=one.version)
    perform_as("leader", rename_scenario, scenario_id=one.id, name="Three", version=one.version)
    assert set(answer_as("leader", my_scenarios)["name"]) == {"Two", "Three"}
    with pytest.raises(EditedMeanwhile):
        perform_as("leader", rename_scenario, scenario_id=one.id, name="Four", version=one.version)


def test_a_deleted_scenario_is_gone_and_its_name_free(company, save, perform_as, answer_as):
    number = save("leader", "Gone").id
    perform_as("leader", delete_scenario, scenario_id=number)
    assert answer_as("leader", my_scenarios).empty
    assert save("leader", "Gone", key="again").name == "Gone"


@pytest.mark.parametrize("team", ["east", None])
def test_a_deleted_scenario_comes_back_as_it_was_with_whom_it_was_shared(company, save, perform_as, answer_as, team):
    outlook = {"ds": ["2026-08-01"], "base": [1.0], "scenario": [2.0], "lo": [0.5], "hi": [3.0], "on": "2026-07-15"}
    kept = save("leader", "Back", note="n", outlook=outlook)
    number = None if team is None else company.teams[team]
    perform_as("leader", share_scenario, scenario_id=kept.id, version=kept.version, team_id=number)
    (before,) = answer_as("leader", my_scenarios).to_dict("records")
    company.deal()
    perform_as("leader", delete_scenario, scenario_id=kept.id)
    assert answer_as("eastern rep", shared_scenarios).empty
    for _twice in range(2):
        perform_as("leader", restore_scenario, key="undo", snapshot=before)
    (after,) = answer_as("leader", my_scenarios).to_dict("records")
    same = ("name", "note", "series", "levers", "data_version", "outlook", "shared", "team_id")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert answer_as("eastern rep", shared_scenarios)["name"].tolist() == ["Back"]
    assert answer_as("western rep", shared_scenarios)["name"].tolist() == ([] if team else ["Back"])


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_scenario_needs_a_name_of_at_most_eighty_characters(company, save, name):
    with pytest.raises(InvalidFields) as refused:
        save("leader", name, key="k")
    assert set(refused.value.problems) == {"name"}


def test_levers_without_meaning_are_not_kept(company, save):
    with pytest.raises(LeverOutOfRange):
        save("leader", "Wild", levers={"win_rate": -2.0})


def test_quotas_ahead_are_the_companys_the_teams_with_its_subtree_and_nobodys(company, answer_as):
    for rep, amount in (("alice", 300), ("bob", 200), ("charlie", 70)):
        company.quota(month=date(2026, 8, 1), amount=amount, rep=rep)
    company.quota(month=date(2026, 9, 1), amount=90, rep="charlie")
    east, head = (str(company.teams[name]) for name in ("east", "head"))

    def owed(who="leader", **of):
        frame = answer_as(who, monthly_quotas, period=AHEAD, **of)
        return dict(zip(frame["month"], frame["quota"], strict=True))

    assert owed() == {date(2026, 8, 1): 570.0, date(2026, 9, 1): 90.0}
    assert owed(dimension="team", key=east) == {date(2026, 8, 1): 500.0}
    assert owed(dimension="team", key=head) == owed()
    assert owed(dimension="product", key=str(company.products["compass"])) == {}
    assert owed("eastern rep") == {date(2026, 8, 1): 300.0}
    assert owed("eastern manager", dimension="team", key=str(company.teams["west"])) == {}
