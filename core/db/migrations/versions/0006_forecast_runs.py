"""Forecasts of all series of a scope."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "forecast_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scope_key", sa.String(length=64), nullable=False),
        sa.Column("made_at", types.Instant(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("depth", sa.String(length=10), nullable=False),
        sa.Column("data_version", sa.String(length=64), nullable=False),
        sa.Column("series", sa.JSON(), nullable=False),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_forecast_run_seconds_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_run")),
        sa.UniqueConstraint("scope_key", name=op.f("uq_forecast_run_scope_key")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Go down."""
    op.drop_table("forecast_run")
