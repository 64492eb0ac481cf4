"""The mirror reads whole tables by a fast way of its own: it must give what the plain way gives."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Date, DateTime, select
from sqlmodel import Field, MetaData, SQLModel, create_engine

from core.db import mirror_asked
from core.db.mirror_adbc import AdbcSource
from core.db.mirror_asked import open_source
from core.db.mirror_columns import kinds_of
from core.db.mirror_told import KEYS, Told


class Anything(SQLModel, table=True):
    metadata = MetaData()
    id: int = Field(primary_key=True)
    said: str | None = None
    number: int | None = None
    at: datetime | None = Field(default=None, sa_type=DateTime)
    on: datetime | None = Field(default=None, sa_type=Date)


TABLE = Anything.__table__
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
ROWS = st.lists(
    st.tuples(
        st.none() | TEXTS | st.sampled_from(["null", '"', "\\", "]\n[", "a,b", "", " ", "\r\n", "[1", "甲"]),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
        st.none() | st.dates(datetime(1900, 1, 1).date(), datetime(2200, 1, 1).date()),
    ),
    max_size=12,
)


def stored(tmp_path_factory, rows):
    engine = create_engine(f"sqlite:///{tmp_path_factory.mktemp('source')}/rows.db")
    Anything.metadata.create_all(engine)
    with engine.begin() as connection:
        for number, (said, count, at, on) in enumerate(rows):
            values = {"id": number * 7 + 1, "said": said, "number": count, "at": at, "on": on}
            connection.execute(TABLE.insert(), values)
    return engine


def both_ways(engine):
    source = open_source(engine)
    with source.snapshot():
        plain, fast = (source.read(select(TABLE), whole=whole) for whole in (False, True))
    source.close()
    engine.dispose()
    return plain.cast(fast.schema), fast


@settings(deadline=None, max_examples=60)
@given(rows=ROWS)
def test_a_whole_table_reads_the_same_as_row_by_row(tmp_path_factory, rows):
    plain, fast = both_ways(stored(tmp_path_factory, rows))

    assert fast.to_pylist() == plain.to_pylist()
    assert fast.column("said").to_pylist() == [row[0] for row in rows]


@settings(deadline=None, max_examples=60)
@given(rows=ROWS)
def test_the_childs_way_reads_the_same_also_where_a_column_begins_with_nothing(tmp_path_factory, rows):
    engine = stored(tmp_path_factory, [(None, None, None, None), *rows])
    plain, _fast = both_ways(engine)
    told = {"anything": Told(f"SELECT * FROM anything WHERE id {KEYS}", kinds_of(select(TABLE), flag=pa.int64()))}
    source = AdbcSource(engine.url.database, told)  # nothing else has the file open any more
    with source.snapshot():
        found = source.rows("anything", None)
    source.close()

    assert found.to_pylist() == plain.cast(found.schema).to_pylist()


@pytest.mark.parametrize("at_once", [1, 2, 50])
def test_no_row_is_lost_where_the_table_is_read_in_pieces(tmp_path_factory, monkeypatch, at_once):
    monkeypatch.setattr(mirror_asked, "_AT_ONCE", at_once)
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC).replace(tzinfo=None)
    rows = [(f"row {number}", number, noon, noon.date()) for number in range(5)]

    plain, fast = both_ways(stored(tmp_path_factory, rows))

    assert fast.column("number").to_pylist() == [0, 1, 2, 3, 4]
    assert fast.to_pylist() == plain.to_pylist()
    assert fast.column("at").to_pylist() == [noon] * 5
