"""Names in two languages: English names of accounts and contacts, deals that nobody named, the word list."""

import sqlalchemy as sa
from alembic import op

from core.model import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    for table in ("app_user", "contact"):
        op.add_column(table, sa.Column("name_en", sa.String(length=80), server_default="", nullable=False))
    op.add_column("deal", sa.Column("auto_named", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "word_pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("created_at", types.Instant(), nullable=False),
        sa.Column("updated_at", types.Instant(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.CheckConstraint("length(name) > 0 AND length(name_en) > 0", name=op.f("ck_word_pair_both_words")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_word_pair")),
        sa.UniqueConstraint("name", name=op.f("uq_word_pair_name")),
        sqlite_strict=True,
    )
    op.create_index("ix_word_pair_name_en", "word_pair", ["name_en"], unique=False)


def downgrade() -> None:
    """Go down."""
    op.drop_index("ix_word_pair_name_en", table_name="word_pair")
    op.drop_table("word_pair")
    op.drop_column("deal", "auto_named")
    for table in ("contact", "app_user"):
        op.drop_column(table, "name_en")
