from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from core import gate
from core.access.actors import SYSTEM
from core.db.work import Database
from core.domain.periods import day_of
from core.domain.stages import DealField, StageKind
from core.errors import NotAllowed
from core.importing.batches import (
    Preview,
    deal_numbers,
    offered_pairs,
    open_sources,
    prepare,
    suggest_choices,
)
from core.importing.choices import Choices
from core.importing.fields import FileKind
from core.importing.ledger import Outcome
from core.importing.readers import SourceFile
from core.importing.refused import refused_csv
from core.model import (
    Activity,
    AuditEntry,
    Customer,
    Deal,
    DealChange,
    DealLine,
    ImportBatch,
    Pipeline,
    Product,
    Rep,
    Stage,
    StageMove,
    Team,
    Territory,
)
from core.queries.imports import import_reference, known_deals
from core.services.imports import TouchedSince, apply_import, undo_import

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
MAVEN = SHARED / "maven_crm"
needs_data = pytest.mark.skipif(not MAVEN.is_dir(), reason="../shared/data is not here")
NOW = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)
COUNTED = (Deal, DealLine, DealChange, StageMove, Customer, Product, Rep, Team, Territory, Pipeline, Stage)


def preview_of(database: Database, files: dict[str, bytes], choices: Choices | None = None, **said: Any) -> Preview:
    reference = gate.answer(database, SYSTEM, import_reference, NOW)
    sources = open_sources([SourceFile(name, content) for name, content in files.items()], reference)
    chosen = replace(suggest_choices(sources, reference, choices), **said)
    known = gate.answer(database, SYSTEM, known_deals, NOW, external_ids=deal_numbers(sources))
    return prepare(sources, reference, known, chosen)


def apply(database: Database, preview: Preview, key: str = "a") -> int:
    return gate.perform(database, SYSTEM, apply_import, NOW, plan=preview.plan, key=key).batch_id


def maven() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(MAVEN.glob("*.csv"))}


def deals_csv(*rows: str) -> dict[str, bytes]:
    head = "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value"
    return {"deals.csv": "\n".join([head, *rows]).encode()}


def counts(database: Database) -> dict[str, int]:
    with database.reading(SYSTEM, now=NOW) as work:
        return {model.__name__: work.session.exec(select(func.count()).select_from(model)).one() for model in COUNTED}


@needs_data
def test_every_row_of_the_real_pipeline_is_accounted_for(database: Database) -> None:
    """The figures come straight from the file, read by the standard library."""
    rows = list(csv.DictReader((MAVEN / "sales_pipeline.csv").open(encoding="utf-8")))
    won = [row for row in rows if row["deal_stage"] == "Won"]
    preview = preview_of(database, maven(), merges={"product": {"GTXPro": "GTX Pro"}})
    kinds = {source.table.file: source.mapping.kind for source in preview.sources}
    deals_at = [source.table.file for source in preview.sources].index("sales_pipeline.csv")

    batch_id = apply(database, preview)

    assert kinds == {
        "accounts.csv": FileKind.ACCOUNTS, "products.csv": FileKind.PRODUCTS, "sales_teams.csv": FileKind.PEOPLE,
        "sales_pipeline.csv": FileKind.DEALS, "data_dictionary.csv": FileKind.NONE,
    }  # fmt: skip
    assert preview.ledger.counts(deals_at) == {Outcome.IMPORTED: len(rows)}
    with database.reading(SYSTEM, now=NOW) as work:
        deals = work.session.exec(select(Deal)).all()
        batch = work.session.get(ImportBatch, batch_id)
        stages = {stage.id: stage.name for stage in work.session.exec(select(Stage))}
        customers = {row.id: row.name for row in work.session.exec(select(Customer))}
        teams = {row.name: row.territory_id for row in work.session.exec(select(Team))}
        territories = {row.id: row.name for row in work.session.exec(select(Territory))}
        reps = {row.id: row.name for row in work.session.exec(select(Rep))}
        assert work.session.exec(select(Product).where(Product.name == "GTXPro")).first() is None
    by_number = {deal.external_id: deal for deal in deals}
    assert set(by_number) == {row["opportunity_id"] for row in rows}
    assert Counter(stages[deal.stage_id] for deal in deals) == Counter(row["deal_stage"] for row in rows)
    assert sum(deal.amount for deal in deals if deal.state is StageKind.WON) == sum(
        Decimal(row["close_value"]) for row in won
    )
    for row in rows[:400]:
        deal = by_number[row["opportunity_id"]]
        assert reps[deal.owner_id] == row["sales_agent"]
        assert customers[deal.customer_id] == (row["account"] or "(no account)")
        if row["engage_date"]:
            assert day_of(deal.opened_at, database.zone).isoformat() == row["engage_date"]
        if row["close_date"]:
            assert deal.closed_at is not None
            assert day_of(deal.closed_at, database.zone).isoformat() == row["close_date"]
    assert len(reps) == 35
    assert territories[teams["Summer Sewald"]] == "West"
    assert batch is not None
    assert (batch.rows_read, batch.rows_imported, batch.rows_refused) == (8927, 8927, 0)


