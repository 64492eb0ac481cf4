"""Applying an import in one transaction, and taking it back whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Table, delete, select, update

from core.access.actions import Action
from core.db.bulk import chunks, insert_rows, reserve_numbers
from core.db.work import get_visible
from core.errors import SalesError
from core.gate import command
from core.i18n import N_
from core.model import (
    Activity,
    BatchState,
    CreditShare,
    Customer,
    Deal,
    DealChange,
    DealLine,
    ImportBatch,
    ImportMapping,
    Pipeline,
    StageMove,
    metadata,
)
from core.services.idempotency import remember, saved_before

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.db.work import Work

_OWNED_BY_DEAL: tuple[Any, ...] = (DealLine, StageMove, DealChange, CreditShare)


class ImportedMeanwhile(SalesError):
    """Rows of the plan came in by another import after the preview."""

    text = N_("Some of these rows were imported meanwhile. Go back to the review and look again.")


class NotApplied(SalesError):
    """Only an applied import can be undone."""

    text = N_("This import has been undone already.")


class TouchedSince(SalesError):
    """Records that an import made have been worked on; `records` lists them as (table, number, name)."""

    text = N_("{count} of the imported records have been worked on since. They can be kept, and the rest undone.")

    def __init__(self, records: list[tuple[str, int, str]]) -> None:
        self.records = records
        super().__init__(count=len(records))


@dataclass
class ImportPlan:
    """Rows ready to be written, and what became of each row of the files.

    `rows` maps a table's name to rows of that table; their `id` is a negative number of the plan's
    own, and foreign keys name either such a number or a record there is. `files` tells name, hash,
    kind, row count and, where amounts came without a currency column, the currency of each file;
    `mappings` what to remember as (kind, signature, mapping).
    """

    kind: str
    files: list[dict[str, Any]]
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    rows_read: int = 0
    rows_imported: int = 0
    rows_merged: int = 0
    rows_refused: int = 0
    default_pipeline: int | None = None
    said: dict[str, Any] = field(default_factory=dict)
    mappings: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def add(self, table: str, **values: Any) -> int:
        """Put a row into the plan and return its number (negative)."""
        self._last = getattr(self, "_last", 0) - 1
        self.rows.setdefault(table, []).append({"id": self._last, **values})
        return self._last


@dataclass(frozen=True)
class Applied:
    """What an import did: records made by table."""

    batch_id: int
    made: dict[str, int]


@dataclass(frozen=True)
class Undone:
    """What an undo took away and what it kept, by table."""

    removed: dict[str, int]
    kept: list[tuple[str, int, str]]


@command(Action.IMPORT)
def apply_import(work: Work, *, plan: ImportPlan, key: str) -> Applied:
    """Write the plan's rows in one transaction, with one audit entry for all of them.

    Raises ImportedMeanwhile where a deal of the plan is there already.
    """
    done = saved_before(work, key=key, command="apply_import")
    if done is not None:
        return Applied(done, get_visible(work, ImportBatch, done).report.get("counts", {}))
    _refuse_known_deals(work, plan)
    batch_id = _add_batch(work, plan)
    numbers: dict[int, int] = {}
    made: dict[str, list[int]] = {}
    for table in metadata.sorted_tables:
        rows = plan.rows.get(table.name)
        if rows:
            made[table.name] = _insert(work, table, rows, numbers, batch_id)
    counts = {name: len(found) for name, found in made.items()}
    report = {
        **plan.said, "files": plan.files, "counts": counts,
        "made": {
            name: _ranges(found) for name, found in made.items()
            if name not in {"deal_line", "stage_move", "deal_change"}
        },
    }  # fmt: skip
    if plan.default_pipeline is not None:
        report["default_before"] = work.session.scalar(
            select(cast("Any", Pipeline.id)).where(cast("Any", Pipeline.is_default))
        )
        work.session.execute(update(Pipeline).values(is_default=False))
        chosen = numbers.get(plan.default_pipeline, plan.default_pipeline)
        work.session.execute(update(Pipeline).where(cast("Any", Pipeline.id) == chosen).values(is_default=True))
    work.session.execute(
        update(ImportBatch).where(cast("Any", ImportBatch.id) == batch_id).values(report=report),
        execution_options={"synchronize_session": False},
    )
    _remember_mappings(work, plan)
    work.note(
        "import.apply", "import_batch", batch_id, files=[said["name"] for said in plan.files], made=counts,
        rows_read=plan.rows_read, rows_imported=plan.rows_imported, rows_merged=plan.rows_merged,
        rows_refused=plan.rows_refused, currencies={f["name"]: f["currency"] for f in plan.files if "currency" in f},
    )  # fmt: skip
    remember(work, key=key, command="apply_import", record_id=batch_id)
    return Applied(batch_id, counts)


@command(Action.IMPORT)
def undo_import(work: Work, *, batch_id: int, keep_touched: bool = False) -> Undone:
    """Take away exactly what an import made; what is used or was worked on since stays.

    Raises NotFound, NotApplied, and TouchedSince where something was worked on and `keep_touched`
    is not set.
    """
    batch = get_visible(work, ImportBatch, batch_id)
    if batch.state is not BatchState.APPLIED:
        raise NotApplied
    made = {name: _numbers(found) for name, found in batch.report.get("made", {}).items()}
    touched = _touched(work, batch, made)
    if touched and not keep_touched:
        raise TouchedSince(touched)
    kept = {(name, number) for name, number, _label in touched}
    removed: dict[str, int] = {}
    keeping: list[tuple[str, int, str]] = list(touched)
    _restore_default(work, batch, made)
    for table in reversed(metadata.sorted_tables):
        numbers = [number for number in made.get(table.name, []) if (table.name, number) not in kept]
        if numbers:
            gone, used = _remove(work, table, numbers)
            removed[table.name] = gone
            keeping.extend((table.name, number, "") for number in used)
    work.session.execute(
        update(ImportBatch)
        .where(cast("Any", ImportBatch.id) == batch_id)
        .values(
            state=BatchState.UNDONE, updated_at=work.now, version=batch.version + 1,
            report={**batch.report, "undone": {"removed": removed, "kept": len(keeping)}},
        ),
        execution_options={"synchronize_session": False},
    )  # fmt: skip
    work.note("import.undo", "import_batch", batch_id, removed=removed, kept=len(keeping))
    return Undone(removed, keeping)


def _refuse_known_deals(work: Work, plan: ImportPlan) -> None:
    numbers = [row["external_id"] for row in plan.rows.get("deal", ()) if row.get("external_id")]
    for chunk in chunks(numbers):
        found = select(cast("Any", Deal.id)).where(cast("Any", Deal.external_id).in_(chunk)).limit(1)
        if work.session.scalar(found) is not None:
            raise ImportedMeanwhile


def _add_batch(work: Work, plan: ImportPlan) -> int:
    table = metadata.tables["import_batch"]
    (batch_id,) = reserve_numbers(work.session, table, 1)
    hashes = [said["hash"] for said in plan.files]
    insert_rows(
        work.session,
        table,
        [
            {
                "id": batch_id, "created_at": work.now, "updated_at": work.now, "version": 1, "kind": plan.kind,
                "file_name": ", ".join(said["name"] for said in plan.files)[:200],
                "file_hash": hashes[0] if len(hashes) == 1 else "", "state": BatchState.APPLIED,
                "user_id": work.actor.user_id, "rows_read": plan.rows_read, "rows_imported": plan.rows_imported,
                "rows_merged": plan.rows_merged, "rows_refused": plan.rows_refused, "report": {},
            }
        ],
    )  # fmt: skip
    return batch_id


def _insert(work: Work, table: Table, rows: list[dict[str, Any]], numbers: dict[int, int], batch_id: int) -> list[int]:
    if "id" not in table.columns:
        insert_rows(
            work.session, table, [{**_defaults(table), **{k: v for k, v in row.items() if k != "id"}} for row in rows]
        )
        return []
    given = reserve_numbers(work.session, table, len(rows))
    for row, number in zip(rows, given, strict=True):
        numbers[row["id"]] = number
    same: dict[str, Any] = {"updated_at": work.now, "version": 1} if "created_at" in table.columns else {}
    if "import_batch_id" in table.columns:
        same["import_batch_id"] = batch_id
    defaults = _defaults(table)
    ready = [{**defaults, **row, **same, "id": numbers[row["id"]]} for row in rows]
    for whole in ready:
        _resolve(table, whole, numbers)
        _stamp(work, table, whole)
    insert_rows(work.session, table, ready)
    return given


def _resolve(table: Table, row: dict[str, Any], numbers: dict[int, int]) -> None:
    """Put real numbers in place of the plan's own."""
    for column in table.columns:
        value = row[column.name] if column.foreign_keys else None
        if isinstance(value, int) and value < 0:
            row[column.name] = numbers[value]
    if table.name == "deal_change" and row["field"] == "owner":
        for side in ("before", "after"):
            if row[side] is not None and row[side].startswith("-"):
                row[side] = str(numbers[int(row[side])])


