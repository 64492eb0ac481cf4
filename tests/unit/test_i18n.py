"""Numbers, days and sentences in the reader's language."""

import math
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from core import i18n
from core.i18n import (
    LANGUAGES,
    _,
    _n,
    format_chance,
    format_compact,
    format_date,
    format_days,
    format_estimate,
    format_instant,
    format_money,
    format_month,
    format_number,
    format_points,
    format_quarter,
    format_rate,
    format_relative_day,
    language,
    parse_accept,
    parse_number,
    speaking,
    unbroken,
    use_language,
)

ROOT = Path(i18n.__file__).parent
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 5)


@pytest.mark.parametrize(
    ("x", "zh", "en"),
    [
        (0, "0", "0"),
        (950, "950", "950"),
        (9_999, "9,999", "10K"),
        (12_345, "1.2万", "12.3K"),
        (1_200_000, "120万", "1.2M"),
        (12_345_678, "1,235万", "12.3M"),
        (123_456_789, "1.23亿", "123M"),
        (3_400_000_000, "34亿", "3.4B"),
        (15_000_000_000_000, "15万亿", "15T"),
        (-12_345, "-1.2万", "-12.3K"),
        (0.5, "0.5", "0.5"),
        (Decimal("3820000.00"), "382万", "3.82M"),
        (np.int64(12_345), "1.2万", "12.3K"),
    ],
)
def test_a_compact_number_has_the_readers_unit_and_three_digits(x, zh, en):
    with speaking("zh"):
        assert format_compact(x) == zh
    with speaking("en"):
        assert format_compact(x) == en


@pytest.mark.parametrize(
    ("x", "zh", "en"),
    [
        (999.9, "1,000", "1K"),
        (9_999.6, "1万", "10K"),
        (999_999, "100万", "1M"),
        (99_999_999, "1亿", "100M"),
        (999_999_999_999, "1万亿", "1T"),
    ],
)
def test_what_rounds_up_to_the_next_unit_takes_that_unit(x, zh, en):
    with speaking("zh"):
        assert format_compact(x) == zh
    with speaking("en"):
        assert format_compact(x) == en


@pytest.mark.parametrize("code", LANGUAGES)
@given(x=st.floats(min_value=-1e14, max_value=1e14))
@settings(deadline=None)
def test_a_compact_number_reads_back_within_its_rounding(code, x):
    with speaking(code):
        text = format_compact(x)
    units = {"K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "万亿": 1e12, "亿": 1e8, "万": 1e4, "": 1}
    figure, unit = re.fullmatch(r"(-?[\d,.]+)(万亿|亿|万|[KMBT]?)", text).groups()
    value = float(figure.replace(",", "")) * units[unit]
    assert math.isclose(value, x, rel_tol=0.051, abs_tol=0.0051)
    assert not text.startswith(("1000K", "1,000K", "10,000万"))


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, pd.NA, pd.NaT, np.float64("nan")])
def test_a_missing_number_is_a_dash(nothing):
    formats = (
        format_number, format_compact, format_money, format_rate, format_points, format_days,
    )  # fmt: skip
    assert [say(nothing) for say in formats] == ["–"] * 6


def test_halves_go_away_from_zero_and_nothing_is_minus_zero():
    assert [format_number(x) for x in (0.5, 2.5, -0.5, -0.4)] == ["1", "3", "-1", "0"]
    assert format_number(1234.5, 2) == "1,234.50"
    assert format_rate(-0.0001) == "0.0%"
    assert format_money(-0.001) == "¥0.00"
    assert format_points(-0.0001) == "0.0 pp"


