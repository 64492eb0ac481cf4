"""Every analytic question is held to plain Python over random companies, and this says where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.access.actions import Action
from core.ask import questions

TESTS = Path(__file__).resolve().parents[1]
ANALYTIC = {Action.OVERVIEW_VIEW, Action.FUNNEL_VIEW, Action.LEADERBOARD_VIEW, Action.DEAL_VIEW}
NO_FIGURES = {"default_process", "process_shown", "filter_choices", "rep_card"}
"""Questions that name things and count nothing."""

TWINS = {
    "integration/test_boards_agree.py": (
        "overview_kpis", "booked_by_month", "breakdown", "pipeline_by_stage", "booked_why", "coverage_needed",
        "expected_weeks", "leaderboard", "fair_leaderboard", "rep_against_team", "rep_trend", "deals_behind",
        "selection_total",
    ),
    "integration/test_funnel_agrees.py": (
        "cohort_funnel", "cohorts_by_month", "funnel_compare", "funnel_flow", "flow_kinds", "funnel_snapshot",
        "losses_by_stage", "losses_by_month", "losses_by_competitor", "step_changes", "step_trend", "stay_curves",
        "time_in_stage",
    ),
    "integration/test_customer_kpis.py": ("customer_kpis", "customers_behind", "rfm_segments"),
    "integration/test_customer_worth.py": ("acquisition_cost", "acquired_customers", "customer_lifetime_value"),
}  # fmt: skip
STATEMENTS = {
    "pipeline_standing": "statements.totals", "pipeline_as_of": "statements.by_stage",
    "pipeline_trend": "trend.stays_by_week", "pipeline_changes": "bars", "pipeline_ages": "ages",
    "pipeline_concentration": "concentration", "stage_calibration": "outcomes",
}  # fmt: skip
"""Questions whose statements a replay of event lists is held against, in tests/integration/test_as_of.py."""
EQUAL = {
    "own_rank": "leaderboard", "team_leaderboard": "leaderboard",
}  # fmt: skip
"""Questions held to another one that has a twin (test_queries_agree.py, test_leaderboard_teams.py)."""


def test_every_analytic_question_has_a_twin_in_plain_python() -> None:
    asked = {name for name, entry in questions().items() if entry.mirrored and entry.action in ANALYTIC}
    told = {name for names in TWINS.values() for name in names} | STATEMENTS.keys() | EQUAL.keys()
    assert asked - NO_FIGURES <= told, "these are held to nothing"


@pytest.mark.parametrize("module", TWINS)
def test_the_twins_are_where_they_are_said_to_be(module: str) -> None:
    written = (TESTS / module).read_text(encoding="utf-8")
    for name in TWINS[module]:
        assert re.search(rf"[(,]\s*{name}[,)]", written.partition("\n\n\n")[2]), f"{name} is asked nowhere in it"


def test_the_statements_are_replayed_where_it_is_said() -> None:
    written = (TESTS / "integration/test_as_of.py").read_text(encoding="utf-8")
    for name in STATEMENTS.values():
        assert f"{name}(mirror.facts" in written, name
