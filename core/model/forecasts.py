"""Forecasts that were computed, kept for those who may see their series."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint
from sqlmodel import Field

from core.model.base import Table, sa
from core.model.types import Instant


class ForecastRun(Table, table=True):
    """The forecasts of every series of one scope, as `core.forecasting.many` writes them; the newest alone is kept.

    `scope_key` is the scope's own name; `data_version` changes with the months they were made from.
    """

    audited: ClassVar[bool] = False
    __table_args__ = (CheckConstraint("seconds >= 0", name="seconds_not_negative"),)

    scope_key: str = Field(max_length=64, unique=True)
    made_at: datetime = Field(sa_type=sa(Instant))
    seconds: float = 0.0
    depth: str = Field(max_length=10)
    data_version: str = Field(max_length=64)
    series: list[dict[str, Any]] = Field(sa_type=sa(JSON))
