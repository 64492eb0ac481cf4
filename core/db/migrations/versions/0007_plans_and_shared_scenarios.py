"""Sales plans, scenarios shared with a team, and what a scenario forecast when it was saved."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _record() -> tuple[sa.Column, ...]:
    return (
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def upgrade() -> None:
    """Go up."""
    op.add_column("scenario", sa.Column("outlook", sa.JSON(), nullable=True))
    op.create_table(
        "scenario_share",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("scenario_id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["scenario_id"], ["scenario.id"], name=op.f("fk_scenario_share_scenario_id_scenario")),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_scenario_share_team_id_team")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scenario_share")),
        sa.UniqueConstraint("scenario_id", name=op.f("uq_scenario_share_scenario_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_scenario_share_team_id", "scenario_share", ["team_id"], unique=False)
    spread = sa.Enum("share", "capacity", name="plan_spread", native_enum=False, create_constraint=True, length=20)
    op.create_table(
        "sales_plan",
        *_record(),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("levers", sa.JSON(), nullable=False),
        sa.Column("spread", spread, nullable=False),
        sa.Column("first_month", sa.Date(), nullable=False),
        sa.Column("until_month", sa.Date(), nullable=False),
        sa.Column("adopted_by_id", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", types.Instant(), nullable=True),
        sa.CheckConstraint("first_month < until_month", name=op.f("ck_sales_plan_has_months")),
        sa.ForeignKeyConstraint(["adopted_by_id"], ["app_user.id"], name=op.f("fk_sales_plan_adopted_by_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_plan")),
        sqlite_strict=True,
    )
    op.create_index("ix_sales_plan_first_month", "sales_plan", ["first_month"], unique=False)
    op.create_table(
        "plan_line",
        *_record(),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("rep_id", sa.Integer(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("amount", types.Money(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_plan_line_amount_not_negative")),
        sa.ForeignKeyConstraint(["plan_id"], ["sales_plan.id"], name=op.f("fk_plan_line_plan_id_sales_plan")),
        sa.ForeignKeyConstraint(["rep_id"], ["rep.id"], name=op.f("fk_plan_line_rep_id_rep")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_line")),
        sa.UniqueConstraint("plan_id", "rep_id", "month", name=op.f("uq_plan_line_plan_id_rep_id_month")),
        sqlite_strict=True,
    )
    for column in ("plan_id", "rep_id", "month"):
        op.create_index(f"ix_plan_line_{column}", "plan_line", [column], unique=False)


def downgrade() -> None:
    """Go down."""
    op.drop_table("plan_line")
    op.drop_table("sales_plan")
    op.drop_table("scenario_share")
    op.drop_column("scenario", "outlook")
