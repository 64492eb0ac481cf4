"""A mirror on disk writes its log into its tables in a lull, and never in anybody's way."""

from __future__ import annotations

from functools import partial
from random import Random

import duckdb
import pytest

from core.db import mirror as mirrors
from core.db.mirror_log import Log
from core.db.work import Database
from tests.conftest import SHANGHAI
from tests.histories import random_change, random_deals
from tests.integration.test_mirror_increments import contents


@pytest.fixture
def connection(tmp_path):
    with duckdb.connect(str(tmp_path / "mirror.duckdb")) as opened:
        opened.execute("CREATE TABLE numbers (n BIGINT)")
        opened.execute("CHECKPOINT")
        yield opened


def length(tmp_path):
    log = tmp_path / "mirror.duckdb.wal"
    return log.stat().st_size if log.is_file() else 0


def written(log):
    log._writer.join()


def test_a_full_log_is_written_into_the_tables_once_nothing_changes(connection, tmp_path):
    log = Log(connection, full=1, lull=0)
    connection.execute("INSERT INTO numbers SELECT range FROM range(1000)")
    assert length(tmp_path) > 0

    log.grew()
    written(log)

    assert length(tmp_path) == 0
    assert connection.execute("SELECT sum(n) FROM numbers").fetchone() == (499_500,)


def test_a_short_log_is_left_alone(connection, tmp_path):
    log = Log(connection, full=1_000_000, lull=0)
    connection.execute("INSERT INTO numbers VALUES (1)")

    log.grew()

    assert log._writer is None
    assert length(tmp_path) > 0


def test_each_change_puts_the_writing_off_and_an_end_waits_no_longer(connection, tmp_path):
    log = Log(connection, full=1, lull=3600)
    connection.execute("INSERT INTO numbers VALUES (1)")
    log.grew()
    first = log._writer
    log.grew()

    assert not first.is_alive()
    assert log._writer.is_alive()
    log.stop()
    assert log._writer is None
    assert length(tmp_path) > 0


def test_a_change_under_way_is_not_disturbed_and_the_log_is_written_after_it(connection, tmp_path):
    log = Log(connection, full=1, lull=0.01)
    connection.execute("INSERT INTO numbers VALUES (1)")
    with connection.cursor() as changing:
        changing.execute("BEGIN")
        changing.execute("UPDATE numbers SET n = 3")
        log.grew()
        log._writer.join(0.1)
        assert log._writer.is_alive()
        assert length(tmp_path) > 0
        changing.execute("COMMIT")
    written(log)

    assert length(tmp_path) == 0
    assert connection.execute("SELECT sum(n) FROM numbers").fetchone() == (3,)


def test_who_still_reads_what_was_before_a_change_is_not_disturbed_either(connection, tmp_path):
    log = Log(connection, full=1, lull=0.01)
    connection.execute("INSERT INTO numbers VALUES (1)")
    with connection.cursor() as reading:
        reading.execute("BEGIN TRANSACTION READ ONLY")
        reading.execute("SELECT sum(n) FROM numbers").fetchall()
        connection.execute("UPDATE numbers SET n = 5")
        log.grew()
        log._writer.join(0.1)
        assert reading.execute("SELECT sum(n) FROM numbers").fetchone() == (1,)
        reading.execute("COMMIT")
    written(log)

    assert length(tmp_path) == 0


def test_a_mirror_on_disk_holds_the_same_with_its_log_written(company, tmp_path, monkeypatch):
    monkeypatch.setattr(mirrors, "Log", partial(Log, full=1, lull=0))
    random, folder = Random(3), tmp_path / "mirrors"
    random_deals(company, random, 4)
    database = Database(company.database.url, zone=SHANGHAI, mirror_folder=folder)
    database.mirror.refresh()
    random_change(company, random)
    database.mirror.refresh()
    written(database.mirror._log)

    assert not [path for path in folder.glob("*.wal") if path.stat().st_size]
    assert contents(database.mirror) == contents(company.database.mirror)
    database.close()
