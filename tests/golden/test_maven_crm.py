"""A real company's deals, laid straight into the tables: the program answers what its CSV files say."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.db.change_log import drop_triggers, install_triggers
from core.domain.stages import StageKind
from core.model import Customer, Deal, DealLine, LostReason, Product, Rep, Stage, StageMove, Team
from tests.factories import NOW

FOLDER = Path(__file__).resolve().parents[2].parent / "shared/data/maven_crm"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the real data is not beside the project")


def golden_script():
    spec = spec_from_file_location("maven_crm_golden", Path(__file__).with_name("maven_crm.py"))
    module = module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def noon(day):
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=UTC) + timedelta(hours=4)


def lay_down(database, product_names):
    """Write the decided deals of the files: each engaged on one day and closed on another."""
    teams = {row["sales_agent"]: row["manager"] for row in read("sales_teams.csv")}
    rows = [row for row in read("sales_pipeline.csv") if row["deal_stage"] in ("Won", "Lost")]
    with database.engine.begin() as connection:
        drop_triggers(connection)
    with database.writing(SYSTEM, now=NOW, action="test") as work:
        session = work.session

        def numbered(make, names):
            found = {}
            for name in sorted(names):
                found[name] = make(name)
                session.add(found[name])
            session.flush()
            return {name: row.id for name, row in found.items()}

        team = numbered(lambda name: Team(name=name), set(teams.values()))
        rep = numbered(lambda name: Rep(name=name, team_id=team[teams[name]]), teams)
        products = {row["product"]: product_names.get(row["product"], row["product"]) for row in rows}
        product = numbered(lambda name: Product(code=name, name=name), set(products.values()))
        customer = numbered(lambda name: Customer(name=name), {row["account"] for row in rows})
        stage = {row.code: row for row in session.exec(select(Stage))}
        reason = session.exec(select(LostReason)).first().id
        first, deals = stage["identified"], []
        for row in rows:
            last = stage[row["deal_stage"].lower()]
            value, is_won = Decimal(row["close_value"]), last.kind is StageKind.WON
            deals.append(
                Deal(
                    name=row["opportunity_id"], customer_id=customer[row["account"]], stage_id=last.id,
                    pipeline_id=last.pipeline_id, state=last.kind, stage_entered_at=noon(row["close_date"]),
                    owner_id=rep[row["sales_agent"]], credited_id=rep[row["sales_agent"]] if is_won else None,
                    amount=value, base_amount=value, expected_close_on=date.fromisoformat(row["close_date"]),
                    opened_at=noon(row["engage_date"]), closed_at=noon(row["close_date"]),
                    lost_reason_id=None if is_won else reason,
                )
            )  # fmt: skip
        session.add_all(deals)
        session.flush()
        for row, deal in zip(rows, deals, strict=True):
            number = product[products[row["product"]]]
            session.add(DealLine(deal_id=deal.id, product_id=number, unit_price=deal.amount, amount=deal.amount))
            for before, after, at in ((None, first.id, deal.opened_at), (first.id, deal.stage_id, deal.closed_at)):
                session.add(
                    StageMove(deal_id=deal.id, from_stage_id=before, to_stage_id=after, effective_at=at, recorded_at=at)
                )
    with database.engine.begin() as connection:
        install_triggers(connection)


def read(name):
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.slow
def test_the_program_answers_what_the_files_say(sqlite_database):
    golden = golden_script()
    expected = golden.expected(FOLDER)
    lay_down(sqlite_database, golden.PRODUCTS)

    def ask(query, **values):
        return gate.answer(sqlite_database, SYSTEM, query, NOW, **values)

    assert golden.differences(expected, ask) == []
    expected.won += 1
    assert golden.differences(expected, ask) == ["won: 4238 instead of 4239"], "a difference would be seen"


def test_the_files_are_the_ones_that_the_figures_are_about():
    expected = golden_script().expected(FOLDER)
    assert (expected.rows, expected.won, expected.lost) == (8800, 4238, 2473)
    assert expected.booked == "10005534"


def test_the_program_answers_what_the_files_say_after_importing_them(sqlite_database):
    """The same figures, with the deals brought in by the importer itself: all four files, 8,800 deals."""
    from tests.integration.test_import_files import apply, maven, preview_of

    script = golden_script()
    golden = script.expected(FOLDER)
    preview = preview_of(sqlite_database, maven(), merges={"product": script.PRODUCTS})
    apply(sqlite_database, preview)
    sqlite_database.mirror.refresh()

    def ask(query, **values):
        return gate.answer(sqlite_database, SYSTEM, query, NOW, **values)

    found = script.differences(golden, ask)

    assert golden.rows == 8800
    assert found == []
