"""Stages' probabilities are set to what was observed by operations alone, all or none, and taken back."""

import pytest
from sqlmodel import select

from core.errors import EditedMeanwhile, NotAllowed
from core.model import AuditEntry, Stage
from core.services.probabilities import NoProbability, ProbabilityChange, set_probabilities


def known(work_as, company) -> dict[int, float]:
    return {stage.id: stage.probability for stage in work_as("operations").session.exec(select(Stage))}


def test_probabilities_are_set_together_kept_in_the_audit_and_taken_back(company, perform_as, work_as):
    before = known(work_as, company)
    stages = [company.stages["demo"], company.stages["needs"]]
    changes = tuple(ProbabilityChange(stage, before[stage], 0.37) for stage in stages)
    perform_as("operations", set_probabilities, changes=changes)
    after = known(work_as, company)
    assert [after[stage] for stage in stages] == [0.37, 0.37]
    entries = work_as("administrator").session.exec(select(AuditEntry).where(AuditEntry.kind == "stage")).all()
    kept = {entry.record_id: (entry.username, entry.after["probability"]) for entry in entries if entry.before}
    assert kept == dict.fromkeys(stages, ("operations", 0.37))
    perform_as("operations", set_probabilities, changes=tuple(change.undone() for change in changes))
    assert known(work_as, company) == before


@pytest.mark.parametrize("who", ["eastern rep", "eastern manager", "leader", "administrator"])
def test_only_operations_set_probabilities(company, perform_as, who):
    with pytest.raises(NotAllowed):
        perform_as(who, set_probabilities, changes=())


def test_one_that_is_not_as_its_reader_saw_it_sets_none(company, perform_as, work_as):
    before = known(work_as, company)
    demo, needs = company.stages["demo"], company.stages["needs"]
    changes = (ProbabilityChange(demo, before[demo], 0.5), ProbabilityChange(needs, before[needs] + 0.01, 0.5))
    with pytest.raises(EditedMeanwhile):
        perform_as("operations", set_probabilities, changes=changes)
    assert known(work_as, company) == before


@pytest.mark.parametrize(("code", "after"), [("demo", 1.5), ("demo", -0.1), ("won", 0.5)])
def test_a_won_stage_is_certain_and_a_chance_lies_between_none_and_all(company, perform_as, work_as, code, after):
    stage = company.stages[code]
    with pytest.raises(NoProbability):
        perform_as(
            "operations", set_probabilities, changes=(ProbabilityChange(stage, known(work_as, company)[stage], after),)
        )
