"""The dry run: files and choices in, a plan with every row accounted for out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from babel import Locale

from core.domain.periods import day_of
from core.domain.stages import StageKind
from core.importing import process as processes
from core.importing.choices import Choices, from_remembered
from core.importing.cleaning import day_in, day_order, folded
from core.importing.deals import DealRows, Rules, usual_days
from core.importing.fields import INDUSTRIES, FileKind
from core.importing.history_log import Event, LogRows
from core.importing.ledger import Ledger, Outcome, Problem, Row, Source, rows_of
from core.importing.mapping import FileMapping, signature, suggest
from core.importing.matching import NearPair, near_pairs
from core.importing.orders import OrderNumbers, OrderRows
from core.importing.parties import take_account, take_person, take_product
from core.importing.readers import SourceFile, read_table
from core.importing.records import Records
from core.queries.imports import KnownDeal, Reference
from core.services.imports import ImportPlan

_PARTIES = (
    (FileKind.PEOPLE, take_person), (FileKind.PRODUCTS, take_product), (FileKind.ACCOUNTS, take_account),
)  # fmt: skip


@dataclass
class Preview:
    """What would be written, and what became of every row; `pairs` are names offered for merging."""

    sources: list[Source]
    choices: Choices
    plan: ImportPlan
    ledger: Ledger
    rules: Rules
    repeated: list[tuple[str, int]]

    @property
    def problems(self) -> list[Problem]:
        """Every problem, in the order of files and rows."""
        place = {source.table.file: index for index, source in enumerate(self.sources)}
        return sorted(self.ledger.problems, key=lambda one: (place[one.file], one.row))

    @property
    def counts(self) -> Counter[Outcome]:
        """How many rows ended how."""
        return self.ledger.counts()


def open_sources(
    files: Sequence[SourceFile], reference: Reference, *, encoding: str | None = None, currency: str = ""
) -> list[Source]:
    """Read the files and suggest what each is, in the encoding and currency where they are said.

    Raises UnreadableFile.
    """
    sources = []
    for file in files:
        table = read_table(file, encoding=encoding)
        mapping = suggest(table, reference.mappings)
        if currency:
            mapping = replace(mapping, currency=currency)
        sources.append(Source(table, mapping, file.hash))
    return sources


def suggest_choices(sources: Sequence[Source], reference: Reference, start: Choices | None = None) -> Choices:
    """Fill in what the files suggest wherever `start` leaves it open."""
    choices = start or _remembered(sources, reference) or Choices()
    words = stage_words(sources)
    pipeline, stages = processes.suggest_stages(words, reference, _paths(sources))
    unmatched = set(words) - {one.word for one in choices.stages}
    is_there = not choices.pipeline or any(one.external_id == choices.pipeline for one in reference.pipelines)
    if words and (unmatched or not is_there or (start is None and pipeline and not choices.pipeline)):
        choices = replace(choices, pipeline=pipeline, stages=stages)
    if not words and not choices.pipeline:
        default = next((one for one in reference.pipelines if one.id == reference.default_pipeline_id), None)
        choices = replace(choices, pipeline=default.external_id or "" if default else "")
    if not choices.process_name and words:
        choices = replace(choices, process_name=_stem(_of_kind(sources, FileKind.DEALS, FileKind.HISTORY)[0][1]))
    if not choices.opened_stage and words:
        deals = _of_kind(sources, FileKind.DEALS)
        column = deals[0][1].mapping.column_of("opened_on") if deals else None
        choices = replace(choices, opened_stage=processes.suggest_opened_stage(column, choices.stages))
    order = day_order(cell for source in sources for row in source.table.rows for cell in row)
    return replace(choices, day_order=order) if order else choices


def deal_numbers(sources: Sequence[Source]) -> list[str]:
    """Return every outside number of a deal in the files, to be looked up among those there are."""
    found: dict[str, None] = {}
    for index, source in enumerate(sources):
        match source.mapping.kind:
            case FileKind.DEALS:
                rows = DealNumbers()
                for row in rows_of(index, source):
                    found[rows.number_of(row)] = None
            case FileKind.ORDERS:
                orders = OrderNumbers()
                found.update({orders.number_of(row): None for row in rows_of(index, source)})
            case FileKind.HISTORY:
                found.update({row.text("deal", 120): None for row in rows_of(index, source)})
    return list(found)


class DealNumbers:
    """Numbers rows as `DealRows` does."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def number_of(self, row: Row) -> str:
        """Return the row's deal number, worked out from its values where it has none."""
        return row.text("external_id", 120) or DealRows.number_from(row, self.seen)


