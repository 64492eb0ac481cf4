"""The sales process: pipelines, their stages, lost reasons, channels."""

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.domain.stages import StageKind
from core.model.base import Record, sa
from core.model.types import choice


class Pipeline(Record, table=True):
    """One sales process; a deal follows one."""

    code: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=80)
    is_default: bool = False
    active: bool = True


class Stage(Record, table=True):
    """A step of a process (阶段). Retired stages stay for history but take no new deals."""

    __table_args__ = (
        UniqueConstraint("pipeline_id", "code"),
        CheckConstraint("probability >= 0 AND probability <= 1", name="probability_is_a_rate"),
        CheckConstraint("expected_days >= 0", name="expected_days_not_negative"),
    )

    pipeline_id: int = Field(foreign_key="pipeline.id", index=True)
    code: str = Field(max_length=60)
    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=80)
    position: int
    kind: StageKind = Field(sa_type=sa(choice(StageKind)))
    probability: float
    expected_days: int = 0
    active: bool = True


class LostReason(Record, table=True):
    """Why a deal was lost."""

    code: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=80)
    active: bool = True


class Channel(Record, table=True):
    """How a sale reached us (渠道)."""

    code: str = Field(max_length=60, unique=True)
    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=80)
    active: bool = True
