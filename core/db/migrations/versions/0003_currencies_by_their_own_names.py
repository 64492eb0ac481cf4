"""Currencies that nobody renamed are called as the reader's language calls them: their stored names go."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

GIVEN = {
    "CNY": "人民币", "USD": "US dollar", "EUR": "Euro", "HKD": "港币", "JPY": "日本円", "GBP": "Pound sterling",
}  # fmt: skip


def upgrade() -> None:
    """Go up."""
    _rename({code: (name, "") for code, name in GIVEN.items()})


def downgrade() -> None:
    """Go down."""
    _rename({code: ("", name) for code, name in GIVEN.items()})


def _rename(names: dict[str, tuple[str, str]]) -> None:
    currency = sa.table("currency", sa.column("code"), sa.column("name"))
    for code, (before, after) in names.items():
        op.execute(sa.update(currency).where(currency.c.code == code, currency.c.name == before).values(name=after))
