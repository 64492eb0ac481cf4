"""The triggers that write `change_log` in the transaction of the change itself.

For what hangs on a deal the key is the deal's number; every other table's key is the row's own.
On PostgreSQL the row keeps its transaction's number too, so that a late commit is not missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import inspect

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOGGED: dict[str, str] = {
    "deal": "id", "deal_line": "deal_id", "stage_move": "deal_id", "deal_change": "deal_id", "activity": "id",
    "quota": "id", "customer": "id", "rep": "id", "team": "id", "territory": "id", "stage": "id",
    "pipeline": "id", "channel": "id", "product": "id", "lost_reason": "id", "setting": "id", "fx_rate": "id",
    "word_pair": "id", "rep_leave": "id", "acquisition_cost": "id", "credit_share": "deal_id",
}  # fmt: skip
"""Tables whose changes the mirror follows, and the column that names the row to load again."""

SUBJECT = {"deal_line": "deal", "stage_move": "deal", "deal_change": "deal", "credit_share": "deal"}
_EVENTS = ("INSERT", "UPDATE", "DELETE")


def install_triggers(connection: Connection) -> None:
    """Make the triggers of every logged table that is there; make none twice."""
    present = set(inspect(connection).get_table_names())
    if "change_log" not in present:
        return
    for table, key in LOGGED.items():
        if table in present:
            for event in _EVENTS:
                _install(connection, table, key, event)


def drop_triggers(connection: Connection) -> None:
    """Take the triggers away, for a migration or a bulk load that logs its changes itself."""
    present = set(inspect(connection).get_table_names())
    for table in LOGGED:
        if table in present:
            for event in _EVENTS:
                suffix = f" ON {table}" if connection.dialect.name == "postgresql" else ""
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS log_{table}_{event.lower()}{suffix}")


def _install(connection: Connection, table: str, key: str, event: str) -> None:
    name, subject = f"log_{table}_{event.lower()}", SUBJECT.get(table, table)
    if connection.dialect.name == "sqlite":
        row = "OLD" if event == "DELETE" else "NEW"
        connection.exec_driver_sql(
            f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {event} ON {table} BEGIN "
            f"INSERT INTO change_log (subject, key) VALUES ('{subject}', {row}.{key}); END"
        )
        return
    rows = "gone" if event == "DELETE" else "come"
    connection.exec_driver_sql(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"INSERT INTO change_log (subject, key) SELECT DISTINCT '{subject}', {key} FROM {rows}; "
        "RETURN NULL; END $$"
    )
    connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    connection.exec_driver_sql(
        f"CREATE TRIGGER {name} AFTER {event} ON {table} "
        f"REFERENCING {'OLD' if event == 'DELETE' else 'NEW'} TABLE AS {rows} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
    )