def _stamp(work: Work, table: Table, row: dict[str, Any]) -> None:
    if "created_at" in table.columns:
        row["created_at"] = row["created_at"] or work.now
    if "recorded_at" in table.columns:
        row["recorded_at"] = row["recorded_at"] or work.now
        row["by_user_id"] = row["by_user_id"] or work.actor.user_id


def _defaults(table: Table) -> dict[str, Any]:
    (mapper,) = _mappers([table.name])
    fields = mapper.class_.model_fields
    return {
        column.name: None if fields[column.name].is_required() else fields[column.name].get_default()
        for column in table.columns
    }


def _remember_mappings(work: Work, plan: ImportPlan) -> None:
    for kind, signature, mapping in plan.mappings:
        found = work.session.scalars(
            select(ImportMapping).where(
                cast("Any", ImportMapping.kind) == kind, cast("Any", ImportMapping.signature) == signature
            )
        ).one_or_none()
        if found is None:
            table = metadata.tables["import_mapping"]
            (number,) = reserve_numbers(work.session, table, 1)
            row = {"id": number, "created_at": work.now, "updated_at": work.now, "version": 1}
            insert_rows(work.session, table, [{**row, "kind": kind, "signature": signature, "mapping": mapping}])
        elif found.mapping != mapping:
            work.session.execute(
                update(ImportMapping)
                .where(cast("Any", ImportMapping.id) == found.id)
                .values(mapping=mapping, updated_at=work.now, version=found.version + 1),
                execution_options={"synchronize_session": False},
            )


