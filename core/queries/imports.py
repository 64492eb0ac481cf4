"""What an import is compared with, and the imports there have been."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from core.access.actions import Action
from core.db.bulk import chunks
from core.db.work import get_visible
from core.domain.stages import StageKind
from core.gate import query
from core.model import (
    BatchState,
    Channel,
    Currency,
    Customer,
    Deal,
    FxRate,
    ImportBatch,
    ImportMapping,
    LostReason,
    Pipeline,
    Product,
    Rep,
    Setting,
    Sku,
    Stage,
    Team,
    Territory,
)
from core.queries.reference import user_names

if TYPE_CHECKING:
    from core.db.work import Work


@dataclass(frozen=True)
class Known:
    """A record there is: its number, names, and the other system's number for it."""

    id: int
    name: str
    name_en: str = ""
    external_id: str | None = None
    group: str = ""


@dataclass(frozen=True)
class KnownStage:
    """A stage there is."""

    id: int
    pipeline_id: int
    code: str
    name: str
    name_en: str
    position: int
    kind: StageKind


@dataclass(frozen=True)
class KnownDeal:
    """A deal that an earlier import brought."""

    id: int
    amount: Decimal
    state: StageKind
    stage: str


@dataclass(frozen=True)
class Reference:
    """Everything in the company that an import's words may mean, as of `now`."""

    now: datetime
    zone: ZoneInfo
    base_currency: str
    customers: tuple[Known, ...]
    products: tuple[Known, ...]
    list_prices: dict[int, tuple[Decimal, str]]
    costs: dict[tuple[int, int | None], tuple[Decimal, str]]
    """By product and SKU; without an SKU where the product has one in use alone."""
    reps: tuple[Known, ...]
    teams: tuple[Known, ...]
    territories: tuple[Known, ...]
    channels: tuple[Known, ...]
    lost_reasons: tuple[Known, ...]
    pipelines: tuple[Known, ...]
    stages: tuple[KnownStage, ...]
    default_pipeline_id: int | None
    rates: dict[str, tuple[tuple[date, Decimal], ...]]
    mappings: dict[tuple[str, str], dict[str, Any]]
    imported_files: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    deal_count: int = 0
    currencies: frozenset[str] = frozenset()
    settings: frozenset[str] = frozenset()


@query(Action.IMPORT)
def import_reference(work: Work) -> Reference:
    """Return what the rows of an import are compared with."""
    session = work.session
    listed: list[Any] = [Sku.product_id, Sku.list_price, Sku.currency]
    on_sale, first = cast("Any", Sku.active), cast("Any", Sku.id)
    newest_first = select(*listed).where(on_sale).order_by(first.desc())
    prices = {product: (price, currency) for product, price, currency in work.session.execute(newest_first)}
    rates: dict[str, list[tuple[date, Decimal]]] = {}
    dated: list[Any] = [FxRate.currency, FxRate.on, FxRate.rate]
    for code, on, rate in session.execute(select(*dated).order_by(cast("Any", FxRate.on))):
        rates.setdefault(code, []).append((on, rate))
    default = session.scalar(select(cast("Any", Pipeline.id)).where(cast("Any", Pipeline.is_default)))
    files: dict[str, tuple[int, datetime]] = {}
    for batch in session.scalars(select(ImportBatch).where(cast("Any", ImportBatch.state) == BatchState.APPLIED)):
        for said in batch.report.get("files", []):
            files[said["hash"]] = (batch.id or 0, batch.created_at)
    return Reference(
        now=work.now,
        zone=work.zone,
        base_currency=work.base_currency,
        customers=_known(work, Customer, Customer.external_id),
        products=_known(work, Product, Product.code, Product.category),
        list_prices=prices,
        costs=_costs(work),
        reps=_known(work, Rep, Rep.external_id),
        teams=_known(work, Team),
        territories=_known(work, Territory, Territory.code),
        channels=_known(work, Channel, Channel.code),
        lost_reasons=_known(work, LostReason, LostReason.code),
        pipelines=_known(work, Pipeline, Pipeline.code),
        stages=tuple(
            KnownStage(row.id or 0, row.pipeline_id, row.code, row.name, row.name_en, row.position, row.kind)
            for row in session.scalars(
                select(Stage).where(cast("Any", Stage.active)).order_by(cast("Any", Stage.position))
            )
        ),
        default_pipeline_id=default,
        rates={code: tuple(found) for code, found in rates.items()},
        mappings={(row.kind, row.signature): row.mapping for row in session.scalars(select(ImportMapping))},
        imported_files=files,
        currencies=frozenset(session.scalars(select(cast("Any", Currency.code)))),
        settings=frozenset(session.scalars(select(cast("Any", Setting.name)))),
        deal_count=session.scalar(select(func.count(cast("Any", Deal.id)))) or 0,
    )


