"""From the database's rows to Arrow's columns."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Float, Integer
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine


def of_rows(rows: list[Any], kinds: dict[str, pa.DataType]) -> pa.Table:
    """Return the table of rows of Python values."""
    columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
    arrays = []
    for values, kind in zip(columns, kinds.values(), strict=True):
        timed = pa.types.is_temporal(kind)
        array = pa.array(values, type=pa.string() if timed else kind)
        arrays.append(array.cast(kind) if timed else array)
    return pa.table(arrays, names=list(kinds))


def of_json(lines: bytes, kinds: dict[str, pa.DataType]) -> pa.Table:
    """Return the table of rows that are one JSON array each.

    Without a backslash they are CSV in brackets, which Arrow reads faster; JSON keeps no raw line end.
    """
    if b"\\" in lines:
        return of_rows(json.loads(b"[" + lines.replace(b"]\n[", b"],\n[") + b"]"), kinds)
    return arrow_csv.read_csv(
        io.BytesIO(lines.replace(b"]\n[", b"\n")[1:-1]),
        read_options=arrow_csv.ReadOptions(column_names=list(kinds)),
        parse_options=arrow_csv.ParseOptions(double_quote=False),
        convert_options=arrow_csv.ConvertOptions(
            column_types=kinds, null_values=["null"], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )


def arrow_kind(
    kind: TypeEngine[Any],
    *,
    flag: pa.DataType,
    days: pa.DataType | None = None,
    instants: pa.DataType | None = None,
) -> pa.DataType:
    """Return Arrow's kind of a column; a flag, a day and an instant as the driver gives them."""
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    if isinstance(kind, Boolean):
        return flag
    if isinstance(kind, (Integer, BigInteger)):
        return pa.int64()
    if isinstance(kind, Float):
        return pa.float64()
    if isinstance(kind, Date):
        return days or pa.string()
    if isinstance(kind, DateTime):
        return instants or pa.string()
    return pa.string()
