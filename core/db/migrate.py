"""Bringing a database to the present schema, and the triggers that log its changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from core.db.change_log import drop_triggers, install_triggers
from core.db.engine import WRITING, open_engine

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_MIGRATIONS = Path(__file__).parent / "migrations"


def configuration(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration, working over `connection`."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Migrate up to `revision`. The change-log triggers are made anew, since rebuilt tables lose them."""
    with engine.execution_options(**{WRITING: True}).begin() as connection:
        drop_triggers(connection)
        command.upgrade(configuration(connection), revision)
        install_triggers(connection)


def downgrade(engine: Engine, revision: str) -> None:
    """Migrate down to `revision`; "base" leaves no table."""
    with engine.execution_options(**{WRITING: True}).begin() as connection:
        drop_triggers(connection)
        command.downgrade(configuration(connection), revision)
        install_triggers(connection)


def is_current(engine: Engine) -> bool:
    """Say whether the database stands at the newest revision."""
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return present == ScriptDirectory.from_config(configuration()).get_current_head()


def migrate(url: str) -> None:
    """Migrate the database at `url` to the newest revision, making an SQLite file where none is."""
    engine = open_engine(url)
    try:
        upgrade(engine)
    finally:
        engine.dispose()
