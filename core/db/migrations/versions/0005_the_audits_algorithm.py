"""The audit's algorithm: entries from here on are signed with the installation's key."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    column = sa.Column("algorithm", sa.String(length=40), server_default="sha256", nullable=False)
    op.add_column("audit_entry", column)


def downgrade() -> None:
    """Go down: entries signed with the key are kept, and told broken by a version that knows no key."""
    op.drop_column("audit_entry", "algorithm")
