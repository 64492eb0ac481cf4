"""The reader's language: translated sentences, and numbers and days written as that reader does.

The English sentence is the message id. Every `core/locale/<language>/*.po` is read once, on first
use, and merged. The language lives in a ContextVar, so threads and tasks do not disturb each
other. Text extraction: `pybabel extract -k _ -k N_ -k _n:1,2`.
"""

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Final, SupportsFloat

from babel import Locale
from babel.dates import format_date as babel_date
from babel.messages.pofile import read_po
from babel.numbers import get_currency_name, get_currency_precision, get_currency_symbol

LANGUAGES = ("zh", "en")
MISSING = "–"
LOCALE_ROOT = Path(__file__).parent / "locale"

_LOCALES = {"zh": Locale.parse("zh_CN"), "en": Locale.parse("en_US")}
_speaking: ContextVar[str] = ContextVar("luopan_language", default="en")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The translations of one language: sentences, and the forms of counted sentences."""

    sentences: dict[str, str]
    counted: dict[tuple[str, str], tuple[str, ...]]


def language() -> str:
    """Return the code of the reader's language, "zh" or "en"."""
    return _speaking.get()


def use_language(code: str) -> None:
    """Speak `code` from here on in this context; an unknown code becomes "en"."""
    _speaking.set(code if code in LANGUAGES else "en")


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak `code` inside the block, and what was spoken before after it."""
    token = _speaking.set(code if code in LANGUAGES else "en")
    try:
        yield
    finally:
        _speaking.reset(token)


def parse_accept(header: str | None, *, otherwise: str = "en") -> str:
    """Return the language that an Accept-Language header or a locale name asks for, or `otherwise`."""
    best, best_weight = otherwise, 0.0
    for part in (header or "").split(","):
        tag, _sep, parameters = part.strip().partition(";")
        code = re.split(r"[-_.]", tag.strip().lower())[0]
        weight = re.fullmatch(r"\s*q=(\d*\.?\d+)\s*", parameters)
        asked = float(weight[1]) if weight else 1.0
        if code in LANGUAGES and asked > best_weight:
            best, best_weight = code, asked
    return best


@cache
def catalogue(code: str) -> Catalogue:
    """Return the merged catalogue of a language. Unfinished and fuzzy entries are left out."""
    merged = Catalogue({}, {})
    for path in sorted((LOCALE_ROOT / code).glob("*.po")):
        with path.open("rb") as file:
            messages = read_po(file, locale=code)
        for message in messages:
            if not message.id or message.fuzzy:
                continue
            if isinstance(message.id, str):
                if isinstance(message.string, str) and message.string:
                    merged.sentences[message.id] = message.string
            elif isinstance(message.string, tuple | list) and all(message.string):
                merged.counted[message.id[0], message.id[1]] = tuple(message.string)
    return merged


def _(message: str, /, **values: object) -> str:
    """Return `message` in the reader's language, with `values` in its {placeholders}."""
    text = catalogue(_speaking.get()).sentences.get(message, message)
    return text.format(**values) if values else text


def N_(message: str) -> str:  # noqa: N802
    """Mark a sentence for translation where it is written down but not yet said."""
    return message


def _n(one: str, many: str, n: float, /, **values: object) -> str:
    """Return the counted sentence for `n`; {n} is the number in the reader's format."""
    code = _speaking.get()
    forms = catalogue(code).counted.get((one, many), (one, many))
    text = forms[0] if n == 1 or len(forms) == 1 else forms[1]
    return text.format(**{"n": format_number(n), **values})


# --- numbers --------------------------------------------------------------------------------


def _exact(x: SupportsFloat | None) -> Decimal | None:
    """Return `x` as a finite Decimal; None for None, NaN, infinity and pandas' missing values."""
    if x is None:
        return None
    try:
        value = x if isinstance(x, Decimal) else Decimal(str(x))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def _grouped(value: Decimal, decimals: int, *, trim: bool = False) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    text = f"{abs(rounded) if rounded == 0 else rounded:,f}"
    return text.rstrip("0").rstrip(".") if trim and "." in text else text


def format_number(x: SupportsFloat | None, decimals: int = 0) -> str:
    """Return `x` with thousands separators: 1,234.5. Halves go away from zero."""
    if type(x) is int and decimals == 0:  # most numbers of a long table
        return f"{x:,}"
    value = _exact(x)
    return MISSING if value is None else _grouped(value, decimals)


