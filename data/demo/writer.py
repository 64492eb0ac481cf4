"""Writing many rows fast in one transaction: plain tuples on SQLite, COPY on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, func, insert, select

from core.db.change_log import LOGGED, SUBJECT, drop_triggers, install_triggers
from core.db.engine import WRITING
from core.model import ChangeLog, metadata


class BulkWriter:
    """Takes rows as the database keeps them: texts for instants and days, hundredths for money."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows_of: dict[str, int] = {}
        self._driver: Any = connection.connection.driver_connection
        self._copies = connection.dialect.name == "postgresql"

    def first_id(self, name: str) -> int:
        """Return the first free number of a table."""
        column = metadata.tables[name].c.id
        return int(self.connection.scalar(select(func.coalesce(func.max(column), 0))) or 0) + 1

    def insert(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Write rows; each is a value a column, in the order of `columns`."""
        rows = rows if isinstance(rows, list) else list(rows)
        said = ", ".join(f'"{column}"' for column in columns)
        if self._copies:
            with self._driver.cursor() as cursor, cursor.copy(f"COPY {name} ({said}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join("?" * len(columns))
            self._driver.executemany(f"INSERT INTO {name} ({said}) VALUES ({places})", rows)
        self.rows_of[name] = self.rows_of.get(name, 0) + len(rows)

    def finish(self) -> None:
        """Tell the change log that the tables changed whole; set PostgreSQL's sequences behind the rows."""
        subjects = sorted({SUBJECT.get(name, name) for name in self.rows_of.keys() & LOGGED.keys()})
        log: Table = metadata.tables[str(ChangeLog.__tablename__)]
        self.connection.execute(insert(log), [{"subject": subject, "key": None} for subject in subjects])
        if self._copies:
            for name in sorted(self.rows_of):
                if "id" in metadata.tables[name].c:
                    self.connection.exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                    )


@contextmanager
def bulk_writing(engine: Engine) -> Iterator[BulkWriter]:
    """Give a writer in one transaction, committed at the end, with the change log's triggers off.

    The rows come from one consistent generator, so SQLite checks no foreign key meanwhile.
    """
    with engine.execution_options(**{WRITING: True}).connect() as connection:
        driver: Any = connection.connection.driver_connection
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            driver.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                if not is_sqlite:
                    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
                drop_triggers(connection)
                writer = BulkWriter(connection)
                yield writer
                writer.finish()
                install_triggers(connection)
        finally:
            if is_sqlite:
                driver.execute("PRAGMA foreign_keys=ON")
