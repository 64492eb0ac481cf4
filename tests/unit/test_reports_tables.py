"""Exports open right in a spreadsheet, and run nothing there."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from core.i18n import use_language
from core.reports.tables import Column, csv_bytes, defused, records, shown, xlsx_bytes

SHANGHAI = ZoneInfo("Asia/Shanghai")
PAYLOADS = Path(__file__).resolve().parents[3] / "shared" / "data" / "messy" / "csv_injection" / "csv-payload.txt"
OWN_PAYLOADS = (
    "=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "＋1", "－1", "＠SUM(A1)",
    '=HYPERLINK("http://a.example","b")', "=cmd|'/C calc'!A0",
)  # fmt: skip
RUNS = tuple("=+-@\t\r\n＝＋－＠")
NAME = [Column("name", "名称")]


def _payloads() -> list[str]:
    found = list(OWN_PAYLOADS)
    if PAYLOADS.is_file():
        found += [line for line in PAYLOADS.read_text(encoding="utf-8", errors="replace").splitlines() if line]
    return found


def _csv(frame: pd.DataFrame, columns: list[Column]) -> list[list[str]]:
    text = csv_bytes(frame, columns, SHANGHAI).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def _sheet(frame: pd.DataFrame, columns: list[Column], title: str = "deals"):
    return openpyxl.load_workbook(io.BytesIO(xlsx_bytes(frame, columns, SHANGHAI, title=title))).active


@pytest.mark.parametrize("payload", _payloads())
def test_a_formula_that_somebody_typed_is_text_in_both_files(payload: str) -> None:
    frame = pd.DataFrame({"name": [payload]})
    (_heading, (written,)) = _csv(frame, NAME)
    assert not written.startswith(RUNS)
    assert written.removeprefix("'") == payload
    cell = _sheet(frame, NAME)["A2"]
    assert cell.data_type == "s", "neither a formula nor a link"
    assert cell.hyperlink is None
    assert not str(cell.value).startswith(RUNS)


def test_the_published_payloads_were_tried() -> None:
    if not PAYLOADS.is_file():
        pytest.skip(f"{PAYLOADS.name} is not on this machine")
    assert len(_payloads()) > len(OWN_PAYLOADS) + 3


def test_a_heading_is_defused_as_well() -> None:
    columns = [Column("name", "=1+1")]
    frame = pd.DataFrame({"name": ["a"]})
    assert _csv(frame, columns)[0] == ["'=1+1"]
    assert _sheet(frame, columns)["A1"].data_type == "s"


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=40))
def test_whatever_was_typed_comes_back_and_starts_no_formula(text: str) -> None:
    assert not defused(text).startswith(RUNS)
    frame = pd.DataFrame({"name": [text], "after": ["end"]})
    rows = _csv(frame, [*NAME, Column("after", "after")])
    assert rows[1] == [defused(text), "end"]


def _frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": ['甲, "乙"', None],
            "money": [1234.5, float("nan")],
            "exact": [Decimal("99999999999999.99"), None],
            "count": pd.array([7, None], dtype="Int64"),
            "rate": [0.125, float("nan")],
            "day": [date(2026, 7, 15), None],
            "at": [datetime(2026, 7, 14, 16, 30, tzinfo=UTC), None],
            "loss": [-5.25, 0.0],
        }
    )


COLUMNS = [
    Column("name", "Name"), Column("money", "Amount", "money"), Column("exact", "Exact", "money"),
    Column("count", "Deals", "count"), Column("rate", "Rate", "rate"), Column("day", "Day", "date"),
    Column("at", "At", "instant"), Column("loss", "Change", "money"),
]  # fmt: skip


def test_csv_holds_plain_numbers_iso_days_and_nothing_for_nothing() -> None:
    heading, first, second = _csv(_frame(), COLUMNS)
    assert heading == ["Name", "Amount", "Exact", "Deals", "Rate", "Day", "At", "Change"]
    assert first == [
        '甲, "乙"', "1234.50", "99999999999999.99", "7", "0.125", "2026-07-15", "2026-07-15 00:30", "-5.25",
    ]  # fmt: skip
    assert second == ["", "", "", "", "", "", "", "0.00"]


def test_a_spreadsheet_holds_typed_cells() -> None:
    sheet = _sheet(_frame(), COLUMNS)
    heading, first, second = sheet.iter_rows()
    assert [cell.value for cell in heading] == [column.label for column in COLUMNS]
    assert all(cell.font.bold for cell in heading)
    name, money, _exact, count, rate, day, at, loss = (cell.value for cell in first)
    assert (name, money, count, rate, loss) == ('甲, "乙"', 1234.5, 7, 0.125, -5.25)
    assert day == datetime(2026, 7, 15)
    assert at == datetime(2026, 7, 15, 0, 30), "in the company's time zone"
    assert [cell.value for cell in second] == [None] * 7 + [0]
    assert [cell.number_format for cell in first][1:6] == ["#,##0.00", "#,##0.00", "#,##0", "0.0%", "yyyy-mm-dd"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:H3"


def test_another_reader_reads_the_same_workbook() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(xlsx_bytes(_frame(), COLUMNS, SHANGHAI, title="a/b[c]:d?*'" * 5)))
    (name,) = book.sheet_names
    assert len(name) <= 31
    assert not set(name) & set("[]:*?/\\'")
    rows = book.get_sheet_by_name(name).to_python()
    assert rows[1][:2] == ['甲, "乙"', 1234.5]
    assert rows[1][5] == date(2026, 7, 15)


def test_an_empty_table_has_its_headings() -> None:
    empty = _frame().head(0)
    assert _csv(empty, COLUMNS) == [[column.label for column in COLUMNS]]
    assert _sheet(empty, COLUMNS).max_row == 1


def test_only_the_named_columns_leave_in_their_order() -> None:
    columns = [Column("count", "Deals", "count"), Column("name", "Name")]
    assert _csv(_frame(), columns)[1] == ["7", '甲, "乙"']


@pytest.mark.parametrize(
    ("kind", "value", "english", "chinese"),
    [
        ("money", 1234567.0, "¥1,234,567.00", "¥1,234,567.00"),
        ("count", 12345, "12,345", "12,345"),
        ("rate", 0.125, "12.5%", "12.5%"),
        ("text", "", "–", "–"),
        ("money", float("nan"), "–", "–"),
    ],
)
def test_on_screen_a_value_is_in_the_readers_format(kind, value, english: str, chinese: str) -> None:
    for code, expected in (("en", english), ("zh", chinese)):
        use_language(code)
        assert shown(Column("x", "x", kind), SHANGHAI)(value) == expected


def test_estimates_are_written_in_whole_units_and_chances_as_numbers():
    columns = [Column("a", "Amount", "estimate"), Column("c", "Chance", "chance")]
    frame = pd.DataFrame({"a": [1_234_567.61], "c": [0.002]})
    assert _csv(frame, columns)[1] == ["1234568", "0.002"]
    sheet = _sheet(frame, columns)
    assert (sheet["A2"].number_format, sheet["B2"].value) == ("#,##0", 0.002)
    assert [shown(column, SHANGHAI)(frame[column.key][0]) for column in columns] == ["¥1,234,568", "<1%"]


def test_records_are_those_of_pandas_in_pythons_own_values():
    frame = pd.DataFrame(
        {
            "n": pd.array([1, None], dtype="Int64"), "rate": [0.5, float("nan")], "name": ["East", ""],
            "on": [date(2026, 1, 1), None], "won": [True, False], "count": [3, 4],
        }
    )  # fmt: skip
    found = records(frame)
    assert repr(found) == repr(frame.to_dict("records"))
    assert [type(value) for value in found[0].values()] == [int, float, str, date, bool, int]
    assert records(frame[:0]) == []