@needs_data
def test_the_same_files_bring_nothing_a_second_time(database: Database) -> None:
    apply(database, preview_of(database, maven()))
    before = counts(database)

    again = preview_of(database, maven())

    assert {name for name, _batch in again.repeated} == {
        "accounts.csv", "products.csv", "sales_pipeline.csv", "sales_teams.csv",
    }  # fmt: skip
    assert again.counts[Outcome.IMPORTED] == 0
    assert again.counts[Outcome.PRESENT] == 8800
    assert again.plan.rows == {}
    assert counts(database) == before


def test_an_import_is_undone_whole(database: Database) -> None:
    """On both databases nothing is left but the batch and the audit."""
    before = counts(database)
    files = deals_csv(
        "A1,Moses,GTX,Acme,Won,2024-01-05,2024-02-01,100", "A2,Moses,GTX,Acme,Lost,2024-01-06,2024-02-02,0",
        "A3,Ruth,MG,Beta,Engaging,2024-01-07,,",
    )  # fmt: skip
    batch_id = apply(database, preview_of(database, files))
    made = counts(database)

    done = gate.perform(database, SYSTEM, undo_import, NOW, batch_id=batch_id)

    assert made["Deal"] == before["Deal"] + 3
    assert (done.removed["deal"], done.removed["customer"], done.kept) == (3, 2, [])
    assert counts(database) == before
    with database.reading(SYSTEM, now=NOW) as work:
        assert work.session.exec(select(Pipeline).where(Pipeline.is_default)).one().code == "standard"
    assert apply(database, preview_of(database, files), "b") != batch_id


def test_what_was_worked_on_since_is_kept_only_on_demand(database: Database) -> None:
    files = deals_csv("A1,Moses,GTX,Acme,Engaging,2024-01-05,,100", "A2,Ruth,MG,Beta,Engaging,2024-01-07,,5")
    batch_id = apply(database, preview_of(database, files))
    with database.writing(SYSTEM, now=NOW + timedelta(hours=1), action="test") as work:
        deal = work.session.exec(select(Deal).where(Deal.external_id == "A1")).one()
        work.session.add(Activity(
            kind="call", subject="?", customer_id=deal.customer_id, deal_id=deal.id, rep_id=deal.owner_id, done_at=NOW,
        ))  # fmt: skip

    with pytest.raises(TouchedSince) as refusal:
        gate.perform(database, SYSTEM, undo_import, NOW, batch_id=batch_id)
    gate.perform(database, SYSTEM, undo_import, NOW, batch_id=batch_id, keep_touched=True)

    assert ("deal", deal.id, "Acme · GTX") in refusal.value.records
    with database.reading(SYSTEM, now=NOW) as work:
        assert [row.external_id for row in work.session.exec(select(Deal))] == ["A1"]
        assert [row.name for row in work.session.exec(select(Customer))] == ["Acme"]
        assert [row.name for row in work.session.exec(select(Rep))] == ["Moses"]


