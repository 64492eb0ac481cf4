"""Who is credited with how much of a deal, where several are."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "credit_share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("rep_id", sa.Integer(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("effective_at", types.Instant(), nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.Column("until_at", types.Instant(), nullable=True),
        sa.Column("by_user_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("share > 0 AND share <= 10000", name=op.f("ck_credit_share_share_is_a_part")),
        sa.CheckConstraint(
            "until_at IS NULL OR until_at >= recorded_at", name=op.f("ck_credit_share_ends_after_it_begins")
        ),
        sa.ForeignKeyConstraint(["by_user_id"], ["app_user.id"], name=op.f("fk_credit_share_by_user_id_app_user")),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_credit_share_deal_id_deal")),
        sa.ForeignKeyConstraint(["rep_id"], ["rep.id"], name=op.f("fk_credit_share_rep_id_rep")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_share")),
        sqlite_strict=True,
    )
    op.create_index("ix_credit_share_deal_id", "credit_share", ["deal_id"], unique=False)


def downgrade() -> None:
    """Go down."""
    op.drop_table("credit_share")