def test_money_carries_its_sign_and_the_digits_of_its_currency():
    assert format_money(Decimal(1234567)) == "¥1,234,567.00"
    assert format_money(-1.5) == "-¥1.50"
    assert format_money(3_820_000, compact=True) == "¥3.82M"
    assert format_money(-3_820_000, compact=True) == "-¥3.82M"
    assert format_money(5, "USD") == "$5.00"
    assert format_money(5, "JPY") == "JP¥5"
    assert format_money(5, "CHF") == "CHF\N{NO-BREAK SPACE}5.00"
    with speaking("zh"):
        assert format_money(3_820_000, compact=True) == "¥382万"
        assert format_money(1234567) == "¥1,234,567.00"
        assert format_money(5, "USD") == "US$5.00"


def test_rates_points_and_days_are_written_as_the_reader_writes_them():
    assert [format_rate(0.6234), format_rate(1, 0), format_points(0.031)] == [
        "62.3%", "100%", "+3.1 pp",
    ]  # fmt: skip
    assert [format_days(x) for x in (1, 1.04, 3.52, 42.4)] == [
        "1 day", "1 day", "3.5 days", "42 days",
    ]  # fmt: skip
    with speaking("zh"):
        assert format_points(-0.031) == "-3.1 个百分点"
        assert [format_days(x) for x in (1, 3.52)] == ["1 天", "3.5 天"]


def test_days_are_written_as_the_reader_writes_them():
    late = datetime(2026, 3, 5, 23, 30, tzinfo=UTC)
    assert format_date(DAY) == "Mar 5, 2026"
    assert format_month(DAY) == "Mar 2026"
    assert format_quarter(2026, 1) == "Q1 2026"
    assert format_instant(late, SHANGHAI) == "Mar 6, 2026, 07:30"
    with speaking("zh"):
        assert format_date(DAY) == "2026年3月5日"
        assert format_month(DAY) == "2026年3月"
        assert format_quarter(2026, 1) == "2026年第1季度"
        assert format_instant(late, SHANGHAI) == "2026年3月6日 07:30"


def test_a_day_is_told_by_its_distance_from_today():
    days = [DAY + timedelta(days=k) for k in (-3, -1, 0, 1, 2)]
    assert [format_relative_day(d, DAY) for d in days] == [
        "3 days ago", "yesterday", "today", "tomorrow", "in 2 days",
    ]  # fmt: skip
    with speaking("zh"):
        assert [format_relative_day(d, DAY) for d in days] == [
            "3 天前", "昨天", "今天", "明天", "2 天后",
        ]  # fmt: skip


def test_a_missing_day_is_a_dash_and_a_naive_instant_is_refused():
    assert [format_date(None), format_month(pd.NaT), format_instant(None, UTC)] == ["–"] * 3
    assert format_relative_day(None, DAY) == "–"
    with pytest.raises(ValueError, match="time zone"):
        format_instant(datetime(2026, 3, 5), UTC)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1,234.5", "1234.5"),
        ("¥3.5万", "35000"),
        ("￥1,000.50", "1000.50"),
        ("1亿2000万", "120000000"),
        ("1万2000", "12000"),
        ("3 万元", "30000"),
        ("2.5m", "2500000"),
        ("5K", "5000"),
        ("１２３．５", "123.5"),
        ("12,3456", "123456"),
        ("(300)", "-300"),
        ("-5", "-5"),
        ("\N{MINUS SIGN}5", "-5"),
        ("1.5E+06", "1500000"),
        (".5", "0.5"),
    ],
)
def test_a_typed_number_means_what_people_mean(typed, meant):
    assert parse_number(typed) == Decimal(meant)


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "1,5", "1.234,50", "万", "1万2万", "1万2", "--5", "1k2m", "5%", "nan", "inf", "()"],
)
def test_what_could_mean_something_else_is_no_number(typed):
    with pytest.raises(ValueError, match="not a number"):
        parse_number(typed)


