"""Which role may do what: the one table that decides it."""

from __future__ import annotations

from enum import StrEnum

from core.access.actions import Action as A  # noqa: N817 - the table below stays a table


class Role(StrEnum):
    """What a person is to the company; each has one line in the policy."""

    REP = "rep"
    MANAGER = "manager"
    LEADERSHIP = "leadership"
    OPERATIONS = "operations"
    ADMINISTRATOR = "administrator"
    SHARED = "shared"  # the holder of a share link; never a user's role


_READ = {
    A.DEAL_VIEW, A.CUSTOMER_VIEW, A.ACTIVITY_VIEW, A.REFERENCE_VIEW, A.TODAY_VIEW, A.OVERVIEW_VIEW,
    A.FUNNEL_VIEW, A.LEADERBOARD_VIEW, A.FORECAST_VIEW, A.PLAN_VIEW, A.QUOTA_VIEW, A.EXPORT, A.ACCOUNT, A.SHARED_VIEW,
}  # fmt: skip
_LOG = {A.DEAL_LOG, A.DEAL_EDIT, A.DEAL_ADVANCE, A.CUSTOMER_EDIT, A.ACTIVITY_LOG}

POLICY: dict[Role, frozenset[A]] = {
    Role.REP:           frozenset(_READ | _LOG | {A.SCENARIO_SAVE}),
    Role.MANAGER:       frozenset(_READ | _LOG | {
        A.SCENARIO_SAVE, A.TEAM_PLAN_EDIT, A.DEAL_REASSIGN, A.SHARE, A.LEAVE_EDIT, A.MARGIN_VIEW}),
    Role.LEADERSHIP:    frozenset(_READ | {
        A.SCENARIO_SAVE, A.PLAN_EDIT, A.TEAM_PLAN_EDIT, A.SHARE, A.MARGIN_VIEW, A.ACQUISITION_COST_VIEW}),
    Role.OPERATIONS:    frozenset(_READ | _LOG | {
        A.SCENARIO_SAVE, A.PLAN_EDIT, A.TEAM_PLAN_EDIT, A.DEAL_REASSIGN, A.SHARE, A.IMPORT, A.PROCESS_EDIT,
        A.PRODUCT_EDIT, A.QUOTA_EDIT, A.CURRENCY_EDIT, A.CONTEST_EDIT, A.LEAVE_EDIT, A.MARGIN_VIEW,
        A.ACQUISITION_COST_VIEW, A.ACQUISITION_COST_EDIT}),
    Role.ADMINISTRATOR: frozenset({
        A.REFERENCE_VIEW, A.PEOPLE_VIEW, A.PEOPLE_EDIT, A.SETTING_EDIT, A.AUDIT_VIEW, A.EXPORT, A.ACCOUNT,
        A.SHARED_VIEW}),
    Role.SHARED:        frozenset({A.SHARED_VIEW, A.REFERENCE_VIEW}),
}  # fmt: skip