def test_history_lies_where_the_file_says_and_is_recorded_now(database: Database) -> None:
    apply(database, preview_of(database, deals_csv(
        "A1,Moses,GTX,Acme,Won,2024-01-05,2024-02-01,100", "A2,Ruth,GTX,Acme,Engaging,2024-01-06,,7",
        "A3,Ruth,GTX,Acme,Prospecting,,,7",
    )))  # fmt: skip

    with database.reading(SYSTEM, now=NOW) as work:
        names = {stage.id: stage.name for stage in work.session.exec(select(Stage))}
        numbers = {deal.id: deal for deal in work.session.exec(select(Deal))}
        moves = [
            (numbers[move.deal_id].external_id, names.get(move.from_stage_id), names[move.to_stage_id],
             day_of(move.effective_at, work.zone).isoformat(), move.recorded_at)
            for move in work.session.exec(select(StageMove).order_by(StageMove.id))
        ]  # fmt: skip
        owner = work.session.exec(select(DealChange).where(DealChange.field == DealField.OWNER)).first()
    assert moves == [
        ("A1", None, "Engaging", "2024-01-05", NOW), ("A1", "Engaging", "Won", "2024-02-01", NOW),
        ("A2", None, "Engaging", "2024-01-06", NOW), ("A3", None, "Prospecting", "2024-02-01", NOW),
    ]  # fmt: skip
    assert owner.before is None
    assert int(owner.after) == numbers[owner.deal_id].owner_id == next(iter(numbers.values())).credited_id


def test_wrong_rows_are_refused_with_every_reason_and_given_back_defused(database: Database) -> None:
    preview = preview_of(database, deals_csv(
        "A1,Moses,GTX,=cmd|' /C calc'!A0,Engaging,2024-01-40,,minus", "A2,Moses,GTX,Acme,Won,2024-02-01,2024-01-01,5",
        "A3,Moses,GTX,Acme,Won,2024-02-01,,5", "A4,Moses,GTX,Acme,Engaging,2027-02-01,,5",
        "A5,Moses,GTX,Acme,Engaging,2024-02-01,,-5", "A6,Moses,GTX,Acme,Engaging,2024-02-01,,5",
        "A6,Moses,GTX,Acme,Engaging,2024-02-01,,6", "A6,Moses,GTX,Acme,Engaging,2024-02-01,,5",
    ))  # fmt: skip

    errors = {(one.row, one.column): one.message() for one in preview.problems if one.is_error}

    assert errors[2, "engage_date"] == "“2024-01-40” is not a day."
    assert errors[2, "close_value"] == "“minus” is not a number."
    assert errors[3, "close_date"] == "The deal closes (2024-01-01) before it opens (2024-02-01)."
    assert errors[4, "close_date"] == "A won or lost deal needs the day on which it closed."
    assert errors[5, "engage_date"] == "The day 2027-02-01 has not come yet."
    assert errors[6, "close_value"] == "The number cannot be negative."
    assert errors[8, "opportunity_id"] == "Row 7 has the same deal number with other values."
    assert preview.counts == {Outcome.IMPORTED: 1, Outcome.MERGED: 1, Outcome.REFUSED: 6}
    given = list(csv.reader(io.StringIO(refused_csv(preview, 0).decode("utf-8-sig"))))
    assert len(given) == 7
    assert given[1][3] == "'=cmd|' /C calc'!A0"
    assert given[5][7] == "-5"
    assert given[3][-2] == "close_date: A won or lost deal needs the day on which it closed."
    assert given[3][-1] == "4"


