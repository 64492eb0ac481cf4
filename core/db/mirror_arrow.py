"""From the database's rows to Arrow's columns."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv


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
