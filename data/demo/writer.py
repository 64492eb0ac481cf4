"""Writing many rows fast in one transaction: plain tuples on SQLite, COPY on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.schema import CreateIndex, DropIndex

from core.db.change_log import LOGGED, SUBJECT, drop_triggers, install_triggers
from core.db.engine import WRITING
from core.model import metadata

_MANY = ("customer", "contact", "deal", "deal_line", "stage_move", "deal_change", "activity", "quota")
_WHILE_LOADING = ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-256000", "threads=2")
_AFTERWARDS = ("foreign_keys=ON", "synchronous=NORMAL", "cache_size=-32000", "threads=0")


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

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write rows; each is a value a column, in the order of `columns`."""
        said = ", ".join(f'"{column}"' for column in columns)
        if self._copies:
            with self._driver.cursor() as cursor, cursor.copy(f"COPY {name} ({said}) FROM STDIN") as copy:
                copy.write("".join(map(_copied, rows)))
        else:
            places = ", ".join("?" * len(columns))
            self._driver.executemany(f"INSERT INTO {name} ({said}) VALUES ({places})", rows)  # noqa: S608 - our names
        self.rows_of[name] = self.rows_of.get(name, 0) + len(rows)

    def finish(self) -> None:
        """Tell the change log that the tables changed whole; set PostgreSQL's sequences behind the rows."""
        subjects = sorted({SUBJECT.get(name, name) for name in self.rows_of.keys() & LOGGED.keys()})
        self.connection.execute(
            insert(metadata.tables["change_log"]), [{"subject": subject, "key": None} for subject in subjects]
        )
        for name in sorted(self.rows_of) if self._copies else ():
            self.connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"  # noqa: S608
            )


def _copied(row: Sequence[Any]) -> str:
    """Return a row in COPY's text format; the generator's texts hold no tab, line end or backslash."""
    return "\t".join(["\\N" if value is None else str(value) for value in row]) + "\n"


@contextmanager
def bulk_writing(engine: Engine, *, large: bool) -> Iterator[BulkWriter]:
    """Give a writer in one transaction, committed at the end, with the change log's triggers off.

    large: make the many-rowed tables' indexes anew at the end, instead of row by row. The rows
    come from one consistent generator, so SQLite checks no foreign key meanwhile.
    """
    with engine.execution_options(**{WRITING: True}).connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            _set(connection, _WHILE_LOADING)
        try:
            with connection.begin():
                if not is_sqlite:
                    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
                drop_triggers(connection)
                indexes = [index for name in _MANY for index in metadata.tables[name].indexes if large]
                for index in indexes:
                    connection.execute(DropIndex(index, if_exists=True))
                writer = BulkWriter(connection)
                yield writer
                for index in sorted(indexes, key=lambda index: str(index.name)):
                    connection.execute(CreateIndex(index))
                writer.finish()
                install_triggers(connection)
        finally:
            if is_sqlite:
                _set(connection, _AFTERWARDS)


def _set(connection: Connection, pragmas: tuple[str, ...]) -> None:
    driver: Any = connection.connection.driver_connection
    for pragma in pragmas:
        driver.execute(f"PRAGMA {pragma}").close()