def test_a_longer_file_brings_the_new_deals_and_names_the_changed_ones(database: Database) -> None:
    first = "A1,Moses,GTX,Acme,Engaging,2024-01-05,,100"
    apply(database, preview_of(database, deals_csv(first)))

    longer = preview_of(database, deals_csv(
        first.replace("100", "250"), "A2,Moses,GTX,Acme,Engaging,2024-01-06,,5",
    ))  # fmt: skip
    apply(database, longer, "b")

    assert longer.counts == {Outcome.PRESENT: 1, Outcome.IMPORTED: 1}
    assert "here 250.00, in Luopan 100.00" in longer.problems[0].message()
    with database.reading(SYSTEM, now=NOW) as work:
        assert sorted((d.external_id, d.amount) for d in work.session.exec(select(Deal))) == [("A1", 100), ("A2", 5)]


def test_rows_without_a_number_are_known_by_their_values(database: Database) -> None:
    head = "client,deal stage,engage date,value"
    same = ["Acme,Engaging,2024-01-05,10", "Acme,Engaging,2024-01-05,10"]
    one = {"a.csv": "\n".join([head, *same]).encode()}
    apply(database, preview_of(database, one))

    again = preview_of(database, {"a.csv": "\n".join([head, *same, "Acme,Engaging,2024-01-05,11"]).encode()})

    assert again.counts == {Outcome.PRESENT: 2, Outcome.IMPORTED: 1}


def test_an_import_leaves_one_audit_entry(database: Database) -> None:
    with database.reading(SYSTEM, now=NOW) as work:
        before = work.session.exec(select(func.max(AuditEntry.id))).one()

    apply(database, preview_of(database, deals_csv("A1,Moses,GTX,Acme,Engaging,2024-01-05,,100")))

    with database.reading(SYSTEM, now=NOW) as work:
        (entry,) = work.session.exec(select(AuditEntry).where(AuditEntry.id > before)).all()
    assert (entry.action, entry.after["rows_imported"], entry.after["made"]["deal"]) == ("import.apply", 1, 1)


def test_a_double_click_imports_once(database: Database) -> None:
    preview = preview_of(database, deals_csv("A1,Moses,GTX,Acme,Engaging,2024-01-05,,100"))

    assert apply(database, preview, "k") == apply(database, preview, "k")
    assert counts(database)["Deal"] == 1


def test_rules_for_blanks_are_the_choosers(database: Database) -> None:
    files = deals_csv("A1,,GTX,,Prospecting,,,", "A2,Moses,GTX,Acme,Prospecting,2024-03-01,,5")

    strict = preview_of(database, files, no_customer="refuse", undated="refuse", no_amount="refuse")
    kind = preview_of(database, files, undated_on=date(2024, 5, 1), house_rep="House", no_customer_name="Nobody")
    apply(database, kind)

    assert {one.message() for one in strict.problems if one.row == 2 and one.is_error} >= {
        "The customer is missing.", "The deal has no day on which it was opened.",
    }  # fmt: skip
    with database.reading(SYSTEM, now=NOW) as work:
        deal = work.session.exec(select(Deal).where(Deal.external_id == "A1")).one()
        assert day_of(deal.opened_at, work.zone) == date(2024, 5, 1)
        assert work.session.get(Rep, deal.owner_id).name == "House"
        assert work.session.get(Customer, deal.customer_id).name == "Nobody"


