"""The days on which reps were on leave."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "rep_leave",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rep_id", sa.Integer(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.CheckConstraint("from_on <= until_on", name=op.f("ck_rep_leave_has_days")),
        sa.ForeignKeyConstraint(["rep_id"], ["rep.id"], name=op.f("fk_rep_leave_rep_id_rep")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rep_leave")),
        sqlite_strict=True,
    )
    op.create_index("ix_rep_leave_rep_id", "rep_leave", ["rep_id"], unique=False)


def downgrade() -> None:
    """Go down."""
    op.drop_table("rep_leave")
