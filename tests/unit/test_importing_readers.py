from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.importing.readers import (
    EmptyFile,
    NoSuchSheet,
    SourceFile,
    Table,
    UnreadableFile,
    read_table,
    sheet_names,
    text_of,
)

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
MESSY = SHARED / "messy"
needs_data = pytest.mark.skipif(not MESSY.is_dir(), reason="../shared/data is not here")
FILES = sorted(
    path for folder in ("csv_spectrum", "clevercsv", "excel", "csv_injection") for path in (MESSY / folder).glob("*")
)


def table_of(content: bytes, name: str = "a.csv", **options: object) -> Table:
    return read_table(SourceFile(name, content), **options)  # type: ignore[arg-type]


def messy(name: str) -> Table:
    path = MESSY / name
    return read_table(SourceFile(path.name, path.read_bytes()))


@needs_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_messy_file_is_a_table_or_a_sentence(path: Path) -> None:
    try:
        table = read_table(SourceFile(path.name, path.read_bytes()))
    except UnreadableFile as error:
        assert path.name in error.message()  # noqa: PT017 - one of the two may happen
    else:
        assert len(set(table.columns)) == len(table.columns) > 0
        assert all(name.strip() for name in table.columns)
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert len(table.row_numbers) == len(table.rows)


@needs_data
def test_skipped_rows_before_the_heading_are_found() -> None:
    assert messy("excel/skipping.xlsx").columns == ("var1", "var2")
    assert messy("excel/los-angeles-arrests-xlsx.xlsx").columns[:2] == ("BKG_NUM", "BKG_DT")
    assert messy("excel/Ekaterinburg_IP_9.xlsx").header_row == 4


@needs_data
def test_blank_and_doubled_columns_get_names() -> None:
    assert messy("excel/unnamed-duplicated-columns.xlsx").columns == ("[A]", "var2", "[C]", "var2 (2)")


@needs_data
@pytest.mark.parametrize("name", ["dates-1900.xls", "dates-1904.xls", "dates-1900-LibreOffice.xlsx"])
def test_both_epochs_of_excel_give_the_same_day(name: str) -> None:
    table = read_table(SourceFile(name, (MESSY / "excel" / name).read_bytes()), header_row=1)

    assert table.columns[0] == "2000-01-01"


@needs_data
def test_newlines_inside_quotes_stay_in_their_cell() -> None:
    table = messy("csv_spectrum/newlines.csv")

    assert len(table.rows) == 3
    assert table.rows[1][0] == "Once upon \na time"


@needs_data
def test_chinese_order_lines_read_the_same_from_csv_and_xlsx() -> None:
    folder = SHARED / "supermarket_zh"
    one, other = (
        read_table(SourceFile(name, (folder / name).read_bytes())) for name in ("supermarket.csv", "supermarket.xlsx")
    )

    assert one.columns == other.columns
    assert len(one.rows) == len(other.rows) == 9959
    assert [text_of(row[5]) for row in one.rows] == [text_of(row[5]) for row in other.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_recognised(encoding: str, separator: str) -> None:
    lines = [["客户", "金额", "name"], ["上海罗盘科技有限公司", "1234.50", "Luo"], ["北京“星辰”公司", "2", "Bei"]]
    text = "\r\n".join(separator.join(line) for line in lines)

    table = table_of(text.encode(encoding))

    assert table.columns == ("客户", "金额", "name")
    assert table.rows[1] == ("北京“星辰”公司", "2", "Bei")
    assert table.separator == separator


def test_a_western_file_is_not_taken_for_chinese() -> None:
    table = table_of("name,city\nZoé,Orléans\nJosé,Málaga\n".encode("cp1252"))

    assert table.rows == (("Zoé", "Orléans"), ("José", "Málaga"))
    assert table.encoding == "cp1252"


def test_rows_keep_the_numbers_that_a_spreadsheet_shows() -> None:
    table = table_of(b"a,b\n\n1,2\n\n3,4\n")

    assert table.row_numbers == (3, 5)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(EmptyFile, match=r"a\.csv holds no rows"):
        table_of(content)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 no zip", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 cut", bytes(range(256)) * 9]
)
def test_a_broken_file_is_refused_in_a_sentence(content: bytes) -> None:
    with pytest.raises(UnreadableFile, match="is not a table"):
        table_of(content)


@needs_data
def test_a_sheet_can_be_chosen() -> None:
    path = MESSY / "excel" / "sheet-xml-lookup.xlsx"
    source = SourceFile(path.name, path.read_bytes())

    assert "Americas" in sheet_names(source)
    assert read_table(source, sheet="Americas").rows[0][0] == "Argentina"
    with pytest.raises(NoSuchSheet, match="no sheet named Mars"):
        read_table(source, sheet="Mars")


@pytest.mark.parametrize(
    ("cell", "text"),
    [(3.0, "3"), (2.5, "2.5"), (None, ""), (date(2024, 2, 29), "2024-02-29"),
     (datetime(2024, 1, 2, 3, 4), "2024-01-02 03:04:00"), (" a \n b ", "a b")],
)  # fmt: skip
def test_cells_read_as_a_person_would_type_them(cell: object, text: str) -> None:
    assert text_of(cell) == text  # type: ignore[arg-type]


cells = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).filter(lambda text: text == text.strip())


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), min_size=2, max_size=12), st.sampled_from([",", ";", "\t", "|"])
)
def test_whatever_python_writes_as_csv_comes_back(rows: list[list[str]], separator: str) -> None:
    rows = [["Alpha", "Beta", "Gamma"], *[[f"x{row[0]}", f"y{row[1]}", f"z{row[2]}"] for row in rows]]
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)

    table = table_of(out.getvalue().encode("utf-8-sig"), header_row=1)

    assert [list(row) for row in table.rows] == rows[1:]