def test_a_log_becomes_a_process_in_the_order_in_which_deals_pass_it(database: Database) -> None:
    log = b"""case,activity,timestamp,resource,amount
1,Quoted,2024-01-09 10:00,Ann,90
1,Received,2024-01-01 10:00,Ann,100
1,Checked,2024-01-05 10:00,Bob,100
1,Won,2024-01-20 10:00,Bob,90
2,Received,2024-01-02 10:00,Ann,50
2,Checked,2024-01-03 10:00,Ann,50
2,Received,2024-01-04 10:00,Ann,50
2,Lost,2024-01-08 10:00,Ann,50
3,Received,2024-02-02 10:00,Ann,
3,Quoted,2024-02-03 10:00,Ann,70
"""
    preview = preview_of(database, {"log.csv": log})
    apply(database, preview)

    assert [(one.word, one.kind.value) for one in preview.choices.stages] == [
        ("Received", "open"), ("Checked", "open"), ("Quoted", "open"), ("Won", "won"), ("Lost", "lost"),
    ]  # fmt: skip
    with database.reading(SYSTEM, now=NOW) as work:
        deal = work.session.exec(select(Deal).where(Deal.external_id == "1")).one()
        names = {row.id: row.name for row in work.session.exec(select(Rep))}
        moves = work.session.exec(select(StageMove).where(StageMove.deal_id == deal.id)).all()
        amounts = [
            change.after for change in work.session.exec(
                select(DealChange).where(DealChange.deal_id == deal.id, DealChange.field == DealField.AMOUNT)
            )
        ]  # fmt: skip
        reopened = work.session.exec(select(Deal).where(Deal.external_id == "2")).one()
        steps = work.session.exec(select(func.count()).where(StageMove.deal_id == reopened.id)).one()
    assert (deal.state, deal.amount, names[deal.credited_id]) == (StageKind.WON, Decimal(90), "Bob")
    assert len(moves) == 4
    assert amounts == ["100.00 CNY", "90.00 CNY"]
    assert (reopened.state, steps) == (StageKind.LOST, 4)


@needs_data
def test_order_lines_become_won_deals_of_customers_by_number(database: Database) -> None:
    path = SHARED / "supermarket_zh" / "supermarket.csv"
    rows = list(csv.DictReader(path.open(encoding="utf-8-sig")))
    cents = [int((Decimal(row["sales"]) * 100).quantize(Decimal(1), rounding="ROUND_HALF_UP")) for row in rows]

    preview = preview_of(database, {path.name: path.read_bytes()})
    apply(database, preview)

    assert preview.counts == {Outcome.IMPORTED: len(rows)}
    with database.reading(SYSTEM, now=NOW) as work:
        deals = work.session.exec(select(Deal)).all()
        customers = work.session.exec(select(Customer)).all()
        lines = work.session.exec(select(DealLine)).all()
        territories = {row.name for row in work.session.exec(select(Territory))}
    assert len(deals) == len({(row["order_id"], row["customer_id"]) for row in rows})
    assert {deal.state for deal in deals} == {StageKind.WON}
    assert (len(customers), len({row.name for row in customers})) == (790, 771)
    assert sum(int(line.amount * 100) for line in lines) == sum(cents) == sum(int(deal.amount * 100) for deal in deals)
    assert sum(line.quantity for line in lines) == sum(int(row["amount"]) for row in rows)
    assert territories == {row["area"] for row in rows}


@needs_data
def test_almost_equal_names_are_offered_and_nothing_is_guessed(database: Database) -> None:
    reference = gate.answer(database, SYSTEM, import_reference, NOW)
    sources = open_sources([SourceFile(name, content) for name, content in maven().items()], reference)

    pairs = {(pair.subject, pair.written, pair.known): pair for pair in offered_pairs(sources, reference)}

    assert pairs["product", "GTXPro", "GTX Pro"].written_count == 1480
    assert ("industry", "technolgy", "technology") in pairs
    assert ("country", "Philipines", "Philippines") in pairs
    assert suggest_choices(sources, reference).merges == {}


def test_only_who_may_import_does(company: Any, perform_as: Any) -> None:
    preview = preview_of(company.database, deals_csv("A1,Moses,GTX,Acme,Engaging,2024-01-05,,100"))

    for who in ("eastern rep", "eastern manager", "leader", "administrator"):
        with pytest.raises(NotAllowed):
            perform_as(who, apply_import, plan=preview.plan, key="k")
        with pytest.raises(NotAllowed):
            perform_as(who, undo_import, batch_id=1)
    assert perform_as("operations", apply_import, plan=preview.plan, key="k").made["deal"] == 1
