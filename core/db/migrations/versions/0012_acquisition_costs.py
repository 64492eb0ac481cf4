"""What it cost to win customers, by month and channel."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "acquisition_cost",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=True),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", types.Money(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_acquisition_cost_amount_not_negative")),
        sa.ForeignKeyConstraint(["channel_id"], ["channel.id"], name=op.f("fk_acquisition_cost_channel_id_channel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acquisition_cost")),
        sa.UniqueConstraint("channel_id", "month", name=op.f("uq_acquisition_cost_channel_id_month")),
        sqlite_strict=True,
    )
    op.create_index("ix_acquisition_cost_channel_id", "acquisition_cost", ["channel_id"], unique=False)
    op.create_index("ix_acquisition_cost_month", "acquisition_cost", ["month"], unique=False)
    of_no_channel = sa.text("channel_id IS NULL")
    op.create_index(
        "uq_acquisition_cost_month_of_no_channel", "acquisition_cost", ["month"], unique=True,
        sqlite_where=of_no_channel, postgresql_where=of_no_channel,
    )  # fmt: skip


def downgrade() -> None:
    """Go down."""
    op.drop_table("acquisition_cost")