def prepare(sources: list[Source], reference: Reference, known: Mapping[str, KnownDeal], choices: Choices) -> Preview:
    """Plan the whole batch without writing anything."""
    plan = ImportPlan(
        kind="+".join(sorted({one.mapping.kind.value for one in sources if one.mapping.kind is not FileKind.NONE})),
        files=[
            {
                "name": source.table.file, "hash": source.hash, "kind": source.mapping.kind.value,
                "rows": len(source.table.rows), **_denomination(source, reference),
            }
            for source in sources if source.mapping.kind is not FileKind.NONE
        ],
    )  # fmt: skip
    ledger = Ledger(sources)
    records = Records(reference, plan)
    for kind, take in _PARTIES:
        for index, source in _of_kind(sources, kind):
            for row in rows_of(index, source):
                take(row, records, ledger, choices)
    rules, win_rate = _rules(sources, reference, choices)
    process = None
    if _of_kind(sources, FileKind.DEALS, FileKind.ORDERS, FileKind.HISTORY):
        process = processes.settle(choices, records, win_rate=win_rate, stay_days=rules.expected_days)
    if process is not None:
        _take_deals(sources, records, ledger, choices, process, rules, known)
    if not plan.rows.get("deal"):
        plan.default_pipeline = None
        for table in ("pipeline", "stage"):
            plan.rows.pop(table, None)
    _give_customers_owners(records, choices)
    _assign_territories(records, rules.undated_on)
    _finish(plan, ledger, sources, choices, reference)
    repeated = [
        (source.table.file, reference.imported_files[source.hash][0])
        for source in sources
        if source.hash in reference.imported_files and source.mapping.kind is not FileKind.NONE
    ]
    return Preview(sources, choices, plan, ledger, rules, repeated)


def offered_pairs(sources: Sequence[Source], reference: Reference) -> list[NearPair]:
    """Return the names in the files that almost match another, there or in the files' own lists."""
    written: dict[str, Counter[str]] = defaultdict(Counter)
    listed: dict[str, set[str]] = {
        "product": {one.name for one in reference.products} | {one.name_en for one in reference.products},
        "customer": {one.name for one in reference.customers} | {one.name_en for one in reference.customers},
        "rep": {one.name for one in reference.reps} | {one.name_en for one in reference.reps},
        "industry": set(INDUSTRIES),
        "country": set(Locale("en").territories.values()) | set(Locale("zh").territories.values()),
    }
    lists = {
        (FileKind.PRODUCTS, "name"): "product", (FileKind.ACCOUNTS, "name"): "customer",
        (FileKind.PEOPLE, "name"): "rep",
    }  # fmt: skip
    subjects = {"product": "product", "customer": "customer", "owner": "rep", "person": "rep",
                "industry": "industry", "country": "country", "name": ""}  # fmt: skip
    for index, source in enumerate(sources):
        kind = source.mapping.kind
        numbered = {"customer": "customer_id", "product": "product_id"}
        fields = set(source.mapping.columns.values())
        for row in rows_of(index, source):
            for field in fields & set(subjects):
                subject = lists.get((kind, field)) or subjects[field]
                if not subject or row.cell(field) is None or numbered.get(field) in fields:
                    continue
                written[subject][row.text(field)] += 1
                if (kind, field) in lists:
                    listed[subject].add(row.text(field))
    pairs = []
    for subject, names in written.items():
        if subject in {"industry", "country"}:
            cased = {folded(name) for name in listed[subject]}
            names = Counter({name: n for name, n in names.items() if folded(name) not in cased})  # noqa: PLW2901
        pairs.extend(near_pairs(subject, names, listed[subject] - {""}))
    return sorted(pairs, key=lambda pair: (-pair.score, -pair.written_count, pair.subject, pair.written))