@given(x=st.decimals(min_value=-(10**12), max_value=10**12, places=2))
@settings(deadline=None)
def test_money_that_was_written_reads_back_the_same(x):
    for code in LANGUAGES:
        with speaking(code):
            assert parse_number(format_money(x)) == x


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.3,zh;q=0.7", "zh"),
        ("fr-FR,zh;q=0.5", "zh"),
        ("zh_CN.UTF-8", "zh"),
        ("zh-Hant-TW", "zh"),
        ("zh;q=0", "en"),
        ("fr", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_browsers_language_is_followed_and_english_is_the_fallback(asked, code):
    assert parse_accept(asked) == code


def test_a_language_lasts_for_its_block_and_for_its_thread_only():
    with speaking("zh"):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(language).result() == "en"
        with speaking("en"):
            assert language() == "en"
        assert language() == "zh"
        use_language("tlh")
        assert language() == "en"
    assert language() == "en"


def test_a_sentence_without_translation_stays_english_and_takes_its_values():
    with speaking("zh"):
        assert _("Nobody translated {what}.", what="this") == "Nobody translated this."
        assert _("100% {literally}") == "100% {literally}"
        assert _("{points} pp", points="{n}") == "{n} 个百分点"


def test_a_counted_sentence_takes_the_form_of_its_number():
    assert [_n("{n} day", "{n} days", n) for n in (0, 1, 1200)] == [
        "0 days", "1 day", "1,200 days",
    ]  # fmt: skip
    with speaking("zh"):
        assert [_n("{n} day", "{n} days", n) for n in (1, 2)] == ["1 天", "2 天"]


def _marked() -> set[str | tuple[str, ...]]:
    """Return what i18n.py and the charts say."""
    keywords = {"_": None, "N_": None, "_n": (1, 2)}
    found = set()
    for folder in (ROOT / "charts", ROOT):
        for name, _line, message, *_rest in extract_from_dir(folder, keywords=keywords):
            if folder != ROOT or name == "i18n.py":
                found.add(message)
    return found


def test_formats_and_charts_are_wholly_translated_and_their_catalogues_hold_no_more():
    translated, own = {}, set()
    for path in (ROOT / "locale" / "zh").glob("*.po"):
        with path.open("rb") as file:
            found = {m.id: m.string for m in read_po(file, locale="zh") if m.id}
        translated |= found
        own |= set(found) if path.stem in {"formats", "charts"} else set()
    assert own <= _marked() <= set(translated)
    for message in _marked():
        chinese = translated[message]
        source = message[1] if isinstance(message, tuple) else message
        target = chinese[0] if isinstance(chinese, tuple | list) else chinese
        assert sorted(re.findall(r"{\w+}", source)) == sorted(re.findall(r"{\w+}", target))
        assert target.strip()


def test_a_sentence_that_stands_in_two_catalogues_is_translated_the_same_in_both():
    for code in LANGUAGES:
        seen = {}
        for path in sorted((ROOT / "locale" / code).glob("*.po")):
            with path.open("rb") as file:
                for message in read_po(file, locale=code):
                    if message.id:
                        assert seen.setdefault(message.id, message.string) == message.string, path


def test_a_chance_is_never_quite_none_or_all_and_an_estimate_has_no_cents():
    assert [format_chance(chance) for chance in (0, 0.004, 0.006, 0.71, 0.994, 1)] == [
        "<1%", "<1%", "1%", "71%", "99%", ">99%",
    ]  # fmt: skip
    assert [format_estimate(amount) for amount in (1_234_567.6, -5.4, -0.2)] == ["¥1,234,568", "-¥5", "¥0"]
    assert format_chance(None) == format_estimate(float("nan")) == "–"


@pytest.mark.parametrize(
    ("said", "closed"),
    [
        ("价格 -¥144万, +¥5.3亿", "价格 -\u2060¥144\u2060万, +\u2060¥5.3\u2060亿"),
        ("up +US$3K, \N{MINUS SIGN}€2", "up +\u2060US$3K, \N{MINUS SIGN}\u2060€2"),
        ("12 - 3, a-b, 9月", "12 - 3, a-b, 9月"),
    ],
)
def test_no_line_ends_between_an_amounts_sign_and_its_figures(said, closed):
    """The places where a browser may end a line inside an amount are closed, and no others."""
    assert unbroken(said) == closed
