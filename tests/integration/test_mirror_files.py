"""A mirror on disk is taken over by the next start, built by a child where it is large, and never trusted blindly."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from random import Random
from threading import Event, Thread
from time import sleep
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pytest

from core.access.actors import Scope
from core.db import mirror as mirrors
from core.db.engine import WRITING
from core.db.mirror_build import Plan
from core.db.mirror_builder import BuildFailed
from core.db.mirror_days import Days
from core.db.mirror_statements import day_of
from core.db.work import Database
from tests.conftest import SHANGHAI
from tests.histories import random_change, random_deals
from tests.integration.test_mirror_increments import contents

EVERYTHING = Scope.everything()


@contextmanager
def started(url, folder):
    """The program started once more on the same database and data folder."""
    database = Database(url, zone=SHANGHAI, mirror_folder=folder)
    try:
        yield database.mirror
    finally:
        database.close()


def files(folder):
    return sorted(path.name for path in folder.glob("*.duckdb"))


def refuse(*_args, **_kwargs):
    pytest.fail("a mirror was built though one was there")


def test_the_next_start_goes_on_where_the_last_one_stopped(company, tmp_path, monkeypatch):
    random, url = Random(3), company.database.url
    random_deals(company, random, 8)
    with started(url, tmp_path / "m") as mirror:
        mirror.refresh()
    for _change in range(5):
        random_change(company, random)
    company.database.mirror.refresh()
    monkeypatch.setattr(mirrors, "build", refuse)
    with started(url, tmp_path / "m") as mirror:
        mirror.refresh()
        assert contents(mirror) == contents(company.database.mirror)
        random_change(company, random)
        mirror.refresh()
    with started(url, tmp_path / "m") as mirror:
        assert contents(mirror) == contents(company.database.mirror)


def test_an_engine_that_gave_up_is_opened_anew_before_anybody_saves(small_company, tmp_path, monkeypatch, caplog):
    random_deals(small_company, Random(4), 6)
    with started(small_company.database.url, tmp_path / "m") as mirror:
        version, before = mirror.refresh(), contents(mirror)
        monkeypatch.setattr(mirrors, "build", refuse)
        mirror._connection.close()
        assert contents(mirror) == before
        assert mirror.version > version, "nothing of what it had answered is kept"
        assert "gave up" in caplog.text


def test_a_change_of_words_in_the_mirrors_own_program_builds_it_anew(company, tmp_path, monkeypatch):
    company.deal()
    with started(company.database.url, tmp_path / "m") as mirror:
        mirror.refresh()
    old = files(tmp_path / "m")
    monkeypatch.setattr(Plan, "fingerprint", "another")
    with started(company.database.url, tmp_path / "m") as mirror:
        assert contents(mirror) == contents(company.database.mirror)
    assert len(files(tmp_path / "m")) == 1
    assert files(tmp_path / "m") != old


def test_an_older_state_of_the_database_is_not_mistaken_for_the_newer(small_company, tmp_path):
    """A backup was restored: the log goes on from there with other changes under the same numbers."""
    path, kept = tmp_path / "luopan.db", tmp_path / "kept.db"
    small_company.deal(name="first")
    database = small_company.database
    database.engine.dispose()
    shutil.copy(path, kept)
    small_company.deal(name="second")
    with started(database.url, tmp_path / "m") as mirror:
        mirror.refresh()
    database.close()
    for beside in ("-wal", "-shm"):
        path.with_name(path.name + beside).unlink(missing_ok=True)
    shutil.copy(kept, path)
    for _round in range(3):
        small_company.deal(name="third")

    with started(database.url, tmp_path / "m") as mirror:
        names = sorted(
            name for (name,) in mirror.scoped(EVERYTHING)._reading().sql("SELECT name FROM deals").fetchall()
        )
    assert names == ["first", "third", "third", "third"]


def test_what_another_process_holds_is_left_alone(small_company, tmp_path):
    small_company.deal()
    with started(small_company.database.url, tmp_path / "m") as mirror:
        mirror.refresh()
    (held,) = files(tmp_path / "m")
    hold = f"import duckdb; c = duckdb.connect({str(tmp_path / 'm' / held)!r}); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "held\n"
        with started(small_company.database.url, tmp_path / "m") as mirror:
            assert len(contents(mirror)["deals"]) == 1
            assert len(files(tmp_path / "m")) == 2
        other.communicate("\n")


def test_what_is_no_mirror_is_cleared_away(small_company, tmp_path):
    small_company.deal()
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "mirror-broken.duckdb").write_bytes(b"no database" * 1000)
    duckdb.connect(str(folder / "mirror-empty.duckdb")).close()
    with started(small_company.database.url, folder) as mirror:
        assert len(contents(mirror)["deals"]) == 1
    assert not {"mirror-broken.duckdb", "mirror-empty.duckdb"} & set(files(folder))


def test_a_mirror_that_cannot_be_opened_for_the_moment_stays(small_company, tmp_path, monkeypatch, caplog):
    """No memory, no handle, no right: what passes by is no reason to build a large company's numbers anew."""
    kept, connect = tmp_path / "m" / "mirror-kept.duckdb", duckdb.connect
    kept.parent.mkdir()
    kept.write_bytes(b"")

    def refused(path, *args, **kwargs):
        if path == str(kept):
            raise duckdb.IOException("Cannot open file: Too many open files")
        return connect(path, *args, **kwargs)

    monkeypatch.setattr(duckdb, "connect", refused)
    with started(small_company.database.url, kept.parent) as mirror:
        mirror.refresh()
    assert kept.exists()
    assert "Too many open files" in caplog.text