def stage_words(sources: Sequence[Source]) -> Counter[str]:
    """Return the stage words of deal and log files, with the number of rows of each."""
    return Counter(
        row.text("stage")
        for index, source in _of_kind(sources, FileKind.DEALS, FileKind.HISTORY)
        for row in rows_of(index, source)
        if row.cell("stage") is not None
    )


def _take_deals(
    sources: Sequence[Source], records: Records, ledger: Ledger, choices: Choices, process: processes.Process,
    rules: Rules, known: Mapping[str, KnownDeal],
) -> None:  # fmt: skip
    log = LogRows(records, ledger, choices, process, rules.expected_days, known)
    for index, source in _of_kind(sources, FileKind.HISTORY):
        for row in rows_of(index, source):
            log.read(row)
    events: dict[str, list[Event]] = log.settle()
    deals = DealRows(records, ledger, choices, process, rules, known, events)
    for index, source in _of_kind(sources, FileKind.DEALS):
        for row in rows_of(index, source):
            deals.take(row)
    log.write_rest(events, set(deals.seen))
    orders = OrderRows(records, ledger, choices, process, known)
    for index, source in _of_kind(sources, FileKind.ORDERS):
        for row in rows_of(index, source):
            orders.read(row)
    orders.write()


def _of_kind(sources: Sequence[Source], *kinds: FileKind) -> list[tuple[int, Source]]:
    return [(index, source) for index, source in enumerate(sources) if source.mapping.kind in kinds]


def _remembered(sources: Sequence[Source], reference: Reference) -> Choices | None:
    for source in sources:
        said = reference.mappings.get(("choices", signature(source.table.columns)))
        if said is not None and source.mapping.kind in {FileKind.DEALS, FileKind.HISTORY, FileKind.ORDERS}:
            return from_remembered(said)
    return None


def _paths(sources: Sequence[Source]) -> list[list[str]]:
    steps: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for index, source in _of_kind(sources, FileKind.HISTORY):
        for row in rows_of(index, source):
            if row.cell("stage") is not None and row.cell("at") is not None:
                steps[row.text("deal")].append((row.text("at"), row.text("stage")))
    return [[word for _at, word in sorted(found, key=lambda step: step[0])] for found in steps.values()]


def _rules(sources: Sequence[Source], reference: Reference, choices: Choices) -> tuple[Rules, float]:
    """Return the default rules and the files' win rate (won ÷ decided; one half where none is)."""
    kinds = {one.word: one.kind for one in choices.stages}
    latest: date | None = None
    cycles: list[int] = []
    decided: Counter[StageKind] = Counter()
    today = day_of(reference.now, reference.zone)
    for index, source in _of_kind(sources, FileKind.DEALS):
        for row in rows_of(index, source):
            kind = kinds.get(row.text("stage"), StageKind.OPEN)
            decided[kind] += 1
            days = {}
            for field in ("opened_on", "closed_on"):
                if row.cell(field) is not None:
                    try:
                        days[field] = day_in(row.cell(field), order=choices.day_order, zone=reference.zone)
                    except ValueError:
                        continue
            past = [day for day in days.values() if day <= today]
            latest = max([*past, latest] if latest else past, default=latest)
            if kind is StageKind.WON and len(days) == 2 and days["closed_on"] >= days["opened_on"]:
                cycles.append((days["closed_on"] - days["opened_on"]).days)
    won, closed = decided[StageKind.WON], decided[StageKind.WON] + decided[StageKind.LOST]
    rules = Rules(
        choices.undated_on or latest or today,
        choices.expected_days if choices.expected_days is not None else usual_days(cycles),
    )
    return rules, won / closed if closed else 0.5


