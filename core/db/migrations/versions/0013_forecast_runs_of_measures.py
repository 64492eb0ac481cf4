"""Forecasts of all series of several measures and steps."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. What was forecast so far is made again: the fits behind it are kept elsewhere."""
    op.drop_table("forecast_run")
    _create(
        sa.Column("measure", sa.String(length=10), nullable=False),
        sa.Column("frequency", sa.String(length=10), nullable=False),
        sa.UniqueConstraint(
            "scope_key", "measure", "frequency", name=op.f("uq_forecast_run_scope_key_measure_frequency")
        ),
    )


def downgrade() -> None:
    """Go down."""
    op.drop_table("forecast_run")
    _create(sa.UniqueConstraint("scope_key", name=op.f("uq_forecast_run_scope_key")))


def _create(*more: sa.schema.SchemaItem) -> None:
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
        *more,
        sqlite_strict=True,
    )
