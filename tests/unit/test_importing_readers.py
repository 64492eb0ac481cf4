from __future__ import annotations

import csv
import io
from datetime import date, datetime
from pathlib import Path

import pytest
from babel import Locale
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


def territories(locale: str) -> list[str]:
    """Real words of a language: the Unicode consortium's names of the world's countries."""
    return sorted(Locale.parse(locale).territories.values())


TRADITIONAL = ("客戶名稱,業務員,商機階段,金額,備註", "股份有限公司,陳美玲,報價協商,1200.5,請於週五前回覆")
SIMPLIFIED = ("客户名称,销售员,商机阶段,金额,备注", "股份有限公司,陈美玲,报价谈判,1200.5,请于周五前回复")


def chinese_file(locale: str, lines: tuple[str, str], count: int) -> str:
    heading, row = lines
    return "\r\n".join([heading, *(f"{name}{row}" for name in territories(locale)[:count])])


@pytest.mark.parametrize("count", [1, 5, 50, 250])
@pytest.mark.parametrize(
    ("locale", "lines", "codec", "found"),
    [("zh_Hant", TRADITIONAL, "big5", "big5hkscs"), ("zh_Hant", TRADITIONAL, "cp950", "big5hkscs"),
     ("zh_Hant", TRADITIONAL, "big5hkscs", "big5hkscs"), ("zh_Hant", TRADITIONAL, "gb18030", "gb18030"),
     ("zh", SIMPLIFIED, "gb18030", "gb18030"), ("zh", SIMPLIFIED, "gbk", "gb18030")],
)  # fmt: skip
def test_big5_and_gb18030_are_told_apart(
    locale: str, lines: tuple[str, str], codec: str, found: str, count: int
) -> None:
    """Bytes of the one often decode as the other, into words that nobody wrote."""
    text = chinese_file(locale, lines, count).encode(codec, errors="ignore").decode(codec)

    table = table_of(text.encode(codec))

    assert table.encoding == found
    assert table.columns == tuple(lines[0].split(","))
    assert [row[0] for row in table.rows] == [line.split(",")[0] for line in text.split("\r\n")[1:]]


@pytest.mark.parametrize(("locale", "codec", "found"), [("zh_Hant", "big5", "big5hkscs"), ("zh", "gb18030", "gb18030")])
def test_a_few_chinese_names_among_english_ones_are_enough(locale: str, codec: str, found: str) -> None:
    """Three names in a thousand English rows: weighed whole, the file reads as Western."""
    names = [name.encode(codec, errors="ignore").decode(codec) for name in territories(locale)[40:43]]
    rows = [f"{names[n // 300]},2024-01-05,{n}" if n % 300 == 0 and n < 900 else f"Acme Ltd,2024-01-05,{n}"
            for n in range(1000)]  # fmt: skip

    table = table_of("\n".join(["name,day,amount", *rows]).encode(codec))

    assert table.encoding == found
    assert [table.rows[n][0] for n in (0, 300, 600)] == names


@pytest.mark.parametrize(
    ("locale", "codec"), [("fr", "cp1252"), ("de", "cp1252"), ("ja", "cp932"), ("ko", "cp949"), ("ru", "cp1251")]
)
def test_other_languages_are_recognised_in_files_of_some_length(locale: str, codec: str) -> None:
    names = [name.encode(codec, errors="ignore").decode(codec) for name in territories(locale)]
    rows = [f"{name.replace(',', '')},1" for name in names]

    table = table_of("\n".join(["name,amount", *rows]).encode(codec))

    assert table.encoding == codec
    assert [f"{row[0]},1" for row in table.rows] == rows


def test_a_person_can_say_the_encoding_and_sees_what_it_cannot_say() -> None:
    content = "\n".join(TRADITIONAL).encode("big5")

    right, wrong = (table_of(content, encoding=name) for name in ("big5hkscs", "utf-8"))

    assert (right.columns[0], right.unreadable) == ("客戶名稱", 0)
    assert wrong.unreadable > 0
    assert wrong.encoding == "utf-8"


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
