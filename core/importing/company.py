"""A company's whole history as a folder of CSV files, and such a folder as an import."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from core.errors import SalesError
from core.i18n import N_
from core.model import metadata
from core.queries.history_export import LEFT_OUT, TABLES
from core.queries.imports import Reference
from core.services.imports import ImportPlan

MANIFEST = "luopan.json"
FORMAT = 1
_NATURAL = {"territory": "code", "channel": "code", "lost_reason": "code", "pipeline": "code", "product": "code",
            "sku": "code", "team": "name"}  # fmt: skip


class NotOurFolder(SalesError):
    """The folder was not written by export-history, or by a newer version."""

    text = N_("{folder} holds no history that this version can read.")


class CompanyNotEmpty(SalesError):
    """A whole company can only come into an empty one."""

    text = N_("There are deals in this database already. A whole history can only be imported into an empty one.")


def write_company(folder: Path, tables: Mapping[str, Sequence[Mapping[str, Any]]], *, at: datetime) -> None:
    """Write each table as a CSV file (UTF-8 with a mark, days and instants in ISO) and a manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    for name, rows in tables.items():
        columns = [column.name for column in metadata.tables[name].columns if column.name not in LEFT_OUT]
        with (folder / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            writer.writerows([_said(row[column]) for column in columns] for row in rows)
        counts[name] = len(rows)
    manifest = {"format": FORMAT, "written_at": at.isoformat(), "rows": counts}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def read_company(folder: Path, reference: Reference) -> ImportPlan:
    """Plan a folder's rows; those that the empty company has by code (standard stages, reasons) are kept.

    Raises NotOurFolder, CompanyNotEmpty.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotOurFolder(folder=folder.name) from error
    if manifest.get("format") != FORMAT:
        raise NotOurFolder(folder=folder.name)
    if reference.deal_count:
        raise CompanyNotEmpty
    plan = ImportPlan(kind="company", files=[])
    numbers: dict[str, dict[int, int]] = {}
    present = _present(reference)
    for model in TABLES:
        name = model.__tablename__
        path = folder / f"{name}.csv"
        if not path.is_file():
            continue
        content = path.read_bytes()
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        plan.files.append(
            {"name": path.name, "hash": hashlib.sha256(content).hexdigest(), "kind": name, "rows": len(rows)}
        )
        numbers[name] = {}
        values = [_typed(name, row) for row in rows]
        if name == "team":
            values = _parents_first(values)
        for row in values:
            _take(plan, name, row, numbers, present, reference)
    plan.rows_read = sum(said["rows"] for said in plan.files)
    made = sum(len(rows) for rows in plan.rows.values())
    plan.rows_imported, plan.rows_merged = made, plan.rows_read - made
    return plan


def _take(  # noqa: C901, PLR0912 - one rule a table, in the order of the tables
    plan: ImportPlan, name: str, row: dict[str, Any], numbers: dict[str, dict[int, int]],
    present: Mapping[tuple[str, str], int], reference: Reference,
) -> None:  # fmt: skip
    old = row.pop("id", None)
    for column in metadata.tables[name].columns:
        for key in column.foreign_keys:
            target = key.column.table.name
            if row.get(column.name) is not None and target in numbers and target != "currency":
                row[column.name] = numbers[target][row[column.name]]
    if name == "deal_change" and row["field"] == "owner":
        for side in ("before", "after"):
            if row[side] is not None:
                row[side] = str(numbers["rep"][int(row[side])])
    if name == "stage":
        found = next(
            (
                stage.id
                for stage in reference.stages
                if stage.pipeline_id == row["pipeline_id"] and stage.code == row["code"]
            ),
            None,
        )
    else:
        natural = _NATURAL.get(name)
        found = present.get((name, str(row[natural]))) if natural and row.get(natural) else None
    if name == "currency":
        if row["code"] not in reference.currencies:
            plan.add(name, **row)
        return
    if name == "setting" and row["name"] in reference.settings:
        return
    if name == "fx_rate" and any(on == row["on"] for on, _rate in reference.rates.get(row["currency"], ())):
        return
    if name == "pipeline" and found is None and row["is_default"]:
        row["is_default"] = False
        plan.default_pipeline = numbers[name][old] = plan.add(name, **row)
        return
    numbers[name][old] = found if found is not None else plan.add(name, **row)


def _present(reference: Reference) -> dict[tuple[str, str], int]:
    known = {
        "territory": reference.territories, "channel": reference.channels, "lost_reason": reference.lost_reasons,
        "pipeline": reference.pipelines, "product": reference.products,
    }  # fmt: skip
    found = {(name, one.external_id or ""): one.id for name, ones in known.items() for one in ones}
    return found | {("team", one.name): one.id for one in reference.teams}


def _typed(name: str, row: Mapping[str, str]) -> dict[str, Any]:
    return {
        column.name: _read(column, row[column.name])
        for column in metadata.tables[name].columns
        if row.get(column.name) or (column.name in row and column.nullable)
    }


def _read(column: Any, text: str) -> Any:
    if text == "":
        return None
    kind = column.type
    if type(kind).__name__ == "Instant":
        return datetime.fromisoformat(text)
    if type(kind).__name__ in {"Money", "Rate"}:
        return Decimal(text)
    match kind.python_type.__name__:
        case "date":
            return date.fromisoformat(text)
        case "bool":
            return text == "1"
        case "int":
            return int(text)
        case "float":
            return float(text)
    return kind.enum_class(text) if getattr(kind, "enum_class", None) else text


def _said(value: Any) -> Any:
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
    return value


def _parents_first(teams: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ordered: list[dict[str, Any]] = []
    placed: set[int | None] = {None}
    while teams:
        ready = [team for team in teams if team["parent_id"] in placed]
        if not ready:
            return ordered + teams
        ordered += ready
        placed |= {team["id"] for team in ready}
        teams = [team for team in teams if team["id"] not in placed]
    return ordered
