"""Answers kept as they were: frames as Arrow, the rest as JSON, nothing that runs when read."""

from __future__ import annotations

import base64
import io
from datetime import date
from typing import Any

import pandas as pd
import pyarrow as pa


def freeze(answers: dict[str, Any]) -> dict[str, Any]:
    """Return the answers as JSON values; those of a kind that cannot be kept are left out."""
    return {name: kept for name, value in answers.items() if (kept := _freeze(value)) is not None}


def thaw(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the answers that `freeze` kept."""
    return {name: _thaw(value) for name, value in kept.items()}


def _freeze(value: Any) -> dict[str, Any] | None:
    match value:
        case pd.DataFrame():
            table = pa.Table.from_pandas(value.reset_index(drop=True))
            out = io.BytesIO()
            with pa.ipc.new_stream(out, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
                writer.write_table(table)
            return {"kind": "frame", "value": base64.b64encode(out.getvalue()).decode()}
        case date():
            return {"kind": "date", "value": value.isoformat()}
        case dict() | list() | str() | int() | float() | bool() | None:
            return {"kind": "json", "value": value}
    return None


def _thaw(kept: dict[str, Any]) -> Any:
    match kept["kind"]:
        case "frame":
            with pa.ipc.open_stream(base64.b64decode(kept["value"])) as reader:
                return reader.read_all().to_pandas()
        case "date":
            return date.fromisoformat(kept["value"])
        case _:
            return kept["value"]
