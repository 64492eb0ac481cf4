"""A large demo company is written into SQLite's file page by page; SQLite finds what it would have written itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.db.migrate import migrate
from core.db.work import Database
from data.demo import btree, file_pages, load_demo, writer
from data.demo.columns import HUNDREDTHS, NULL, WHOLE, Column, Pairs, Texts, Words, rows_of, whole
from data.demo.file_pages import FilePages, plan_of

UNTIL = date(2026, 6, 30)
DEALS = 6_000


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """The same company twice: page by page, and by statements because another connection has the file open."""
    folder = tmp_path_factory.mktemp("pages")
    paths = {"pages": folder / "pages.db", "statements": folder / "statements.db"}
    for way, path in paths.items():
        migrate(f"sqlite:///{path}")
        database = Database(f"sqlite:///{path}", zone=ZoneInfo("Asia/Shanghai"))
        with closing(sqlite3.connect(path)) as other:
            if way == "statements":
                other.execute("BEGIN")
                other.execute("SELECT count(*) FROM deal").fetchone()
            load_demo(database, deals=DEALS, seed=3, until=UNTIL)
        database.close()
    return paths


def test_sqlite_finds_pages_rows_indexes_and_references_whole(written):
    with closing(sqlite3.connect(written["pages"])) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_both_ways_write_the_same_company(written):
    with closing(sqlite3.connect(written["pages"])) as connection:
        connection.execute("ATTACH ? AS other", (str(written["statements"]),))
        tables = [name for (name,) in connection.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")]
        assert {"deal", "deal_line", "stage_move", "deal_change", "activity"} <= set(tables)
        for name in set(tables) - {"app_user", "audit_entry"}:  # a new passphrase each time
            for one, two in (("main", "other"), ("other", "main")):
                only = f"SELECT * FROM {one}.{name} EXCEPT SELECT * FROM {two}.{name}"
                assert connection.execute(only).fetchall() == [], (name, one)


def test_only_the_pages_way_replaces_the_file(written, monkeypatch):
    used = []
    monkeypatch.setattr(writer.FileWriter, "append", lambda _self, name, _block: used.append(name))
    path = written["pages"].with_name("third.db")
    migrate(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}", zone=ZoneInfo("Asia/Shanghai"))
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM deal").fetchone()
        load_demo(database, deals=DEALS, seed=3, until=UNTIL)
    database.close()

    assert used == []


def test_a_load_that_fails_leaves_the_database_empty_and_no_draft(tmp_path, monkeypatch):
    path = tmp_path / "failing.db"
    migrate(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}", zone=ZoneInfo("Asia/Shanghai"))

    def fail(*_args: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(file_pages.FilePages, "_place", fail)
    with pytest.raises(OSError, match="no space left"):
        load_demo(database, deals=DEALS, until=UNTIL)

    with database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM customer").scalar() == 0
    database.close()
    assert [file.name for file in tmp_path.iterdir()] == ["failing.db"]


SEVENS = np.full((4_000, 3), ord("7"), dtype=np.uint8)
WORDS = Words(["", "甲", "beta", "ab" * 40, "项目 · 数据"], start=3)
INSTANTS = Pairs(Words(["2026-01-01", "2026-01-02"]), Words([f" {hour}" for hour in range(9)]))


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32), count=st.integers(300, 4000), page_size=st.sampled_from([1024, 4096]))
def test_any_rows_come_back_from_the_pages(tmp_path_factory, seed, count, page_size):
    """Numbers of all widths, gaps, texts of several lengths; tables and indexes of one to many levels."""
    path = tmp_path_factory.mktemp("any") / "any.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size={page_size}")
        connection.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, number INTEGER, word TEXT, share REAL, at TEXT, said TEXT, "
            "gap INTEGER, never INTEGER, UNIQUE (never)) STRICT"
        )
        for name, said in (
            ("a", "(number)"), ("b", "(word, number)"), ("c", "(at, id)"), ("d", "(gap)"),
            ("downward", "(word DESC)"), ("partial", "(number) WHERE number > 5"), ("folded", "(lower(word))"),
        ):  # fmt: skip
            connection.execute(f"CREATE INDEX {name} ON t {said}")
        plan = plan_of(connection, "t")
    assert sorted(plan.rest) == ["downward", "folded", "partial"]

    rng = np.random.default_rng(seed)
    block = {
        "number": whole(rng.integers(NULL, 1 << rng.integers(1, 45), size=count)),
        "word": Column(WORDS, rng.choice([NULL, 3, 4, 5, 6, 7], count)),
        "share": Column(HUNDREDTHS, rng.integers(NULL, 101, size=count)),
        "at": Column(INSTANTS, np.arange(count) % 18),
        "said": Column(
            Texts(np.full((count, 3), ord("7"), dtype=np.uint8), 1 + np.arange(count) % 3), np.arange(count)
        ),
        "gap": Column(WHOLE, rng.integers(NULL, 1, size=count)),
    }
    pages = FilePages(path, {"t": plan})
    for _copy in range(2):
        pages.append("t", block)
    pages.finish()

    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for name in plan.rest:
            connection.execute(f"REINDEX {name}")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute("SELECT number, word, share, at, said, gap FROM t ORDER BY id").fetchall()
        assert found == rows_of(block) * 2
        indexed = connection.execute("SELECT id FROM t INDEXED BY b ORDER BY word, number, id").fetchall()
        assert indexed == connection.execute("SELECT id FROM t NOT INDEXED ORDER BY word, number, id").fetchall()


def test_the_page_that_sqlite_locks_is_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(file_pages, "_LOCK_BYTE", 20 * 4096)
    path = tmp_path / "lock.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, number INTEGER) STRICT")
        plan = plan_of(connection, "t")
    pages = FilePages(path, {"t": plan})
    for _block in range(3):
        pages.append("t", {"number": whole(np.arange(8_000))})
    pages.finish()

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*), sum(number) FROM t").fetchone() == (24_000, 3 * 7_999 * 4_000)
        (said,) = connection.execute("PRAGMA integrity_check").fetchall()
        assert "age 21" in said[0]
        assert "never used" in said[0]
    content = path.read_bytes()[20 * 4096 : 21 * 4096]
    assert not any(content)


def test_rows_too_wide_for_a_page_are_refused():
    wide = Words(["x" * 20_000])
    with pytest.raises(ValueError, match="too wide"):
        btree.table_cells(np.ones(1, dtype=np.int64), [wide.stored(np.zeros(1, dtype=np.int64))])