_UNITS: dict[str, tuple[tuple[Decimal, str, int], ...]] = {
    # size, sign, most decimals
    "en": (
        (Decimal(1), "", 2),
        (Decimal(10) ** 3, "K", 2),
        (Decimal(10) ** 6, "M", 2),
        (Decimal(10) ** 9, "B", 2),
        (Decimal(10) ** 12, "T", 2),
    ),
    "zh": (
        (Decimal(1), "", 2),
        (Decimal(10) ** 4, "万", 1),
        (Decimal(10) ** 8, "亿", 2),
        (Decimal(10) ** 12, "万亿", 2),
    ),
}


def format_compact(x: SupportsFloat | None) -> str:
    """Return `x` in a few digits with the reader's unit: 12.3K, 1.2M; 1.2万, 1.23亿.

    Three significant digits, trailing zeros left out; whole digits are never rounded away
    (1,235万), and 万 carries one decimal at most. What rounds up to the next unit takes it.
    """
    value = _exact(x)
    if value is None:
        return MISSING
    units = _UNITS[_speaking.get()]
    at = max((i for i, (size, _s, _d) in enumerate(units) if abs(value) >= size), default=0)
    while True:
        size, sign, most = units[at]
        scaled = value / size
        decimals = max(0, min(most, 2 - max(scaled.adjusted(), 0))) if scaled else 0
        rounded = scaled.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
        if at + 1 < len(units) and abs(rounded) * size >= units[at + 1][0]:
            at += 1
            continue
        return _grouped(rounded, decimals, trim=True) + sign


NO_CURRENCY: Final = "XXX"
"""ISO 4217's code for no currency: a number of pieces or deals, written without a sign and in whole ones."""


def currency_symbol(currency: str) -> str:
    """Return the sign before an amount. ¥ is the yuan in both languages, the yen is JP¥."""
    if currency == NO_CURRENCY:
        return ""
    own = {"CNY": "¥", "JPY": "JP¥"}.get(currency)
    symbol = own or get_currency_symbol(currency, locale=_LOCALES[_speaking.get()])
    return f"{symbol}\N{NO-BREAK SPACE}" if symbol[-1].isalpha() else symbol


def currency_name(currency: str) -> str:
    """Return what a currency is called: US Dollar, 美元; its code where it has no name."""
    return str(get_currency_name(currency, locale=_LOCALES[_speaking.get()]))


def format_money(amount: SupportsFloat | None, currency: str = "CNY", *, compact: bool = False) -> str:
    """Return an amount of major units with its sign: ¥1,234,567.00, compact ¥123万 or ¥1.23M."""
    value = _exact(amount)
    if value is None:
        return MISSING
    decimals = 0 if currency == NO_CURRENCY else get_currency_precision(currency)
    figure = format_compact(abs(value)) if compact else _grouped(abs(value), decimals)
    minus = "-" if value < 0 and re.search("[1-9]", figure) else ""
    return f"{minus}{currency_symbol(currency)}{figure}"


_PARTED = re.compile(r"(?<=[+\N{MINUS SIGN}-])(?=[A-Z]{0,2}[$£¥€₩₹])|(?<=\d)(?=[万亿])")


def unbroken(text: str) -> str:
    """Return `text` with the places inside an amount closed, where a line may not end: after its sign, before 万."""
    return _PARTED.sub("\N{WORD JOINER}", text)


def format_estimate(amount: SupportsFloat | None, currency: str = "CNY") -> str:
    """Return an amount that nobody knows to the cent, in whole units: ¥1,234,567."""
    value = _exact(amount)
    if value is None:
        return MISSING
    figure = _grouped(abs(value), 0)
    minus = "-" if value < 0 and figure != "0" else ""
    return f"{minus}{currency_symbol(currency)}{figure}"


def format_chance(x: SupportsFloat | None) -> str:
    """Return a chance in whole per cent, never quite none or all: <1%, 71%, >99%."""
    value = _exact(x)
    if value is None:
        return MISSING
    figure = _grouped(value * 100, 0)
    return {"0": "<1%", "100": ">99%"}.get(figure, f"{figure}%")


def format_rate(x: SupportsFloat | None, decimals: int = 1) -> str:
    """Return a rate, 1.0 being the whole, as a percentage: 62.3%."""
    value = _exact(x)
    return MISSING if value is None else f"{_grouped(value * 100, decimals)}%"