def _give_customers_owners(records: Records, choices: Choices) -> None:
    """Give each new customer without an owner to the rep with the most of its deals.

    A customer without a territory takes that rep's; the placeholder for missing names gets neither.
    """
    owners: dict[int, Counter[int]] = defaultdict(Counter)
    for deal in records.plan.rows.get("deal", ()):
        owners[deal["customer_id"]][deal["owner_id"]] += 1
    territories = {rep["id"]: rep.get("_territory") for rep in records.plan.rows.get("rep", ())}
    for customer in records.plan.rows.get("customer", ()):
        if customer["name"] == choices.no_customer_name or not owners[customer["id"]]:
            continue
        first = max(owners[customer["id"]].items(), key=lambda item: (item[1], item[0]))[0]
        customer["owner_id"] = customer.get("owner_id") or first
        customer["territory_id"] = customer.get("territory_id") or territories.get(customer["owner_id"])


def _assign_territories(records: Records, day: date) -> None:
    starts: dict[int, date] = {}
    zone = records.reference.zone
    for deal in records.plan.rows.get("deal", ()):
        opened = day_of(deal["opened_at"], zone)
        starts[deal["owner_id"]] = min(starts.get(deal["owner_id"], opened), opened)
    for rep in records.plan.rows.get("rep", ()):
        territory = rep.pop("_territory", None)
        if territory is not None:
            records.plan.add(
                "territory_assignment", rep_id=rep["id"], territory_id=territory,
                from_on=rep.get("joined_on") or starts.get(rep["id"], day),
            )  # fmt: skip
        rep.pop("sku", None)
    for product in records.plan.rows.get("product", ()):
        product.pop("sku", None)


def _denomination(source: Source, reference: Reference) -> dict[str, str]:
    """Return the currency in which a file's amounts are taken, where no column of it names one."""
    if source.mapping.undenominated is None:
        return {}
    return {"currency": source.mapping.currency or reference.base_currency}


def _finish(
    plan: ImportPlan, ledger: Ledger, sources: Sequence[Source], choices: Choices, reference: Reference
) -> None:
    counts = ledger.counts()
    plan.rows_read = sum(counts.values())
    plan.rows_imported = counts[Outcome.IMPORTED]
    plan.rows_merged = counts[Outcome.MERGED] + counts[Outcome.PRESENT]
    plan.rows_refused = counts[Outcome.REFUSED]
    reasons: Counter[str] = Counter(one.reason for one in ledger.problems if one.is_error)
    notes: Counter[str] = Counter(one.reason for one in ledger.problems if not one.is_error)
    files: list[dict[str, Any]] = []
    for index, source in enumerate(sources):
        if source.mapping.kind is FileKind.NONE:
            continue
        found = ledger.counts(index)
        files.append({"name": source.table.file, **{end.value: found[end] for end in Outcome}})
        plan.mappings.append(
            (
                "file", signature(source.table.columns),
                {"kind": source.mapping.kind.value, "columns": dict(source.mapping.columns),
                 **_denomination(source, reference)},
            )
        )  # fmt: skip
        if source.mapping.kind in {FileKind.DEALS, FileKind.HISTORY, FileKind.ORDERS}:
            plan.mappings.append(("choices", signature(source.table.columns), choices.to_remember()))
    plan.said = {"outcomes": files, "reasons": dict(reasons), "notes": dict(notes), "present": counts[Outcome.PRESENT]}


def _stem(source: Source) -> str:
    return source.table.file.rsplit("/", 1)[-1].rsplit(".", 1)[0].replace("_", " ").strip()[:80]


__all__ = [
    "FileMapping",
    "Preview",
    "deal_numbers",
    "offered_pairs",
    "open_sources",
    "prepare",
    "stage_words",
    "suggest_choices",
]
