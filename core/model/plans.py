"""Sales plans: scenarios that were adopted, month by month and rep by rep."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.domain.plans import PlanSpread
from core.model.base import Record, sa
from core.model.types import Instant, Money, choice


class SalesPlan(Record, table=True):
    """A scenario adopted as the plan (销售计划) of the months [first_month, until_month).

    Of the whole company or, with `team_id`, of a team with those below it. In force for a month is the plan adopted
    last for the same team (or the company) that covers it and was not withdrawn. `levers` are the scenario's.
    """

    __table_args__ = (CheckConstraint("first_month < until_month", name="has_months"),)

    name: str = Field(max_length=80)
    note: str = Field(default="", max_length=1000)
    levers: dict[str, Any] = Field(sa_type=sa(JSON))
    spread: PlanSpread = Field(sa_type=sa(choice(PlanSpread)))
    first_month: date = Field(index=True)
    until_month: date
    team_id: int | None = Field(default=None, foreign_key="team.id", index=True)
    adopted_by_id: int | None = Field(default=None, foreign_key="app_user.id")
    withdrawn_at: datetime | None = Field(default=None, sa_type=sa(Instant))


class PlanLine(Record, table=True):
    """What a plan expects of one rep in one month, in the base currency; a team's is the sum of its reps'."""

    __table_args__ = (
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        UniqueConstraint("plan_id", "rep_id", "month"),
    )

    plan_id: int = Field(foreign_key="sales_plan.id", index=True)
    rep_id: int = Field(foreign_key="rep.id", index=True)
    month: date = Field(index=True, description="the month's first day")
    amount: Decimal = Field(sa_type=sa(Money))
