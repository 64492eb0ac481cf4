"""A mirror on disk writes its log into its tables in a lull, and never in anybody's way."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from functools import partial
from random import Random
from threading import Thread

import duckdb
import pytest
from sqlmodel import select

from core.access.actors import SYSTEM
from core.db import mirror as mirrors
from core.db.mirror_load import Loader
from core.db.mirror_log import Log
from core.db.work import Database
from core.model import Deal
from tests.conftest import SHANGHAI
from tests.factories import NOW
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


def test_a_log_that_is_written_while_deals_are_loaded_again_moves_none_of_their_rows(company, tmp_path, monkeypatch):
    """DuckDB puts worn parts of a table together when it writes its log, and so gives rows other places."""
    monkeypatch.setattr(mirrors, "Log", partial(Log, full=1, lull=3600))
    random_deals(company, Random(3), 40)
    database = Database(company.database.url, zone=SHANGHAI, mirror_folder=tmp_path / "mirrors")
    database.mirror.refresh()
    connection = database.mirror._connection
    _wear(connection)
    find = Loader._standing

    def found_and_written(self, keys, met):
        found = find(self, keys, met)
        writing = Thread(target=_written_if_it_may_be, args=(connection,))
        writing.start()
        writing.join(10)
        assert not writing.is_alive()
        return found

    monkeypatch.setattr(Loader, "_standing", found_and_written)
    with company.database.writing(SYSTEM, now=NOW, action="test") as work:
        for deal in list(work.session.exec(select(Deal).order_by(Deal.id)))[5:8]:
            deal.amount = deal.base_amount = Decimal(77)
    database.mirror.refresh()

    connection.execute("DELETE FROM deals WHERE id >= 1000000")
    assert contents(database.mirror)["deals"] == contents(company.database.mirror)["deals"]
    database.close()


def _wear(connection):
    """Add 100,000 deals, load three fifths of them again and then the company's own."""
    connection.execute("CREATE TEMP TABLE own AS SELECT * FROM deals")
    connection.execute(
        "CREATE TEMP TABLE others AS SELECT deal.* REPLACE (1000000 + range::INTEGER AS id) "
        "FROM (SELECT * FROM deals LIMIT 1) deal, range(100000)"
    )
    connection.execute("INSERT INTO deals FROM others")
    connection.execute("CHECKPOINT")
    again = [("others", f"id BETWEEN {at} AND {at + 999}") for at in range(1_000_000, 1_060_000, 1_000)]
    for table, which in [*again, ("own", "id < 1000000")]:
        connection.execute("BEGIN")
        connection.execute(f"DELETE FROM deals WHERE {which}")
        connection.execute(f"INSERT INTO deals FROM {table} WHERE {which}")
        connection.execute("COMMIT")


def _written_if_it_may_be(connection):
    with connection.cursor() as cursor, suppress(duckdb.TransactionException):
        cursor.execute("CHECKPOINT")