@query(Action.IMPORT)
def known_deals(work: Work, *, external_ids: Sequence[str]) -> dict[str, KnownDeal]:
    """Return the deals that carry one of the other system's numbers, by that number."""
    found: dict[str, KnownDeal] = {}
    columns: list[Any] = [Deal.external_id, Deal.id, Deal.amount, Deal.state, Stage.name]
    for chunk in chunks(external_ids):
        rows = work.session.execute(
            select(*columns)
            .join(Stage, cast("Any", Stage.id) == Deal.stage_id)
            .where(cast("Any", Deal.external_id).in_(chunk))
        )
        for external_id, number, amount, state, stage in rows:
            found[external_id] = KnownDeal(number, amount, state, stage)
    return found


@query(Action.IMPORT, askable=True)
def import_batches(work: Work) -> list[dict[str, Any]]:
    """Return the imports there have been, newest first.

    Each: id, at (UTC), by, file_name, kind, state, rows_read, rows_imported, rows_merged, rows_refused,
    currencies (the codes that amounts without a currency column were taken in).
    """
    names = user_names(work.session)
    batches = work.session.scalars(select(ImportBatch).order_by(cast("Any", ImportBatch.id).desc()))
    return [
        {
            "id": batch.id, "at": batch.created_at, "by": names.get(batch.user_id, ""), "file_name": batch.file_name,
            "kind": batch.kind, "state": batch.state.value, "rows_read": batch.rows_read,
            "rows_imported": batch.rows_imported, "rows_merged": batch.rows_merged,
            "rows_refused": batch.rows_refused,
            "currencies": ", ".join(sorted({c for f in batch.report.get("files", []) if (c := f.get("currency"))})),
        }
        for batch in batches
    ]  # fmt: skip


@query(Action.IMPORT)
def import_batch(work: Work, *, batch_id: int) -> ImportBatch:
    """Return one import with its report; raises NotFound."""
    return get_visible(work, ImportBatch, batch_id)


def _costs(work: Work) -> dict[tuple[int, int | None], tuple[Decimal, str]]:
    found: dict[tuple[int, int | None], tuple[Decimal, str]] = {}
    in_use: dict[int, list[Sku]] = {}
    for sku in work.session.scalars(select(Sku)):
        if sku.cost is not None:
            found[sku.product_id, sku.id] = (sku.cost, sku.currency)
        if sku.active:
            in_use.setdefault(sku.product_id, []).append(sku)
    for product, skus in in_use.items():
        if len(skus) == 1 and skus[0].cost is not None:
            found[product, None] = (skus[0].cost, skus[0].currency)
    return found


def _known(work: Work, table: Any, external: Any = None, group: Any = None) -> tuple[Known, ...]:
    english = getattr(table, "name_en", None)
    columns = [table.id, table.name]
    columns += [column for column in (english, external, group) if column is not None]
    found = []
    for row in work.session.execute(select(*columns).order_by(table.id)):
        rest = list(row[2:])
        name_en = rest.pop(0) if english is not None else ""
        number = rest.pop(0) if external is not None else None
        found.append(Known(row[0], row[1], name_en, number, rest.pop(0) if group is not None else ""))
    return tuple(found)
