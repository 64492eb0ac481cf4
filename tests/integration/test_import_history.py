"""A company's history, exported and read into an empty database, gives equal answers to every question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from sqlmodel import select

from core import gate
from core.access.actors import SYSTEM
from core.db.work import Database
from core.domain.periods import Period
from core.importing.company import CompanyNotEmpty, NotOurFolder, read_company, write_company
from core.model import Deal, DealChange, Rep, Stage, StageMove
from core.queries.funnel import cohort_funnel
from core.queries.funnel_losses import losses_by_stage
from core.queries.funnel_stays import time_in_stage
from core.queries.history_export import company_history
from core.queries.imports import import_reference
from core.queries.leaderboard import leaderboard
from core.queries.overview import booked_by_month, breakdown, overview_kpis, pipeline_by_stage
from core.services.imports import apply_import, undo_import
from data.demo import load_demo

NOW = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)
YEAR = Period(date(2025, 7, 1), date(2026, 7, 1))
NUMBERS = ("id", "rep_id", "team_id", "stage_id", "key", "customer_id", "product_id", "pipeline_id", "lost_reason_id")


@pytest.fixture(scope="module")
def exported(founded_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, Path]]:
    folder = tmp_path_factory.mktemp("company")
    (folder / "a.db").write_bytes(founded_sqlite.read_bytes())
    database = Database(f"sqlite:///{folder / 'a.db'}", zone=ZoneInfo("Asia/Shanghai"))
    load_demo(database, deals=600, until=date(2026, 7, 14))
    tables = gate.answer(database, SYSTEM, company_history, NOW)
    write_company(folder / "out", tables, at=NOW)
    yield database, folder / "out"
    database.close()


def brought_in(database: Database, folder: Path) -> int:
    plan = read_company(folder, gate.answer(database, SYSTEM, import_reference, NOW))
    return gate.perform(database, SYSTEM, apply_import, NOW, plan=plan, key="k").batch_id


def told(database: Database, table: type) -> list[tuple[object, ...]]:
    """Return a table's history by names instead of numbers."""
    with database.reading(SYSTEM, now=NOW) as work:
        deals = {row.id: row for row in work.session.exec(select(Deal))}
        stages = {row.id: row.code for row in work.session.exec(select(Stage))}
        reps = {row.id: row.name for row in work.session.exec(select(Rep))}
        if table is Deal:
            return sorted(
                (d.name, stages[d.stage_id], d.state.value, reps[d.owner_id], reps.get(d.credited_id, ""), d.amount,
                 d.base_amount, d.opened_at, str(d.closed_at), d.expected_close_on)
                for d in deals.values()
            )  # fmt: skip
        rows = work.session.exec(select(table)).all()
        if table is StageMove:
            return sorted(
                (deals[r.deal_id].name, r.effective_at, stages.get(r.from_stage_id, ""),
                 stages[r.to_stage_id], r.recorded_at)
                for r in rows
            )  # fmt: skip
        return sorted(
            (deals[r.deal_id].name, r.effective_at, r.field.value,
             reps[int(r.after)] if r.field == "owner" else r.after, r.recorded_at)
            for r in rows
        )  # fmt: skip


def plain(answer: object) -> list[dict[str, object]]:
    assert isinstance(answer, pd.DataFrame)
    frame = answer.drop(columns=[name for name in answer.columns if name in NUMBERS])
    assert not frame.empty
    return sorted(
        json.loads(frame.to_json(orient="records", date_format="iso")), key=lambda row: json.dumps(row, sort_keys=True)
    )


def test_every_deal_move_and_change_arrives(exported: tuple[Database, Path], database: Database) -> None:
    original, folder = exported
    brought_in(database, folder)

    for table in (Deal, StageMove, DealChange):
        rows = told(database, table)
        assert len(rows) >= 600
        assert rows == told(original, table)


@pytest.mark.parametrize(
    "question", [cohort_funnel, time_in_stage, losses_by_stage, booked_by_month, leaderboard, overview_kpis]
)
def test_the_answers_about_a_year_are_equal(
    question: object, exported: tuple[Database, Path], database: Database
) -> None:
    original, folder = exported
    brought_in(database, folder)

    ours, theirs = (gate.answer(one, SYSTEM, question, NOW, period=YEAR) for one in (database, original))  # type: ignore[arg-type]

    if isinstance(ours, pd.DataFrame):
        assert plain(ours) == plain(theirs)
    else:
        assert repr(ours) == repr(theirs)


def test_the_breakdowns_and_the_pipeline_are_equal(exported: tuple[Database, Path], database: Database) -> None:
    original, folder = exported
    brought_in(database, folder)

    for by in ("team", "territory", "product", "channel", "segment", "rep"):
        ours, theirs = (
            plain(gate.answer(one, SYSTEM, breakdown, NOW, period=YEAR, by=by)) for one in (database, original)
        )
        assert ours == theirs
    ours, theirs = (plain(gate.answer(one, SYSTEM, pipeline_by_stage, NOW)) for one in (database, original))
    assert ours == theirs


def test_a_whole_company_comes_only_into_an_empty_one(exported: tuple[Database, Path], database: Database) -> None:
    original, folder = exported

    with pytest.raises(CompanyNotEmpty):
        read_company(folder, gate.answer(original, SYSTEM, import_reference, NOW))
    with pytest.raises(NotOurFolder):
        read_company(folder.parent, gate.answer(database, SYSTEM, import_reference, NOW))


def test_a_whole_company_can_be_taken_back(exported: tuple[Database, Path], database: Database) -> None:
    batch_id = brought_in(database, exported[1])

    done = gate.perform(database, SYSTEM, undo_import, NOW, batch_id=batch_id)

    assert done.kept == []
    with database.reading(SYSTEM, now=NOW) as work:
        assert work.session.exec(select(Deal)).all() == []
        assert work.session.exec(select(Rep)).all() == []