def test_nobody_takes_a_mirror_over_while_a_child_builds_it(small_company, tmp_path):
    """One that builds holds its file under another name; what a dead one left is cleared away."""
    folder = tmp_path / "m"
    folder.mkdir()
    duckdb.connect(str(folder / "building-mirror-dead.duckdb")).close()
    alive = folder / "building-mirror-alive.duckdb"
    hold = f"import duckdb; c = duckdb.connect({str(alive)!r}); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "held\n"
        with started(small_company.database.url, folder) as mirror:
            mirror.refresh()
        assert [name for name in files(folder) if name.startswith("building")] == [alive.name]
        child.communicate("\n")


def test_a_child_builds_the_same_mirror(company, tmp_path, monkeypatch):
    random_deals(company, Random(5), 12)
    company.database.mirror.refresh()
    monkeypatch.setattr(mirrors, "_LARGE", 0)
    monkeypatch.setattr(mirrors, "build", refuse)
    with started(company.database.url, tmp_path / "m") as mirror:
        followed = contents(mirror)
        random_change(company, Random(6))
        mirror.refresh()
        assert contents(mirror) == contents(company.database.mirror) != followed
        assert [name.split("-")[0] for name in files(tmp_path / "m")] == ["mirror"]


def test_a_child_that_fails_is_done_without(small_company, tmp_path, monkeypatch, caplog):
    def fail(*_args, **_kwargs):
        raise BuildFailed("no memory")

    small_company.deal()
    monkeypatch.setattr(mirrors, "_LARGE", 0)
    monkeypatch.setattr(mirrors, "build_by_child", fail)
    with started(small_company.database.url, tmp_path / "m") as mirror:
        assert len(contents(mirror)["deals"]) == 1
    assert "no memory" in caplog.text


def test_the_old_state_is_served_while_a_large_mirror_is_built_anew(small_company, tmp_path, monkeypatch):
    small_company.deal()
    go_on, begun, build = Event(), Event(), mirrors.build_by_child

    def wait(plan, path, *, progress):
        begun.set()
        progress(0.25)
        assert go_on.wait(60)
        build(plan, path, progress=progress)

    with started(small_company.database.url, tmp_path / "m") as mirror:
        first = mirror.refresh()
        monkeypatch.setattr(mirrors, "_LARGE", 0)
        monkeypatch.setattr(mirrors, "build_by_child", wait)
        small_company.deal()
        engine = small_company.database.engine.execution_options(**{WRITING: True})
        with engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO change_log (subject, key) VALUES ('deal', NULL)")

        assert mirror.refresh() == first
        assert begun.wait(60)
        assert mirror.built == 0.25
        assert len(contents(mirror)["deals"]) == 1
        builder = mirror._builder
        go_on.set()
        builder.join(120)
        assert mirror.built == 1.0
        assert mirror.refresh() > first
        assert len(contents(mirror)["deals"]) == 2
    assert len(files(tmp_path / "m")) == 1


def wear(company, mirror, random):
    """Have the mirror follow three changes, one after the other."""
    for _change in range(3):
        random_change(company, random)
        mirror.refresh()


