"""Users and their sign-ins, teams, reps and territories."""

from datetime import date, datetime
from typing import ClassVar

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from core.access.policy import Role
from core.model.base import Record, Table, sa
from core.model.types import Instant, choice


class Territory(Record, table=True):
    """Where reps sell (销售区域)."""

    code: str = Field(max_length=40, unique=True)
    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=80)
    active: bool = True


class Team(Record, table=True):
    """A group of reps; teams form a tree by `parent_id`."""

    __table_args__ = (CheckConstraint("parent_id IS NULL OR parent_id <> id", name="not_its_own_parent"),)

    name: str = Field(max_length=80, unique=True)
    name_en: str = Field(default="", max_length=80)
    parent_id: int | None = Field(default=None, foreign_key="team.id", index=True)
    territory_id: int | None = Field(default=None, foreign_key="territory.id")
    active: bool = True


class Rep(Record, table=True):
    """One who sells, with or without a user of this program."""

    __table_args__ = (
        CheckConstraint(
            "left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on",
            name="leaves_after_joining",
        ),
    )

    name: str = Field(max_length=80, index=True)
    name_en: str = Field(default="", max_length=80)
    email: str = Field(default="", max_length=200)
    team_id: int | None = Field(default=None, foreign_key="team.id", index=True)
    joined_on: date | None = None
    left_on: date | None = None
    external_id: str | None = Field(default=None, max_length=120, unique=True)


class TerritoryAssignment(Record, table=True):
    """Which rep sells in which territory from a day on."""

    __table_args__ = (UniqueConstraint("rep_id", "territory_id", "from_on"),)

    rep_id: int = Field(foreign_key="rep.id", index=True)
    territory_id: int = Field(foreign_key="territory.id")
    from_on: date
    until_on: date | None = None


class RepLeave(Record, table=True):
    """Days on which a rep was on leave (休假), from `from_on` to `until_on`, both counted."""

    __table_args__ = (CheckConstraint("from_on <= until_on", name="has_days"),)

    rep_id: int = Field(foreign_key="rep.id", index=True)
    from_on: date
    until_on: date
    note: str = Field(default="", max_length=200)


class User(Record, table=True):
    """One who signs in. `team_id` is the top of a manager's subtree; `rep_id` links a rep."""

    __tablename__ = "app_user"
    __table_args__ = (
        CheckConstraint("role <> 'rep' OR rep_id IS NOT NULL", name="a_rep_is_a_rep"),
        CheckConstraint("role <> 'manager' OR team_id IS NOT NULL", name="a_manager_has_a_team"),
        CheckConstraint("role <> 'shared'", name="nobody_is_a_link"),
    )
    secrets: ClassVar[frozenset[str]] = frozenset({"password_hash"})

    username: str = Field(max_length=80, unique=True)
    name: str = Field(max_length=80)
    name_en: str = Field(default="", max_length=80)
    email: str = Field(default="", max_length=200)
    role: Role = Field(sa_type=sa(choice(Role)))
    rep_id: int | None = Field(default=None, foreign_key="rep.id", index=True)
    team_id: int | None = Field(default=None, foreign_key="team.id")
    language: str = Field(default="", max_length=5)
    password_hash: str = Field(default="", max_length=100)
    must_change_password: bool = False
    active: bool = True
    is_demo: bool = False


class SignInSession(Table, table=True):
    """One browser that is signed in; the token itself is never kept, only its SHA-256."""

    audited: ClassVar[bool] = False

    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="app_user.id", index=True)
    created_at: datetime = Field(sa_type=sa(Instant))
    seen_at: datetime = Field(sa_type=sa(Instant))
    expires_at: datetime = Field(sa_type=sa(Instant))
    revoked_at: datetime | None = Field(default=None, sa_type=sa(Instant))
    address: str = Field(default="", max_length=64)
    browser: str = Field(default="", max_length=200)


class SignInTicket(Table, table=True):
    """A one-time ticket that the sign-in route turns into a session."""

    audited: ClassVar[bool] = False

    ticket_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="app_user.id")
    binding_hash: str = Field(max_length=64)
    expires_at: datetime = Field(sa_type=sa(Instant))
    redeemed_at: datetime | None = Field(default=None, sa_type=sa(Instant))
    next_path: str = Field(default="", max_length=400)


class SignInAttempt(Table, table=True):
    """One try at signing in, for throttling by account and by address."""

    audited: ClassVar[bool] = False

    username: str = Field(max_length=80, index=True)
    address: str = Field(max_length=64, index=True)
    at: datetime = Field(sa_type=sa(Instant), index=True)
    succeeded: bool


class PasswordReset(Table, table=True):
    """A one-time link by which a person sets a new password."""

    audited: ClassVar[bool] = False

    token_hash: str = Field(max_length=64, unique=True)
    user_id: int = Field(foreign_key="app_user.id", index=True)
    expires_at: datetime = Field(sa_type=sa(Instant))
    used_at: datetime | None = Field(default=None, sa_type=sa(Instant))
