"""What every table shares."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import MetaData
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from core.model.types import Instant, snake_case

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata


class Table(SQLModel):
    """A table with a number; not validated on construction, so CHECKs hold the invariants.

    `audited` says whether changes go to the audit; `secrets` names columns whose values
    never do.
    """

    audited: ClassVar[bool] = True
    secrets: ClassVar[frozenset[str]] = frozenset()

    @declared_attr.directive
    def __tablename__(cls) -> str:  # noqa: N805 - SQLAlchemy gives the class
        """Return the class's name in snake case."""
        return snake_case(cls.__name__)

    id: int = Field(default=None, primary_key=True)  # given by the database at the first flush


class Record(Table):
    """A table that people edit: made, changed, and a version that refuses stale edits."""

    created_at: datetime = Field(default=None, sa_type=Instant, nullable=False)
    updated_at: datetime = Field(default=None, sa_type=Instant, nullable=False)
    version: int = Field(default=1)


def sa(kind: Any) -> Any:
    """Let `Field(sa_type=…)` take a configured type as well as a class."""
    return kind
