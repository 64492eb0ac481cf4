"""What reps and teams owe, and forecasts that people keep."""

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.model.base import Record, Table, sa
from core.model.types import Money


class Quota(Record, table=True):
    """The booked value owed by one rep, or by one team, in one month, in the base currency."""

    __table_args__ = (
        CheckConstraint("(rep_id IS NULL) <> (team_id IS NULL)", name="of_a_rep_or_a_team"),
        CheckConstraint("amount >= 0", name="amount_not_negative"),
        UniqueConstraint("rep_id", "month"),
        UniqueConstraint("team_id", "month"),
    )

    rep_id: int | None = Field(default=None, foreign_key="rep.id", index=True)
    team_id: int | None = Field(default=None, foreign_key="team.id", index=True)
    month: date = Field(index=True, description="the month's first day")
    amount: Decimal = Field(sa_type=sa(Money))


class Scenario(Record, table=True):
    """Named levers laid on a forecast (情景); `series` and `levers` as the forecasting layer writes them."""

    __table_args__ = (UniqueConstraint("user_id", "name"),)

    user_id: int = Field(foreign_key="app_user.id", index=True)
    name: str = Field(max_length=80)
    note: str = Field(default="", max_length=1000)
    series: dict[str, Any] = Field(sa_type=sa(JSON))
    levers: dict[str, Any] = Field(sa_type=sa(JSON))
    data_version: int = 0
    outlook: dict[str, Any] | None = Field(default=None, sa_type=sa(JSON))
    """What was forecast when it was saved, so that it can be held against what came."""


class ScenarioShare(Table, table=True):
    """Whom else a scenario is shown: a team with those above and below it, or without one the whole company."""

    scenario_id: int = Field(foreign_key="scenario.id", unique=True)
    team_id: int | None = Field(default=None, foreign_key="team.id", index=True)