def format_points(x: SupportsFloat | None) -> str:
    """Return a difference of two rates in percentage points, signed: +3.1 pp."""
    value = _exact(x)
    if value is None:
        return MISSING
    points = _grouped(value * 100, 1)
    signed = points if points.startswith("-") or points == "0.0" else f"+{points}"
    return _("{points} pp", points=signed)


def format_days(x: SupportsFloat | None) -> str:
    """Return a length in days, one decimal under ten days: 3.5 days, 42 days."""
    value = _exact(x)
    if value is None:
        return MISSING
    text = _grouped(value, 1 if abs(value) < 10 else 0, trim=True)
    return _n("{n} day", "{n} days", 1 if text == "1" else 2, n=text)


# --- days -----------------------------------------------------------------------------------


def _is_missing(d: date | None) -> bool:
    return d is None or d != d  # NaT differs from itself  # noqa: PLR0124


def format_date(d: date | None) -> str:
    """Return a day: 2026年3月5日, Mar 5, 2026."""
    if d is None or _is_missing(d):
        return MISSING
    return babel_date(d, format="medium", locale=_LOCALES[_speaking.get()])


def format_instant(at: datetime | None, tz: tzinfo) -> str:
    """Return an aware instant as day and time in `tz`; ValueError for a naive one."""
    if at is None or _is_missing(at):
        return MISSING
    if at.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    local = at.astimezone(tz)
    return _("{day}, {time}", day=format_date(local), time=f"{local:%H:%M}")


def format_month(d: date | None) -> str:
    """Return the month that a day lies in: 2026年3月, Mar 2026."""
    if d is None or _is_missing(d):
        return MISSING
    pattern = "y年M月" if _speaking.get() == "zh" else "MMM y"
    return babel_date(d, format=pattern, locale=_LOCALES[_speaking.get()])


def format_quarter(year: int, quarter: int) -> str:
    """Return a quarter: 2026年第1季度, Q1 2026."""
    return _("Q{quarter} {year}", quarter=quarter, year=year)


def format_relative_day(d: date | None, today: date) -> str:
    """Return how far a day lies from `today`: today, 3 days ago, in 2 days."""
    if d is None or _is_missing(d):
        return MISSING
    days = (d - today).days
    near = {0: N_("today"), -1: N_("yesterday"), 1: N_("tomorrow")}.get(days)
    if near:
        return _(near)
    if days < 0:
        return _n("{n} day ago", "{n} days ago", -days)
    return _n("in {n} day", "in {n} days", days)


# --- what a person types --------------------------------------------------------------------

_TYPED_UNITS = {
    "千": 10**3, "k": 10**3, "万": 10**4, "w": 10**4, "百万": 10**6, "m": 10**6,
    "千万": 10**7, "亿": 10**8, "b": 10**9, "bn": 10**9, "万亿": 10**12,
}  # fmt: skip
_FIGURE = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,4}(?:,\d{4})+(?!\d)|\d+)(?:\.\d*)?(?:e[+-]?\d{1,2})?|\.\d+"
_TERM = re.compile(rf"({_FIGURE})(" + "|".join(sorted(_TYPED_UNITS, key=len, reverse=True)) + r")?")


def parse_number(text: str) -> Decimal:
    """Return the number that a person typed: 1,234.5, ¥3.5万, 1亿2000万, 2.5m, (300), full width.

    Raises ValueError for anything else, as for a comma that may be a decimal
    sign (1,5) and for the spoken 1万2, which could be two numbers.
    """
    typed = unicodedata.normalize("NFKC", text).strip().lower().replace("\N{MINUS SIGN}", "-")
    typed = re.sub(r"[\s'_]|cny|rmb|usd|eur|人民币|元|圆|[¥$€£]", "", typed)
    negative = typed.startswith("-") or (typed.startswith("(") and typed.endswith(")"))
    body = typed.strip("()") if typed.startswith("(") and typed.endswith(")") else typed
    body = body.removeprefix("-") if body.startswith("-") else body.removeprefix("+")

    total, position, above = Decimal(0), 0, Decimal("Infinity")
    while match := _TERM.match(body, position):
        figure, unit = Decimal(match[1].replace(",", "")), _TYPED_UNITS.get(match[2] or "", 1)
        if unit >= above or (position and figure * unit >= above):
            break
        if position and unit == 1 and figure * 10 < above:
            break
        total, position, above = total + figure * unit, match.end(), Decimal(unit)
    if not body or position != len(body):
        raise ValueError(f"not a number: {text!r}")
    return -total if negative else total
