"""A sales plan may be a team's."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up; plans adopted so far are the whole company's. A key can come with a new column alone on SQLite."""
    rule = "CONSTRAINT fk_sales_plan_team_id_team REFERENCES team (id)"
    op.execute(f"ALTER TABLE sales_plan ADD COLUMN team_id INTEGER {rule}")
    op.create_index("ix_sales_plan_team_id", "sales_plan", ["team_id"], unique=False)


def downgrade() -> None:
    """Go down: without the plans of teams, which would count as the company's."""
    op.execute("DELETE FROM plan_line WHERE plan_id IN (SELECT id FROM sales_plan WHERE team_id IS NOT NULL)")
    op.execute("DELETE FROM sales_plan WHERE team_id IS NOT NULL")
    op.drop_index("ix_sales_plan_team_id", "sales_plan")
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("sales_plan") as table:
            table.drop_column("team_id")
    else:
        op.drop_column("sales_plan", "team_id")
