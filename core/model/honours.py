"""Contests that are held, and the awards that people keep."""

from datetime import date
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.domain.honours import AwardKind, ContestBy, ContestMeasure
from core.model.base import Record, sa
from core.model.types import Rate, choice


class Contest(Record, table=True):
    """A race for a period on one measure (竞赛); `end_on` is the day after its last."""

    __table_args__ = (CheckConstraint("start_on < end_on", name="has_days"),)

    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=80)
    competing: ContestBy = Field(sa_type=sa(choice(ContestBy)))
    measure: ContestMeasure = Field(sa_type=sa(choice(ContestMeasure)))
    start_on: date = Field(index=True)
    end_on: date = Field(index=True)
    prize: str = Field(default="", max_length=200)


class Award(Record, table=True):
    """An honour that a rep or a team keeps (荣誉), for a time and with the figure it was won by.

    `value` is money in the base currency, a rate, or a count, by kind and contest.
    """

    __table_args__ = (
        CheckConstraint("(rep_id IS NULL) <> (team_id IS NULL)", name="of_a_rep_or_a_team"),
        CheckConstraint("start_on < end_on", name="has_days"),
        UniqueConstraint("kind", "start_on", "rep_id", "contest_id"),
        UniqueConstraint("kind", "start_on", "team_id", "contest_id"),
    )

    kind: AwardKind = Field(sa_type=sa(choice(AwardKind)))
    rep_id: int | None = Field(default=None, foreign_key="rep.id", index=True)
    team_id: int | None = Field(default=None, foreign_key="team.id", index=True)
    contest_id: int | None = Field(default=None, foreign_key="contest.id", index=True)
    start_on: date = Field(index=True)
    end_on: date
    value: Decimal = Field(sa_type=sa(Rate))