def _touched(work: Work, batch: ImportBatch, made: dict[str, list[int]]) -> list[tuple[str, int, str]]:
    """Return what was edited, moved or talked about since the import, as (table, number, name)."""
    touched: dict[tuple[str, int], str] = {}
    for mapper in _mappers(made):
        model = mapper.class_
        if not hasattr(model, "version") or not hasattr(model, "name"):
            continue
        table = mapper.local_table.name
        for chunk in chunks(made[table]):
            edited = select(model.id, model.name).where(model.id.in_(chunk), model.version > 1)
            touched.update({(table, number): name for number, name in work.session.execute(edited)})
    deals = made.get("deal", [])
    for model in (StageMove, DealChange):
        found = cast("Any", model)
        for chunk in chunks(deals):
            later = select(found.deal_id).where(found.deal_id.in_(chunk), found.recorded_at > batch.created_at)
            touched.update({("deal", number): "" for number in work.session.scalars(later)})
    foreign = cast("Any", Activity.import_batch_id).is_distinct_from(batch.id)
    for column, table in ((Activity.deal_id, "deal"), (Activity.customer_id, "customer")):
        for chunk in chunks(made.get(table, [])):
            met = select(cast("Any", column)).where(cast("Any", column).in_(chunk), foreign)
            touched.update({(table, number): "" for number in work.session.scalars(met)})
    for model, table in ((Deal, "deal"), (Customer, "customer")):
        unnamed = [number for (kind, number), name in touched.items() if kind == table and not name]
        for chunk in chunks(unnamed):
            names = select(cast("Any", model).id, cast("Any", model).name).where(cast("Any", model).id.in_(chunk))
            touched.update({(table, number): name for number, name in work.session.execute(names)})
    return [(table, number, name) for (table, number), name in sorted(touched.items())]


def _mappers(made: Iterable[str]) -> list[Any]:
    from sqlmodel import SQLModel

    registry = cast("Any", SQLModel)._sa_registry  # noqa: SLF001 - SQLModel names its registry so
    return [mapper for mapper in registry.mappers if mapper.local_table.name in made]


def _remove(work: Work, table: Table, numbers: list[int]) -> tuple[int, list[int]]:
    """Delete the rows that nothing else uses; return how many, and the numbers of the others."""
    (mapper,) = _mappers([table.name])
    model = mapper.class_
    owned = {owner.__tablename__ for owner in _OWNED_BY_DEAL} if table.name == "deal" else set()
    if table.name == "deal":
        free = _free(work, table, numbers, owned)
        for child in _OWNED_BY_DEAL:
            for chunk in chunks(free):
                work.session.execute(
                    delete(child).where(child.deal_id.in_(chunk)), execution_options={"synchronize_session": False}
                )
    left, gone = list(numbers), 0
    while left:
        free = _free(work, table, left, owned)
        for chunk in chunks(free):
            work.session.execute(
                delete(model).where(model.id.in_(chunk)), execution_options={"synchronize_session": False}
            )
        gone += len(free)
        taken = set(free)
        left = [number for number in left if number not in taken]
        if not free:
            break
    return gone, left


def _free(work: Work, table: Table, numbers: list[int], owned: set[str]) -> list[int]:
    used: set[int] = set()
    for other in metadata.sorted_tables:
        if other.name in owned or other.name == "import_batch":
            continue
        for column in other.columns:
            if any(key.column.table is table for key in column.foreign_keys):
                (mapper,) = _mappers([other.name])
                attribute = mapper.get_property_by_column(column).class_attribute
                for chunk in chunks(numbers):
                    used.update(work.session.scalars(select(attribute).where(attribute.in_(chunk)).distinct()))
    if table.name == "rep":
        owners = select(cast("Any", DealChange.after)).where(cast("Any", DealChange.field) == "owner").distinct()
        before = select(cast("Any", DealChange.before)).where(cast("Any", DealChange.field) == "owner").distinct()
        named = {int(number) for one in (owners, before) for number in work.session.scalars(one) if number}
        used |= named
    return [number for number in numbers if number not in used]


def _restore_default(work: Work, batch: ImportBatch, made: dict[str, list[int]]) -> None:
    before = batch.report.get("default_before")
    present = work.session.scalar(select(cast("Any", Pipeline.id)).where(cast("Any", Pipeline.is_default)))
    if before is not None and present in made.get("pipeline", []):
        work.session.execute(update(Pipeline).values(is_default=False))
        work.session.execute(update(Pipeline).where(cast("Any", Pipeline.id) == before).values(is_default=True))


def _ranges(numbers: list[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def _numbers(ranges: list[list[int]]) -> list[int]:
    return [number for first, last in ranges for number in range(first, last + 1)]
