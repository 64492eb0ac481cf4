"""What things cost: of a SKU, of a won deal's lines, and of the deal."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

COSTS = (("sku", "cost"), ("deal_line", "unit_cost"), ("deal", "base_cost"))


def upgrade() -> None:
    """Go up; nobody knows a cost yet. A CHECK can come with a new column alone on SQLite."""
    kind = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    for table, column in COSTS:
        rule = f"CONSTRAINT ck_{table}_{column}_not_negative CHECK ({column} >= 0)"
        op.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind} {rule}")


def downgrade() -> None:
    """Go down."""
    for table, column in COSTS:
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