def test_a_mirror_that_followed_many_deals_is_built_anew_once_nothing_changes(small_company, tmp_path, monkeypatch):
    """The rows of deals loaded again lie out of order: questions took half as long again with a tenth of them so."""
    monkeypatch.setattr(mirrors, "_LARGE", 0)
    monkeypatch.setattr(mirrors, "ROW_GROUP", 0)
    monkeypatch.setattr(mirrors, "_WORN", 0.1)
    random, url = Random(8), small_company.database.url
    random_deals(small_company, random, 4)
    with started(url, tmp_path / "m") as mirror:
        first = mirror.refresh()
        wear(small_company, mirror, random)
        assert mirror.refresh() == first + 3, "something changed a moment ago"
    (worn,) = files(tmp_path / "m")
    monkeypatch.setattr(mirrors, "_LULL", 0.0)
    with started(url, tmp_path / "m") as mirror:
        assert mirror.refresh() >= first
        if (builder := mirror._builder) is not None:
            builder.join(120)
        second = mirror.version
        assert contents(mirror) == contents(small_company.database.mirror)
        assert mirror.version == second, "it is built once"
    assert len(files(tmp_path / "m")) == 1
    assert files(tmp_path / "m") != [worn]


def test_a_worn_mirror_that_cannot_be_built_anew_goes_on_as_it_is(small_company, tmp_path, monkeypatch):
    def full():
        tried.append(True)
        raise duckdb.IOException("No space left on device")

    tried, random = [], Random(8)
    random_deals(small_company, random, 4)
    for name, value in {"_LARGE": 0, "ROW_GROUP": 0, "_WORN": 0.1}.items():
        monkeypatch.setattr(mirrors, name, value)
    with started(small_company.database.url, tmp_path / "m") as mirror:
        mirror.refresh()
        wear(small_company, mirror, random)
        monkeypatch.setattr(mirrors, "_LULL", 0.0)
        monkeypatch.setattr(mirror, "_made", full)
        before = mirror.refresh()
        if (builder := mirror._builder) is not None:
            builder.join(120)
        random_change(small_company, random)
        assert mirror.refresh() > before
        assert contents(mirror) == contents(small_company.database.mirror)
        assert tried == [True], "it is tried once"


def test_closing_ends_a_building_under_way(small_company, tmp_path, monkeypatch):
    begun, closing = Event(), Event()

    def build(_plan, _path, *, progress):
        begun.set()
        assert closing.wait(60)
        progress(0.5)
        pytest.fail("the building went on")

    small_company.deal()
    monkeypatch.setattr(mirrors, "_LARGE", 0)
    monkeypatch.setattr(mirrors, "build_by_child", build)
    database = Database(small_company.database.url, zone=SHANGHAI, mirror_folder=tmp_path / "m")
    opening = Thread(target=database.mirror.open)
    opening.start()
    assert begun.wait(60)
    closer = Thread(target=database.close)
    closer.start()
    while not database.mirror._stopping:
        sleep(0.01)
    closing.set()
    closer.join(60)
    opening.join(60)
    assert not closer.is_alive()
    assert not opening.is_alive()


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Europe/London", "America/New_York", "Asia/Tokyo"])
def test_a_zones_days_are_those_of_the_zone(zone):
    random = Random(1)
    seconds = [random.randrange(-600_000_000, 2_500_000_000) for _turn in range(3000)]
    connection = duckdb.connect()
    connection.execute(f"CREATE MACRO company_day(instant) AS {day_of(zone)}")
    found = connection.execute(
        "SELECT company_day(make_timestamp(s * 1000000)) FROM (SELECT unnest(?) AS s)", [seconds]
    ).fetchall()
    expected = [datetime.fromtimestamp(s, tz=UTC).astimezone(ZoneInfo(zone)).date() for s in seconds]
    assert [day for (day,) in found] == expected
    days = Days(zone).of(np.array(seconds) * 1_000_000)
    assert days.astype("datetime64[D]").tolist() == expected


class Used:
    """A connection of which a reader is making a cursor for the first few times that it shall close."""

    def __init__(self, times):
        self.refusals, self.closed = times, False

    def close(self):
        if self.refusals:
            self.refusals -= 1
            raise duckdb.ResourceInUseException("connection is busy with another call")
        self.closed = True


def test_a_connection_that_a_reader_uses_is_closed_a_moment_later(monkeypatch):
    used = Used(3)
    mirrors._close(used)
    assert used.closed
    monkeypatch.setattr(mirrors, "_MOMENT", 0.01)
    with pytest.raises(duckdb.ResourceInUseException):
        mirrors._close(Used(10_000))
