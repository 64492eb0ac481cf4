"""Everything that a person can be allowed to do."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """One permission; the policy gives each role its set."""

    DEAL_VIEW = "deal.view"
    DEAL_LOG = "deal.log"
    DEAL_EDIT = "deal.edit"
    DEAL_ADVANCE = "deal.advance"
    DEAL_REASSIGN = "deal.reassign"
    CUSTOMER_VIEW = "customer.view"
    CUSTOMER_EDIT = "customer.edit"
    ACTIVITY_VIEW = "activity.view"
    ACTIVITY_LOG = "activity.log"
    REFERENCE_VIEW = "reference.view"
    TODAY_VIEW = "today.view"
    OVERVIEW_VIEW = "overview.view"
    FUNNEL_VIEW = "funnel.view"
    LEADERBOARD_VIEW = "leaderboard.view"
    FORECAST_VIEW = "forecast.view"
    SCENARIO_SAVE = "scenario.save"
    PLAN_VIEW = "plan.view"
    PLAN_EDIT = "plan.edit"
    EXPORT = "export"
    SHARE = "share"
    SHARED_VIEW = "shared.view"
    IMPORT = "import"
    PROCESS_EDIT = "process.edit"
    PRODUCT_EDIT = "product.edit"
    QUOTA_VIEW = "quota.view"
    QUOTA_EDIT = "quota.edit"
    CURRENCY_EDIT = "currency.edit"
    CONTEST_EDIT = "contest.edit"
    LEAVE_EDIT = "leave.edit"
    PEOPLE_VIEW = "people.view"
    PEOPLE_EDIT = "people.edit"
    SETTING_EDIT = "setting.edit"
    AUDIT_VIEW = "audit.view"
    ACCOUNT = "account"
