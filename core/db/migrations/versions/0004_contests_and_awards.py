"""Contests that are held, and the awards that people keep."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MEASURES = ("booked", "attainment", "won_count", "win_rate", "activities")
KINDS = ("best_seller", "best_team", "most_improved", "first_deal", "contest")


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)


def _record() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "contest",
        *_record(),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=80), nullable=False),
        sa.Column("competing", _words("contest_by", "rep", "team"), nullable=False),
        sa.Column("measure", _words("contest_measure", *MEASURES), nullable=False),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("prize", sa.String(length=200), nullable=False),
        sa.CheckConstraint("start_on < end_on", name=op.f("ck_contest_has_days")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contest")),
        sqlite_strict=True,
    )
    op.create_index("ix_contest_start_on", "contest", ["start_on"], unique=False)
    op.create_index("ix_contest_end_on", "contest", ["end_on"], unique=False)
    op.create_table(
        "award",
        *_record(),
        sa.Column("kind", _words("award_kind", *KINDS), nullable=False),
        sa.Column("rep_id", sa.Integer(), nullable=True),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.Column("contest_id", sa.Integer(), nullable=True),
        sa.Column("start_on", sa.Date(), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=False),
        sa.Column("value", types.Rate(), nullable=False),
        sa.CheckConstraint("(rep_id IS NULL) <> (team_id IS NULL)", name=op.f("ck_award_of_a_rep_or_a_team")),
        sa.CheckConstraint("start_on < end_on", name=op.f("ck_award_has_days")),
        sa.ForeignKeyConstraint(["rep_id"], ["rep.id"], name=op.f("fk_award_rep_id_rep")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_award_team_id_team")),
        sa.ForeignKeyConstraint(["contest_id"], ["contest.id"], name=op.f("fk_award_contest_id_contest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award")),
        sa.UniqueConstraint(
            "kind", "start_on", "rep_id", "contest_id", name=op.f("uq_award_kind_start_on_rep_id_contest_id")
        ),
        sa.UniqueConstraint(
            "kind", "start_on", "team_id", "contest_id", name=op.f("uq_award_kind_start_on_team_id_contest_id")
        ),
        sqlite_strict=True,
    )
    for column in ("rep_id", "team_id", "contest_id", "start_on"):
        op.create_index(f"ix_award_{column}", "award", [column], unique=False)


def downgrade() -> None:
    """Go down."""
    op.drop_table("award")
    op.drop_table("contest")
