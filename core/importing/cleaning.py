"""Cells as people type them into days, instants and exact numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from zoneinfo import ZoneInfo

from core.importing.readers import Cell, is_blank, text_of


class DayOrder(StrEnum):
    """How days with the year last are written in a column."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4}|\d{2})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_WORDED = re.compile(r"(\d{1,2})[-\s/]+([A-Za-z]{3})[a-z]*\.?[-\s/,]+(\d{4})")
_WORDED_FIRST = re.compile(r"([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4})")
_TIME = re.compile(r"[T\s]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?\s*([AaPp][Mm])?\s*(Z|[+-]\d{2}:?\d{2})?$")
_SERIAL_START = date(1899, 12, 30)
_SERIALS = range(10_000, 80_000)
_UNITS = {"万": Decimal(10_000), "亿": Decimal(100_000_000), "千": Decimal(1000)}
_SIMPLER = str.maketrans(
    "戶業務員銷編號稱階狀態創開關閉結簽約預計數額幣種貨線產單價類別規國區電話網備註說聯絡機會項訂購買時間發變後動歷門團隊經負責職離報來贏輸敗細標總帳實體郵達談協議觸點筆詢處見長樓廠縣東華歲級質優潛認識試測場應贈進賣費運車軟醫療險銀製農傳諮灣",
    "户业务员销编号称阶状态创开关闭结签约预计数额币种货线产单价类别规国区电话网备注说联络机会项订购买时间发变后动历门团队经负责职离报来赢输败细标总账实体邮达谈协议触点笔询处见长楼厂县东华岁级质优潜认识试测场应赠进卖费运车软医疗险银制农传咨湾",
)  # of the words that headings and stages are made of
_BLANK_WORDS = frozenset({"", "-", "–", "—", "n/a", "na", "null", "none", "nan", "#n/a", "无", "空"})


def simpler(text: str) -> str:
    """Return the text with the traditional characters of headings and stages as simplified ones."""
    return text.translate(_SIMPLER)


def folded(text: str) -> str:
    """Return a name for comparing.

    Width, case, spaces, hyphens and punctuation do not count, nor does 戶 for 户.
    """
    plain = simpler(unicodedata.normalize("NFKC", text).casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def means_nothing(cell: Cell) -> bool:
    """Say whether a cell is blank or one of the words that people write for blank."""
    return is_blank(cell) or (isinstance(cell, str) and cell.strip().casefold() in _BLANK_WORDS)


def day_order(cells: Iterable[Cell]) -> DayOrder | None:
    """Return how a column writes days with the year last; None where no value tells."""
    for cell in cells:
        if isinstance(cell, str) and (found := _YEAR_LAST.match(cell.strip())):
            if int(found[1]) > 12:
                return DayOrder.DAY_FIRST
            if int(found[2]) > 12:
                return DayOrder.MONTH_FIRST
    return None


def is_year_last(cell: Cell) -> bool:
    """Say whether a cell is a day whose reading hangs on the order of day and month."""
    return isinstance(cell, str) and _YEAR_LAST.match(cell.strip()) is not None


def day_in(cell: Cell, *, order: DayOrder | None, zone: ZoneInfo) -> date:
    """Return the day that a cell names, in the company's time zone; raises ValueError."""
    match cell:
        case datetime():
            return cell.astimezone(zone).date() if cell.tzinfo else cell.date()
        case date():
            return cell
    instant = instant_in(cell, order=order, zone=zone)
    return instant.astimezone(zone).date()


def instant_in(cell: Cell, *, order: DayOrder | None, zone: ZoneInfo) -> datetime:
    """Return the UTC instant that a cell names; a day alone is its beginning in `zone`. Raises ValueError."""
    match cell:
        case datetime():
            return (cell if cell.tzinfo else cell.replace(tzinfo=zone)).astimezone(UTC)
        case date():
            return datetime.combine(cell, time.min, tzinfo=zone).astimezone(UTC)
        case bool() | None | time() | timedelta():
            raise ValueError(str(cell))
        case int() | float():
            return _of_serial(float(cell), zone)
    text = unicodedata.normalize("NFKC", cell).strip()
    if re.fullmatch(r"\d{5}(\.\d+)?", text):
        return _of_serial(float(text), zone)
    clock, offset = time.min, None
    if found := _TIME.search(text):
        hour = int(found[1]) % 12 + (12 if found[5].lower() == "pm" else 0) if found[5] else int(found[1])
        clock = time(hour, int(found[2]), int(found[3] or 0), int((found[4] or "0").ljust(6, "0")))
        offset = found[6]
        text = text[: found.start()]
    day = _day_of_text(text.strip(), order)
    if offset:
        stamp = f"{day.isoformat()}T{clock.isoformat()}{'+00:00' if offset == 'Z' else offset}"
        return datetime.fromisoformat(stamp).astimezone(UTC)
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def _of_serial(serial: float, zone: ZoneInfo) -> datetime:
    if int(serial) not in _SERIALS:
        raise ValueError(str(serial))
    moment = datetime.combine(_SERIAL_START, time.min) + timedelta(seconds=round(serial * 86_400))
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _day_of_text(text: str, order: DayOrder | None) -> date:
    if (found := _YEAR_FIRST.fullmatch(text)) or (found := _COMPACT.fullmatch(text)):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_LAST.fullmatch(text):
        year = int(found[3]) + (0 if len(found[3]) == 4 else 2000)
        first, second = int(found[1]), int(found[2])
        return date(year, second, first) if order is DayOrder.DAY_FIRST else date(year, first, second)
    if (found := _WORDED.fullmatch(text)) and found[2].lower() in _MONTHS:
        return date(int(found[3]), _MONTHS[found[2].lower()], int(found[1]))
    if (found := _WORDED_FIRST.fullmatch(text)) and found[1].lower() in _MONTHS:
        return date(int(found[3]), _MONTHS[found[1].lower()], int(found[2]))
    raise ValueError(text)


def number_in(cell: Cell) -> Decimal:
    """Return the exact number that a cell holds: ¥1,234.50, 1.234,50 €, (12), 3.5万. Raises ValueError."""
    match cell:
        case bool() | None | date() | time() | timedelta():
            raise ValueError(str(cell))
        case int() | float():
            return _decimal(repr(cell))
    text = unicodedata.normalize("NFKC", cell).strip()
    negative = text.startswith("(") and text.endswith(")")
    text = text.strip("()")
    text = re.sub(r"^(RMB|CNY|USD|EUR|HKD|GBP|JPY|[¥$€£])|(RMB|CNY|USD|EUR|元|[¥$€£])$", "", text, flags=re.IGNORECASE)
    text = text.strip().replace("\u00a0", "").replace(" ", "").replace("'", "")
    unit = Decimal(1)
    while text and text[-1] in _UNITS:
        unit *= _UNITS[text[-1]]
        text = text[:-1]
    if re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+", text) or re.fullmatch(r"[+-]?\d+,\d{1,2}", text):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?\d{1,3}(,\d{2,4})*(\.\d*)?", text):
        text = text.replace(",", "")
    value = _decimal(text) * unit
    return -value if negative else value


def rate_in(cell: Cell) -> Decimal:
    """Return a share in [0, 1] from 0.2, 20 or 20%; raises ValueError."""
    text = text_of(cell)
    value = number_in(text.rstrip("%").strip()) / 100 if text.endswith("%") else number_in(cell)
    if value > 1:
        value /= 100
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


def _decimal(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not value.is_finite() or abs(value) >= Decimal(10) ** 15:
        raise ValueError(text)
    return value
