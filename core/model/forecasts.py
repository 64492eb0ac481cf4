"""Forecasts that were computed, kept for those who may see their series."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.model.base import Table, sa
from core.model.types import Instant


class ForecastRun(Table, table=True):
    """The forecasts of every series of one scope, as `core.forecasting.many` writes them; the newest alone is kept.

    `scope_key` is the scope's own name; `measure` and `frequency` say of what and by which step; `data_version` changes
    with the steps they were made from.
    """

    audited: ClassVar[bool] = False
    __table_args__ = (
        CheckConstraint("seconds >= 0", name="seconds_not_negative"),
        UniqueConstraint("scope_key", "measure", "frequency"),
    )

    scope_key: str = Field(max_length=64)
    measure: str = Field(default="booked", max_length=10)
    frequency: str = Field(default="month", max_length=10)
    made_at: datetime = Field(sa_type=sa(Instant))
    seconds: float = 0.0
    depth: str = Field(max_length=10)
    data_version: str = Field(max_length=64)
    series: list[dict[str, Any]] = Field(sa_type=sa(JSON))
