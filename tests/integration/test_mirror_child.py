"""The child that builds a mirror reads PostgreSQL in a way of its own: it finds what the program itself reads."""

from __future__ import annotations

from contextlib import closing
from random import Random
from zoneinfo import ZoneInfo

import pytest

from core.db.mirror_adbc_postgres import AdbcPostgresSource
from core.db.mirror_build import _source_of
from core.db.mirror_columns import READ, statement_of
from core.db.mirror_source import open_source
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
    with closing(_source_of(database.url)) as child, closing(open_source(database.engine)) as own:
        assert isinstance(child, AdbcPostgresSource)
        for subject in READ:
            for keys in (None, range(1, 4)):
                statement = statement_of(subject, keys)
                with child.snapshot(), own.snapshot():
                    found, expected = (source.read(statement, whole=True) for source in (child, own))
                assert found.schema == expected.schema
                assert sorted(map(repr, found.to_pylist())) == sorted(map(repr, expected.to_pylist()))
        with child.snapshot(), own.snapshot():
            assert child.position() == own.position()
            assert child.extent("deal") == own.extent("deal") == (1, 5)
    database.close()
    drop_database(url)
