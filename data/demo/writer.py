"""Writing many rows fast: statements on plain tuples, COPY, or whole pages of a SQLite file."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.schema import CreateIndex, DropIndex

from core.db.change_log import LOGGED, SUBJECT, drop_triggers, install_triggers
from core.db.engine import WRITING, open_engine
from core.model import metadata
from data.demo.columns import Block, rows_of
from data.demo.file_pages import FilePages, plan_of

_OF_DEALS = ("deal", "deal_line", "stage_move", "deal_change", "credit_share", "activity")
_OTHERS = ("customer", "contact", "quota")
_WHILE_LOADING = ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-256000", "threads=2")
_AFTERWARDS = ("foreign_keys=ON", "synchronous=NORMAL", "cache_size=-32000", "threads=0")
_LARGE = 5_000
"""Deals above which indexes are made at the end, and a SQLite file is written page by page."""


class BulkWriter:
    """Takes rows as the database keeps them: texts for instants and days, hundredths for money."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows_of: dict[str, int] = {}

    def first_id(self, name: str) -> int:
        """Return the first free number of a table."""
        column = metadata.tables[name].c.id
        return int(self.connection.scalar(select(func.coalesce(func.max(column), 0))) or 0) + 1

    @contextmanager
    def deals(self) -> Iterator[None]:
        """Hold for all calls of `append`; nothing else may be written meanwhile."""
        yield

    def append(self, name: str, block: Block) -> None:
        """Write a block of one of the tables of deals, behind what is there."""
        self.insert(name, tuple(block), rows_of(block))

    def insert(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write rows; each is a value a column, in the order of `columns`."""
        said = ", ".join(f'"{column}"' for column in columns)
        driver: Any = self.connection.connection.driver_connection
        if self.connection.dialect.name == "postgresql":
            with driver.cursor() as cursor, cursor.copy(f"COPY {name} ({said}) FROM STDIN") as copy:
                copy.write("".join(map(_copied, rows)))
        else:
            places = ", ".join("?" * len(columns))
            driver.executemany(f"INSERT INTO {name} ({said}) VALUES ({places})", rows)  # noqa: S608 - our names
        self._count(name, len(rows))

    def finish(self) -> None:
        """Tell the change log that the tables changed whole; set PostgreSQL's sequences behind the rows."""
        subjects = sorted({SUBJECT.get(name, name) for name in self.rows_of.keys() & LOGGED.keys()})
        self.connection.execute(
            insert(metadata.tables["change_log"]), [{"subject": subject, "key": None} for subject in subjects]
        )
        for name in sorted(self.rows_of) if self.connection.dialect.name == "postgresql" else ():
            self.connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"  # noqa: S608
            )

    def _count(self, name: str, rows: int) -> None:
        self.rows_of[name] = self.rows_of.get(name, 0) + rows


class FileWriter(BulkWriter):
    """Writes the tables of deals as pages of a SQLite file that it has for itself, the others by statements."""

    def __init__(self, path: Path) -> None:
        self._engine = open_engine(f"sqlite:///{path}").execution_options(**{WRITING: True})
        self._path = path
        super().__init__(self._opened())

    @contextmanager
    def deals(self) -> Iterator[None]:
        """Give the file from SQLite's hands, and take it back with the pages and indexes."""
        driver: Any = self.connection.connection.driver_connection
        plans = {name: plan_of(driver, name) for name in _OF_DEALS}
        self.close()
        self._pages = FilePages(self._path, plans)
        try:
            yield
            self._pages.finish()
        finally:
            self._pages.close()
        self.connection = self._opened()
        for name in (name for plan in plans.values() for name in plan.rest):
            self.connection.exec_driver_sql(f"REINDEX {name}")

    def append(self, name: str, block: Block) -> None:
        """Write a block of one of the tables of deals, behind what is there."""
        self._pages.append(name, block)
        self._count(name, len(next(iter(block.values()))))

    def close(self) -> None:
        """Commit, and give the file from SQLite's hands."""
        self.connection.commit()
        self.connection.close()
        self._engine.dispose()

    def _opened(self) -> Connection:
        connection = self._engine.connect()
        _set(connection, ("journal_mode=OFF", *_WHILE_LOADING))
        connection.begin()
        return connection


@contextmanager
def bulk_writing(engine: Engine, *, deals: int) -> Iterator[BulkWriter]:
    """Give a writer for that many deals; all is there at the end, or nothing where an error ends it.

    The change log's triggers are off meanwhile. The rows come from one consistent generator, so SQLite checks no
    foreign key. Many deals go into a copy of a SQLite file, put in its place at the end, where no other connection
    has the file open.
    """
    large = deals >= _LARGE
    held = _alone(engine) if large else None
    if held is None:
        with _in_one_transaction(engine, large=large) as writer:
            yield writer
        return
    path = Path(engine.url.database or "")
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        held.execute("VACUUM INTO ?", (str(draft),)).close()
        held.execute("BEGIN EXCLUSIVE").close()
        writer = FileWriter(draft)
        drop_triggers(writer.connection)
        with _without_indexes(writer, _OTHERS):
            yield writer
        writer.finish()
        install_triggers(writer.connection)
        writer.close()
        draft.chmod(0o600)
        draft.replace(path)
    finally:
        held.close()
        draft.unlink(missing_ok=True)


def _alone(engine: Engine) -> sqlite3.Connection | None:
    """Return a connection to a SQLite file that nobody else has open, None where it is otherwise."""
    if engine.dialect.name != "sqlite" or not engine.url.database or engine.url.database == ":memory:":
        return None
    engine.dispose()
    found = sqlite3.connect(engine.url.database, timeout=0, isolation_level=None)
    try:
        found.execute("PRAGMA journal_mode=DELETE").close()
    except sqlite3.OperationalError:
        found.close()
        return None
    return found


@contextmanager
def _in_one_transaction(engine: Engine, *, large: bool) -> Iterator[BulkWriter]:
    with engine.execution_options(**{WRITING: True}).connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            _set(connection, _WHILE_LOADING)
        try:
            with connection.begin():
                if not is_sqlite:
                    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")
                drop_triggers(connection)
                writer = BulkWriter(connection)
                with _without_indexes(writer, (*_OF_DEALS, *_OTHERS) if large else ()):
                    yield writer
                writer.finish()
                install_triggers(connection)
        finally:
            if is_sqlite:
                _set(connection, _AFTERWARDS)


@contextmanager
def _without_indexes(writer: BulkWriter, tables: Sequence[str]) -> Iterator[None]:
    """Drop the tables' indexes, and make them anew at the end instead of row by row."""
    indexes = sorted((index for name in tables for index in metadata.tables[name].indexes), key=lambda i: str(i.name))
    for index in indexes:
        writer.connection.execute(DropIndex(index, if_exists=True))
    yield
    for index in indexes:
        writer.connection.execute(CreateIndex(index))


def _copied(row: Sequence[Any]) -> str:
    """Return a row in COPY's text format; the generator's texts hold no tab, line end or backslash."""
    return "\t".join(["\\N" if value is None else str(value) for value in row]) + "\n"


def _set(connection: Connection, pragmas: tuple[str, ...]) -> None:
    driver: Any = connection.connection.driver_connection
    for pragma in pragmas:
        driver.execute(f"PRAGMA {pragma}").close()
