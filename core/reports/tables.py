"""Tables as files: CSV and XLSX that open right in a spreadsheet and run nothing there."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from core.i18n import (
    MISSING,
    format_chance,
    format_date,
    format_days,
    format_estimate,
    format_instant,
    format_money,
    format_month,
    format_number,
    format_rate,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

Kind = Literal[
    "text", "written", "money", "estimate", "count", "number", "rate", "chance", "days", "date", "month", "instant"
]  # fmt: skip

_SHEET_NAME_LENGTH = 31
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_XLSX_FORMATS: dict[str, str] = {
    "money": "#,##0.00", "estimate": "#,##0", "chance": "0%",
    "count": "#,##0", "number": "#,##0.##", "rate": "0.0%", "days": "0.0",
    "date": "yyyy-mm-dd", "month": "yyyy-mm", "instant": "yyyy-mm-dd hh:mm",
}  # fmt: skip
_WIDTHS = {"text": 24, "money": 16, "estimate": 16, "instant": 18}


@dataclass(frozen=True)
class Column:
    """One column of a table: the frame's column, its heading, and what its values are.

    Rates are fractions, `days` numbers of days, money major units of `currency`; an estimate is money that nobody
    knows to the cent, a chance a rate that is never quite none or all, `written` a figure in words where the rows of a
    column differ in their units.
    """

    key: str
    label: str
    kind: Kind = "text"
    currency: str = "CNY"
    width: Literal["small", "medium", "large"] | None = None
    help: str | None = None


def shown(column: Column, zone: ZoneInfo) -> Callable[[Any], str]:
    """Return the function that writes one value of `column` for a reader."""
    writers: dict[str, Callable[[Any], str]] = {
        "money": lambda value: format_money(value, column.currency),
        "estimate": lambda value: format_estimate(value, column.currency),
        "chance": format_chance,
        "count": format_number,
        "number": lambda value: format_number(value, 2),
        "rate": format_rate,
        "days": format_days,
        "date": format_date,
        "month": format_month,
        "instant": lambda value: format_instant(value, zone),
    }
    return writers.get(column.kind, lambda value: MISSING if is_missing(value) or value == "" else str(value))


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dicts of Python's own values: what `to_dict("records")` gives, many times as fast."""
    names = [str(name) for name in frame.columns]
    columns = ([None if value is pd.NA else value for value in column.tolist()] for _name, column in frame.items())
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def is_missing(value: object) -> bool:
    """Say whether a cell holds nothing."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value))


def defused(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_RUNS) else text


def csv_bytes(frame: pd.DataFrame, columns: Sequence[Column], zone: ZoneInfo) -> bytes:
    """Return the table as CSV with headings: UTF-8 with a mark, numbers plain, days in ISO."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([defused(column.label) for column in columns])
    writer.writerows(
        [_plain(value, column, zone) for value, column in zip(row, columns, strict=True)]
        for row in frame[[column.key for column in columns]].itertuples(index=False, name=None)
    )
    return out.getvalue().encode("utf-8-sig")


def xlsx_bytes(frame: pd.DataFrame, columns: Sequence[Column], zone: ZoneInfo, *, title: str) -> bytes:
    """Return the table as a workbook of one sheet: typed cells, frozen headings, a filter."""
    import xlsxwriter

    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "nan_inf_to_errors": False,
        },
    )
    name = "".join("-" if c in "[]:*?/\\'" else c for c in title)[:_SHEET_NAME_LENGTH] or "Luopan"
    sheet = book.add_worksheet(name)
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    for index, column in enumerate(columns):
        style = book.add_format({"num_format": _XLSX_FORMATS.get(column.kind, "@")})
        sheet.set_column(index, index, _WIDTHS.get(column.kind, 12), style)
        sheet.write_string(0, index, column.label, heading)
        for row, value in enumerate(frame[column.key], start=1):
            _write(sheet, row, index, value, column, zone)
    sheet.freeze_panes(1, 0)
    if len(frame) and columns:
        sheet.autofilter(0, 0, len(frame), len(columns) - 1)
    book.close()
    return out.getvalue()


def _write(sheet: Any, row: int, index: int, value: object, column: Column, zone: ZoneInfo) -> None:
    if is_missing(value) or value == "":
        return
    if isinstance(value, datetime):
        sheet.write_datetime(row, index, value.astimezone(zone).replace(tzinfo=None) if value.tzinfo else value)
    elif isinstance(value, date):
        sheet.write_datetime(row, index, datetime(value.year, value.month, value.day))  # noqa: DTZ001 - a cell has no zone
    elif column.kind in ("text", "written") or isinstance(value, str):
        sheet.write_string(row, index, defused(str(value)))
    else:
        sheet.write_number(row, index, float(value))  # type: ignore[arg-type]


def _plain(value: object, column: Column, zone: ZoneInfo) -> str:
    if is_missing(value):
        return ""
    match value:
        case datetime():
            local = value.astimezone(zone) if value.tzinfo else value
            return local.strftime("%Y-%m-%d" if column.kind in {"date", "month"} else "%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case str():
            return defused(value)
    if column.kind in ("money", "estimate"):
        return f"{float(value):.{2 if column.kind == 'money' else 0}f}"  # type: ignore[arg-type]
    return defused(str(value)) if column.kind == "text" else str(value)
