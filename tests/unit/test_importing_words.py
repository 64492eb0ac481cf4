from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.importing.cleaning import DayOrder, day_in, day_order, folded, instant_in, number_in, rate_in
from core.importing.fields import LOST_WORDS, WON_WORDS, FileKind
from core.importing.mapping import signature, suggest, suggest_columns
from core.importing.matching import near_pairs
from core.importing.readers import SourceFile, read_table

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    "cell",
    ["2024-03-05", "2024/3/5", "2024年3月5日", "2024.03.05", "20240305", "5-Mar-2024", "Mar 5, 2024", 45356, 45356.0,
     "45356", date(2024, 3, 5), datetime(2024, 3, 5, 23, 59), "2024-03-05 23:59:59", "2024-03-04T16:00:00Z"],
)  # fmt: skip
def test_one_day_in_many_spellings(cell: object) -> None:
    assert day_in(cell, order=None, zone=SHANGHAI) == date(2024, 3, 5)  # type: ignore[arg-type]


def test_a_column_says_whether_the_day_comes_first() -> None:
    assert day_order(["01/02/2024", "16/07/2010"]) is DayOrder.DAY_FIRST
    assert day_order(["01/02/2024", "07/16/2010"]) is DayOrder.MONTH_FIRST
    assert day_order(["01/02/2024"]) is None
    assert day_in("01/02/2024", order=DayOrder.DAY_FIRST, zone=SHANGHAI) == date(2024, 2, 1)


@pytest.mark.parametrize("cell", ["", "soon", "2024-13-01", "2024-02-30", "31/31/2024", True, 3, "1.2", "99999999"])
def test_what_is_no_day_is_refused(cell: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        day_in(cell, order=None, zone=SHANGHAI)  # type: ignore[arg-type]


def test_a_day_begins_at_the_companys_midnight() -> None:
    assert instant_in("2024-03-05", order=None, zone=SHANGHAI) == datetime(2024, 3, 4, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cell", "number"),
    [("¥1,234.50", "1234.50"), ("1.234,50 €", "1234.50"), ("3.5万", "35000"), ("1.2亿", "120000000"),
     ("(12.00)", "-12.00"),
     ("1 234", "1234"), ("USD 99", "99"), ("１２３", "123"), (129.696, "129.696"), ("-5", "-5"),
     ("1,5", "1.5"), ("12,345", "12345")],
)  # fmt: skip
def test_amounts_are_exact(cell: object, number: str) -> None:
    assert number_in(cell) == Decimal(number)  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", ["abc", "1-2", "nan", "inf", None, True, "1e999", date(2024, 1, 1)])
def test_what_is_no_number_is_refused(cell: object) -> None:
    with pytest.raises(ValueError, match=r".*"):
        number_in(cell)  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.decimals(-(10**9), 10**9, places=2))
def test_a_written_amount_reads_back(amount: Decimal) -> None:
    assert number_in(f"{amount:,.2f}") == amount
    assert number_in(f"{amount:.2f}") == amount


def test_discounts_are_shares() -> None:
    assert [rate_in(cell) for cell in ("0.2", "20%", "20", 0.4)] == [
        Decimal("0.2"),
        Decimal("0.2"),
        Decimal("0.2"),
        Decimal("0.4"),
    ]


def test_columns_are_known_by_name_in_both_languages() -> None:
    chinese = suggest_columns(FileKind.DEALS, ["商机编号", "客户名称", "销售阶段", "签约额", "创建日期", "颜色"])

    assert chinese == {
        "商机编号": "external_id",
        "客户名称": "customer",
        "销售阶段": "stage",
        "签约额": "amount",
        "创建日期": "opened_on",
    }
    assert suggest_columns(FileKind.DEALS, ["Opportunity_ID", "deal-stage", "AccountName"]) == {
        "Opportunity_ID": "external_id", "deal-stage": "stage", "AccountName": "customer",
    }  # fmt: skip


def test_a_column_named_amount_beside_sales_is_the_quantity() -> None:
    found = suggest_columns(FileKind.ORDERS, ["order_id", "sales", "amount"])

    assert (found["sales"], found["amount"]) == ("amount", "quantity")


def test_a_layout_is_remembered_whatever_the_order_of_its_columns() -> None:
    table = read_table(SourceFile("a.csv", b"x1,x2\nAcme,Won\n"))
    memory = {("file", signature(["x2", "x1"])): {"kind": "deals", "columns": {"x1": "customer", "x2": "stage"}}}

    found = suggest(table, memory)

    assert found.remembered
    assert (found.kind, dict(found.columns)) == (FileKind.DEALS, {"x1": "customer", "x2": "stage"})


def test_spacing_and_slips_are_offered_and_other_products_are_not() -> None:
    written = {"GTXPro": 1480, "GTX Plus Pro": 968, "GTK 600": 3, "technolgy": 12}

    pairs = near_pairs("product", written, ["GTX Pro", "GTX Basic", "GTX Plus Pro", "GTK 500", "technology"])

    assert [(one.written, one.known) for one in pairs] == [("GTXPro", "GTX Pro"), ("technolgy", "technology")]
    assert pairs[0].score == 100
    assert 90 < pairs[1].score < 100


def test_the_rarer_spelling_is_offered_for_the_more_frequent() -> None:
    (pair,) = near_pairs("customer", {"Hottechi Ltd": 2, "Hottechie Ltd": 40}, [])

    assert (pair.written, pair.known, pair.known_count) == ("Hottechi Ltd", "Hottechie Ltd", 40)


def test_headings_and_stages_in_traditional_characters_mean_the_same() -> None:
    columns = ("商機編號", "客戶名稱", "業務員", "商機階段", "創建日期", "成交日期", "金額", "幣種")

    found = suggest_columns(FileKind.DEALS, columns)

    assert list(found.values()) == [
        "external_id", "customer", "owner", "stage", "opened_on", "closed_on", "amount", "currency",
    ]  # fmt: skip
    assert folded("贏單") in WON_WORDS
    assert folded("輸單") in LOST_WORDS
