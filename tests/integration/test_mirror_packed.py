"""The mirror reads PostgreSQL by columns that the server packs: it finds what reading row by row finds."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import make_url

from core.db import mirror_packed
from core.db.mirror_packed import read_packed

pytestmark = pytest.mark.postgres

KINDS = {
    "number": pa.int64(), "small": pa.int32(), "share": pa.float64(), "flag": pa.bool_(), "said": pa.string(),
    "day": pa.date32(), "instant": pa.timestamp("us"),
}  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
        st.none() | st.integers(-(2**31) + 1, 2**31 - 1),
        st.none() | st.floats(allow_nan=False),
        st.none() | st.booleans(),
        st.none() | TEXTS | st.sampled_from(["", "\x1e", "\x1f", "\x1e\x1f", "甲\x1f乙", "\x1e\x1e", "🙂"]),
        st.none() | st.dates(),
        st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def connection(postgres):
    address = make_url(postgres).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(address, autocommit=True)) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(
            "CREATE TEMP TABLE anything (number bigint, small integer, share float, flag boolean, said varchar,"
            " day date, instant timestamptz)"
        )
        yield connection


def stored(connection, rows):
    connection.execute("TRUNCATE anything")
    with connection.cursor() as cursor:
        told = [(*row[:6], row[6] and row[6].replace(tzinfo=UTC)) for row in rows]
        cursor.executemany("INSERT INTO anything VALUES (%s, %s, %s, %s, %s, %s, %s)", told)


def read(connection, asked=None):
    def ask(sql):
        if asked is not None:
            asked.append(sql)
        return connection.cursor(binary=True).execute(sql).fetchone()

    return read_packed(ask, "SELECT * FROM anything", KINDS)


@settings(deadline=None, max_examples=80)
@given(rows=ROWS)
def test_packed_columns_are_the_rows_that_were_stored(connection, rows):
    stored(connection, rows)

    found = read(connection)

    assert found.schema == pa.schema(KINDS.items())
    assert [tuple(row.values()) for row in found.to_pylist()] == rows


def test_lengths_are_asked_for_only_where_a_text_holds_what_stands_between_texts(connection):
    day = date(2026, 3, 1)
    for said, times in (("plain", 1), ("\x1f", 2), ("\x1e", 2)):
        stored(connection, [(1, 1, 1.5, True, each, day, None) for each in (said, None, "")])
        asked = []

        found = read(connection, asked)

        assert found["said"].to_pylist() == [said, None, ""]
        assert len(asked) == times


def test_a_table_without_rows_has_columns_all_the_same(connection):
    stored(connection, [])

    assert read(connection) == pa.schema(KINDS.items()).empty_table()
    assert mirror_packed._SENT.keys() == set(KINDS.values())
