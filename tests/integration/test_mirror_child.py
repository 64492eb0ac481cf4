"""The child that builds a mirror is told its statements: it reads what the program does, and loads next to nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from random import Random
from zoneinfo import ZoneInfo

import pytest

from core.db.mirror_asked import open_source
from core.db.mirror_builder import ROOT, _reads
from core.db.mirror_child import _source_of
from core.db.mirror_columns import READ
from core.db.work import Database
from tests.databases import drop_database, fresh_database
from tests.factories import Company
from tests.histories import random_change, random_deals


@pytest.mark.postgres
def test_the_child_reads_every_table_of_postgresql_as_the_program_does(founded_postgres):
    url, random = fresh_database(founded_postgres), Random(5)
    database = Database(url, zone=ZoneInfo("Asia/Shanghai"))
    company = Company(database)
    random_deals(company, random, 5)
    for _change in range(6):
        random_change(company, random)
    told = json.loads(json.dumps(_reads(database.url)))
    with closing(_source_of(database.url, told)) as child, closing(open_source(database.engine)) as own:
        assert type(child) is not type(own)
        for subject in READ:
            for keys in (None, range(1, 4), {1, 3}, set()):
                with child.snapshot(), own.snapshot():
                    found, expected = (source.rows(subject, keys) for source in (child, own))
                assert found.schema == expected.schema
                assert sorted(map(repr, found.to_pylist())) == sorted(map(repr, expected.to_pylist()))
        with child.snapshot(), own.snapshot():
            assert child.position() == own.position()
            assert child.extent("deal") == own.extent("deal") == (1, 5)
    database.close()
    drop_database(url)


@pytest.mark.parametrize("reader", ["mirror_adbc", "mirror_told"])
def test_the_child_loads_nothing_that_makes_statements(reader):
    """SQLAlchemy and the company's tables would take half a second of every build, on one core alone."""
    looked = f"import core.db.mirror_child, core.db.mirror_build, core.db.{reader}, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", looked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "core.db.mirror_load" in loaded.stdout.split()
    assert not {"sqlalchemy", "pydantic", "pandas", "core.model"} & set(loaded.stdout.split())
