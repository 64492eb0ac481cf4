"""The cast, on a small company, on either database."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from core import gate
from core.access.actors import SYSTEM, Actor
from core.db import migrate
from core.db.actors import actor_named
from core.db.engine import open_engine
from core.db.work import Database, Work
from core.i18n import use_language
from core.services.founding import found_company
from core.settings import settings
from tests.databases import drop_database, fresh_database, postgres_server
from tests.factories import NOW, Company

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Every test speaks English, in settings of its own and a data folder of its own."""
    monkeypatch.setenv("LUOPAN_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("LUOPAN_DATABASE_URL", raising=False)
    settings.cache_clear()
    use_language("en")
    yield
    settings.cache_clear()


@pytest.fixture(scope="session")
def founded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file with the standard process, to copy from."""
    path = tmp_path_factory.mktemp("founded") / "founded.db"
    _found(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server from the wheel."""
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def founded_postgres(postgres: str) -> str:
    """The address of a migrated PostgreSQL database with the standard process, to copy from."""
    url = fresh_database(postgres)
    _found(url)
    return url


def _found(url: str) -> None:
    engine = open_engine(url)
    migrate.upgrade(engine)
    engine.dispose()
    database = Database(url, zone=SHANGHAI)
    with database.writing(SYSTEM, now=NOW, action="found") as work:
        found_company(work)
    database.close()
    if url.startswith("sqlite"):
        checkpoint = open_engine(url)
        with checkpoint.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        checkpoint.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty founded database: once on SQLite, once on PostgreSQL."""
    if request.param == "sqlite":
        path = tmp_path / "luopan.db"
        shutil.copy(request.getfixturevalue("founded_sqlite"), path)
        url = f"sqlite:///{path}"
    else:
        url = fresh_database(request.getfixturevalue("founded_postgres"))
    opened = Database(url, zone=SHANGHAI)
    yield opened
    opened.close()
    if request.param == "postgres":
        drop_database(url)


@pytest.fixture
def sqlite_database(founded_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    """An empty founded SQLite database, for tests to which the engine does not matter."""
    path = tmp_path / "luopan.db"
    shutil.copy(founded_sqlite, path)
    opened = Database(f"sqlite:///{path}", zone=SHANGHAI)
    yield opened
    opened.close()


@pytest.fixture
def company(database: Database) -> Company:
    """The cast's company, on both databases in turn."""
    return Company(database)


@pytest.fixture
def small_company(sqlite_database: Database) -> Company:
    """The cast's company on SQLite alone."""
    return Company(sqlite_database)


def actor(company: Company, who: str) -> Actor:
    """Return the actor of a person of the cast."""
    return actor_named(company.database, who, now=NOW, origin="test")


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Company:
    """The company whose records a test makes (whichever of the two it asks for)."""
    name = "small_company" if "small_company" in request.fixturenames else "company"
    return request.getfixturevalue(name)


@pytest.fixture
def answer_as(make: Company) -> Callable[..., Any]:
    """Ask a query as somebody: `answer_as("leader", overview_kpis, period=…)`."""
    return lambda who, query, **values: gate.answer(make.database, actor(make, who), query, NOW, **values)


@pytest.fixture
def perform_as(make: Company) -> Callable[..., Any]:
    """Run a command as somebody, in a transaction of its own."""
    return lambda who, command, **values: gate.perform(make.database, actor(make, who), command, NOW, **values)


@pytest.fixture
def work_as(make: Company) -> Iterator[Callable[[str], Work]]:
    """Give open work as somebody, thrown away at the end of the test."""
    opened: list[Any] = []

    def start(who: str) -> Work:
        context = make.database.reading(actor(make, who), now=NOW)
        opened.append(context)
        return context.__enter__()

    yield start
    for context in opened:
        context.__exit__(None, None, None)
